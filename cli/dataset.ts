import { isAbsolute, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import {
  checkDataset,
  type Dataset,
  type DatasetReport,
  readDataset,
  SPLITS,
  type WritableFormat,
  writeDataset,
} from '../engine/datasets';
import { InvalidInput } from '../engine/domain';
import { importDataset } from './dataset-import';
import { required } from './options';
import { terminal, WrongUse } from './output';

export const datasetHelp = `opti-quality dataset check PATH [--json]

Looks for what spoils a training or its figures: broken pictures and labels, boxes outside the picture, classes without
examples, pictures that are there twice (also saved anew, scaled or brightened) or in more than one split. Exit code 1 when
there are errors, 0 with warnings alone.

opti-quality dataset convert PATH --to yolo|coco|classes --out DIR [--link] [--json]

Writes a dataset in another form. Splits, boxes and picture names stay the same. Faulty pictures are left out and named;
the exit code is 0 as long as one could be used (check ends with 1 for them).

opti-quality dataset import PATH --data DIR --part-type NAME [--label OK|NG] [--class NAME] [--database FILE] [--json]

Imports labelled pictures into the data folder of a station that does not run (a running one takes them on its page Train):
of a folder that holds pictures alone, with a label; of a dataset, with its boxes. A picture that is labelled there already
is not imported twice, and faulty ones are left out and named.

  PATH      a YOLO data.yaml, a COCO .json, or a folder: of one of these, of Pascal VOC, or with a folder for each class
  --to F    YOLO (data.yaml, images, labels), COCO (annotations, images), or folders of classes
  --out DIR a new folder, not within PATH
  --copy    copy the pictures (the default)
  --link    make hard links to them where the disk has such
  --data DIR        the data folder of the station
  --part-type NAME  the part type that the pictures show
  --label L         OK or NG; without it pictures with boxes, or of another class than good or ok, are NG
  --class NAME      what pictures labelled NG show, for a classifier; folders of classes and boxes say it themselves
  --database FILE   the database in the data folder (default inspection.sqlite)
  --json    one JSON object as the last line on stdout
  -h, --help  this text`;

const SUBCOMMANDS: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  check,
  convert,
  import: importDataset,
};

export async function dataset([name, ...rest]: string[]): Promise<number> {
  const known = Object.keys(SUBCOMMANDS).join(', ');
  if (name === undefined) throw new WrongUse(`Say what to do with the dataset: ${known}.`);
  if (!Object.hasOwn(SUBCOMMANDS, name)) throw new WrongUse(`There is no dataset ${name}. There is: ${known}.`);
  return SUBCOMMANDS[name](rest);
}

async function check(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean' } } });
  const report = await checkDataset(await readDataset(pathOf(positionals)), {
    onProgress: (done, total) => {
      if (process.stderr.isTTY) terminal.progress(`${done}/${total}`);
    },
  });
  if (process.stderr.isTTY) terminal.note('');
  if (values.json) terminal.print(JSON.stringify(report));
  else printReport(report);
  return report.errors > 0 ? 1 : 0;
}

async function convert(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      out: { type: 'string' },
      copy: { type: 'boolean' },
      link: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const format = formatOf(required(values.to, 'to'));
  const out = required(values.out, 'out');
  if (values.copy && values.link) throw new WrongUse('Choose --copy or --link.');
  const path = pathOf(positionals);
  if (isWithin(path, out)) throw new WrongUse('--out lies within the dataset, which would then hold its own copy.');
  const read = await readDataset(path);
  for (const { name, reason } of read.skipped) terminal.note(`left out: ${name}: ${reason}`);
  if (read.pictures.length === 0) throw new InvalidInput('None of the pictures can be used. Nothing is written.');
  await writeDataset(read, format, out, { pictures: values.link ? 'link' : 'copy' });
  const { kind, classes, pictures, skipped, sha256 } = read;
  if (values.json) {
    terminal.print(JSON.stringify({ out, format, kind, classes, pictures: countsOf(read), skipped, sha256 }));
  } else {
    terminal.print(`${pictures.length} pictures written to ${out}`);
    if (skipped.length > 0) terminal.print(`${skipped.length} were left out`);
  }
  return 0;
}

function printReport({ kind, format, pictures, classes, problems, errors, warnings }: DatasetReport): void {
  const { train, val, test, skipped } = pictures;
  terminal.print(`${kind} dataset (${format})`);
  terminal.print(`pictures    ${train} train, ${val} val, ${test} test, ${skipped} left out`);
  const width = Math.max(12, ...classes.map(({ label }) => label.length + 2));
  const cells = (values: readonly unknown[]) => values.map((value) => String(value).padStart(8)).join('');
  terminal.print(`${(kind === 'detection' ? 'boxes' : 'pictures').padEnd(width)}${cells(SPLITS)}`);
  for (const { label, ...counts } of classes) {
    terminal.print(`${label.padEnd(width)}${cells(SPLITS.map((split) => counts[split]))}`);
  }
  for (const { severity, message } of problems) terminal.print(`${severity.padEnd(9)} ${message}`);
  terminal.print(problems.length === 0 ? 'nothing wrong' : `${errors} errors, ${warnings} warnings`);
}

function countsOf({ pictures }: Dataset): Record<string, number> {
  return Object.fromEntries(
    SPLITS.map((split) => [split, pictures.filter((picture) => picture.split === split).length]),
  );
}

/** True for a place below a folder. */
function isWithin(folder: string, place: string): boolean {
  const way = relative(resolve(folder), resolve(place));
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function pathOf(positionals: readonly string[]): string {
  if (positionals.length !== 1) throw new WrongUse('Name one dataset.');
  return positionals[0];
}

function formatOf(value: string): WritableFormat {
  if (value === 'yolo' || value === 'coco' || value === 'classes') return value;
  throw new WrongUse(`--to takes yolo, coco or classes, not ${value}.`);
}
