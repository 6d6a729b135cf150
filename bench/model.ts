import { join } from 'node:path';
import { Session } from '../engine/inference';
import { PatchcoreModel, trainPatchcore } from '../engine/patchcore';
import { backboneOf } from '../engine/patchcore/backbone';
import { heading, row, Stopwatch } from './table';

export interface ModelCase {
  readonly name: string;
  readonly backbone: string;
  readonly side: number;
  /** Trains once with each number of pictures. */
  readonly pictures: readonly number[];
}

export interface Material {
  readonly good: readonly Buffer[];
  readonly parts: readonly Buffer[];
  readonly threads: number;
  /** For the models made. */
  readonly folder: string;
}

/** Training time by number of pictures, and a picture stage by stage against the backbone's session run alone. */
export async function benchModel(wanted: ModelCase, material: Material): Promise<void> {
  heading(wanted.name);
  let folder = '';
  for (const count of wanted.pictures) {
    folder = join(material.folder, String(count));
    await train(wanted, count, folder, material);
  }
  await score(wanted.name, folder, material);
}

async function train(wanted: ModelCase, count: number, outFolder: string, material: Material): Promise<void> {
  const start = performance.now();
  const used = process.cpuUsage();
  const { manifest } = await trainPatchcore({
    partType: 'plate',
    pictures: material.good.slice(0, count).map((picture, index) => ({ name: String(index), picture })),
    outFolder,
    version: '1',
    source: 'simulator',
    backbone: wanted.backbone,
    input: { width: wanted.side, height: wanted.side, mode: 'stretch' },
    threads: material.threads,
  });
  const { bank, recipe, metrics } = manifest;
  const stages = Object.entries(metrics).filter(([name]) => name.startsWith('seconds.'));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  row(
    `training on ${count} pictures`,
    `${seconds.toFixed(1)} s, of processors ${((user + system) / 1e6).toFixed(1)} s`,
  );
  row('  highest memory so far', `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  row(
    '  of it',
    stages.map(([name, value]) => `${name.replace('seconds.', '')} ${Number(value).toFixed(1)}`).join(', '),
  );
  row(
    '  bank',
    `${bank.size} of ${bank.candidates} patches x ${recipe.dimension}, ${recipe.conditioning}, ${bank.storage}`,
  );
}

async function score(name: string, folder: string, { parts, threads }: Material): Promise<void> {
  const model = await PatchcoreModel.load(folder, { threads });
  const { manifest } = model;
  const { width, height } = manifest.preprocessing;
  const backbone = await Session.open(await backboneOf(folder, manifest), threads);
  const input = { data: new Float32Array(3 * width * height).fill(0.5), dims: [1, 3, height, width] };
  const outputs = manifest.backbone.outputs.map((output) => output.name);
  const watch = new Stopwatch();
  try {
    for (const [index, part] of [...parts.slice(0, 5), ...parts].entries()) {
      const { milliseconds } = await model.score(part);
      const start = performance.now();
      await backbone.run({ [backbone.inputs[0]]: input }, outputs);
      if (index < 5) continue;
      watch.record('backbone alone', performance.now() - start);
      for (const [stage, value] of Object.entries(milliseconds)) watch.record(stage, value);
    }
  } finally {
    await model.dispose();
    await backbone.close();
  }
  watch.print(`${name}, one picture with ${threads} threads`);
  row('picture : backbone alone', ratio(watch, ['total']));
  row('search and map : backbone alone', ratio(watch, ['search', 'map']));
}

/** By medians and, less disturbed by a busy machine, by the lowest times. */
function ratio(watch: Stopwatch, stages: readonly string[]): string {
  const by = (time: (stage: string) => number) =>
    stages.reduce((sum, stage) => sum + time(stage), 0) / time('backbone alone');
  const [middle, best] = [by((stage) => watch.median(stage)), by((stage) => watch.lowest(stage))];
  return `${middle.toFixed(2)}, at best ${best.toFixed(2)}`;
}
