import { z } from 'zod';
import type { BackboneState } from '../catalogue';
import {
  type AuditEntry,
  type ClassifierFigures,
  type Counters,
  type DeploymentRecord,
  type DetectorFigures,
  type Fault,
  type Finding,
  type Inspection,
  isId,
  isName,
  type Job,
  type JobProgress,
  MODEL_KINDS,
  type ModelVersion,
  REASON_CODES,
  type ReviewItem,
  type RoutingSettings,
  TRAINING_STAGES,
  type TrainingReportFacts,
  type TrainingRequest,
  VERDICTS,
} from '../domain';
import {
  classifierTrainingOptions,
  detectorTrainingOptions,
  SIMULATED_PICTURES_LIMIT,
  trainingOptions,
} from '../learning';
import { MINIMUM_PICTURES } from '../patchcore';
import { BOXES_LIMIT, isClassName } from '../review';
import { SIMULATED_PRODUCTS } from '../simulator';
import type { StatementCode } from '../statistics';
import type { BankDetails, ClassifierDetails, DetectorDetails, ModelDetails, ReferenceDetails } from './model-details';

/** The named schemas of the OpenAPI document. */
export const components = new Map<string, z.ZodType>();

function named<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  components.set(id, schema);
  return schema;
}

const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC' });
const url = z.string().meta({ format: 'uri-reference' });

export const id = named(
  'Id',
  z.string().refine(isId, 'is not an id: 26 letters and digits').meta({
    description: 'ULID',
    pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$',
  }),
);
export const name = named(
  'Name',
  z
    .string()
    .refine(isName, 'must have 1 to 64 letters, digits, ".", "_" or "-", and start with a letter or digit')
    .meta({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
);
export const serial = named(
  'Serial',
  z
    .string()
    .min(1)
    .max(128)
    .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters'),
);
export const verdict = named('Verdict', z.enum(VERDICTS));
export const label = named('Label', z.enum(['OK', 'NG']));
export const reviewState = named('ReviewState', z.enum(['pending', 'labelled', 'skipped']));
const reasonCode = named('ReasonCode', z.enum(REASON_CODES));
/** A moment in a query, with any offset; made UTC. */
export const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

export const problem = named(
  'Problem',
  z
    .object({
      type: z.string().meta({ format: 'uri' }),
      title: z.string(),
      status: z.int(),
      detail: z.string().meta({ description: 'What happened and what to do' }),
      code: z.string().meta({ description: 'Stable, kebab-case' }),
      parameters: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    })
    .meta({ description: 'Problem details, RFC 9457' }),
);

const fault = named(
  'Fault',
  z.object({
    code: z.string().meta({ description: 'Stable, kebab-case' }),
    message: z.string(),
    parameters: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .optional()
      .meta({ description: 'For translations of the message' }),
  }) satisfies z.ZodType<Fault>,
);

export const thresholds = named(
  'Thresholds',
  z.object({ accept: z.number(), reject: z.number() }).meta({
    description: 'At or below accept a part may pass, above reject it is bad, between them a person looks',
  }),
);

const box = named('Box', z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }));
const confidence = z.number().min(0).max(1);
export const detectionThresholds = named(
  'DetectionThresholds',
  z
    .object({ confidence, perClass: z.record(z.string(), confidence) })
    .meta({ description: 'Confidences from which detections count; perClass: instead, for the classes named' }),
);
export const labelledBox = named(
  'LabelledBox',
  z.object({ label: z.string(), box }).meta({ description: 'Pixels of the original picture' }),
);
const findingBase = {
  node: z.string(),
  model: z.object({ name: z.string(), version: z.string() }).optional(),
  milliseconds: z.object({ total: z.number() }).catchall(z.number()),
};
const finding = named(
  'Finding',
  z.discriminatedUnion('kind', [
    z.object({
      ...findingBase,
      kind: z.literal('anomaly'),
      score: z.number(),
      normalizedScore: z.number(),
      probability: z.number().min(0).max(1).optional(),
      thresholds,
      regions: z.array(z.object({ box, area: z.number(), peak: z.number() })),
      map: z.object({ url, width: z.number(), height: z.number() }).optional(),
    }),
    z.object({
      ...findingBase,
      kind: z.literal('detections'),
      detections: z.array(z.object({ label: z.string(), confidence: z.number(), box })),
      thresholds: detectionThresholds,
      review: z.array(z.string()).optional().meta({ description: 'Classes that a person looks at; others reject' }),
    }),
    z.object({
      ...findingBase,
      kind: z.literal('class'),
      label: z.string(),
      confidence: z.number(),
      verdict,
      probabilities: z.record(z.string(), z.number()),
    }),
    z.object({
      ...findingBase,
      kind: z.literal('rule'),
      rule: z.string(),
      passed: z.boolean(),
      message: z.string().optional(),
    }),
    z.object({ ...findingBase, kind: z.literal('opinion'), verdict, confidence: z.number(), text: z.string() }),
    z.object({ ...findingBase, kind: z.literal('failure'), reason: reasonCode, message: z.string() }),
  ]) satisfies z.ZodType<Finding>,
);

const decision = named(
  'Decision',
  z.object({
    verdict,
    confidence: z.number(),
    reasons: z.array(reasonCode),
    by: z.enum(['model', 'human', 'failsafe']),
    thresholds: thresholds.optional(),
    audit: z.boolean().optional(),
    at: time,
  }),
);

/** Where the pictures of an inspection are served; null when there is none (any more). */
const pictureLinks = {
  picture: url.nullable(),
  thumbnail: url.nullable(),
  map: url.nullable().meta({ description: 'Heat map: 8-bit grey PNG, aligned to the whole picture' }),
};

const summaryFields = {
  id,
  partType: z.string(),
  serial: z.string().nullable(),
  state: z.enum(['open', 'settled']),
  capturedAt: time,
  settledAt: time.nullable(),
  verdict: verdict.nullable(),
  confidence: z.number().nullable(),
  by: z.enum(['model', 'human', 'failsafe']).nullable(),
  reasons: z.array(reasonCode),
  audit: z.boolean(),
  score: z.number().nullable().meta({ description: 'Raw anomaly score; null when no analysis gave one' }),
  normalizedScore: z.number().nullable(),
  thresholds: thresholds.nullable().meta({ description: 'Those used for the verdict' }),
  width: z.int().nullable(),
  height: z.int().nullable(),
  ...pictureLinks,
};
export const inspectionSummary = named('InspectionSummary', z.object(summaryFields));
export type InspectionSummary = z.infer<typeof inspectionSummary>;

const inspectionFields = {
  id,
  station: z.string(),
  partType: z.string(),
  serial: z.string().optional(),
  trigger: z.object({
    source: z.enum(['message', 'plc', 'folder', 'api', 'browser', 'simulator']),
    sequence: z.number().optional(),
    node: z.string().optional(),
  }),
  capturedAt: time,
  deadlineAt: time,
  image: z
    .object({
      width: z.int(),
      height: z.int(),
      format: z.enum(['jpeg', 'png']),
      bytes: z.int(),
      sha256: z.string(),
    })
    .optional(),
  quality: z
    .object({ passed: z.boolean(), brightness: z.number(), contrast: z.number(), sharpness: z.number() })
    .optional(),
  findings: z.array(finding),
  decision: decision.optional(),
};
const inspectionShape = z.object(inspectionFields) satisfies z.ZodType<Inspection>;
export const inspectionDetail = named(
  'Inspection',
  z.object({ ...summaryFields, ...inspectionShape.shape, serial: z.string().nullable() }),
);
export type InspectionDetail = z.infer<typeof inspectionDetail>;

export const inspectionPage = named(
  'InspectionPage',
  z.object({ items: z.array(inspectionSummary), nextCursor: z.string().nullable() }),
);

export const uploadAnswer = named(
  'UploadAnswer',
  z.object({
    id,
    status: z.enum(['auto_validated', 'pending_review']).meta({
      description: 'pending_review when the verdict is REVIEW; a fail-safe NG is auto_validated, with its reasons',
    }),
    verdict,
    confidence: z.number(),
    threshold_used: z.number().nullable().meta({ description: 'The reject threshold; null when no score decided' }),
    reasons: z.array(reasonCode),
    score: z.number().nullable(),
    partType: z.string(),
    serial: z.string().nullable(),
    picture: url.nullable(),
    map: url.nullable(),
  }),
);
export type UploadAnswer = z.infer<typeof uploadAnswer>;

export const counters = named(
  'Counters',
  z.object({
    since: time,
    ok: z.int(),
    ng: z.int(),
    review: z.int(),
    failSafe: z.int(),
    total: z.int(),
    yield: z.number().nullable(),
  }) satisfies z.ZodType<Counters>,
);

const reviewFields = z.object({
  id,
  state: reviewState,
  partType: z.string(),
  serial: z.string().optional(),
  reasons: z.array(reasonCode),
  lineVerdict: verdict,
  findings: z.array(finding),
  label: label.nullable(),
  boxes: z.array(labelledBox).nullable().meta({ description: 'What a person drew or confirmed; null: nobody did' }),
  reviewer: z.string().nullable(),
  note: z.string().nullable(),
  createdAt: time,
  decidedAt: time.nullable(),
}) satisfies z.ZodType<ReviewItem>;
export const reviewItem = named('ReviewItem', z.object({ ...reviewFields.shape, ...pictureLinks }));
export const reviewPage = named(
  'ReviewPage',
  z.object({ items: z.array(reviewItem), nextCursor: z.string().nullable() }),
);
export const reviewStats = named('ReviewStats', z.object({ pending: z.int(), labelled: z.int(), skipped: z.int() }));
const reviewer = z.string().trim().min(1).max(64);
const note = z.string().max(2000);
const drawnBox = z.strictObject({
  label: z.string().refine(isClassName, 'must have 1 to 64 characters, none of control, and no spaces around it'),
  box: z.strictObject({ x: z.number(), y: z.number(), width: z.number().gt(0), height: z.number().gt(0) }),
});
export const labelRequest = named(
  'LabelRequest',
  z.strictObject({
    label,
    boxes: z.array(drawnBox).max(BOXES_LIMIT).nullish().meta({
      description:
        'What a detector shall find, in pixels of the original picture, on good parts as well; empty: nothing is there; null: nobody looked',
    }),
    reviewer: reviewer.nullish(),
    note: note.nullish(),
  }),
);
export const reviewerRequest = named('ReviewerRequest', z.strictObject({ reviewer: reviewer.nullish() }));
export const undoRequest = named(
  'UndoRequest',
  z.strictObject({
    id: id.nullish(),
    reviewer: reviewer.nullish().meta({ description: "Without an id: this reviewer's last decision" }),
  }),
);

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
  }) satisfies z.ZodType<ModelVersion>,
);
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
const commonDetails = {
  ...modelVersion.shape,
  thresholds,
  dataset: z.object({ source: z.string(), count: z.int(), skipped: z.int(), defects: z.int() }),
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
const gate = named(
  'GateDecision',
  z
    .object({
      accepted: z.boolean(),
      reasons: z.array(
        z.object({
          code: z.string(),
          message: z.string(),
          parameters: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
        }),
      ),
    })
    .meta({ description: 'Whether it may take the place of what was in production when it was made' }),
);
const curve = z
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
const trainingReport = named(
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
    ...modelVersion.shape,
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
    dataset: z.object({
      source: z.string(),
      count: z.int(),
      skipped: z.int(),
      heldOut: z.int(),
      boxes: z.int(),
      replayed: z.int(),
    }),
    evaluation: z.object({ before: detectorFigures.nullable(), after: detectorFigures.nullable(), oldClasses }),
    curve,
    gate,
    metrics: z.record(z.string(), z.number()),
  }) satisfies z.ZodType<DetectorDetails>,
);
const classifierDetails = named(
  'ClassifierDetails',
  z.object({
    ...modelVersion.shape,
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
    dataset: z.object({ source: z.string(), count: z.int(), skipped: z.int(), heldOut: z.int() }),
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
export const deployRequest = named('DeployRequest', z.strictObject({ version: name }));
export const deployment = named(
  'Deployment',
  z.object({
    partType: z.string(),
    kind: modelKind,
    name: z.string(),
    version: z.string(),
    previousVersion: z.string().nullable(),
    action: z.enum(['deploy', 'rollback']),
    actor: z.string(),
    at: time,
  }) satisfies z.ZodType<DeploymentRecord>,
);
export const deploymentList = named('DeploymentList', z.object({ items: z.array(deployment) }));

const jobProgress = z.object({
  stage: z.enum(TRAINING_STAGES),
  percent: z.number().min(0).max(100),
  remainingSeconds: z.number().nullable(),
  epoch: z.int().optional().meta({ description: 'Epochs done' }),
  epochs: z.int().optional(),
  curve: curve.optional(),
  memoryBytes: z.number().optional().meta({ description: 'What the training expects to need' }),
}) satisfies z.ZodType<JobProgress>;
named('TrainingOptions', trainingOptions);
named('DetectorTrainingOptions', detectorTrainingOptions);
named('ClassifierTrainingOptions', classifierTrainingOptions);
export const trainingRequest = named(
  'TrainingRequest',
  z.strictObject({
    kind: modelKind.optional().meta({ description: 'patchcore unless told' }),
    partType: name,
    source: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('folder'),
        folder: z.string().min(1).max(1024).meta({
          description:
            "A folder inside the station's data folder (relative to it), or inside one of its training folders",
        }),
      }),
      z.strictObject({ kind: z.literal('labelled') }).meta({
        description:
          'patchcore: the pictures labelled OK; detector: those with boxes, and those labelled OK without any as background; classifier: all that are labelled',
      }),
      z.strictObject({ kind: z.literal('dataset'), path: z.string().min(1).max(1024) }).meta({
        description:
          'For detector and classifier: a data.yaml, a COCO json, a folder in VOC form, or a folder of classes, where folders may lie',
      }),
      z.strictObject({
        kind: z.literal('simulator'),
        product: z.enum(SIMULATED_PRODUCTS),
        count: z.int().min(MINIMUM_PICTURES).max(SIMULATED_PICTURES_LIMIT),
        seed: z.int().min(0).optional(),
      }),
    ]),
    deploy: z.boolean().default(false),
    backbone: name
      .optional()
      .meta({ description: 'Id of a backbone that is ready (`GET /backbones`); the embedded one unless told' }),
    options: trainingOptions.optional().meta({ description: 'Of patchcore' }),
    detector: detectorTrainingOptions.optional(),
    classifier: classifierTrainingOptions.optional(),
  }) satisfies z.ZodType<TrainingRequest>,
);
export const job = named(
  'Job',
  z.object({
    id,
    request: z.object({
      kind: modelKind.optional(),
      partType: z.string(),
      source: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('folder'), folder: z.string() }),
        z.object({ kind: z.literal('labelled') }),
        z.object({ kind: z.literal('dataset'), path: z.string() }),
        z.object({
          kind: z.literal('simulator'),
          product: z.string(),
          count: z.int(),
          seed: z.int().optional(),
        }),
      ]),
      deploy: z.boolean(),
      backbone: z.string().optional(),
      options: trainingOptions.optional(),
      detector: detectorTrainingOptions.optional(),
      classifier: classifierTrainingOptions.optional(),
    }),
    state: z.enum(['queued', 'running', 'completed', 'failed', 'cancelled', 'interrupted']),
    progress: jobProgress.nullable(),
    version: z.string().nullable().meta({ description: 'The version made' }),
    error: fault.nullable(),
    skipped: z
      .array(z.object({ name: z.string(), reason: z.string() }))
      .optional()
      .meta({ description: 'Pictures that were left out, the first hundred' }),
    report: trainingReport.optional().meta({ description: 'Of a detector or classifier, once it is trained' }),
    notes: z.array(z.string()).optional().meta({ description: 'What happened to it on the way' }),
    resumed: z.int().optional().meta({ description: 'How often it went on from a checkpoint' }),
    actor: z.string(),
    createdAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
  }) satisfies z.ZodType<Job>,
);
export const jobList = named('JobList', z.object({ items: z.array(job) }));

export const backbone = named(
  'Backbone',
  z.object({
    id: z.string(),
    title: z.string(),
    licence: z.string().meta({ description: 'SPDX identifier' }),
    bytes: z.int(),
    embedded: z.boolean().meta({ description: 'It comes with the package' }),
    input: z.object({ width: z.int(), height: z.int() }).meta({ description: 'The picture size it was trained with' }),
    state: z.enum(['absent', 'pulling', 'verifying', 'ready']),
    received: z.int().meta({ description: 'Bytes that are there' }),
    error: fault.nullable().meta({ description: 'Why the last pull ended without the file' }),
  }) satisfies z.ZodType<BackboneState>,
);
export const backboneList = named('BackboneList', z.object({ items: z.array(backbone) }));

export const routingSettings = named(
  'RoutingSettings',
  z.object({
    partType: z.string(),
    thresholds: thresholds.nullable().meta({ description: "Set by hand; null: the deployed model's" }),
    auditShare: z.number().nullable().meta({
      description: 'Share of passed parts shown to a person, 0..1; null: each router of the flow uses its own',
    }),
  }) satisfies z.ZodType<RoutingSettings>,
);
export const routingList = named('RoutingList', z.object({ items: z.array(routingSettings) }));
export const routingChange = named(
  'RoutingChange',
  z
    .strictObject({
      thresholds: z
        .strictObject({ accept: z.number().min(0), reject: z.number().min(0) })
        .refine(({ accept, reject }) => accept <= reject, 'accept must not be above reject')
        .nullable()
        .optional(),
      auditShare: z.number().min(0).max(1).optional(),
    })
    .refine(
      (change) => change.thresholds !== undefined || change.auditShare !== undefined,
      'names nothing to change: give thresholds, auditShare or both',
    ),
);
export const classList = named('ClassList', z.object({ items: z.array(z.string()) }));
export const trainerList = named('TrainerList', z.object({ items: z.array(z.enum(['built-in', 'external'])) }));
export const partTypeList = named(
  'PartTypeList',
  z.object({
    items: z.array(
      z.object({
        partType: z.string(),
        deployedModel: z.string().nullable().meta({ description: 'Name of the deployed model' }),
        deployedVersion: z.string().nullable(),
        models: z
          .array(
            z.object({
              kind: modelKind,
              name: z.string(),
              version: z.string(),
              classes: z.array(z.string()).optional(),
            }),
          )
          .meta({ description: 'Those in production, of every kind' }),
        okPictures: z.int().meta({ description: 'Pictures labelled OK' }),
        ngPictures: z.int().meta({ description: 'Pictures labelled NG' }),
        boxedPictures: z.int().meta({ description: 'Labelled pictures with at least one box' }),
        routing: routingSettings,
        modelThresholds: thresholds.nullable(),
      }),
    ),
  }),
);

export const auditList = named(
  'AuditList',
  z.object({
    items: z.array(
      z.object({
        id: z.int(),
        at: time,
        actor: z.string(),
        action: z.string(),
        subject: z.string(),
        before: z.unknown(),
        after: z.unknown(),
      }) satisfies z.ZodType<AuditEntry>,
    ),
  }),
);

export const health = named(
  'Health',
  z.looseObject({
    id: z.string(),
    name: z.string(),
    state: z.enum(['ok', 'degraded', 'closed']),
    since: time,
    inference: z.looseObject({ state: z.string(), queued: z.int() }),
    inspections: z.looseObject({
      open: z.int(),
      settled: z.int(),
      failSafe: z.int(),
      unrecorded: z.int(),
    }),
    faults: z.array(z.object({ ...fault.shape, at: time })),
  }),
);
