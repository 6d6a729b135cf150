import { type JobProgress, StageProgress, type StageSpans, type TrainingStage } from '../domain';

export interface TrainingProgress extends JobProgress {
  /** Pictures read so far, skipped ones included. */
  readonly pictures: number;
  readonly count: number;
  readonly skipped: number;
}

/** The stages of making a PatchCore model. */
export type PatchcoreStage = Exclude<TrainingStage, 'cache' | 'search' | 'train' | 'evaluate' | 'gate'>;

const STAGES: StageSpans<PatchcoreStage> = {
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
  private readonly progress = new StageProgress(STAGES);
  private pictures = 0;
  private skipped = 0;

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
    const told = this.progress.at(stage, share);
    if (told === null) return;
    this.onProgress?.({ ...told, pictures: this.pictures, count: this.count, skipped: this.skipped });
  }

  /** Seconds spent in each stage that is over, as `seconds.<stage>`. */
  secondsPerStage(): Record<string, number> {
    return this.progress.secondsPerStage();
  }
}
