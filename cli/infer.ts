import { parseArgs } from 'node:util';
import { readManifest } from '../engine/packages';
import { inferEach } from './infer-each';
import { goldenPictures, inferReference, inferReferenceHelp } from './infer-reference';
import { loadModel, verdictOf } from './judge';
import { required } from './options';
import { terminal, WrongUse } from './output';

export const inferHelp = `opti-quality infer --model DIR IMAGE... [--heatmap DIR] [--json]

Scores pictures.

  --model DIR    the model package
  --heatmap DIR  writes NAME.heatmap.jpg (the picture with its map over it) and NAME.map.png (the map) for each picture
  --json         one JSON object as the last line on stdout
  -h, --help     this text

Exit code 1 when a picture could not be scored; the others are scored all the same.

${inferReferenceHelp}`;

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
  const { results, failed } = await inferEach(positionals, values, async (picture, file) => {
    const result = await model.score(picture, { reference: await goldenOf(file) });
    const { score, normalizedScore, thresholds, regions, milliseconds } = result;
    const verdict = verdictOf(score, thresholds);
    const columns = [verdict.padEnd(6), score.toFixed(4), `(${normalizedScore.toFixed(2)})`];
    return { result, facts: { verdict, score, normalizedScore, thresholds, regions, milliseconds }, columns };
  }).finally(() => model.dispose());
  if (values.json) {
    const { name, version, partType } = model.manifest;
    terminal.print(JSON.stringify({ model: { name, version, partType }, results, failed }));
  }
  return failed.length === 0 ? 0 : 1;
}
