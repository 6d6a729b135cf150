import { z } from 'zod';
import type {
  ComparedVersion,
  ComparisonState,
  DeploymentRecord,
  ModelComparison,
  RemovedVersion,
  ShadowRun,
} from '../../domain';
import { fault, name, named, thresholds, time } from './common';
import { decisionComparison } from './gate';
import { modelKind, modelVersion } from './models';

const reason = z.string().max(500).meta({ description: 'Why, in the words of who does it' });

export const deployRequest = named('DeployRequest', z.strictObject({ version: name, reason: reason.optional() }));

export const rollbackRequest = named('RollbackRequest', z.strictObject({ reason: reason.optional() }));

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
    reason: z.string().nullable(),
  }) satisfies z.ZodType<DeploymentRecord>,
);

export const deploymentList = named('DeploymentList', z.object({ items: z.array(deployment) }));

export const notesRequest = named(
  'NotesRequest',
  z.strictObject({ version: name, notes: z.string().max(4000).meta({ description: 'Empty: nothing any more' }) }),
);

export const removedVersion = named(
  'RemovedVersion',
  z.object({
    name: z.string(),
    version: z.string(),
    actor: z.string(),
    removedAt: time,
    until: time.meta({ description: 'It can be restored until then' }),
  }) satisfies z.ZodType<RemovedVersion>,
);

export const modelOverview = named(
  'ModelOverview',
  z.object({
    name: z.string(),
    partType: z.string(),
    kind: modelKind,
    deployed: z.string().nullable().meta({ description: 'The version in production' }),
    rollback: z.string().nullable().meta({ description: 'The version that a roll-back would put into production' }),
    versions: z.array(modelVersion).meta({ description: 'Newest first' }),
    history: z.array(deployment).meta({ description: 'Newest first' }),
    removed: z.array(removedVersion).meta({ description: 'Versions that can be restored, newest first' }),
  }),
);

const comparedVersion = z.object({
  version: z.string(),
  figures: z
    .record(z.string(), z.number())
    .meta({ description: 'On held-out pictures: accuracy, escapes, falseRejects, and auroc or map50; 0..1' }),
  ok: z.array(z.number()).meta({ description: 'Scores of the pictures labelled OK, ascending, 2000 at most' }),
  ng: z.array(z.number()).meta({ description: 'Scores of the pictures labelled NG' }),
  thresholds: thresholds.nullable().meta({ description: 'Null for kinds that give no anomaly score' }),
}) satisfies z.ZodType<ComparedVersion>;

const modelComparison = named(
  'ModelComparison',
  z.object({
    name: z.string(),
    at: time,
    pictures: z.object({ ok: z.int(), ng: z.int(), skipped: z.int() }),
    versions: z.array(comparedVersion),
    changed: decisionComparison.meta({ description: 'From the first version to the last' }),
  }) satisfies z.ZodType<ModelComparison>,
);

export const comparisonState = named(
  'ComparisonState',
  z.object({
    state: z.enum(['none', 'running', 'ready', 'failed']),
    percent: z.number().nullable(),
    error: fault.nullable(),
    comparison: modelComparison.nullable().meta({ description: 'The last one that was made' }),
  }) satisfies z.ZodType<ComparisonState>,
);

export const comparisonRequest = named(
  'ComparisonRequest',
  z.strictObject({ name, versions: z.array(name).min(2).max(6) }),
);

export const shadowRequest = named(
  'ShadowRequest',
  z.strictObject({ version: name, parts: z.int().min(1).max(100_000) }),
);

export const shadowRun = named(
  'ShadowRun',
  z
    .object({
      id: z.string(),
      partType: z.string(),
      kind: modelKind,
      name: z.string(),
      version: z.string(),
      against: z.string().meta({ description: 'The version in production when it began' }),
      state: z.enum(['running', 'completed', 'stopped']),
      parts: z.int(),
      seen: z.int(),
      skipped: z.int().meta({ description: 'Parts let go by because the line needed the time, or not looked at' }),
      report: decisionComparison,
      actor: z.string(),
      startedAt: time,
      endedAt: time.nullable(),
    })
    .meta({ description: 'A candidate that looks at the same parts; its decisions count for nothing' }),
) satisfies z.ZodType<ShadowRun>;

export const shadowAnswer = named('ShadowAnswer', z.object({ shadow: shadowRun.nullable() }));
