import { z } from 'zod';
import type { Counters, Finding, Inspection } from '../../domain';
import { box, detectionThresholds, id, named, reasonCode, thresholds, time, url, verdict } from './common';

const findingBase = {
  node: z.string(),
  model: z.object({ name: z.string(), version: z.string() }).optional(),
  milliseconds: z.object({ total: z.number() }).catchall(z.number()),
};

export const finding = named(
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
      settings: z
        .object({
          confidence: z.number().optional(),
          perClass: z.record(z.string(), z.number()).optional(),
          iou: z.number().optional(),
          roi: box.optional().meta({ description: 'In fractions 0..1 of the sides of the picture' }),
          tiles: z.object({ columns: z.int(), rows: z.int(), overlap: z.number() }).optional(),
          ignored: z.array(z.string()).optional(),
        })
        .optional()
        .meta({ description: 'What was set at the node in place of what the model says' }),
    }),
    z.object({
      ...findingBase,
      kind: z.literal('class'),
      label: z.string(),
      confidence: z.number(),
      verdict,
      probabilities: z.record(z.string(), z.number()),
      verdicts: z
        .record(z.string(), verdict)
        .optional()
        .meta({ description: 'What classes mean where the node says something else than the model' }),
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
export const pictureLinks = {
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
