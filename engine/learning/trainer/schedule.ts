export interface LearningRateOptions {
  /** The step about to be done, from 0. */
  readonly step: number;
  /** All steps of the training. */
  readonly steps: number;
  /** The first steps, through which the rate rises in a straight line. */
  readonly warmUp: number;
  /** The highest rate, reached at the end of the warm-up. */
  readonly peak: number;
  /** The rate at the last step. */
  readonly floor: number;
}

/**
 * The learning rate of a step: a linear warm-up, then half a cosine down to the floor.
 *
 * @see Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5
 */
export function learningRateAt({ step, steps, warmUp, peak, floor }: LearningRateOptions): number {
  if (step < warmUp) return (peak * (step + 1)) / (warmUp + 1);
  const rest = Math.max(1, steps - 1 - warmUp);
  const done = Math.min(1, (step - warmUp) / rest);
  return floor + ((peak - floor) * (1 + Math.cos(Math.PI * done))) / 2;
}
