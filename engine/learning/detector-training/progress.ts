import type { CurvePoint, JobProgress, TrainingStage } from '../../domain';

/** Where each stage begins and ends on the way from 0 to 100 percent. */
type Stages = Readonly<Partial<Record<TrainingStage, readonly [from: number, to: number]>>>;

const PLAIN: Stages = { read: [0, 3], train: [3, 95], evaluate: [95, 99], gate: [99, 100] };
const SEARCHING: Stages = { read: [0, 3], search: [3, 45], train: [45, 95], evaluate: [95, 99], gate: [99, 100] };
const INTERVAL_MS = 200;

/** Tells how far a fine-tuning is, at most five times a second. */
export class FinetuneProgress {
  private readonly stages: Stages;
  private stage: { readonly name: TrainingStage; readonly since: number; readonly from: number } | null = null;
  private last = 0;
  private facts: Pick<JobProgress, 'epoch' | 'epochs' | 'curve' | 'memoryBytes'> = {};

  constructor(
    searching: boolean,
    private readonly onProgress?: (progress: JobProgress) => void,
  ) {
    this.stages = searching ? SEARCHING : PLAIN;
  }

  /** What is told from now on. */
  know(facts: { readonly epochs?: number; readonly memoryBytes?: number }): void {
    this.facts = { ...this.facts, ...facts };
  }

  /** @param share of the stage that is done, 0..1 */
  at(
    name: TrainingStage,
    share: number,
    epoch?: { readonly epoch: number; readonly curve: readonly CurvePoint[] },
  ): void {
    const now = performance.now();
    const isNew = this.stage?.name !== name;
    const isEpoch = epoch !== undefined && epoch.epoch !== this.facts.epoch;
    // a resumed training begins somewhere in its stage
    if (isNew || this.stage === null) this.stage = { name, since: now, from: share };
    if (epoch) this.facts = { ...this.facts, ...epoch };
    if (!isNew && !isEpoch && share < 1 && now - this.last < INTERVAL_MS) return;
    this.last = now;
    const [from, to] = this.stages[name] ?? [0, 0];
    const { since, from: begun } = this.stage;
    const done = share - begun;
    const remaining = name === 'train' && done > 0.005 ? ((now - since) / 1000) * ((1 - share) / done) : null;
    this.onProgress?.({
      stage: name,
      percent: Math.round((from + (to - from) * share) * 10) / 10,
      remainingSeconds: remaining === null ? null : Math.ceil(remaining),
      ...this.facts,
    });
  }
}
