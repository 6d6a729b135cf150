/**
 * The loop on real pictures, through real Node-RED: boards that the embedded detector does not know wait for a person, who
 * draws what is on them; enough labels start the training, the gate judges, the version goes into production:
 * `npm run bench:boards-loop`. Prints what the line finds on the held-out boards before and after.
 *
 * `--boards 30`, `--level neck`, `--epochs N`. The boards (DeepPCB) and the YOLO11n that the training starts from are read
 * from the shared folder, see `test/support/shared-data.ts`.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Dataset, readDataset, type Split } from '../engine/datasets';
import type { GateReport, Job, LabelledBox, RetrainingRun, ReviewItem, Verdict } from '../engine/domain';
import { evaluateDetections, type JudgedPicture } from '../engine/statistics';
import { type FlowNode, uploadFlow } from '../test/support/flows';
import { InspectionApi } from '../test/support/inspection-api';
import { startNodeRed } from '../test/support/node-red-process';
import { sharedFolder } from '../test/support/shared-data';
import { waitFor } from '../test/support/wait';
import { heading, row } from './table';

const DATA = join(sharedFolder, 'data', 'deeppcb', 'detect', 'data.yaml');
const MODEL = join(sharedFolder, 'models', 'yolo11n-synthetic', 'model.onnx');
const PART_TYPE = 'board';
/** What new detectors serve with. */
const CONFIDENCE = 0.25;
const TRAINING_LIMIT_MS = 2 * 3_600_000;
const ENDED: readonly RetrainingRun['outcome'][] = ['candidate', 'deployed', 'failed', 'cancelled', 'interrupted'];

interface Board {
  readonly name: string;
  readonly picture: Buffer;
  readonly boxes: readonly LabelledBox[];
}

interface Judged extends JudgedPicture {
  readonly verdict: Verdict;
}

const { values } = parseArgs({
  options: {
    boards: { type: 'string', default: '30' },
    level: { type: 'string', default: 'neck' },
    epochs: { type: 'string' },
  },
});

void main();

async function main(): Promise<void> {
  if (!existsSync(DATA) || !existsSync(MODEL)) throw new Error(`${DATA} or ${MODEL} is not there.`);
  const dataset = await readDataset(DATA);
  const { classes } = dataset;
  const taught = boardsOf(dataset, 'train').slice(0, Number(values.boards));
  const heldOut = boardsOf(dataset, 'val');
  heading(
    `${taught.length} corrected boards, level ${values.level}; ${heldOut.length} others judged; ` +
      `${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}`,
  );
  const userDir = mkdtempSync(join(tmpdir(), 'bench-boards-loop-'));
  const bases = join(userDir, 'bases');
  mkdirSync(bases);
  const base = join(bases, 'yolo11n.onnx');
  copyFileSync(MODEL, base);
  const nodeRed = await startNodeRed({
    userDir,
    flow: boardFlow(taught.length, base, bases),
    env: { LOG_LEVEL: 'warn' },
  });
  const api = new InspectionApi(nodeRed.base);
  try {
    print('before', await judge(api, heldOut), classes);
    await judge(api, taught);
    await correct(api, taught, taught.length + heldOut.length);
    const started = Date.now();
    const run = await waitFor(
      'the end of the retraining',
      async () => {
        const { items } = await api.get<{ items: RetrainingRun[] }>(`/retraining/history?partType=${PART_TYPE}`);
        return items[0] !== undefined && ENDED.includes(items[0].outcome) && items[0];
      },
      TRAINING_LIMIT_MS,
    );
    row('trained and judged, seconds', ((Date.now() - started) / 1000).toFixed(0));
    if (run.outcome !== 'deployed') throw new Error(`${run.outcome}: ${JSON.stringify(run.reasons)}`);
    print('after', await judge(api, heldOut), classes);
    const { gateReport } = await api.get<Job & { gateReport?: GateReport }>(`/training/jobs/${run.jobId}`);
    heading(`gate: ${gateReport?.decision.reasons.map(({ message }) => message).join(' ') || 'no objection'}`);
  } finally {
    await nodeRed.stop();
    rmSync(userDir, { recursive: true, force: true });
  }
}

function print(when: string, judged: readonly Judged[], classes: readonly string[]): void {
  const { perClass } = evaluateDetections(judged, classes, { confidence: CONFIDENCE, resamples: 0 });
  const mean = (key: 'recall' | 'precision') => {
    const known = perClass.map((one) => one[key]).filter((value) => !Number.isNaN(value));
    return known.length === 0 ? '-' : ((100 * known.reduce((sum, one) => sum + one, 0)) / known.length).toFixed(1);
  };
  const rejected = judged.filter(({ verdict }) => verdict === 'NG').length;
  row(`${when}: defects found, mean of the classes, %`, mean('recall'));
  row(`${when}: of the boxes right, mean of the classes, %`, mean('precision'));
  row(`${when}: boards rejected of ${judged.length}, all defective`, String(rejected));
}

function boardsOf({ pictures }: Dataset, split: Split): Board[] {
  return pictures
    .filter((picture) => picture.split === split)
    .map(({ id, path, boxes }) => ({ name: id, picture: readFileSync(path), boxes: boxes ?? [] }));
}

function boardFlow(labels: number, base: string, trainingFolders: string): FlowNode[] {
  const epochs = values.epochs === undefined ? {} : { epochs: Number(values.epochs) };
  const [line, ...rest] = uploadFlow({ partType: PART_TYPE }, { trainingFolders });
  const [analysis, router] = rest.slice(-2);
  const { id: queue, z, station } = { id: 'f000000000000021', z: analysis!.z, station: analysis!.station };
  return [
    line!,
    ...rest.slice(0, -2),
    { ...analysis!, type: 'yolo-detect' },
    { ...router!, wires: [[queue], [queue], [queue]] },
    { id: queue, type: 'review-queue', z, station, similarLimit: 0, wires: [[], []] },
    {
      id: 'f000000000000022',
      type: 'retrain-trigger',
      z,
      station,
      partType: PART_TYPE,
      kind: 'detector',
      labels,
      policy: 'automatic',
      options: JSON.stringify({ level: values.level, base, ...epochs }),
      wires: [[], [], [], []],
    },
  ];
}

async function judge(api: InspectionApi, boards: readonly Board[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const { name, picture, boxes } of boards) {
    const { id, verdict } = await api.upload(picture, { partType: PART_TYPE, serial: name.replace(/\W/g, '-') });
    const { findings } = await api.inspection(id);
    const detections = findings.flatMap((finding) => (finding.kind === 'detections' ? finding.detections : []));
    judged.push({ verdict, truth: boxes, detections });
  }
  return judged;
}

/** Draws on each board that waits what is really on it; held-out boards are put aside. */
async function correct(api: InspectionApi, boards: readonly Board[], waiting: number): Promise<void> {
  const boxesOf = new Map(boards.map(({ name, boxes }) => [name.replace(/\W/g, '-'), boxes]));
  const { items } = await waitFor('all boards in the queue', async () => {
    const page = await api.get<{ items: ReviewItem[] }>('/labeling-queue?state=pending&limit=500');
    return page.items.length === waiting && page;
  });
  for (const { id, serial } of items) {
    const boxes = boxesOf.get(serial ?? '');
    if (boxes === undefined) await api.post(`/labeling-queue/${id}/skip`, { reviewer: 'bench' });
    else await api.post(`/labeling-queue/${id}/label`, { label: 'NG', boxes, reviewer: 'bench' });
  }
}
