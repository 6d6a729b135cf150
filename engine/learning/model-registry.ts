import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import {
  type Clock,
  type DeploymentRecord,
  InspectionError,
  type ModelVersion,
  systemClock,
  type Thresholds,
} from '../domain';
import type { LearningStore } from './learning-store';

export interface ModelRegistryOptions {
  readonly dataFolder: string;
  readonly store: Pick<LearningStore, 'deployments' | 'audit'>;
  /** Runs the golden pictures of a version before it goes live; throws when the scores differ. */
  readonly check?: (folder: string) => Promise<void>;
  readonly clock?: Clock;
}

/** The model in production for a part type. */
export interface DeployedModel {
  readonly name: string;
  readonly version: string;
  readonly partType: string;
  /** Absolute path of the package. */
  readonly folder: string;
  readonly thresholds: Thresholds;
}

export interface ModelRegistryEvents {
  deployment: [DeploymentRecord];
  /** A version folder that cannot be used, told once per folder. */
  warning: [{ readonly code: string; readonly message: string }];
}

/** There is no version to go back to. */
export class NoEarlierVersion extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'no-earlier-version',
      status: 'no earlier version',
      message: `Part type ${partType} has no earlier deployed version to go back to. Deploy a version by its number.`,
      parameters: { partType },
      httpStatus: 409,
    });
  }
}

/** The model versions on disk, and which of them is in production. */
export class ModelRegistry extends EventEmitter<ModelRegistryEvents> {
  /** `<data>/models` */
  readonly folder: string;
  readonly #options: ModelRegistryOptions;

  constructor(options: ModelRegistryOptions) {
    super();
    this.#options = { clock: systemClock, ...options };
    this.folder = join(options.dataFolder, 'models');
  }

  /** Versions newest first, of one part type or of all. */
  async list(_partType?: string): Promise<readonly ModelVersion[]> {
    throw new Error(`${this.folder}: not written yet`);
  }

  /** The model in production; null when none is deployed. Throws ModelInvalid when its package is broken. */
  async deployed(_partType: string): Promise<DeployedModel | null> {
    throw new Error(`${this.#options.dataFolder}: not written yet`);
  }

  /** Puts a version into production after checking its files. Deploying the current version changes nothing. */
  async deploy(_name: string, _version: string, _actor: string): Promise<DeploymentRecord> {
    throw new Error('not written yet');
  }

  /** Puts the version before the current one back into production. */
  async rollback(_partType: string, _actor: string): Promise<DeploymentRecord> {
    throw new Error('not written yet');
  }

  /** Newest first. */
  history(partType: string): Promise<readonly DeploymentRecord[]> {
    return this.#options.store.deployments.history(partType);
  }
}
