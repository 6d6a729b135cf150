import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeFolder, type Region, type Thresholds, type Verdict } from '../engine/domain';
import { readManifest } from '../engine/packages';
import type { AnomalyResult } from '../engine/patchcore';
import { uniqueNames, writeMaps } from './heatmaps';
import { goldenPictures, inferReference, inferReferenceHelp } from './infer-reference';
import { loadModel, verdictOf } from './judge';
import { required } from './options';
import { describe, terminal, WrongUse } from './output';

export const inferHelp = `opti-quality infer --model DIR IMAGE... [--heatmap DIR] [--json]

Scores pictures.

  --model DIR    the model package
  --heatmap DIR  writes NAME.heatmap.jpg (the picture with its map over it) and NAME.map.png (the map) for each picture
  --json         one JSON object as the last line on stdout
  -h, --help     this text

Exit code 1 when a picture could not be scored; the others are scored all the same.

${inferReferenceHelp}`;

interface Scored {
  readonly file: string;
  readonly verdict: Verdict;
  readonly score: number;
  readonly normalizedScore: number;
  readonly thresholds: Thresholds;
  readonly regions: readonly Region[];
  readonly milliseconds: AnomalyResult['milliseconds'];
  readonly heatmap?: string;
  readonly map?: string;
}

/** Only such a model has thresholds for comparisons. */
async function isReferenceModel(folder: string | undefined): Promise<boolean> {
  return folder !== undefined && (await readManifest(folder, 'patchcore')).method === 'reference';
}

export async function infer(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      reference: { type: 'string' },
      references: { type: 'string' },
      heatmap: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const isCompared = values.reference !== undefined || values.references !== undefined;
  if (isCompared && !(await isReferenceModel(values.model))) return inferReference(args);
  const modelFolder = required(values.model, 'model');
  if (positionals.length === 0) throw new WrongUse('No picture is given.');
  const goldenOf = isCompared ? await goldenPictures(values.reference, values.references) : async () => undefined;
  const model = await loadModel(modelFolder);
  const scored: Scored[] = [];
  const failed: { file: string; reason: string }[] = [];
  try {
    if (values.heatmap !== undefined) await makeFolder(values.heatmap);
    const names = uniqueNames(positionals);
    for (const [index, file] of positionals.entries()) {
      try {
        const picture = await readFile(file);
        const result = await model.score(picture, { reference: await goldenOf(file) });
        const { score, normalizedScore, thresholds, regions, milliseconds } = result;
        const verdict = verdictOf(score, thresholds);
        const written = values.heatmap && (await writeMaps(join(values.heatmap, names[index]), picture, result));
        scored.push({ file, verdict, score, normalizedScore, thresholds, regions, milliseconds, ...(written || {}) });
        if (values.json) continue;
        const places = regions.map(({ box }) => `${box.x},${box.y} ${box.width}x${box.height}`).join('; ');
        const columns = [verdict.padEnd(6), score.toFixed(4), `(${normalizedScore.toFixed(2)})`, file, places];
        terminal.print(columns.join('  ').trimEnd());
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : describe(error);
        failed.push({ file, reason });
        terminal.note(`${file}: ${reason}`);
      }
    }
  } finally {
    await model.dispose();
  }
  if (values.json) {
    const { name, version, partType } = model.manifest;
    terminal.print(JSON.stringify({ model: { name, version, partType }, results: scored, failed }));
  }
  return failed.length === 0 ? 0 : 1;
}
