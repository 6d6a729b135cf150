import {
  type DeploymentPolicy,
  InvalidInput,
  MODEL_KINDS,
  type ModelKind,
  type RetrainSettings,
} from '../../engine/domain';
import { PRIORITY_LIMIT, SHADOW_LIMIT } from '../../engine/learning';
import { type ConfigSchema, type NumberField, readInteger, readNumber, readPartType } from '../shared';

export interface RetrainTriggerConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  readonly partType: string;
  readonly kind: ModelKind;
  /** New labels that start a training; empty: labels start none. */
  readonly labels: NumberField;
  /** Drift alarms, by message, start trainings. */
  readonly drift: boolean;
  /** Minute, hour, day of month, month, day of week; empty: no schedule. */
  readonly cron: string;
  /** IANA name; empty: that of the machine. */
  readonly timeZone: string;
  /** Minutes from the start of one training to that of the next. */
  readonly minimumInterval: NumberField;
  /** Spans as `22:00-06:00`, separated by commas; empty: none. */
  readonly quietHours: string;
  readonly policy: DeploymentPolicy['kind'];
  /** How much worse a version may be, in per cent; of the policy `automatic`. */
  readonly maxWorse: NumberField;
  /** Production pictures on which decisions are compared; of the policy `automatic`. */
  readonly shadow: NumberField;
  /** `add`: a PatchCore model keeps what it knows; `anew`: it learns from the labelled pictures alone. */
  readonly learn: 'add' | 'anew';
  /** How to train, as JSON; empty: as always. */
  readonly options: string;
  readonly priority: NumberField;
}

export const schema: ConfigSchema<RetrainTriggerConfig> = {
  defaults: {
    name: '',
    station: '',
    partType: '',
    kind: 'patchcore',
    labels: 20,
    drift: true,
    cron: '',
    timeZone: '',
    minimumInterval: 60,
    quietHours: '',
    policy: 'manual',
    maxWorse: 1,
    shadow: 200,
    learn: 'add',
    options: '',
    priority: 0,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

const MOST_LABELS = 1_000_000;
const LONGEST_INTERVAL_MINUTES = 60 * 24 * 366;

/**
 * When and how the node has its model retrained.
 *
 * @throws {InvalidInput | PartTypeInvalid} naming the setting at fault; whether times and options can be used is found out by
 *   the station
 */
export function readRetrainSettings(config: RetrainTriggerConfig): RetrainSettings {
  const { kind, cron, drift } = config;
  if (!MODEL_KINDS.includes(kind)) {
    throw new InvalidInput(`The kind of model must be one of ${MODEL_KINDS.join(', ')}, not ${JSON.stringify(kind)}.`);
  }
  const timeZone = config.timeZone.trim() || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isByLabels = String(config.labels).trim() !== '';
  return {
    partType: readPartType(config.partType),
    kind,
    conditions: {
      labels: isByLabels ? readInteger('new labels', config.labels, 1, MOST_LABELS) : null,
      drift: drift === true,
      schedule: cron.trim() === '' ? null : { cron: cron.trim(), timeZone },
    },
    minimumIntervalMinutes: readNumber('minimum interval', config.minimumInterval, 0, LONGEST_INTERVAL_MINUTES),
    quietHours: readQuietHours(config.quietHours),
    timeZone,
    request: {
      ...readOptions(config),
      priority: readInteger('priority', config.priority, -PRIORITY_LIMIT, PRIORITY_LIMIT),
    },
    policy: readPolicy(config),
  };
}

function readPolicy({ policy, maxWorse, shadow }: RetrainTriggerConfig): DeploymentPolicy {
  switch (policy) {
    case 'manual':
    case 'never':
      return { kind: policy };
    case 'automatic':
      return {
        kind: policy,
        maxWorse: readNumber('worse by at most (%)', maxWorse, 0, 100) / 100,
        shadow: readInteger('production pictures', shadow, 0, SHADOW_LIMIT),
      };
    default:
      throw new InvalidInput(
        `A version goes into production manual, automatic or never, not ${JSON.stringify(policy)}.`,
      );
  }
}

function readQuietHours(text: string): RetrainSettings['quietHours'] {
  const spans = text.split(',').map((span) => span.trim());
  return spans
    .filter((span) => span !== '')
    .map((span) => {
      const [from, to, ...more] = span.split('-').map((time) => time.trim());
      if (from && to && more.length === 0) return { from, to };
      throw new InvalidInput(`Quiet hours are written as 22:00-06:00, not as ${JSON.stringify(span)}.`);
    });
}

/** The options in the property that those of the kind have. */
function readOptions({ kind, learn, options }: RetrainTriggerConfig): RetrainSettings['request'] {
  const wished = options.trim() === '' ? {} : readJson(options);
  switch (kind) {
    case 'patchcore':
      return { options: { ...wished, ...(learn === 'add' && { update: true }) } };
    case 'detector':
      return { detector: wished };
    case 'classifier':
      return { classifier: wished };
  }
}

function readJson(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // told below
  }
  throw new InvalidInput(
    `How to train must be a JSON object, for example {"epochs": 20}, not ${JSON.stringify(text)}.`,
  );
}
