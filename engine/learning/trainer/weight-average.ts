import type { NamedValues } from './tensor';

export interface WeightAverageOptions {
  /** Share of the average that a step keeps, once it has run for long; 0..1. */
  readonly decay?: number;
  /** Steps within which the share rises to that, so that the average leaves the first weights behind. */
  readonly ramp?: number;
}

/** An exponential moving average of the weights: it does better on new pictures than the weights of any single step. */
export class WeightAverage {
  private updates = 0;
  private readonly averages: readonly NamedValues[];
  private readonly decay: number;
  private readonly ramp: number;

  /** @param values weights and running statistics as they stand; the average begins with them */
  constructor(
    private readonly values: readonly NamedValues[],
    { decay = 0.9999, ramp = 2000 }: WeightAverageOptions = {},
  ) {
    this.decay = decay;
    this.ramp = ramp;
    this.averages = values.map(({ name, data }) => ({ name, data: data.slice() }));
  }

  /** Follows the values; to be called after each step of the optimiser. */
  update(): void {
    this.updates += 1;
    const kept = this.decay * (1 - Math.exp(-this.updates / this.ramp));
    for (const [index, { data }] of this.values.entries()) {
      const average = this.averages[index].data;
      for (let place = 0; place < data.length; place += 1) {
        average[place] = kept * average[place] + (1 - kept) * data[place];
      }
    }
  }

  /** The averages by name, for `withWeights`. Not copied. */
  get weights(): ReadonlyMap<string, Float32Array> {
    return new Map(this.averages.map(({ name, data }) => [name, data]));
  }

  state(): { readonly updates: number; readonly averages: readonly Float32Array[] } {
    return { updates: this.updates, averages: this.averages.map(({ data }) => data) };
  }

  restore({ updates, averages }: { readonly updates: number; readonly averages: readonly Float32Array[] }): void {
    this.updates = updates;
    for (const [index, values] of averages.entries()) this.averages[index].data.set(values);
  }
}
