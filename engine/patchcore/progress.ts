import type { JobProgress, TrainingStage } from '../domain';

export interface TrainingProgress extends JobProgress {
  /** Pictures read so far, skipped ones included. */
  readonly pictures: number;
  readonly count: number;
  readonly skipped: number;
}

/** The stages of making a PatchCore model. */
export type PatchcoreStage = Exclude<TrainingStage, 'cache' | 'search' | 'train' | 'evaluate' | 'gate'>;

/** Where each stage begins and ends on the way from 0 to 100 percent. */
const STAGES: Readonly<Record<PatchcoreStage, readonly [from: number, to: number]>> = {
  read: [0, 0],
  condition: [0, 25],
  extract: [25, 70],
  coreset: [70, 85],
  calibrate: [85, 96],
  package: [96, 98],
  verify: [98, 100],
};

/** Tells how far the training is, at most ten times a second. */
export class ProgressReport {
  private readonly started = performance.now();
  private readonly stages: { readonly stage: PatchcoreStage; readonly since: number }[] = [];
  private pictures = 0;
  private skipped = 0;
  private last = 0;

  constructor(
    private readonly count: number,
    private readonly onProgress?: (progress: TrainingProgress) => void,
  ) {
    this.at('read', 0);
  }

  picture(pictures: number, skipped: number): void {
    this.pictures = pictures;
    this.skipped = skipped;
    this.at('extract', Math.min(1, pictures / Math.max(1, this.count)));
  }

  /** @param share of the stage that is done, 0..1 */
  at(stage: PatchcoreStage, share: number): void {
    const now = performance.now();
    const isNew = this.stages.at(-1)?.stage !== stage;
    if (isNew) this.stages.push({ stage, since: now });
    const [from, to] = STAGES[stage];
    const percent = from + (to - from) * share;
    if (!isNew && percent < 100 && now - this.last < 100) return;
    this.last = now;
    const elapsed = (now - this.started) / 1000;
    const remaining = percent < 3 ? null : Math.ceil((elapsed * (100 - percent)) / percent);
    this.onProgress?.({
      stage,
      percent: Math.round(percent * 10) / 10,
      remainingSeconds: remaining,
      pictures: this.pictures,
      count: this.count,
      skipped: this.skipped,
    });
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
