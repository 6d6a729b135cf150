import { z } from 'zod';
import type { RetrainingRun, RetrainSettings, RetrainStatus } from '../../domain';
import { classifierTrainingOptions, detectorTrainingOptions, trainingOptions } from '../../learning';
import { id, name, named, reason, time } from './common';
import { modelKind } from './models';
import { policy, retrainCause } from './training';

export const retrainingRun = named(
  'RetrainingRun',
  z.object({
    id,
    partType: z.string(),
    kind: modelKind,
    trigger: retrainCause,
    actor: z.string(),
    at: time,
    jobId: id.nullable(),
    outcome: z.enum(['running', 'declined', 'candidate', 'deployed', 'failed', 'cancelled', 'interrupted']).meta({
      description: 'declined: the training could not be started; candidate: its version is not in production',
    }),
    version: z.string().nullable(),
    reasons: z.array(reason).meta({ description: 'Why it started, and what came of it' }),
    endedAt: time.nullable(),
  }),
) satisfies z.ZodType<RetrainingRun>;

export const retrainingHistory = named('RetrainingHistory', z.object({ items: z.array(retrainingRun) }));

export const retrainStatus = named(
  'RetrainStatus',
  z.object({
    partType: z.string(),
    kind: modelKind,
    state: z
      .enum(['idle', 'waiting', 'running'])
      .meta({ description: 'waiting: a condition is met, and the training must not start yet' }),
    wouldTrain: z
      .boolean()
      .meta({ description: 'Neither a training, the interval nor quiet hours keep the next one from starting' }),
    reasons: z.array(reason).meta({ description: 'Why it does or does not train now, and what would start the next' }),
    nextSchedule: time.nullable(),
    newLabels: z.int().meta({ description: 'Labels that no training of the model has used' }),
    labelsNeeded: z.int().nullable().meta({ description: 'How many more start a training; null: labels start none' }),
    waiting: z.array(retrainCause).meta({ description: 'The conditions that are met and wait' }),
    possibleFrom: time.nullable().meta({ description: 'When interval and quiet hours let the next start; null: now' }),
    lastRun: retrainingRun.nullable(),
    runningJob: id.nullable(),
  }),
) satisfies z.ZodType<RetrainStatus>;

export const retrainStatusList = named('RetrainStatusList', z.object({ items: z.array(retrainStatus) }));

export const retrainConditionsList = named(
  'RetrainConditionsList',
  z.object({
    items: z.array(
      z.object({
        node: z.string().meta({ description: 'Id of the retrain-trigger node' }),
        partType: z.string(),
        kind: modelKind,
        conditions: z.object({
          labels: z.int().nullable().meta({ description: 'New labels that start a training' }),
          drift: z.boolean().meta({ description: 'A drift alarm starts one' }),
          schedule: z
            .object({ cron: z.string(), timeZone: z.string() })
            .nullable()
            .meta({ description: 'Minute, hour, day of month, month, day of week' }),
        }),
        minimumIntervalMinutes: z.number(),
        quietHours: z.array(z.object({ from: z.string(), to: z.string() })).meta({ description: 'HH:MM' }),
        timeZone: z.string().meta({ description: 'Of the quiet hours' }),
        request: z.object({
          backbone: z.string().optional(),
          options: trainingOptions.optional(),
          detector: detectorTrainingOptions.optional(),
          classifier: classifierTrainingOptions.optional(),
          priority: z.int().optional(),
        }),
        policy,
      }) satisfies z.ZodType<RetrainSettings & { readonly node: string }>,
    ),
  }),
);

export const retrainRequest = named(
  'RetrainRequest',
  z.strictObject({
    partType: name,
    kind: modelKind.optional().meta({ description: 'The only kind that is retrained, or patchcore, unless told' }),
    force: z
      .boolean()
      .default(false)
      .meta({ description: 'Heed neither minimum interval nor quiet hours; a running training is always heeded' }),
  }),
);

export const retrainAnswer = named('RetrainAnswer', z.object({ run: retrainingRun }));
