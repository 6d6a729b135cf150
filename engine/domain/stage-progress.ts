import type { JobProgress, TrainingStage } from './training';

/** Where each stage begins and ends on the way from 0 to 100 percent. */
export type StageSpans<Stage extends TrainingStage> = Readonly<Record<Stage, readonly [from: number, to: number]>>;

const INTERVAL_MS = 100;
/** Percent from which the time left can be told. */
const TELLING = 3;

/** How far a work of several stages is, and how long each took. */
export class StageProgress<Stage extends TrainingStage> {
  private readonly started = performance.now();
  private readonly stages: { readonly stage: Stage; readonly since: number }[] = [];
  private last = 0;

  constructor(private readonly spans: StageSpans<Stage>) {}

  /** Since the beginning, to hundredths. */
  get seconds(): number {
    return Math.round((performance.now() - this.started) / 10) / 100;
  }

  /**
   * @param share of the stage that is done, 0..1
   * @returns null when something was told less than a tenth of a second ago and this is neither a new stage nor the end
   */
  at(stage: Stage, share: number): Pick<JobProgress, 'stage' | 'percent' | 'remainingSeconds'> | null {
    const now = performance.now();
    const isNew = this.stages.at(-1)?.stage !== stage;
    if (isNew) this.stages.push({ stage, since: now });
    const [from, to] = this.spans[stage];
    const percent = from + (to - from) * share;
    if (!isNew && percent < 100 && now - this.last < INTERVAL_MS) return null;
    this.last = now;
    const elapsed = (now - this.started) / 1000;
    const remainingSeconds = percent < TELLING ? null : Math.ceil((elapsed * (100 - percent)) / percent);
    return { stage, percent: Math.round(percent * 10) / 10, remainingSeconds };
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
