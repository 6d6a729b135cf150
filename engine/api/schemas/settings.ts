import { z } from 'zod';
import type { AuditEntry, RoutingSettings } from '../../domain';
import { fault, named, thresholds, time } from './common';
import { modelKind } from './models';

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
