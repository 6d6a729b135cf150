import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AnomalyResult,
  PatchcoreModel,
  type PatchcoreTraining,
  type TrainingPicture,
  type TrainingResult,
  trainPatchcore,
} from '../../../engine/patchcore';
import type { BankOrigins } from '../../../engine/patchcore/package-files';

export interface Trained extends TrainingResult {
  readonly folder: string;
  readonly model: PatchcoreModel;
  /** Where each row of the banks came from. */
  readonly origins: BankOrigins;
  score(picture: Buffer): Promise<AnomalyResult>;
}

/** Trains small models in a temporary folder; call `close` at the end. */
export class Workbench {
  private readonly models: PatchcoreModel[] = [];

  private constructor(readonly folder: string) {}

  static async open(): Promise<Workbench> {
    return new Workbench(await mkdtemp(join(tmpdir(), 'patchcore-')));
  }

  /** What a training is told unless told otherwise: a small input and bank, and the default recipe, not measured. */
  training(pictures: readonly TrainingPicture[], options: Partial<PatchcoreTraining> = {}): PatchcoreTraining {
    return {
      partType: 'weave',
      version: '1',
      source: 'drawn',
      outFolder: join(this.folder, `${this.models.length + 1}`),
      pictures,
      coresetSize: 200,
      input: { width: 64, height: 64, mode: 'stretch' },
      recipe: {},
      threads: 1,
      ...options,
    };
  }

  async train(pictures: readonly TrainingPicture[], options: Partial<PatchcoreTraining> = {}): Promise<Trained> {
    const training = this.training(pictures, options);
    const { manifest, skipped, forgotten } = await trainPatchcore(training);
    const folder = training.outFolder;
    const model = await PatchcoreModel.load(folder, { threads: 1 });
    this.models.push(model);
    const origins = JSON.parse(await readFile(join(folder, 'bank.json'), 'utf8')) as BankOrigins;
    return {
      folder,
      manifest,
      skipped,
      forgotten,
      model,
      origins,
      score: (picture) => model.score(picture, { map: false }),
    };
  }

  async close(): Promise<void> {
    for (const model of this.models) await model.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }
}
