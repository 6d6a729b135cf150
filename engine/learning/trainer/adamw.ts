import { sizeOf } from './tensor';
import type { ParameterTensor } from './training-session';

export interface AdamWOptions {
  /** Share of the learning rate by which weights of more than one dimension shrink at each step; biases and scales do not. */
  readonly weightDecay?: number;
  /** How much of the old mean gradient, and of its old mean square, a step keeps. */
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** All gradients together are scaled down to this Euclidean length when they are longer. */
  readonly clipNorm?: number;
}

/** What the optimiser remembers: steps done, and for each parameter the running means of gradient and squared gradient. */
export interface OptimiserState {
  readonly steps: number;
  readonly means: readonly Float32Array[];
  readonly squares: readonly Float32Array[];
}

/**
 * Adam with decoupled weight decay.
 *
 * @see Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2
 */
export class AdamW {
  private steps = 0;
  private readonly means: readonly Float32Array[];
  private readonly squares: readonly Float32Array[];
  private readonly options: Required<AdamWOptions>;

  constructor(
    private readonly parameters: readonly ParameterTensor[],
    options: AdamWOptions = {},
  ) {
    const defaults = { weightDecay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    this.options = { ...defaults, clipNorm: Number.POSITIVE_INFINITY, ...options };
    this.means = parameters.map(({ dims }) => new Float32Array(sizeOf(dims)));
    this.squares = parameters.map(({ dims }) => new Float32Array(sizeOf(dims)));
  }

  /** Bytes of memory it holds. */
  get memoryBytes(): number {
    return this.parameters.reduce((sum, { data }) => sum + 2 * data.byteLength, 0);
  }

  /**
   * Moves the parameters against their gradients, then sets the gradients to zero.
   *
   * @param learningRate size of the step; gradients are taken as they are, so divide a sum by its count beforehand
   * @returns Euclidean length of all gradients together, before it was clipped
   */
  step(learningRate: number): number {
    const { weightDecay, beta1, beta2, epsilon, clipNorm } = this.options;
    this.steps += 1;
    const length = Math.sqrt(this.parameters.reduce((sum, { gradient }) => sum + squaredLength(gradient), 0));
    const scale = length > clipNorm ? clipNorm / length : 1;
    const meanShare = 1 - beta1 ** this.steps;
    const squareShare = 1 - beta2 ** this.steps;
    for (const [index, { dims, data, gradient }] of this.parameters.entries()) {
      const [means, squares] = [this.means[index], this.squares[index]];
      const shrink = dims.length > 1 ? 1 - learningRate * weightDecay : 1;
      for (let place = 0; place < data.length; place += 1) {
        const slope = gradient[place] * scale;
        const mean = beta1 * means[place] + (1 - beta1) * slope;
        const square = beta2 * squares[place] + (1 - beta2) * slope * slope;
        means[place] = mean;
        squares[place] = square;
        const move = mean / meanShare / (Math.sqrt(square / squareShare) + epsilon);
        data[place] = data[place] * shrink - learningRate * move;
      }
      gradient.fill(0);
    }
    return length;
  }

  /** What it remembers; not copied. */
  state(): OptimiserState {
    return { steps: this.steps, means: this.means, squares: this.squares };
  }

  /** @throws {RangeError} for the state of other parameters */
  restore({ steps, means, squares }: OptimiserState): void {
    const fits = (mine: readonly Float32Array[], given: readonly Float32Array[]) =>
      mine.length === given.length && mine.every((values, index) => values.length === given[index].length);
    if (!fits(this.means, means) || !fits(this.squares, squares)) {
      throw new RangeError('the state of the optimiser belongs to other parameters');
    }
    this.steps = steps;
    for (const [index, values] of means.entries()) this.means[index].set(values);
    for (const [index, values] of squares.entries()) this.squares[index].set(values);
  }
}

function squaredLength(values: Float32Array): number {
  let sum = 0;
  for (let place = 0; place < values.length; place += 1) sum += values[place] * values[place];
  return sum;
}
