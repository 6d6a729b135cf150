import { z } from 'zod';
import type { BackboneState } from '../../catalogue';
import {
  type DeploymentPolicy,
  type Job,
  type JobLine,
  type JobProgress,
  RETRAIN_CAUSES,
  TRAINING_STAGES,
  type TrainingRequest,
} from '../../domain';
import {
  classifierTrainingOptions,
  detectorTrainingOptions,
  PRIORITY_LIMIT,
  SHADOW_LIMIT,
  SIMULATED_PICTURES_LIMIT,
  trainingOptions,
} from '../../learning';
import { MINIMUM_PICTURES } from '../../patchcore';
import { SIMULATED_PRODUCTS } from '../../simulator';
import { fault, gaps, id, name, named, time } from './common';
import { gateReport, snapshotReference } from './gate';
import { curve, modelKind, trainingReport } from './models';

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

export const policy = named(
  'DeploymentPolicy',
  z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('manual') }).meta({ description: 'The version waits for a person' }),
      z
        .strictObject({
          kind: z.literal('automatic'),
          maxWorse: z
            .number()
            .min(0)
            .max(1)
            .default(0.01)
            .meta({ description: 'How much the figures on held-out pictures may fall' }),
          shadow: z
            .int()
            .min(0)
            .max(SHADOW_LIMIT)
            .optional()
            .meta({ description: 'Production pictures on which decisions are compared' }),
        })
        .meta({ description: 'Deployed when not worse than the bound, and no picture labelled NG would newly pass' }),
      z.strictObject({ kind: z.literal('never') }).meta({ description: 'The version is only measured' }),
    ])
    .meta({ description: 'When a version goes into production; counts instead of deploy' }),
) satisfies z.ZodType<DeploymentPolicy>;

const priority = z.int().min(-PRIORITY_LIMIT).max(PRIORITY_LIMIT);

export const retrainCause = z.enum(RETRAIN_CAUSES);

const jobLine = z.object({
  at: time,
  text: z.string(),
  code: z.string().optional(),
  parameters: gaps().optional(),
}) satisfies z.ZodType<JobLine>;

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
          'The labels of the moment in which the job starts, as a data set that never changes; one in five is held out to measure with. patchcore learns those labelled OK and sets its accept level by those labelled NG; detector: those with boxes, and those labelled OK without any as background; classifier: all',
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
    policy: policy.optional(),
    priority: priority.optional().meta({ description: 'Trainings of a higher one go first; 0 unless told' }),
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
      policy: policy.optional(),
      priority: z.int().optional(),
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
    priority: z.int().optional().meta({ description: 'Jobs of a higher one go first' }),
    log: z.array(jobLine).optional().meta({ description: 'The last 200 lines; not in lists' }),
    dataset: snapshotReference.optional().meta({ description: 'What it learnt from, where people labelled it' }),
    gateReport: gateReport
      .optional()
      .meta({ description: 'How its version compares with the one in production; not in lists' }),
    deployment: z.enum(['deployed', 'awaiting', 'refused', 'none', 'removed']).optional().meta({
      description:
        'deployed: by itself, or later by a person; awaiting: a person decides; none: deployment was not asked for; removed: taken away before it was in production',
    }),
    trigger: z
      .object({ kind: retrainCause, runId: id })
      .optional()
      .meta({ description: 'The retraining run it belongs to' }),
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

export const trainerList = named('TrainerList', z.object({ items: z.array(z.enum(['built-in', 'external'])) }));
