import type { ConfigSchema } from '../shared';

export interface PatchcoreInferConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  /** For "train" messages that name none, and for the status while no picture has come. */
  readonly partType: string;
  /**
   * Folder of golden pictures named like serial numbers, for models that compare with one. Relative paths start at Node-RED's
   * user folder; empty: golden pictures come with the message or with the model.
   */
  readonly references: string;
}

export const schema: ConfigSchema<PatchcoreInferConfig> = {
  defaults: { name: '', station: '', partType: '', references: '' },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};
