/**
 * Measures accuracy on real and simulated pictures and writes docs/results.md: `npm run results`, or parts of it, for example
 * `npm run results -- accuracy reference`. Real pictures and the
 * MobileNetV1 features are read from `../shared`, or from OPTI_QUALITY_SHARED; what is not there is left out.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../engine/domain';
import {
  type AnomalyResult,
  PatchcoreModel,
  type PatchcoreTraining,
  PLAIN_RECIPE,
  picturesInFolder,
  type TrainingPicture,
  trainPatchcore,
} from '../engine/patchcore';
import { type SimulatedProduct, simulatePart } from '../engine/simulator';
import { auroc, aurocInterval, clopperPearson } from '../engine/statistics';
import { classifierSection } from './classifier';
import { detectorTrainingSection } from './detector-training';
import { starterDetectorSection } from './starter-detector';
import { median } from './statistics';

const SHARED = process.env.OPTI_QUALITY_SHARED ?? join(packageRoot, '..', 'shared');
const MOBILENET = join(SHARED, 'models', 'mobilenet_v1_imagenet_features.onnx');

interface Pictures {
  readonly name: string;
  readonly train: readonly TrainingPicture[];
  readonly good: readonly TrainingPicture[];
  readonly defective: readonly TrainingPicture[];
}

interface Backbone {
  readonly name: string;
  readonly file: string | undefined;
  readonly side: number;
}

interface Section {
  /** What `npm run results -- NAME ...` takes. */
  readonly name: string;
  /** The heading its text begins with. */
  readonly title: string;
  readonly measure: (sets: readonly Pictures[], backbones: readonly Backbone[], folder: string) => Promise<string>;
}

const SECTIONS: readonly Section[] = [
  { name: 'accuracy', title: 'Accuracy', measure: accuracy },
  { name: 'reference', title: 'Reference mode', measure: referenceMode },
  { name: 'few', title: 'Few pictures', measure: fewPictures },
  { name: 'suspects', title: 'Defective pictures among the training pictures', measure: hiddenDefects },
  { name: 'conditioning', title: 'Conditioning and spacing', measure: yardstick },
  { name: 'detector', title: 'Fine-tuning a detector', measure: detectorTrainingSection },
  { name: 'classifier', title: 'Classifier', measure: classifierSection },
  { name: 'detector-starter', title: 'Starter detector', measure: starterDetectorSection },
];

async function main(wanted: readonly string[]): Promise<void> {
  const names = SECTIONS.map(({ name }) => name);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`There is no part ${unknown}; there are ${names.join(', ')}.`);
  const file = join(packageRoot, 'docs', 'results.md');
  const before = existsSync(file) ? (await readFile(file, 'utf8')).split(/\n(?=## )/).slice(1) : [];
  const folder = await mkdtemp(join(tmpdir(), 'results-'));
  try {
    const sets = await pictureSets();
    const backbones = [
      { name: 'starter', file: undefined, side: 288 },
      ...(existsSync(MOBILENET) ? [mobilenet()] : []),
    ];
    const parts: string[] = [];
    for (const { name, title, measure } of SECTIONS) {
      const isWanted = wanted.length === 0 || wanted.includes(name);
      // what is not measured now stays as it is
      const old = before.find((part) => part.startsWith(`## ${title}\n`))?.trim() ?? '';
      parts.push((isWanted ? await measure(sets, backbones, folder) : '') || old);
    }
    await writeFile(file, `${[heading(), ...parts.filter((part) => part !== '')].join('\n\n')}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function mobilenet(): Backbone {
  return { name: 'MobileNetV1', file: MOBILENET, side: 224 };
}

async function pictureSets(): Promise<Pictures[]> {
  const cells = join(SHARED, 'data', 'elpv-poly');
  const boards = join(SHARED, 'data', 'deeppcb');
  const real = [
    {
      name: 'solar cells (elpv-poly)',
      paths: [join(cells, 'train/good'), join(cells, 'test/good'), join(cells, 'test/defective')],
    },
    {
      name: 'boards without template (deeppcb)',
      paths: [join(boards, 'anomaly/train/good'), join(boards, 'anomaly/test/good'), join(boards, 'detect/images/val')],
    },
  ];
  const found: Pictures[] = [];
  for (const { name, paths } of real) {
    if (!paths.every((path) => existsSync(path))) {
      process.stdout.write(`${name}: the pictures are not there, left out\n`);
      continue;
    }
    const [train, good, defective] = await Promise.all(paths.map(picturesInFolder));
    found.push({ name, train, good, defective });
  }
  return [...found, simulated('plate'), simulated('cable-end')];
}

function simulated(product: SimulatedProduct): Pictures {
  const draw = (count: number, from: number, defectRate: number) =>
    Array.from({ length: count }, (_, index) => ({
      name: String(from + index),
      picture: async () => (await simulatePart({ product, seed: from + index, defectRate })).picture,
    }));
  return {
    name: `simulated ${product}`,
    train: draw(80, 1, 0),
    good: draw(60, 5000, 0),
    defective: draw(80, 9000, 1),
  };
}

interface Judged {
  readonly good: readonly AnomalyResult[];
  readonly defective: readonly AnomalyResult[];
  readonly seconds: number;
  readonly suspects: readonly string[];
}

async function judge(
  { good, defective }: Pictures,
  training: Omit<PatchcoreTraining, 'partType' | 'outFolder' | 'version' | 'source'>,
  folder: string,
): Promise<Judged> {
  const outFolder = join(folder, 'model');
  const start = performance.now();
  const { manifest } = await trainPatchcore({ partType: 'part', version: '1', source: '', outFolder, ...training });
  const seconds = (performance.now() - start) / 1000;
  const model = await PatchcoreModel.load(outFolder, { verify: false });
  try {
    const scoresOf = async (pictures: readonly TrainingPicture[]) => {
      const results: AnomalyResult[] = [];
      for (const { picture } of pictures) {
        results.push(await model.score(typeof picture === 'function' ? await picture() : picture));
      }
      return results;
    };
    const suspects = manifest.suspects.map(({ name }) => name);
    return { good: await scoresOf(good), defective: await scoresOf(defective), seconds, suspects };
  } finally {
    await model.dispose();
    await rm(outFolder, { recursive: true, force: true });
  }
}

const inputOf = (side: number) => ({ width: side, height: side, mode: 'stretch' }) as const;
const percent = (share: number) => (100 * share).toFixed(1);
const scores = (results: readonly AnomalyResult[]) => results.map(({ score }) => score);

async function accuracy(sets: readonly Pictures[], backbones: readonly Backbone[], folder: string): Promise<string> {
  const rows: string[] = [];
  for (const set of sets) {
    for (const { name, file, side } of backbones) {
      for (const [method, recipe] of [
        ['plain PatchCore', PLAIN_RECIPE],
        ['default', 'measured'],
      ] as const) {
        const judged = await judge(set, { pictures: set.train, backbone: file, input: inputOf(side), recipe }, folder);
        const [good, bad] = [scores(judged.good), scores(judged.defective)];
        const { low, high } = aurocInterval(good, bad, { seed: 1 });
        const rejected = judged.good.filter(({ score, thresholds }) => score > thresholds.reject).length;
        const passed = judged.defective.filter(({ score, thresholds }) => score <= thresholds.accept).length;
        const bound = clopperPearson(rejected, good.length);
        const milliseconds = median([...judged.good, ...judged.defective].map((result) => result.milliseconds.total));
        rows.push(
          `| ${set.name} | ${name} at ${side} | ${method} | ${percent(auroc(good, bad))} (${percent(low)}–${percent(high)}) | ` +
            `${rejected} of ${good.length} (${percent(bound.low)}–${percent(bound.high)} %) | ${passed} of ${bad.length} | ` +
            `${judged.seconds.toFixed(1)} | ${milliseconds.toFixed(0)} |`,
        );
        process.stdout.write(`${rows.at(-1)}\n`);
      }
    }
  }
  return `## Accuracy

Trained on good pictures only, thresholds from their cross-validation (wished false-reject rate 1 %). "Plain PatchCore" takes
features after the activation as they are, and the greatest distance. 95 % intervals: bootstrap for the AUROC,
Clopper-Pearson for rates. No board is like another: that is what reference mode is for.

| pictures | backbone | method | image AUROC | good rejected | defective passed | training s | ms a picture |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}`;
}

interface ReferenceReport {
  readonly boxRecall: number;
  readonly recall: { readonly count: number; readonly total: number; readonly low: number; readonly high: number };
  readonly falseRegionsPerImage: number;
  readonly latencyMs: { readonly p50: number };
}

/** `opti-quality evaluate --references` with the built-in settings, in a process of its own. */
async function referenceMode(): Promise<string> {
  const boards = join(SHARED, 'data', 'deeppcb', 'detect');
  if (!existsSync(boards)) return '';
  const rows: string[] = [];
  for (const part of ['train', 'val']) {
    const folders = ['images', 'references', 'labels'].map((kind) => join(boards, kind, part));
    const [pictures, references, labels] = folders;
    const args = ['evaluate', '--pictures', pictures, '--references', references, '--labels', labels, '--json'];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join(packageRoot, 'cli', 'opti-quality.ts'), ...args],
      { cwd: packageRoot, maxBuffer: 1 << 26 },
    );
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ReferenceReport;
    const { count, total, low, high } = report.recall;
    rows.push(
      `| ${part} | ${percent(report.boxRecall)} % (${count} of ${total}; ${percent(low)}–${percent(high)} %) | ` +
        `${report.falseRegionsPerImage.toFixed(2)} | ${report.latencyMs.p50.toFixed(0)} |`,
    );
    process.stdout.write(`${rows.at(-1)}\n`);
  }
  return `## Reference mode

DeepPCB boards, each with its template, built-in settings (tuned on \`train\` only). A defect is found when a region really lies
on its box; a region that touches no box is false. 95 % interval by Clopper-Pearson.

| boards | defects found | false regions a board | ms a board (p50) |
|---|---|---|---|
${rows.join('\n')}`;
}

async function fewPictures(sets: readonly Pictures[], backbones: readonly Backbone[], folder: string): Promise<string> {
  const rows: string[] = [];
  const { file, side, name } = backbones[backbones.length - 1];
  for (const set of sets.filter(({ name: title }) => !title.startsWith('boards'))) {
    const columns: string[] = [];
    for (const count of [1, 4, 16]) {
      const every = Math.floor(set.train.length / count);
      const pictures = set.train.filter((_, index) => index % every === 0).slice(0, count);
      const judged = await judge(set, { pictures, backbone: file, input: inputOf(side), recipe: {} }, folder);
      const rejected = judged.good.filter(({ score, thresholds }) => score > thresholds.reject).length;
      const passed = judged.defective.filter(({ score, thresholds }) => score <= thresholds.accept).length;
      columns.push(
        `${percent(auroc(scores(judged.good), scores(judged.defective)))} / ${rejected} of ${judged.good.length} / ${passed} of ${judged.defective.length}`,
      );
    }
    rows.push(`| ${set.name} | ${columns.join(' | ')} |`);
    process.stdout.write(`${rows.at(-1)}\n`);
  }
  return `## Few pictures

Image AUROC / good parts rejected / defective parts passed, with ${name} at ${side} and the usual variation (light 10 %, shift
2 %), from so many good pictures. Nothing is promised about good parts with one picture.

| pictures | 1 | 4 | 16 |
|---|---|---|---|
${rows.join('\n')}`;
}

async function hiddenDefects(sets: readonly Pictures[], _: readonly Backbone[], folder: string): Promise<string> {
  const rows: string[] = [];
  for (const set of sets.filter(({ name }) => !name.startsWith('boards'))) {
    const hidden = set.defective.slice(0, 4);
    const pictures = [...set.train.slice(0, 76), ...hidden];
    const { suspects } = await judge({ ...set, good: [], defective: [] }, { pictures, recipe: {} }, folder);
    const found = hidden.filter(({ name }) => suspects.includes(name)).length;
    rows.push(`| ${set.name} | ${found} of ${hidden.length} | ${suspects.length - found} of 76 |`);
    process.stdout.write(`${rows.at(-1)}\n`);
  }
  return `## Defective pictures among the training pictures

Four defective pictures hidden among 76 good ones, starter backbone at 288.

| pictures | defective ones listed | good ones listed, too |
|---|---|---|
${rows.join('\n')}`;
}

/** What painted defects say about conditionings, beside what real ones say. */
async function yardstick(sets: readonly Pictures[], backbones: readonly Backbone[], folder: string): Promise<string> {
  const rows: string[] = [];
  for (const set of sets.filter(({ name }) => !name.startsWith('boards'))) {
    for (const { name, file, side } of backbones) {
      const columns: string[] = [];
      for (const [conditioning, spacing] of [
        ['scaling', true],
        ['scaling', false],
        ['whitening', true],
        ['whitening', false],
        ['none', false],
      ] as const) {
        const recipe = { conditioning, spacing };
        const judged = await judge(set, { pictures: set.train, backbone: file, input: inputOf(side), recipe }, folder);
        columns.push(percent(auroc(scores(judged.good), scores(judged.defective))));
      }
      rows.push(`| ${set.name} | ${name} | ${columns.join(' | ')} |`);
      process.stdout.write(`${rows.at(-1)}\n`);
    }
  }
  return `## Conditioning and spacing

Image AUROC with real (or simulated) defects, mean of the top 1 %. Spacing: distances divided by how far bank patches lie
apart thereabouts.

| pictures | backbone | scaling, spacing | scaling | whitening, spacing | whitening | none |
|---|---|---|---|---|---|---|
${rows.join('\n')}`;
}

function heading(): string {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  return `# Results

Written by \`npm run results\` on ${availableParallelism()} cores (${processor}), Node.js ${process.version}. Real pictures:
elpv-dataset (Deitsch et al. 2019) and DeepPCB (Tang et al. 2019), not part of this repository. Other figures:
\`npm run bench:patchcore\` (speed), \`npm run bench:quantisation\`.`;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
