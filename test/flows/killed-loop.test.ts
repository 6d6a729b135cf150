import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { DeploymentRecord, Job, Label, ModelVersion, TrainingRequest } from '../../engine/domain';
import { simulatePart } from '../../engine/simulator';
import { listenToEvents } from '../support/event-listener';
import { type FlowNode, STATION, uploadFlow } from '../support/flows';
import { removeFolder } from '../support/folders';
import { InspectionApi } from '../support/inspection-api';
import { jobEnded, TRAINING_LIMIT_MS } from '../support/jobs';
import { type RunningNodeRed, startNodeRed } from '../support/node-red-process';
import { waitFor } from '../support/wait';

const PART_TYPE = 'plate';
const LEARNT = 12;
const BAD = 2;
/** Parts of another type, which a person labels meanwhile. */
const OTHERS = 30;
/** Shorter steps cannot be told from what follows. */
const SHORTEST_MS = 20;
const REQUEST: TrainingRequest = {
  partType: PART_TYPE,
  source: { kind: 'labelled' },
  deploy: true,
  options: { input: { width: 128, height: 128, mode: 'stretch' }, augmentation: null },
};
const QUEUE = 'f000000000000020';
const TRAINING_CHILD = /(training|comparing)-child/;
const INFERENCE_CHILD = /opti-quality compute/;

interface Queued {
  readonly id: string;
  readonly label: Label | null;
}

interface Moment {
  readonly step: string;
  readonly afterMs: number;
}

const told = ({ step, afterMs }: Moment) => (afterMs === 0 ? step : `${afterMs} ms after ${step}`);

/** What a job has come to: the stage it is in, or the placing of its version, which is named before it is there. */
function stepOf({ version, progress, endedAt }: Job): string | null {
  if (progress === null || endedAt !== null) return null;
  return version === null || progress.stage === 'gate' ? progress.stage : 'placing';
}

interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The processes of this machine; those that have ended and wait to be taken note of are none. */
function processes(): RunningProcess[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined || state.startsWith('Z')
      ? []
      : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** @returns false when it has ended by itself */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

describe('a training and its deployment, with processes killed by -9 at every step', function () {
  // three dozen trainings
  this.timeout(5 * TRAINING_LIMIT_MS);
  const userDir = mkdtempSync(join(tmpdir(), 'opti-quality-killed-loop-'));
  /** Labels that were answered, by inspection. */
  const labels = new Map<string, Label>();
  const unlabelled: string[] = [];
  const steps: string[] = [];
  /** When each step of a job that was left alone began. */
  const began = new Map<string, number>();
  let good: Buffer;
  let nodeRed: RunningNodeRed;
  let api: InspectionApi;

  const start = async (flow?: readonly FlowNode[]) => {
    nodeRed = await startNodeRed({ userDir, flow });
    api = new InspectionApi(nodeRed.base);
  };
  const childrenNow = (which: RegExp): number[] =>
    processes().flatMap(({ pid, parent, command }) =>
      parent === nodeRed.process.pid && which.test(command) ? [pid] : [],
    );
  let killed = 0;
  const killChildren = (which: RegExp) => {
    killed += childrenNow(which).filter(kill).length;
  };

  async function label(id: string, given: Label): Promise<void> {
    await api.post(`/labeling-queue/${id}/label`, { label: given, boxes: [], reviewer: 'Ada' });
    labels.set(id, given);
  }

  /**
   * Trains, lets a person label a part meanwhile, and then calls `onStep` at each step of the job, those that went by first,
   * until it says that this was enough.
   */
  async function train(onStep: (step: string) => boolean): Promise<Job> {
    let over = () => {};
    const enough = new Promise<void>((resolve) => {
      over = resolve;
    });
    let last: string | null = null;
    const heed = (id: string, event: string, job: Job) => {
      if (event === 'job' && job.id !== id) return;
      const step = event === 'deployment' ? 'deployment' : stepOf(job);
      if (step !== null && step !== last) {
        last = step;
        if (onStep(step)) over();
      }
      if (event === 'job' && job.endedAt !== null) over();
    };
    const early: [string, Job][] = [];
    let take = (event: string, job: Job): void => void early.push([event, job]);
    const listener = await listenToEvents(api.root, (event, data) => {
      if (event === 'job' || event === 'deployment') take(event, data as Job);
    });
    try {
      const asked = await api.post<Job>('/training/start', REQUEST);
      const next = unlabelled.pop();
      if (next !== undefined) await label(next, 'OK');
      take = (event, job) => heed(asked.id, event, job);
      for (const [event, job] of early) take(event, job);
      await enough;
      return asked;
    } finally {
      listener.close();
    }
  }

  /** How long a step took until the next one. */
  const lengthOf = (step: string): number => {
    const times = [...began.values()];
    const place = [...began.keys()].indexOf(step);
    return (times[place + 1] ?? Number.POSITIVE_INFINITY) - times[place];
  };

  /** The steps, and moments on the way from the gate to the deployment, which follows without a word. */
  const moments = (): Moment[] => [
    ...steps.map((step) => ({ step, afterMs: 0 })).filter(({ step }) => lengthOf(step) >= SHORTEST_MS),
    ...[0.5, 0.9].map((share) => ({ step: 'gate', afterMs: Math.round(share * lengthOf('gate')) })),
  ];

  /** Trains, and kills at a moment, or right after it when it went by unseen. */
  async function trainAndKill({ step, afterMs }: Moment, onReached: () => void): Promise<Job> {
    let done: Promise<void> | undefined;
    const asked = await train((now) => {
      if (steps.indexOf(now) < steps.indexOf(step)) return false;
      done ??= afterMs === 0 ? Promise.resolve(onReached()) : setTimeout(afterMs).then(onReached);
      return true;
    });
    await done;
    return asked;
  }

  const ended = (id: string) => jobEnded({ get: (job) => api.get<Job>(`/training/jobs/${job}`) }, id);

  async function activeVersion(): Promise<string> {
    // before the list: a job that goes on may place one at any time
    const folders = readdirSync(join(userDir, 'opti-quality/models', PART_TYPE)).filter(
      (name) => !name.startsWith('.'),
    );
    const { items } = await api.get<{ items: ModelVersion[] }>(`/models/list?partType=${PART_TYPE}`);
    const active = items.filter(({ deployed }) => deployed).map(({ version }) => version);
    assert.equal(active.length, 1, `versions in production: ${active.join(', ')}`);
    const known = items.map(({ version }) => version);
    assert.ok(
      folders.every((name) => known.includes(name)),
      `each version that is there is a whole one: ${folders.join(', ')} and ${known.join(', ')}`,
    );
    return active[0];
  }

  /** One version is in production, the right one, and it judges; no label is lost. */
  async function assertSound(job: Job, before: string): Promise<void> {
    const active = await activeVersion();
    assert.equal(active, job.deployment === 'deployed' ? job.version : before, `job ${job.state}`);
    const { items } = await api.get<{ items: DeploymentRecord[] }>(`/models/${PART_TYPE}/history`);
    assert.equal(items[0].version, active);
    assert.ok(items.filter(({ version }) => version === job.version).length <= 1, 'deployed once at most');
    await waitFor('the inference process', async () => {
      const { inference } = await api.get<{ inference: { state: string } }>('/health');
      return inference.state === 'ready';
    });
    const { id, score } = await api.upload(good, { partType: PART_TYPE });
    assert.notEqual(score, null);
    const [finding] = (await api.inspection(id)).findings;
    assert.equal('model' in finding && finding.model?.version, active);
    const queue = await api.get<{ items: Queued[] }>('/labeling-queue?state=labelled&limit=100');
    const kept = new Map(queue.items.map((item) => [item.id, item.label]));
    for (const [item, given] of labels) assert.equal(kept.get(item), given, `label of ${item}`);
    const work = join(userDir, 'opti-quality/training');
    assert.deepEqual(readdirSync(work), [], 'nothing half made');
  }

  before(async () => {
    const flow = uploadFlow().map((node) =>
      node.type === 'confidence-router' ? { ...node, wires: [[QUEUE], [QUEUE], [QUEUE]] } : node,
    );
    const [{ z }] = flow.filter(({ type }) => type === 'confidence-router');
    await start([...flow, { id: QUEUE, type: 'review-queue', z, station: STATION, wires: [[]] }]);
    const draw = (seed: number, defectRate: number) =>
      simulatePart({ product: 'plate', seed, width: 320, height: 180, defectRate });
    good = (await draw(99, 0)).picture;
    const isBad = (index: number) => index < BAD;
    const ids: string[] = [];
    for (let index = 0; index < LEARNT; index += 1) {
      const { picture } = await draw(100 + index, isBad(index) ? 1 : 0);
      ids.push((await api.upload(picture, { partType: PART_TYPE })).id);
    }
    for (let index = 0; index < OTHERS; index += 1) {
      unlabelled.push((await api.upload(good, { partType: 'other' })).id);
    }
    await waitFor('all parts in the queue', async () => {
      const { items } = await api.get<{ items: Queued[] }>('/labeling-queue?limit=100');
      return items.length === LEARNT + OTHERS;
    });
    for (const [index, id] of ids.entries()) await label(id, isBad(index) ? 'NG' : 'OK');
    const first = await train(() => false);
    assert.equal((await ended(first.id)).deployment, 'deployed');
    const second = await train((step) => {
      if (!began.has(step)) began.set(step, performance.now());
      return false;
    });
    assert.equal((await ended(second.id)).deployment, 'deployed');
    steps.push(...began.keys());
  });
  after(async () => {
    await nodeRed?.stop('SIGKILL');
    await removeFolder(userDir);
  });

  it('passes through the stages of a training, the gate, the placing and the deployment', () => {
    for (const step of ['read', 'calibrate', 'package', 'verify', 'placing', 'gate', 'deployment']) {
      assert.ok(steps.includes(step), `${step} is not among ${steps.join(', ')}`);
    }
  });

  it('goes on or is marked as interrupted when Node-RED is killed', async () => {
    for (const moment of moments()) {
      const before = await activeVersion();
      let orphans: number[] = [];
      const asked = await trainAndKill(moment, () => {
        orphans = childrenNow(/./);
        nodeRed.process.kill('SIGKILL');
      });
      await nodeRed.stop('SIGKILL');
      await waitFor('the children to end by themselves', () => !processes().some(({ pid }) => orphans.includes(pid)));
      await start();
      const atOnce = await api.get<Job>(`/training/jobs/${asked.id}`);
      const active = await activeVersion();
      assert.ok([before, atOnce.version].includes(active), `${told(moment)}: ${active} is in production`);
      const job = await ended(asked.id);
      assert.ok(
        ['interrupted', 'completed'].includes(job.state),
        `${told(moment)}: ${job.state}, ${job.error?.message}`,
      );
      await assertSound(job, before);
    }
  });

  it('goes on or is marked as interrupted when its own process is killed', async () => {
    killed = 0;
    for (const moment of moments()) {
      const before = await activeVersion();
      const asked = await trainAndKill(moment, () => killChildren(TRAINING_CHILD));
      const job = await ended(asked.id);
      assert.ok(
        ['interrupted', 'completed'].includes(job.state),
        `${told(moment)}: ${job.state}, ${job.error?.message}`,
      );
      await assertSound(job, before);
    }
    // how many of the last steps are over before the kill comes is a matter of speed
    const first = moments().filter(({ step }) => steps.indexOf(step) <= steps.indexOf('calibrate'));
    assert.ok(killed >= first.length, `${killed} processes killed`);
  });

  it('is trained all the same while the inference process is killed whenever it is there', async () => {
    killed = 0;
    const before = await activeVersion();
    let trains = true;
    const killing = (async () => {
      for (; trains; await setTimeout(100)) killChildren(INFERENCE_CHILD);
    })();
    const asked = await train((step) => step === 'placing').finally(() => {
      trains = false;
    });
    await killing;
    assert.ok(killed > 0);
    await assertDeployedOrNot(await ended(asked.id), before);
  });

  it('is deployed or not, but never half, when the inference process is killed', async () => {
    killed = 0;
    for (const moment of moments().filter(({ step }) => steps.indexOf(step) >= steps.indexOf('gate'))) {
      const before = await activeVersion();
      const asked = await trainAndKill(moment, () => killChildren(INFERENCE_CHILD));
      await assertDeployedOrNot(await ended(asked.id), before, moment);
    }
    assert.ok(killed > 0);
  });

  async function assertDeployedOrNot(job: Job, before: string, moment?: Moment): Promise<void> {
    const when = moment ? told(moment) : 'again and again';
    assert.ok(['failed', 'completed'].includes(job.state), `${when}: ${job.state}, ${job.error?.message}`);
    await assertSound(job, before);
  }
});
