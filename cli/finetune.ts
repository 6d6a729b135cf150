import { rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Dataset, readDataset } from '../engine/datasets';
import { assertWritable, InvalidInput, type JobProgress, makeFolder, writeDurably } from '../engine/domain';
import { type FinetuneResult, finetuneDetector, type TrainedLevel } from '../engine/learning';
import { readDetector } from './given-detector';
import { interruptible } from './interruptible';
import { numberWithin, required, wholeWithin } from './options';
import { terminal, WrongUse } from './output';

export const finetuneHelp = `opti-quality finetune --model FILE|DIR|starter --data PATH --out FILE [options]

Teaches a detector of the YOLO family what is on labelled pictures. Pictures of the split train are learnt, those of val
are held out: they choose the epoch and tell whether the new detector is better. Classes are kept by name.

  --model FILE|DIR|starter
                       the detector to start from: an ONNX file, a model package, or the one that comes along
  --data PATH          a YOLO data.yaml, a COCO .json, or a folder of one of these or of Pascal VOC
  --out FILE           the new detector (.onnx); must not exist, and is there only when it is complete
  --level LEVEL        head (class and box branches, quick), neck (default) or full (all layers)
  --epochs N           1 to 1000 (default: by the number of pictures)
  --input-size PIXELS  side of the windows learnt from, a multiple of 32 from 64 to 1280 (default 320)
  --batch N            windows a step, 1 to 64 (default 4)
  --learning-rate R    the highest, above 0, at most 0.1 (default 0.002; head 0.004)
  --augmentation S     how strongly pictures are varied, 0 to 1 (default 0.5)
  --seed N             the same seed gives the same weights (default 1)
  --replay PATH        data set of old pictures: as many of them are shown as new ones, so that nothing is forgotten
  --search MINUTES     look for level, learning rate and augmentation first; what is given stays
  --tolerance PERCENT  how much mAP50 may fall before the gate refuses (default 1)
  --keep-refused       write the new detector even when the gate refuses it
  --resume             go on where an interrupted run with the same options ended (FILE.checkpoint)
  --json               one JSON object as the last line on stdout
  -h, --help           this text

When the gate refuses the new detector (it is worse on held-out or old pictures, or nothing is held out), nothing is
written unless --keep-refused is given, and the exit code is 1 in any case.`;

const LEVELS: readonly TrainedLevel[] = ['head', 'neck', 'full'];

export async function finetune(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      data: { type: 'string' },
      out: { type: 'string' },
      level: { type: 'string' },
      epochs: { type: 'string' },
      'input-size': { type: 'string' },
      batch: { type: 'string' },
      'learning-rate': { type: 'string' },
      augmentation: { type: 'string' },
      seed: { type: 'string' },
      replay: { type: 'string' },
      search: { type: 'string' },
      tolerance: { type: 'string' },
      'keep-refused': { type: 'boolean' },
      resume: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const modelPath = required(values.model, 'model');
  const dataPath = required(values.data, 'data');
  const out = resolve(required(values.out, 'out'));
  const level = LEVELS.find((known) => known === values.level);
  if (values.level !== undefined && level === undefined)
    throw new WrongUse(`--level takes ${LEVELS.join(', ')}, not ${values.level}.`);
  const side = wholeWithin(values['input-size'], 'input-size', 64, 1280);
  if (side !== undefined && side % 32 !== 0)
    throw new WrongUse(`--input-size takes a multiple of 32, not ${values['input-size']}.`);
  const minutes = numberWithin(values.search, 'search', 0.1, 10_000);
  const tolerance = numberWithin(values.tolerance, 'tolerance', 0, 100);
  const wishes = {
    level,
    epochs: wholeWithin(values.epochs, 'epochs', 1, 1000),
    inputSize: side,
    batch: wholeWithin(values.batch, 'batch', 1, 64),
    learningRate: numberWithin(values['learning-rate'], 'learning-rate', 1e-7, 0.1),
    augmentation: numberWithin(values.augmentation, 'augmentation', 0, 1),
    seed: wholeWithin(values.seed, 'seed', 0, 2 ** 31),
    search: minutes === undefined ? undefined : { minutes },
    gate: tolerance === undefined ? undefined : { tolerance: tolerance / 100 },
  };
  await requireFree(out);
  await assertWritable(out);
  const base = await readDetector(modelPath);
  const dataset = await detectionDataset(dataPath);
  const replay = values.replay === undefined ? undefined : await detectionDataset(values.replay);
  const checkpointFolder = `${out}.checkpoint`;
  if (!values.resume) await rm(checkpointFolder, { recursive: true, force: true });
  await makeFolder(checkpointFolder);

  const result = await interruptible('--resume goes on after the last epoch', (signal) =>
    finetuneDetector({
      ...{ base, dataset, replay, ...wishes, checkpointFolder, strictResume: values.resume, signal },
      threads: availableParallelism(),
      onProgress: progressPrinter(),
    }),
  );
  if (process.stderr.isTTY) terminal.note('');
  const written = result.report.gate.accepted || values['keep-refused'] === true;
  if (written) {
    await requireFree(out);
    await writeDurably(out, result.model);
  }
  await rm(checkpointFolder, { recursive: true, force: true });
  const skipped = [...[dataset, replay].flatMap((one) => one?.skipped ?? []), ...result.skipped];
  for (const { name, reason } of skipped) terminal.note(`left out: ${name}: ${reason}`);
  if (values.json) terminal.print(JSON.stringify(reportOf(result, written ? out : null, skipped)));
  else print(result, written ? out : null, skipped.length);
  return result.report.gate.accepted ? 0 : 1;
}

async function requireFree(out: string): Promise<void> {
  if (await stat(out).catch(() => null)) throw new InvalidInput(`${out} exists already; nothing is overwritten.`);
  const folder = await stat(dirname(out)).catch(() => null);
  if (!folder?.isDirectory()) throw new InvalidInput(`There is no folder ${dirname(out)} to write into.`);
}

async function detectionDataset(path: string): Promise<Dataset> {
  const dataset = await readDataset(path);
  if (dataset.kind === 'detection') return dataset;
  throw new InvalidInput(`${path} has classes of whole pictures and no boxes.`);
}

/** A line for every epoch and every new stage; on a terminal every change, in place. */
function progressPrinter(): (progress: JobProgress) => void {
  let last = '';
  let isStated = false;
  return ({ stage, percent, remainingSeconds, epoch, epochs, curve, memoryBytes }) => {
    if (memoryBytes !== undefined && !isStated) {
      isStated = true;
      terminal.note(`needs about ${Math.round(memoryBytes / 1e6)} MB of memory`);
    }
    const step = `${stage} ${epoch ?? 0}`;
    if (step === last && !process.stderr.isTTY) return;
    last = step;
    const point = curve?.at(-1);
    const map50 = curve?.findLast((one) => one.map50 !== undefined)?.map50;
    const parts = [
      `${String(Math.floor(percent)).padStart(3)} %  ${stage}`,
      ...(epochs === undefined ? [] : [`epoch ${epoch ?? 0}/${epochs}`]),
      ...(point === undefined ? [] : [`loss ${point.loss.toFixed(3)}`]),
      ...(map50 === undefined ? [] : [`mAP50 ${map50.toFixed(3)}`]),
      ...(remainingSeconds === null ? [] : [`about ${remainingSeconds} s left`]),
    ];
    terminal.progress(parts.join('  '));
  };
}

function reportOf(result: FinetuneResult, model: string | null, skipped: readonly { name: string; reason: string }[]) {
  const { report, classes, settings, epoch, notes, memoryBytes, pictures, dataset } = result;
  const { before, after, oldClasses, gate, curve, seconds, peakMemoryBytes } = report;
  return {
    model,
    classes,
    settings,
    epoch,
    map50: { before: before?.map50 ?? null, after: after.map50 },
    map5095: { before: before?.map5095 ?? null, after: after.map5095 },
    perClass: after.perClass,
    oldClasses: oldClasses && {
      map50: { before: oldClasses.before.map50, after: oldClasses.after.map50 },
      perClass: oldClasses.after.perClass,
    },
    gate,
    curve,
    seconds,
    memoryBytes,
    peakMemoryBytes,
    pictures,
    dataset,
    skipped,
    notes,
  };
}

function print({ report, notes, classes, pictures }: FinetuneResult, model: string | null, skipped: number): void {
  const { before, after, oldClasses, gate, level, seconds, peakMemoryBytes } = report;
  const share = (value: number | null | undefined) => (value === null || value === undefined ? '-' : value.toFixed(3));
  terminal.print(
    `${pictures.learnt} pictures learnt at level ${level} in ${seconds} s, at most ${Math.round((peakMemoryBytes ?? 0) / 1e6)} MB; ${pictures.heldOut} held out.`,
  );
  for (const note of notes) terminal.print(note);
  terminal.print(
    `mAP50 ${share(before?.map50)} -> ${share(after.map50)}, mAP50-95 ${share(before?.map5095)} -> ${share(after.map5095)}`,
  );
  const width = Math.max(...classes.map((label) => label.length));
  for (const { label, ap50, recall, count } of after.perClass)
    terminal.print(`  ${label.padEnd(width)}  AP50 ${share(ap50)}  recall ${share(recall)}  of ${count}`);
  if (oldClasses)
    terminal.print(`old pictures: mAP50 ${share(oldClasses.before.map50)} -> ${share(oldClasses.after.map50)}`);
  for (const { message } of gate.reasons) terminal.print(`refused: ${message}`);
  if (skipped > 0) terminal.print(`${skipped} left out.`);
  terminal.print(
    model === null ? 'Nothing was written; --keep-refused writes it all the same.' : `Written to ${model}.`,
  );
}
