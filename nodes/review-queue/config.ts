import type { ConfigSchema } from '../shared';

export interface ReviewQueueConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  /** Only decisions on this part type are sent; empty: all. */
  readonly partType: string;
}

export const schema: ConfigSchema<ReviewQueueConfig> = {
  defaults: { name: '', station: '', partType: '' },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};
