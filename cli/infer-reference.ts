import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, extname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ReferenceComparer, ReferenceLibrary } from '../engine/patchcore';
import { inferEach } from './infer-each';
import { terminal, WrongUse } from './output';
import { referenceSettingsOf } from './reference-settings';

/** The part of the command's help that tells about reference mode. */
export const inferReferenceHelp = `opti-quality infer --reference FILE|--references DIR IMAGE... [--model DIR] [--heatmap DIR] [--json]

Compares pictures with a golden picture and prints where they differ; with a reference model also the verdict.

  --reference FILE  the golden picture of all of them
  --references DIR  golden pictures, each named like its picture
  --model DIR       a reference model: its settings and thresholds; without it the built-in settings and no verdict`;

export async function inferReference(args: string[]): Promise<number> {
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
  if (positionals.length === 0) throw new WrongUse('No picture is given.');
  const goldenOf = await goldenPictures(values.reference, values.references);
  const comparer = await ReferenceComparer.open(await referenceSettingsOf(values.model), availableParallelism());
  const { results, failed } = await inferEach(positionals, values, async (picture, file) => {
    const result = await comparer.compare(picture, await goldenOf(file));
    const { score, similarity, regions, milliseconds } = result;
    return { result, facts: { score, similarity, regions, milliseconds }, columns: [score.toFixed(4)] };
  }).finally(() => comparer.close());
  if (values.json) terminal.print(JSON.stringify({ results, failed }));
  return failed.length === 0 ? 0 : 1;
}

/** The golden picture of a file: one for all of them, or from a folder by name. */
export async function goldenPictures(
  file: string | undefined,
  folder: string | undefined,
): Promise<(picture: string) => Promise<Buffer>> {
  if ((file === undefined) === (folder === undefined)) throw new WrongUse('Give --reference or --references.');
  if (file !== undefined) {
    const golden = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new WrongUse(
        error.code === 'ENOENT'
          ? `--reference ${file}: there is no such file.`
          : `--reference ${file}: ${error.message}.`,
      );
    });
    return async () => golden;
  }
  const library = new ReferenceLibrary(resolve(folder as string));
  return (picture) => library.get(basename(picture, extname(picture)));
}
