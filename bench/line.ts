/**
 * The whole line under load, through real Node-RED: 1280x720 JPEG in, verdict and stored record out.
 *
 *     npm run bench:line [-- --parts 5000 | --while-training]
 *
 * Prints how long the stock flow takes from its first start to the first verdict of the model it trains meanwhile, the
 * latency one part at a time, then, saturated with four clients: parts per second, the event-loop delay of
 * the main process and its memory after a tenth of the parts against after all of them.
 *
 * With `--while-training` it prints instead how much longer a part waits for its verdict while a model is trained: PatchCore
 * and a detector, against stretches without a training in the same run. Parts come one at a time, with a pause between.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Counters, type Job, TRAINING_STAGES, type TrainingRequest, type TrainingStage } from '../engine/domain';
import { simulatePart } from '../engine/simulator';
import { stockFlow, uploadFlow } from '../test/support/flows';
import { InspectionApi } from '../test/support/inspection-api';
import { type RunningNodeRed, startNodeRed } from '../test/support/node-red-process';
import { waitFor } from '../test/support/wait';
import { median, percentile } from './statistics';

interface Measurement {
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly heapMb: number;
  readonly rssMb: number;
}

const CLIENTS = 4;
/** Parts of a stretch without a training, and of one with. */
const UNDISTURBED_PARTS = 200;
const DISTURBED_PARTS = 300;
/** Between a verdict and the next part. */
const PAUSE_MS = 100;
const { values } = parseArgs({
  options: { parts: { type: 'string', default: '5000' }, 'while-training': { type: 'boolean', default: false } },
});
const parts = Number(values.parts);

void main();

async function main(): Promise<void> {
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.version}\n`);
  if (values['while-training']) await onLine((_, api, pictures) => printWhileTraining(api, pictures));
  else {
    await printFirstStart();
    await onLine(async (nodeRed, api, pictures) => {
      await printLatency(api, pictures);
      await printLoad(nodeRed, api, pictures);
    });
  }
}

/** A line with a model, warm. */
async function onLine(
  measure: (nodeRed: RunningNodeRed, api: InspectionApi, pictures: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  const userDir = mkdtempSync(join(tmpdir(), 'bench-line-'));
  const nodeRed = await startNodeRed({
    userDir,
    flow: uploadFlow(),
    nodeArguments: ['--expose-gc', '--require', join(__dirname, 'probe.cjs')],
    env: { LOG_LEVEL: 'warn' },
  });
  const api = new InspectionApi(nodeRed.base);
  try {
    await train(api);
    const pictures = await renderPictures(20);
    await timedUpload(api, pictures[0]!);
    await measure(nodeRed, api, pictures);
  } finally {
    await nodeRed.stop();
    rmSync(userDir, { recursive: true, force: true });
  }
}

async function printFirstStart(): Promise<void> {
  const userDir = mkdtempSync(join(tmpdir(), 'bench-line-'));
  const started = performance.now();
  const nodeRed = await startNodeRed({ userDir, flow: await stockFlow(), env: { LOG_LEVEL: 'warn' } });
  try {
    const api = new InspectionApi(nodeRed.base);
    await waitFor(
      'the first verdict of the model',
      async () => {
        const { total, failSafe } = await api.get<Counters>('/counters?since=day');
        return total > failSafe;
      },
      120_000,
    );
    row('first start of the stock flow to its first verdict', `${((performance.now() - started) / 1000).toFixed(1)} s`);
  } finally {
    await nodeRed.stop();
    rmSync(userDir, { recursive: true, force: true });
  }
}

async function train(api: InspectionApi): Promise<void> {
  const started = performance.now();
  const source = { kind: 'simulator', product: 'plate', count: 60 } as const;
  const job = await api.train({ partType: 'plate', source, deploy: true });
  if (job.state !== 'completed') throw new Error(`training ${job.state}: ${job.error?.message}`);
  row('training on 60 simulated parts', `${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function renderPictures(count: number): Promise<Buffer[]> {
  const rendered: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    const part = await simulatePart({ product: 'plate', seed: 10_000 + index, defectRate: 0.2 });
    rendered.push(part.picture);
  }
  return rendered;
}

async function timedUpload(api: InspectionApi, picture: Buffer): Promise<number> {
  const started = performance.now();
  await api.upload(picture, { partType: 'plate' });
  return performance.now() - started;
}

async function printLatency(api: InspectionApi, pictures: readonly Buffer[]): Promise<void> {
  const latencies: number[] = [];
  for (let index = 0; index < 300; index += 1)
    latencies.push(await timedUpload(api, pictures[index % pictures.length]!));
  row('verdict, one part at a time, p50', `${median(latencies).toFixed(1)} ms`);
  row('verdict, one part at a time, p95', `${percentile(latencies, 95).toFixed(1)} ms`);
}

async function printWhileTraining(api: InspectionApi, pictures: readonly Buffer[]): Promise<void> {
  const plates = (count: number) => ({ kind: 'simulator', product: 'plate', count }) as const;
  const common = { partType: 'trained', deploy: false } as const;
  // long enough, and without the drawing of the pictures at the beginning
  const trainings: readonly { readonly request: TrainingRequest; readonly from: TrainingStage }[] = [
    { request: { ...common, kind: 'patchcore', source: plates(300) }, from: 'condition' },
    { request: { ...common, kind: 'detector', source: plates(60), detector: { epochs: 100 } }, from: 'train' },
  ];
  const without = await latencies(api, pictures, UNDISTURBED_PARTS);
  const during: { readonly kind: string; readonly found: readonly number[] }[] = [];
  for (const { request, from } of trainings) {
    const job = new KeptTraining(api, request, from);
    await job.begin();
    const found = await latencies(api, pictures, DISTURBED_PARTS, () => job.keepUp());
    await job.end();
    during.push({ kind: `${request.kind} (${job.seen})`, found });
    without.push(...(await latencies(api, pictures, UNDISTURBED_PARTS)));
  }
  const p95 = percentile(without, 95);
  row('verdict without a training, p50 / p95', `${median(without).toFixed(1)} / ${p95.toFixed(1)} ms`);
  for (const { kind, found } of during) {
    row(
      `verdict while training ${kind}, p50 / p95`,
      `${median(found).toFixed(1)} / ${percentile(found, 95).toFixed(1)} ms`,
    );
    row('  ratio with : without, p50 / p95', ratios(found, without));
  }
}

function ratios(one: readonly number[], other: readonly number[]): string {
  const p95 = percentile(one, 95) / percentile(other, 95);
  return `${(median(one) / median(other)).toFixed(2)} / ${p95.toFixed(2)}`;
}

/** Milliseconds from upload to verdict of parts that come one at a time. */
async function latencies(
  api: InspectionApi,
  pictures: readonly Buffer[],
  count: number,
  meanwhile: () => Promise<void> = async () => {},
): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) {
    await meanwhile();
    found.push(await timedUpload(api, pictures[index % pictures.length]!));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return found;
}

/** A training that runs all the time: when it ends, it is asked for again. */
class KeptTraining {
  readonly #stages = new Set<string>();
  #id = '';

  constructor(
    private readonly api: InspectionApi,
    private readonly request: TrainingRequest,
    private readonly from: TrainingStage,
  ) {}

  /** The stages that ran. */
  get seen(): string {
    return [...this.#stages].join(', ');
  }

  /** Resolves when it has come to its first stage of interest. */
  async begin(): Promise<void> {
    this.#id = (await this.api.post<Job>('/training/start', this.request)).id;
    const first = TRAINING_STAGES.indexOf(this.from);
    await waitFor(
      `the training to come to ${this.from}`,
      async () => TRAINING_STAGES.indexOf((await this.#job()).progress?.stage ?? 'read') >= first,
      300_000,
    );
  }

  async keepUp(): Promise<void> {
    const { state, progress, error } = await this.#job();
    if (state === 'failed') throw new Error(`training failed: ${error?.message}`);
    if (progress) this.#stages.add(progress.stage);
    if (state === 'completed') await this.begin();
  }

  async end(): Promise<void> {
    await this.api.post(`/training/jobs/${this.#id}/cancel`).catch(() => undefined);
  }

  #job(): Promise<Job> {
    return this.api.get<Job>(`/training/jobs/${this.#id}`);
  }
}

async function printLoad(nodeRed: RunningNodeRed, api: InspectionApi, pictures: readonly Buffer[]): Promise<void> {
  await ask(nodeRed, 'reset');
  let sent = 0;
  const started = performance.now();
  const clients = (until: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        while (sent < until) {
          sent += 1;
          await timedUpload(api, pictures[sent % pictures.length]!);
        }
      }),
    );
  await clients(parts / 10);
  const early = await ask(nodeRed, 'measure');
  await clients(parts);
  const seconds = (performance.now() - started) / 1000;
  const late = await ask(nodeRed, 'measure');

  row(`saturated by ${CLIENTS} clients`, `${(parts / seconds).toFixed(1)} parts/s`);
  row('event-loop delay of the main process, p50', `${late.delayP50Ms.toFixed(1)} ms`);
  row('event-loop delay of the main process, p99', `${late.delayP99Ms.toFixed(1)} ms`);
  row('event-loop delay of the main process, longest', `${late.delayMaxMs.toFixed(1)} ms`);
  row(`memory after ${parts / 10} parts, heap / resident`, `${early.heapMb.toFixed(0)} / ${early.rssMb.toFixed(0)} MB`);
  row(`memory after ${parts} parts, heap / resident`, `${late.heapMb.toFixed(0)} / ${late.rssMb.toFixed(0)} MB`);
  row(
    'ratio late : early, heap / resident',
    `${(late.heapMb / early.heapMb).toFixed(2)} / ${(late.rssMb / early.rssMb).toFixed(2)}`,
  );
}

function ask(nodeRed: RunningNodeRed, request: 'reset' | 'measure'): Promise<Measurement> {
  return new Promise((resolve) => {
    nodeRed.process.once('message', (answer) => resolve(answer as Measurement));
    nodeRed.process.send(request);
  });
}

function row(label: string, value: string): void {
  console.log(`${label.padEnd(52)} ${value}`);
}
