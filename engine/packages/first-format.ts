import { z } from 'zod';

export const FIRST_FORMAT = 1;

/** What of a format 1 manifest reads otherwise in format 2. */
const first = z.looseObject({
  dataset: z.looseObject({}),
  backbone: z.looseObject({}),
  bank: z.looseObject({ dimension: z.number() }),
  scoring: z.unknown(),
  calibration: z.looseObject({
    pictures: z.number(),
    picturesNeeded: z.number(),
    accept: z.looseObject({}),
  }),
});

/**
 * A format 1 manifest in the terms of format 2: the same model, without what came later.
 *
 * @throws {z.ZodError} when it is no manifest of format 1
 */
export function upgradeFirstFormat(read: unknown): unknown {
  const { scoring, bank, calibration, ...rest } = first.parse(read);
  const { dimension, projection: _, ...kept } = bank;
  const outputs = [8, 16].map((stride) => ({ stride, name: `stride${stride}` }));
  return {
    ...rest,
    format: 2,
    method: 'bank',
    dataset: { ...rest.dataset, defects: 0 },
    viewing: { roi: null, tiles: null, mask: null },
    augmentation: null,
    backbone: { ...rest.backbone, outputs },
    recipe: {
      moment: 'after',
      conditioning: 'none',
      dimension,
      spacing: false,
      scoring,
      chosen: 'default',
      trials: [],
    },
    bank: { ...kept, storage: 'float32', reach: null, tiles: 'shared', heads: ['head.onnx'] },
    calibration: {
      ...calibration,
      method: 'held-out',
      folds: 0,
      independent: calibration.pictures,
      defects: 0,
      defectScores: [],
      missRate: 0.01,
      accept: { method: 'review-rate', ...calibration.accept },
      promisedMissRate: null,
      picturesNeeded: Math.max(0, calibration.picturesNeeded - calibration.pictures),
      picturesRequired: calibration.picturesNeeded,
      defectsNeeded: 99,
      probability: null,
      statementParts: [],
    },
    suspects: [],
    quantisation: null,
  };
}
