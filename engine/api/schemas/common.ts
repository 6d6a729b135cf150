import { z } from 'zod';
import {
  type Fault,
  isId,
  isName,
  QUEUE_REASONS,
  REASON_CODES,
  REVIEW_STATES,
  type Reason,
  VERDICTS,
} from '../../domain';

/** The named schemas of the OpenAPI document. */
export const components = new Map<string, z.ZodType>();

export function named<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  components.set(id, schema);
  return schema;
}

export const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC' });

export const url = z.string().meta({ format: 'uri-reference' });

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

export const reviewState = named('ReviewState', z.enum(REVIEW_STATES));

export const reasonCode = named('ReasonCode', z.enum(REASON_CODES));

export const queueReason = named('QueueReason', z.enum(QUEUE_REASONS));

/** A moment in a query, with any offset; made UTC. */
export const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

/** What the gaps of a translated text are filled with; anew at each call, so that each place may describe its own. */
export const gaps = () => z.record(z.string(), z.union([z.string(), z.number()]));

/** One thing that decides about a training or a version. */
export const reason = named(
  'Reason',
  z.object({
    code: z.string().meta({ description: 'Stable, kebab-case' }),
    message: z.string(),
    parameters: gaps().optional().meta({ description: 'For translations of the message; times are ISO 8601, UTC' }),
  }),
) satisfies z.ZodType<Reason>;

export const problem = named(
  'Problem',
  z
    .object({
      type: z.string().meta({ format: 'uri' }),
      title: z.string(),
      status: z.int(),
      detail: z.string().meta({ description: 'What happened and what to do' }),
      code: z.string().meta({ description: 'Stable, kebab-case' }),
      parameters: gaps().optional(),
      errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    })
    .meta({ description: 'Problem details, RFC 9457' }),
);

export const fault = named(
  'Fault',
  z.object({
    code: z.string().meta({ description: 'Stable, kebab-case' }),
    message: z.string(),
    parameters: gaps().optional().meta({ description: 'For translations of the message' }),
  }) satisfies z.ZodType<Fault>,
);

export const thresholds = named(
  'Thresholds',
  z.object({ accept: z.number(), reject: z.number() }).meta({
    description: 'At or below accept a part may pass, above reject it is bad, between them a person looks',
  }),
);

export const box = named('Box', z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }));

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
