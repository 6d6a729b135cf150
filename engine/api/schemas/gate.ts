import { z } from 'zod';
import type { DecisionComparison, Difference, GateDecision, GateFigures, GateReport, OldClasses } from '../../domain';
import { label, named, reason, time, verdict } from './common';

const share = z.number().min(0).max(1);

export const snapshotReference = named(
  'SnapshotReference',
  z.object({ id: z.string(), hash: z.string().meta({ description: 'Hex SHA-256 over its items' }) }),
);

const modelReference = z.object({ name: z.string(), version: z.string() });

export const gateDecision = named(
  'GateDecision',
  z
    .object({
      accepted: z.boolean(),
      reasons: z.array(reason),
    })
    .meta({ description: 'Whether it may take the place of what was in production when it was made' }),
) satisfies z.ZodType<GateDecision>;

const difference = named(
  'Difference',
  z
    .object({
      before: z.number().nullable().meta({ description: 'Null when there is no version before' }),
      after: z.number(),
      difference: z.number().nullable(),
      low: z.number().nullable(),
      high: z.number().nullable(),
    })
    .meta({ description: 'A figure of two versions on the same pictures; low and high: 95 % of the difference' }),
) satisfies z.ZodType<Difference>;

export const decisionComparison = named(
  'DecisionComparison',
  z.object({
    pictures: z.int(),
    changed: z.int(),
    newlyPassed: z.int().meta({ description: 'Stopped before, passed now' }),
    newlyStopped: z.int(),
    items: z
      .array(
        z.object({
          id: z.string(),
          label: label.nullable(),
          before: verdict,
          after: verdict,
          scoreBefore: z.number().nullable(),
          scoreAfter: z.number().nullable(),
          picture: z.enum(['inspection', 'imported']),
        }),
      )
      .meta({ description: 'Escapes first, 200 at most' }),
    skipped: z.int().meta({ description: 'Pictures that could not be looked at' }),
  }),
) satisfies z.ZodType<DecisionComparison>;

const gateFigures = named(
  'GateFigures',
  z.object({
    pictures: z.int(),
    ok: z.int(),
    ng: z.int(),
    accuracy: difference.nullable(),
    escapes: difference.nullable().meta({ description: 'Share of the pictures labelled NG that pass' }),
    falseRejects: difference.nullable().meta({ description: 'Share of the pictures labelled OK that do not pass' }),
    auroc: difference.optional(),
    map50: difference.optional(),
    levels: z.object({ ng: z.int(), same: z.boolean() }).optional().meta({
      description:
        'How many pictures labelled NG set the accept level of the candidate; same: they are those counted here, which flatters its escapes',
    }),
  }),
) satisfies z.ZodType<GateFigures>;

const oldClasses = z.object({
  recall: difference,
  perClass: z.array(z.object({ label: z.string(), count: z.int(), before: share.nullable(), after: share })),
}) satisfies z.ZodType<OldClasses>;

export const gateReport = named(
  'GateReport',
  z.object({
    candidate: modelReference,
    against: modelReference.nullable().meta({ description: 'The version in production; null when there was none' }),
    dataset: snapshotReference.nullable(),
    holdOut: gateFigures.nullable(),
    oldClasses: oldClasses.nullable().meta({ description: 'How much is still found of what was known before' }),
    shadow: decisionComparison.nullable().meta({ description: 'On the newest production pictures' }),
    labelledNgNewlyPassed: z
      .int()
      .meta({ description: 'Pictures labelled NG that the version in production stops and the candidate passes' }),
    decision: gateDecision,
    at: time,
    seconds: z.number(),
  }),
) satisfies z.ZodType<GateReport>;
