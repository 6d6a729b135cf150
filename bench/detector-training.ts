/**
 * Fine-tunes a detector on real boards, level against level and few pictures against many, while another process detects
 * and this one does nothing: `npm run bench:detector-training`. Prints mAP50 and mAP50-95 on the held-out boards, seconds,
 * peak memory, the event-loop delay of this process and the latency of detections without and with the training beside.
 *
 * `--levels head,neck,full`, `--boards 30,120`, `--epochs N`, `--minutes M` (an upper limit for each training),
 * `--model FILE`, `--data FOLDER` (YOLO layout with images/train, images/val), `--json FILE` to which the figures are added.
 * `npm run results -- detector` does it all for docs/results.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, constants, cpus, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { DetectionResult } from '../engine/detector';
import { packageRoot } from '../engine/domain';
import { ComputePool } from '../engine/inference';
import { sharedFolder } from '../test/support/shared-data';
import { median } from './statistics';
import { heading, row } from './table';

/** What one training was like. */
export interface TrainingFigures {
  readonly level: string;
  readonly boards: number;
  readonly epochs: number;
  readonly map50: number;
  readonly map5095: number;
  readonly seconds: number;
  readonly peakMemoryMb: number;
  readonly accepted: boolean;
  readonly perClass: readonly { readonly label: string; readonly ap50: number | null }[];
  /** Milliseconds of a detection at 640 px, median, without and with the training beside it. */
  readonly latencyMs: { readonly without: number; readonly with: number };
  /** Milliseconds, of this process. */
  readonly loopDelayMs: { readonly without: Delay; readonly with: Delay };
}

interface Delay {
  readonly p50: number;
  readonly p99: number;
}

interface Report {
  readonly map50: { readonly after: number };
  readonly map5095: { readonly after: number };
  readonly perClass: TrainingFigures['perClass'];
  readonly settings: { readonly epochs: number };
  readonly gate: { readonly accepted: boolean };
  readonly seconds: number;
  readonly peakMemoryBytes: number;
}

const RESOLUTION_MS = 5;
const QUIET_DETECTIONS = 20;
const BETWEEN_DETECTIONS_MS = 500;

const BOARDS = [30, 120];
const LEVELS = ['head', 'neck', 'full'];
const MODEL = join(sharedFolder, 'models', 'yolo11n-synthetic', 'model.onnx');
const DATA = join(sharedFolder, 'data', 'deeppcb', 'detect');

interface Trainings {
  readonly boards: readonly number[];
  readonly levels: readonly string[];
  readonly model: string;
  /** Folder in YOLO's layout, with a `data.yaml`. */
  readonly data: string;
  readonly epochs?: string;
  readonly minutes?: string;
  readonly onMeasured?: (figures: TrainingFigures) => Promise<void>;
}

/** The figures of a training with each number of boards at each level, as a part of docs/results.md; '' without the boards. */
export async function detectorTrainingSection(): Promise<string> {
  if (!existsSync(MODEL) || !existsSync(DATA)) {
    process.stdout.write('boards with boxes: the pictures are not there, left out\n');
    return '';
  }
  const wishes = { boards: BOARDS, levels: LEVELS, model: MODEL, data: DATA };
  return sectionOf(await measureTrainings({ ...wishes, onMeasured: async (figures) => print(figures) }));
}

async function measureTrainings(wishes: Trainings): Promise<TrainingFigures[]> {
  const { model, epochs, minutes, onMeasured } = wishes;
  const folder = await mkdtemp(join(tmpdir(), 'bench-detector-training-'));
  const all: TrainingFigures[] = [];
  try {
    for (const boards of wishes.boards) {
      const data = await someBoards(wishes.data, join(folder, `boards-${boards}`), boards);
      for (const level of wishes.levels) {
        const out = join(folder, `${level}-${boards}.onnx`);
        const args = ['--model', model, '--data', data, '--out', out, '--level', level];
        if (epochs !== undefined) args.push('--epochs', epochs);
        const limit = minutes === undefined ? null : Number(minutes) * 60_000;
        const figures = await measured({ level, boards, args, limit, model, data });
        all.push(figures);
        await onMeasured?.(figures);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return all;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      levels: { type: 'string', default: LEVELS.join() },
      boards: { type: 'string', default: BOARDS.join() },
      epochs: { type: 'string' },
      minutes: { type: 'string' },
      model: { type: 'string', default: MODEL },
      data: { type: 'string', default: DATA },
      json: { type: 'string' },
    },
  });
  const { json } = values;
  const kept: TrainingFigures[] = json && existsSync(json) ? JSON.parse(await readFile(json, 'utf8')) : [];
  heading(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}`);
  const onMeasured = async (figures: TrainingFigures) => {
    print(figures);
    kept.push(figures);
    if (json) await writeFile(json, `${JSON.stringify(kept, null, 2)}\n`);
  };
  const [boards, levels] = [values.boards.split(',').map(Number), values.levels.split(',')];
  await measureTrainings({ ...values, boards, levels, onMeasured });
  process.stdout.write(`\n${sectionOf(kept)}\n`);
}

function sectionOf(all: readonly TrainingFigures[]): string {
  const rows = all.map(
    ({ boards, level, epochs, map50, map5095, seconds, peakMemoryMb, latencyMs, loopDelayMs, perClass }) => {
      const worst = perClass.reduce((one, other) => ((other.ap50 ?? 1) < (one.ap50 ?? 1) ? other : one));
      return [
        ...[boards, level, epochs, percent(map50), percent(map5095), `${worst.label} ${percent(worst.ap50 ?? 0)}`],
        ...[seconds.toFixed(0), peakMemoryMb, `${latencyMs.without} / ${latencyMs.with}`],
        `${loopDelayMs.without.p99} / ${loopDelayMs.with.p99}`,
      ];
    },
  );
  return `## Fine-tuning a detector

A YOLO11n that had seen nothing but drawn pictures learns the six defects of real boards (DeepPCB, 640 x 640 pixels) from boxes, with
the defaults of each level, in a process of its own with the lowest priority. mAP50 and mAP50-95 are those of 60 boards that
were held out; they also chose the epoch, so that they are a little flattered. Beside the training another process detects
on whole boards, and the main process waits: its event-loop delay and the milliseconds a detection takes are given without and
with the training.

| boards | level | epochs | mAP50 | mAP50-95 | worst class (AP50) | seconds | peak memory MB | detection ms, without / with | event-loop delay ms (p99), without / with |
|---|---|---|---|---|---|---|---|---|---|
${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`;
}

const percent = (share: number) => (100 * share).toFixed(1);

/** A dataset of the first boards to learn from and all that are held out. */
async function someBoards(from: string, to: string, count: number): Promise<string> {
  for (const split of ['train', 'val']) {
    const all = (await readdir(join(from, 'images', split))).sort();
    for (const kind of ['images', 'labels']) await mkdir(join(to, kind, split), { recursive: true });
    for (const name of split === 'train' ? all.slice(0, count) : all) {
      const label = name.replace(/\.\w+$/, '.txt');
      await copyFile(join(from, 'images', split, name), join(to, 'images', split, name));
      await copyFile(join(from, 'labels', split, label), join(to, 'labels', split, label));
    }
  }
  await copyFile(join(from, 'data.yaml'), join(to, 'data.yaml'));
  return join(to, 'data.yaml');
}

interface Wish {
  readonly level: string;
  readonly boards: number;
  readonly args: readonly string[];
  readonly limit: number | null;
  readonly model: string;
  readonly data: string;
}

async function measured({ level, boards, args, limit, model, data }: Wish): Promise<TrainingFigures> {
  const pool = new ComputePool({
    ...{ size: 1, queueLimit: 4, queuePolicy: 'reject', memoryCapBytes: 2 ** 30 },
    taskModules: [join(packageRoot, 'engine', 'detector', 'task')],
  });
  try {
    const held = join(data, '..', 'images', 'val');
    const picture = await readFile(join(held, (await readdir(held)).sort()[0]));
    const detect = async () => {
      const result = await pool.run<DetectionResult>('detector/detect', { file: model, picture });
      return result.milliseconds.total;
    };
    await detect();
    const quiet = await watched(detect, (done) => done >= QUIET_DETECTIONS);
    const training = new Training(args, limit);
    const busy = await watched(detect, () => training.ended);
    const report = await training.report;
    return {
      level,
      boards,
      epochs: report.settings.epochs,
      map50: report.map50.after,
      map5095: report.map5095.after,
      seconds: report.seconds,
      peakMemoryMb: Math.round(report.peakMemoryBytes / 1e6),
      accepted: report.gate.accepted,
      perClass: report.perClass.map(({ label, ap50 }) => ({ label, ap50 })),
      latencyMs: { without: quiet.latency, with: busy.latency },
      loopDelayMs: { without: quiet.delay, with: busy.delay },
    };
  } finally {
    await pool.close();
  }
}

/** Detects now and then, and watches this process meanwhile. */
async function watched(detect: () => Promise<number>, isOver: (done: number) => boolean) {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const times: number[] = [];
  loop.enable();
  while (!isOver(times.length)) {
    times.push(await detect());
    await pause(BETWEEN_DETECTIONS_MS);
  }
  loop.disable();
  // the histogram holds the time between two ticks; what is over the resolution is delay
  const delay = (share: number) => Math.max(0, Math.round((loop.percentile(share) / 1e6 - RESOLUTION_MS) * 10) / 10);
  return { latency: Math.round(median(times) * 10) / 10, delay: { p50: delay(50), p99: delay(99) } };
}

/** The command line's fine-tuning in a process of its own, with the lowest priority, as the station's trainings are. */
class Training {
  ended = false;
  readonly report: Promise<Report>;

  constructor(args: readonly string[], limit: number | null) {
    const entry = join(packageRoot, 'cli', 'opti-quality.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', entry, 'finetune', ...args, '--keep-refused', '--json'], {
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    const timer = limit === null ? null : setTimeout(() => child.kill('SIGINT'), limit);
    this.report = textOf(child).then((text) => {
      if (timer) clearTimeout(timer);
      this.ended = true;
      const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '{}') as Report & { error?: { message: string } };
      if (last.error) throw new Error(last.error.message);
      return last;
    });
    this.report.catch(() => {
      this.ended = true;
    });
  }
}

function textOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
}

function print(figures: TrainingFigures): void {
  const { level, boards, epochs, map50, map5095, seconds, peakMemoryMb, latencyMs, loopDelayMs, perClass } = figures;
  heading(`level ${level}, ${boards} boards, ${epochs} epochs`);
  row('mAP50, mAP50-95 on the held-out boards', `${map50.toFixed(3)}, ${map5095.toFixed(3)}`);
  row('AP50 by class', perClass.map(({ label, ap50 }) => `${label} ${ap50?.toFixed(2) ?? '-'}`).join(', '));
  row('seconds', seconds.toFixed(0));
  row('peak memory', `${peakMemoryMb} MB`);
  row('detection without, with training', `${latencyMs.without} ms, ${latencyMs.with} ms`);
  const delay = ({ p50, p99 }: Delay) => `${p50} / ${p99} ms`;
  row('event-loop delay (p50 / p99) without, with', `${delay(loopDelayMs.without)}, ${delay(loopDelayMs.with)}`);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
