import { type FileHandle, open, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { InvalidInput, type Verdict } from '../engine/domain';
import { type Rescored, type RescoreReport, rescore } from '../engine/learning';
import { interruptible } from './interruptible';
import { numberWithin, partTypeOf, required } from './options';
import { terminal, WrongUse } from './output';

export const rescoreHelp = `opti-quality rescore --data DIR --model DIR [options]

Scores the pictures that a station has kept with another version of a model, and prints what would become of the verdicts:
a table of the old by the new ones, with exact 95 % intervals, and each part whose verdict changes. Parts that people have
labelled NG and that would newly pass come first. Changes nothing; the station may run meanwhile.

  --data DIR        the data folder of the station
  --model DIR       the candidate: a model package
  --part-type NAME  inspections of this part type (default: that of the model)
  --last N          only the last N inspections
  --from TIME       only parts captured at this time or later, ISO 8601, for example 2026-05-01 or 2026-05-01T06:00+02:00
  --database FILE   the database in the data folder (default inspection.sqlite)
  --out FILE.csv    writes one line for each picture; the file must not exist
  --json            one JSON object as the last line on stdout
  -h, --help        this text`;

const VERDICTS: readonly Verdict[] = ['OK', 'REVIEW', 'NG'];
const SHOWN = 50;

export async function rescoreHistory(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      model: { type: 'string' },
      'part-type': { type: 'string' },
      last: { type: 'string' },
      from: { type: 'string' },
      database: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const dataFolder = required(values.data, 'data');
  const modelFolder = required(values.model, 'model');
  const partType = values['part-type'] === undefined ? undefined : partTypeOf(values['part-type']);
  const last = numberWithin(values.last, 'last', 1, Number.MAX_SAFE_INTEGER);
  if (last !== undefined && !Number.isInteger(last)) throw new WrongUse('--last takes a whole number.');
  const from = momentOf(values.from);

  const table = values.out === undefined ? null : await CsvFile.create(values.out);
  try {
    const report = await interruptible('nothing was changed', (signal) =>
      rescore({
        dataFolder,
        databaseFile: values.database,
        modelFolder,
        filter: { partType, from, last },
        threads: availableParallelism(),
        signal,
        onResult: (result) => table?.add(result),
        onProgress: progressPrinter(),
      }),
    );
    await table?.close();
    if (process.stderr.isTTY) terminal.note('');
    if (values.json) terminal.print(JSON.stringify({ ...report, ...(values.out && { out: values.out }) }));
    else printReport(report, values.out);
    return 0;
  } catch (error) {
    await table?.discard();
    throw error;
  }
}

/** A point in time as UTC. @throws {WrongUse} when the text is none */
function momentOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d{2}-\d{2}(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new WrongUse(`--from takes a time in ISO 8601, not ${JSON.stringify(text)}.`);
  return new Date(time).toISOString();
}

/** A line for every tenth; on a terminal every picture, in place. */
function progressPrinter(): (progress: { readonly done: number; readonly total: number }) => void {
  let last = -1;
  return ({ done, total }) => {
    const tenth = Math.floor((10 * done) / total);
    if (tenth === last && !process.stderr.isTTY) return;
    last = tenth;
    terminal.progress(`${String(Math.floor((100 * done) / total)).padStart(3)} %  ${done}/${total} pictures`);
  };
}

function printReport(report: RescoreReport, out: string | undefined): void {
  const { model, thresholds, filter, pictures, table, labelled, changes } = report;
  const span = [filter.from && `since ${filter.from}`, filter.last && `the last ${filter.last}`].filter(Boolean);
  terminal.print(
    `model ${model.name} version ${model.version}, part type ${filter.partType}${span.length > 0 ? `, ${span.join(', ')}` : ''}`,
  );
  terminal.print(`accept <= ${thresholds.accept.toFixed(4)}, reject > ${thresholds.reject.toFixed(4)}`);
  terminal.print(
    `${pictures.scored} of ${pictures.total} pictures scored in ${report.seconds.toFixed(1)} s; ${pictures.missing} not kept, ${pictures.unreadable.length} unreadable${pictures.withoutGolden > 0 ? `, ${pictures.withoutGolden} without golden picture` : ''}`,
  );
  terminal.print('');
  terminal.print(`${'was \\ would be'.padEnd(16)}${VERDICTS.map((verdict) => verdict.padStart(8)).join('')}`);
  for (const row of ['OK', 'REVIEW', 'NG', 'failSafe'] as const) {
    const name = row === 'failSafe' ? 'fail-safe' : row;
    terminal.print(`${name.padEnd(16)}${VERDICTS.map((verdict) => String(table[row][verdict]).padStart(8)).join('')}`);
  }
  terminal.print('');
  terminal.print(`another verdict    ${rateText(report.changed)}`);
  terminal.print(`newly stopped      ${rateText(report.newlyStopped)}`);
  terminal.print(`newly passed       ${rateText(report.newlyPassed)}`);
  if (labelled.ng + labelled.ok > 0) {
    terminal.print('');
    terminal.print(`labelled NG: ${labelled.ng}, labelled OK: ${labelled.ok}`);
    terminal.print(`NG passed          ${rateText(labelled.passedNow)}; before ${rateText(labelled.passedBefore)}`);
    terminal.print(`OK rejected        ${rateText(labelled.rejectedNow)}; before ${rateText(labelled.rejectedBefore)}`);
  }
  if (changes.length > 0) terminal.print('');
  for (const change of changes.slice(0, SHOWN)) terminal.print(changeLine(change));
  if (changes.length > SHOWN) {
    terminal.print(
      `... and ${changes.length - SHOWN} more${out === undefined ? ': --out FILE.csv lists all' : ` in ${out}`}`,
    );
  }
}

function rateText(rate: RescoreReport['changed']): string {
  if (rate === null) return 'none';
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  return `${percent(rate.rate)} (${rate.count} of ${rate.total}; 95 %: ${percent(rate.low)} to ${percent(rate.high)})`;
}

const MARKS: Readonly<Record<Rescored['change'], string>> = {
  escape: '!! labelled NG, would pass',
  'false-reject': '!  labelled OK, would be rejected',
  other: '',
  none: '',
};

function changeLine({ id, serial, capturedAt, before, after, label, change }: Rescored): string {
  const mark = MARKS[change] || (label === null ? '' : `   labelled ${label}`);
  const verdicts = `${before.verdict.padEnd(6)} -> ${after.verdict.padEnd(6)}`;
  const scores = `${before.score?.toFixed(4) ?? 'no score'} -> ${after.score.toFixed(4)}`;
  return [id, capturedAt, verdicts, scores, serial ?? '', mark].join('  ').trimEnd();
}

const COLUMNS: readonly (readonly [string, (result: Rescored) => string | number | null])[] = [
  ['id', ({ id }) => id],
  ['captured_at', ({ capturedAt }) => capturedAt],
  ['serial', ({ serial }) => serial],
  ['old_model', ({ before }) => before.model && `${before.model.name}/${before.model.version}`],
  ['old_score', ({ before }) => before.score],
  ['old_verdict', ({ before }) => before.verdict],
  ['fail_safe', ({ before }) => (before.failSafe ? 'yes' : '')],
  ['new_score', ({ after }) => after.score],
  ['new_normalized_score', ({ after }) => after.normalizedScore],
  ['new_verdict', ({ after }) => after.verdict],
  ['label', ({ label }) => label],
  ['change', ({ change }) => (change === 'none' ? '' : change)],
];

/** A table as RFC 4180 has it. */
class CsvFile {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** @throws {InvalidInput} when the file is there, or cannot be made */
  static async create(path: string): Promise<CsvFile> {
    const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EEXIST' ? 'it exists' : error.message;
      throw new InvalidInput(`${path} cannot be written: ${reason}. Choose another name.`, { path });
    });
    const csv = new CsvFile(path, file);
    await csv.write(COLUMNS.map(([name]) => name));
    return csv;
  }

  add(result: Rescored): Promise<void> {
    return this.write(COLUMNS.map(([, value]) => value(result)));
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  async discard(): Promise<void> {
    await this.file.close().catch(() => {});
    await rm(this.path, { force: true });
  }

  private async write(cells: readonly (string | number | null)[]): Promise<void> {
    await this.file.writeFile(`${cells.map(cell).join(',')}\r\n`);
  }
}

function cell(value: string | number | null): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
