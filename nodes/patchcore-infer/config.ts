import type { ConfigSchema } from '../shared';

export interface PatchcoreInferConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  /** For "train" messages that name none, and for the status while no picture has come. */
  readonly partType: string;
}

export const schema: ConfigSchema<PatchcoreInferConfig> = {
  defaults: { name: '', station: '', partType: '' },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};
