import type { CurvePoint, JobProgress } from '../../domain';

type Stage = 'read' | 'extract' | 'train' | 'evaluate' | 'gate' | 'package' | 'verify';

/** Where each stage begins and ends on the way from 0 to 100 percent: with a frozen backbone, and with one that is trained. */
const LINEAR: Readonly<Record<Stage, readonly [from: number, to: number]>> = {
  read: [0, 0],
  extract: [0, 60],
  train: [60, 80],
  evaluate: [80, 96],
  gate: [96, 97],
  package: [97, 98],
  verify: [98, 100],
};
const TUNED: typeof LINEAR = { ...LINEAR, extract: [0, 10], train: [10, 92], evaluate: [92, 96] };
/** Share of the training of a backbone that the layer on top takes, which is learnt first. */
const LAYER_SHARE = 0.05;

/** Tells how far the training of a classifier is, at most ten times a second. */
export class ClassifierProgress {
  private readonly started = performance.now();
  private readonly stages: { readonly stage: Stage; readonly since: number }[] = [];
  private readonly spans: typeof LINEAR;
  private facts: Pick<JobProgress, 'epoch' | 'epochs' | 'curve' | 'memoryBytes'> = {};
  private last = 0;

  constructor(
    readonly count: number,
    private readonly isTuned: boolean,
    private readonly onProgress?: (progress: JobProgress) => void,
  ) {
    this.spans = isTuned ? TUNED : LINEAR;
    this.at('read', 0);
  }

  /** Since the beginning. */
  get seconds(): number {
    return Math.round((performance.now() - this.started) / 10) / 100;
  }

  /** @param share of the learning of the linear layer, 0..1 */
  learning(share: number, epoch: number, epochs: number, curve: readonly CurvePoint[]): void {
    if (!this.isTuned) this.facts = { epoch, epochs, curve };
    this.at('train', this.isTuned ? share * LAYER_SHARE : share);
  }

  /** After an epoch of the training of the backbone. */
  tuned(curve: readonly CurvePoint[], epochs: number, memoryBytes: number): void {
    this.facts = { epoch: curve.length, epochs, curve, memoryBytes };
    this.at('train', LAYER_SHARE + ((1 - LAYER_SHARE) * curve.length) / epochs);
  }

  /** @param share of the stage that is done, 0..1 */
  at(stage: Stage, share: number): void {
    const now = performance.now();
    const isNew = this.stages.at(-1)?.stage !== stage;
    if (isNew) this.stages.push({ stage, since: now });
    const [from, to] = this.spans[stage];
    const percent = from + (to - from) * Math.min(1, share);
    if (!isNew && percent < 100 && now - this.last < 100) return;
    this.last = now;
    const elapsed = (now - this.started) / 1000;
    const remainingSeconds = percent < 3 ? null : Math.ceil((elapsed * (100 - percent)) / percent);
    const { curve, ...facts } = this.facts;
    const points = curve && { curve: [...curve] };
    this.onProgress?.({ stage, percent: Math.round(percent * 10) / 10, remainingSeconds, ...facts, ...points });
  }

  /** Seconds spent in each stage that is over, as `seconds.<stage>`. */
  secondsPerStage(): Record<string, number> {
    const seconds: Record<string, number> = {};
    for (const [index, { stage, since }] of this.stages.slice(0, -1).entries()) {
      const name = `seconds.${stage}`;
      seconds[name] = (seconds[name] ?? 0) + (this.stages[index + 1].since - since) / 1000;
    }
    return Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, Math.round(value * 1000) / 1000]));
  }
}
