import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type ClassificationResult, ClassifierModel } from '../engine/classifier';
import { readDataset } from '../engine/datasets';
import { InvalidInput } from '../engine/domain';
import { classifierFigures } from '../engine/learning';
import { eachPicture } from './each-picture';
import { required } from './options';
import { percentile, terminal, WrongUse } from './output';
import { figureLines } from './train-classifier';

export const classifyHelp = `opti-quality classify --model DIR IMAGE... [--json]
opti-quality classify --model DIR --data PATH [--split NAME] [--json]

Names the class of pictures, or measures how well a labelled folder of classes is named.

  --model DIR   the model package
  --data PATH   a folder with a folder of pictures for each class, alone or within train, val and test
  --split NAME  only train, val or test of it (default: all)
  --json        one JSON object as the last line on stdout
  -h, --help    this text

Exit code 1 when a picture could not be named; the others are named all the same.`;

const SPLITS = ['train', 'val', 'test'];

interface Named
  extends Pick<ClassificationResult, 'label' | 'confidence' | 'verdict' | 'probabilities' | 'milliseconds'> {
  readonly file: string;
}

export async function classify(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      data: { type: 'string' },
      split: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const folder = required(values.model, 'model');
  if (values.split !== undefined && !SPLITS.includes(values.split)) {
    throw new WrongUse(`--split takes ${SPLITS.join(', ')}, not ${values.split}.`);
  }
  if (positionals.length === 0 && values.data === undefined) throw new WrongUse('No picture is given.');
  if (positionals.length > 0 && values.data !== undefined) throw new WrongUse('Give pictures or --data, not both.');
  if ((await stat(folder).catch(() => null))?.isFile()) {
    throw new InvalidInput(`${folder} is a file; --model takes the folder of a model package.`);
  }
  const truths = values.data === undefined ? null : await labelledFiles(values.data, values.split);
  const model = await ClassifierModel.load(folder, { threads: availableParallelism() });
  try {
    const { named, failed } = await nameAll(model, truths === null ? positionals : [...truths.keys()]);
    const { name, version, partType, classes } = model.manifest;
    const figures =
      truths &&
      classifierFigures(
        named.map(({ file, label }) => ({ truth: truths.get(file) as string, named: label })),
        [...new Set([...classes, ...truths.values()])],
      );
    const latencyMs = figures && {
      p50: percentile(
        named.map(({ milliseconds }) => milliseconds.total),
        0.5,
      ),
      p95: percentile(
        named.map(({ milliseconds }) => milliseconds.total),
        0.95,
      ),
    };
    if (values.json) {
      const results = figures ? { ...figures, latencyMs } : { results: named };
      terminal.print(JSON.stringify({ model: { name, version, partType, classes }, ...results, failed }));
    } else if (figures) {
      for (const line of figureLines(figures)) terminal.print(line);
    } else {
      for (const { file, label, confidence, verdict } of named) {
        terminal.print([verdict.padEnd(6), label, confidence.toFixed(3), file].join('  '));
      }
    }
    return failed.length === 0 ? 0 : 1;
  } finally {
    await model.dispose();
  }
}

async function nameAll(model: ClassifierModel, files: readonly string[]) {
  const { results, failed } = await eachPicture(files, async (picture, file): Promise<Named> => {
    const { label, confidence, verdict, probabilities, milliseconds } = await model.classify(picture);
    return { file, label, confidence, verdict, probabilities, milliseconds };
  });
  return { named: results, failed };
}

/** The class of each picture, by its path. @throws {InvalidInput} for a dataset of boxes */
async function labelledFiles(path: string, split?: string): Promise<ReadonlyMap<string, string>> {
  const { kind, pictures, skipped } = await readDataset(path);
  if (kind !== 'classification') throw new InvalidInput(`${path} has boxes, not a folder of pictures for each class.`);
  for (const { name, reason } of skipped) terminal.note(`left out: ${name}: ${reason}`);
  const wanted = pictures.filter((picture) => split === undefined || picture.split === split);
  return new Map(wanted.flatMap(({ path: file, class: label }) => (label === undefined ? [] : [[file, label]])));
}
