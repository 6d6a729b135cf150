import { z } from 'zod';
import {
  type ClassifierFigures,
  type DetectorFigures,
  MODEL_KINDS,
  type ModelVersion,
  type TrainingReportFacts,
} from '../../domain';
import type { StatementCode } from '../../statistics';
import type { BankDetails, ClassifierDetails, DetectorDetails, ModelDetails, ReferenceDetails } from '../model-details';
import { box, detectionThresholds, named, thresholds, time, url, verdict } from './common';
import { gateDecision as gate, gateReport, snapshotReference } from './gate';

export const modelKind = named('ModelKind', z.enum(MODEL_KINDS));

export const modelVersion = named(
  'ModelVersion',
  z.object({
    name: z.string(),
    version: z.string(),
    kind: modelKind,
    partType: z.string(),
    createdAt: time,
    deployed: z.boolean(),
    pictures: z.object({ bank: z.int(), calibration: z.int() }),
    thresholds: thresholds.nullable().meta({ description: 'Null for kinds that give no anomaly score' }),
    classes: z.array(z.string()).optional().meta({ description: 'What a detector or classifier tells apart' }),
    figures: z
      .record(z.string(), z.number())
      .optional()
      .meta({ description: 'On held-out pictures: map50, map5095, recall or accuracy, 0..1' }),
    accepted: z.boolean().optional().meta({ description: 'False when the gate refused it' }),
    bytes: z.int(),
    parent: z.string().nullable(),
    origin: z
      .object({ name: z.string(), version: z.string() })
      .optional()
      .meta({ description: 'What an imported version was called on the station it comes from' }),
    notes: z.string().nullable().meta({ description: 'What people noted about it' }),
    dataset: snapshotReference.nullable().meta({ description: 'The snapshot of labelled pictures it learnt from' }),
    gate: z
      .object({ accepted: z.boolean(), at: time })
      .nullable()
      .meta({ description: 'Whether it may take the place of what was in production; null: the gate was not asked' }),
  }) satisfies z.ZodType<ModelVersion>,
);

const { dataset: _snapshot, gate: _gate, ...knownOfVersion } = modelVersion.shape;

const versionDetails = {
  ...knownOfVersion,
  gateReport: gateReport.nullable().meta({ description: 'What the gate found last; null when it was not asked' }),
};

export const modelList = named('ModelList', z.object({ items: z.array(modelVersion) }));

const share = z.number().min(0).max(1);

const detectorLevel = z.enum(['head', 'neck', 'full', 'external', 'scratch', 'imported']);

const scoring = z.discriminatedUnion('method', [
  z.object({ method: z.literal('max') }),
  z.object({ method: z.literal('reweighted'), neighbours: z.int() }),
  z.object({ method: z.literal('top-mean'), share }),
]);

const tapMoment = z.enum(['before', 'after']);

const conditioning = z.enum(['none', 'scaling', 'whitening']);

const recipe = z.object({
  moment: tapMoment.meta({ description: 'Features are taken before or after the last activation' }),
  conditioning,
  dimension: z.int(),
  spacing: z.boolean(),
  scoring,
  chosen: z.enum(['measured', 'wished', 'default', 'inherited']),
  trials: z
    .array(z.object({ moment: tapMoment, conditioning, spacing: z.boolean(), scoring, auroc: share }))
    .meta({ description: 'What recipes achieved on held-out good pictures and the same with painted defects' }),
});

const quantisation = z.object({
  accepted: z.boolean().meta({ description: 'The backbone computes with 8-bit numbers' }),
  reason: z.enum(['auroc', 'decisions', 'not-faster']).nullable().meta({ description: 'Why it does not' }),
  fromStride: z.int().meta({ description: 'Where 8-bit numbers begin, in pixels a cell; 1: with the picture' }),
  auroc: z.object({ float: share, int8: share }),
  bounds: z.object({ auroc: share, decisions: share, speed: z.number() }),
  changedDecisions: z.object({ count: z.int(), total: z.int() }),
  wrongDecisions: z.object({ float: z.int(), int8: z.int() }),
  milliseconds: z.object({ float: z.number(), int8: z.number() }),
  bytes: z.object({ float: z.int(), int8: z.int() }),
  bank: z
    .object({
      storage: z.enum(['float32', 'float16', 'int8']),
      auroc: share,
      changedDecisions: z.int(),
      wrongDecisions: z.int(),
    })
    .meta({ description: 'The smallest storage of the bank within the same bounds' }),
});

const calibration = z.object({
  method: z.enum(['cross-validated', 'augmented', 'compared', 'held-out']).meta({
    description:
      'compared: with golden pictures; held-out: one share of the pictures was kept out of the bank (packages of format 1)',
  }),
  folds: z.int(),
  pictures: z.int(),
  independent: z.int().meta({ description: 'How many of the pictures are independent of one another' }),
  defects: z.int(),
  scores: z.array(z.number()).meta({ description: 'Raw scores of good pictures, ascending' }),
  defectScores: z.array(z.number()).meta({ description: 'Raw scores of defective pictures, ascending' }),
  median: z.number(),
  falseRejectRate: share,
  reviewRate: share,
  missRate: share,
  thresholds,
  reject: z.object({ method: z.enum(['conformal', 'extrapolated']), rank: z.int().nullable() }),
  accept: z.object({ method: z.enum(['review-rate', 'miss-rate']), rank: z.int().nullable() }),
  promisedAcceptRate: share,
  promisedRejectRate: share,
  promisedMissRate: share.nullable(),
  picturesNeeded: z.int().meta({ description: 'Independent good pictures still missing for the wished rate' }),
  picturesRequired: z.int(),
  defectsNeeded: z.int(),
  probability: z
    .discriminatedUnion('method', [
      z.object({ method: z.literal('platt'), slope: z.number(), intercept: z.number() }),
      z.object({ method: z.literal('isotonic'), scores: z.array(z.number()), values: z.array(z.number()) }),
    ])
    .nullable(),
  statement: z.string().meta({ description: 'What is promised, in English' }),
  statementParts: z
    .array(z.object({ code: z.string() as z.ZodType<StatementCode>, parameters: z.record(z.string(), z.number()) }))
    .meta({ description: 'The same, to be put into another language; empty for packages of format 1' }),
});

const learnt = {
  source: z.string(),
  count: z.int(),
  skipped: z.int(),
  snapshot: snapshotReference.optional().meta({ description: 'Of labelled pictures' }),
};

const commonDetails = {
  ...versionDetails,
  thresholds,
  dataset: z.object({ ...learnt, defects: z.int() }),
  calibration,
  metrics: z.record(z.string(), z.number()),
};

const bankDetails = named(
  'BankDetails',
  z.object({
    ...commonDetails,
    method: z.literal('bank'),
    backbone: z.object({
      id: z.string(),
      sha256: z.string(),
      outputs: z.array(z.object({ stride: z.int(), name: z.string() })),
    }),
    input: z.object({ width: z.int(), height: z.int(), mode: z.enum(['letterbox', 'crop', 'stretch']) }),
    viewing: z.object({
      roi: box.nullable().meta({ description: 'In fractions 0..1 of the sides of the picture' }),
      tiles: z.object({ columns: z.int(), rows: z.int(), overlap: z.number() }).nullable(),
      mask: z.boolean(),
    }),
    augmentation: z
      .object({ flip: z.boolean(), rotation: z.number(), light: z.number(), shift: z.number(), copies: z.int() })
      .nullable(),
    recipe,
    quantisation: quantisation.nullable(),
    bank: z.object({
      pictures: z.int(),
      candidates: z.int(),
      size: z.int(),
      radius: z.number(),
      storage: z.enum(['float32', 'float16', 'int8']),
      reach: z.number().nullable().meta({ description: 'Grid cells; null: neighbours come from anywhere' }),
      tiles: z.enum(['shared', 'per-tile']),
    }),
    suspects: z
      .array(z.object({ name: z.string(), score: z.number(), learnt: z.boolean(), picture: url.nullable() }))
      .meta({ description: 'Training pictures that look defective, with held-out scores' }),
  }) satisfies z.ZodType<BankDetails>,
);

const referenceDetails = named(
  'ReferenceDetails',
  z.object({
    ...commonDetails,
    method: z.literal('reference'),
    reference: z.object({
      settings: z
        .object({
          side: z.int(),
          reach: z.number(),
          tolerance: z.int(),
          contrast: share,
          smoothing: z.int(),
          region: z.number(),
          leastSimilarity: share,
        })
        .meta({
          description: 'How a picture is compared with its golden picture; lengths in pixels of the comparison',
        }),
      shared: z
        .boolean()
        .meta({ description: 'A golden picture for every part is inside; otherwise each part must bring its own' }),
      chosenBy: z
        .enum(['annotated', 'painted', 'wished'])
        .meta({ description: 'Which defects the settings told best from good parts; wished: by the caller' }),
      trials: z.array(z.object({ tolerance: z.int(), contrast: z.number(), smoothing: z.int(), auroc: z.number() })),
      boxes: z
        .object({
          level: z.number(),
          found: z.int(),
          boxes: z.int(),
          falseRegions: z.int(),
          pictures: z.int(),
        })
        .nullable()
        .meta({ description: 'Annotated defects found in training; null: none were known' }),
    }),
  }) satisfies z.ZodType<ReferenceDetails>,
);

export const curve = z
  .array(z.object({ epoch: z.int(), loss: z.number(), map50: share.optional(), accuracy: share.optional() }))
  .meta({ description: 'Mean loss of each epoch, and the quality on held-out pictures where it was measured' });

const interval = z.object({ low: z.number(), high: z.number() });

const confusion = z.object({ labels: z.array(z.string()), matrix: z.array(z.array(z.int())) });

const detectorFigures = named(
  'DetectorFigures',
  z.object({
    map50: share,
    map5095: share,
    recall: share,
    pictures: z.int(),
    perClass: z.array(
      z.object({
        label: z.string(),
        ap50: share.nullable(),
        ap5095: share.nullable(),
        recall: share.nullable(),
        precision: share.nullable(),
        f1: share.nullable(),
        count: z.int(),
      }),
    ),
    intervals: z.record(z.string(), interval).optional().meta({ description: '95 %, bootstrap over the pictures' }),
    bestConfidence: share.optional(),
    curves: z
      .array(
        z.object({
          label: z.string(),
          confidence: z.array(z.number()),
          precision: z.array(z.number()),
          recall: z.array(z.number()),
        }),
      )
      .optional(),
    confusion: confusion.optional().meta({ description: 'Boxes by true (rows) and found class (columns)' }),
  }) satisfies z.ZodType<DetectorFigures>,
);

const classifierFigures = named(
  'ClassifierFigures',
  z.object({
    accuracy: share,
    balancedAccuracy: share,
    interval: interval.optional().meta({ description: 'Of the accuracy, 95 %' }),
    pictures: z.int(),
    perClass: z.array(
      z.object({
        label: z.string(),
        recall: share.nullable(),
        precision: share.nullable(),
        f1: share.nullable(),
        count: z.int(),
      }),
    ),
    confusion: confusion.meta({ description: 'Pictures by true (rows) and named class (columns)' }),
  }) satisfies z.ZodType<ClassifierFigures>,
);

const oldClasses = z
  .object({ before: detectorFigures, after: detectorFigures })
  .nullable()
  .meta({ description: 'On old pictures, with the classes known before: what was forgotten' });

export const trainingReport = named(
  'TrainingReport',
  z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('detector'),
      level: detectorLevel,
      before: detectorFigures.nullable(),
      after: detectorFigures,
      oldClasses,
      gate,
      curve,
      seconds: z.number(),
      peakMemoryBytes: z.number().nullable(),
    }),
    z.object({
      kind: z.literal('classifier'),
      method: z.enum(['linear', 'fine-tuned']),
      before: classifierFigures.nullable(),
      after: classifierFigures,
      gate,
      curve,
      seconds: z.number(),
      peakMemoryBytes: z.number().nullable(),
    }),
  ]) satisfies z.ZodType<TrainingReportFacts>,
);

const base = z.object({ name: z.string(), sha256: z.string() }).nullable().meta({
  description: 'What the training started from',
});

const detectorDetails = named(
  'DetectorDetails',
  z.object({
    ...versionDetails,
    kind: z.literal('detector'),
    method: z.literal('yolo'),
    classes: z.array(z.string()),
    input: z.object({ width: z.int(), height: z.int() }),
    detectionThresholds,
    iou: share.meta({ description: 'Boxes of one class that overlap more than this are one' }),
    level: detectorLevel,
    training: z
      .object({
        seed: z.int(),
        epochs: z.int(),
        inputSize: z.int(),
        batch: z.int(),
        learningRate: z.number(),
        augmentation: z.number(),
      })
      .nullable()
      .meta({ description: 'Null when it was not trained here' }),
    base,
    dataset: z.object({ ...learnt, heldOut: z.int(), boxes: z.int(), replayed: z.int() }),
    evaluation: z.object({ before: detectorFigures.nullable(), after: detectorFigures.nullable(), oldClasses }),
    curve,
    gate,
    metrics: z.record(z.string(), z.number()),
  }) satisfies z.ZodType<DetectorDetails>,
);

const classifierDetails = named(
  'ClassifierDetails',
  z.object({
    ...versionDetails,
    kind: z.literal('classifier'),
    method: z.enum(['linear', 'fine-tuned']),
    classes: z.array(z.string()),
    verdicts: z.record(z.string(), verdict),
    input: z.object({ width: z.int(), height: z.int(), mode: z.enum(['letterbox', 'crop', 'stretch']) }),
    backbone: z.object({ id: z.string(), sha256: z.string() }),
    training: z.object({
      seed: z.int(),
      epochs: z.int(),
      learningRate: z.number(),
      augmentation: z.number(),
    }),
    temperature: z.number(),
    base,
    dataset: z.object({ ...learnt, heldOut: z.int() }),
    evaluation: z.object({ before: classifierFigures.nullable(), after: classifierFigures.nullable() }),
    curve,
    gate,
    metrics: z.record(z.string(), z.number()),
  }) satisfies z.ZodType<ClassifierDetails>,
);

export const modelDetails = named(
  'ModelDetails',
  z.discriminatedUnion('method', [
    bankDetails,
    referenceDetails,
    detectorDetails,
    classifierDetails,
  ]) satisfies z.ZodType<ModelDetails>,
);

export const classList = named('ClassList', z.object({ items: z.array(z.string()) }));
