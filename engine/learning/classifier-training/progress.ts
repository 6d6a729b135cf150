import { type CurvePoint, type JobProgress, StageProgress, type StageSpans } from '../../domain';

type Stage = 'read' | 'extract' | 'train' | 'evaluate' | 'gate' | 'package' | 'verify';

/** With a frozen backbone, and with one that is trained. */
const LINEAR: StageSpans<Stage> = {
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
  private readonly progress: StageProgress<Stage>;
  private facts: Pick<JobProgress, 'epoch' | 'epochs' | 'curve' | 'memoryBytes'> = {};

  constructor(
    readonly count: number,
    private readonly isTuned: boolean,
    private readonly onProgress?: (progress: JobProgress) => void,
  ) {
    this.progress = new StageProgress(isTuned ? TUNED : LINEAR);
    this.at('read', 0);
  }

  /** Since the beginning. */
  get seconds(): number {
    return this.progress.seconds;
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
    const told = this.progress.at(stage, Math.min(1, share));
    if (told === null) return;
    const { curve, ...facts } = this.facts;
    const points = curve && { curve: [...curve] };
    this.onProgress?.({ ...told, ...facts, ...points });
  }

  /** Seconds spent in each stage that is over, as `seconds.<stage>`. */
  secondsPerStage(): Record<string, number> {
    return this.progress.secondsPerStage();
  }
}
