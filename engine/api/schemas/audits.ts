import { z } from 'zod';
import type { EscapeEstimate } from '../../review';
import { id, named } from './common';
import { note, reviewer } from './reviews';

export const flagRequest = named(
  'FlagRequest',
  z.strictObject({
    inspectionId: id,
    reviewer: reviewer.nullish().meta({ description: 'The name shown with it' }),
    note: note.nullish().meta({ description: 'Why a person should look at it' }),
  }),
);

const share = z.number().min(0).max(1);

const escapeShare = z.object({
  partType: z.string(),
  audited: z.int().meta({ description: 'Passed parts drawn by chance that a person judged' }),
  bad: z.int(),
  share: share.nullable().meta({ description: 'Share of bad parts among the audited; null without audits' }),
  low: share.meta({ description: 'Clopper-Pearson interval of the share among all parts that passed' }),
  high: share,
  missing: z.int().nullable().meta({
    description:
      'Audits missing until high is at most the bound, when no further bad part is found; null: out of reach',
  }),
});

export const escapes = named(
  'EscapeEstimate',
  z.object({
    bound: share,
    confidence: share,
    items: z
      .array(escapeShare.extend({ week: z.string().meta({ description: 'ISO week (UTC), as 2026-W47' }) }))
      .readonly(),
    total: z.array(escapeShare).readonly(),
  }) satisfies z.ZodType<EscapeEstimate>,
);
