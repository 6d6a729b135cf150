import { type AdmissionSettings, InvalidInput, QUEUE_REASONS, type QueueReason } from '../../engine/domain';
import { type ConfigSchema, type NumberField, readInteger, readNumber } from '../shared';

/** How many pictures may come in for a reason. */
export interface ReasonQuota {
  readonly reason: string;
  /** Pictures in 24 hours; empty: without limit. */
  readonly limit: NumberField;
}

export interface ReviewQueueConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  /** Only decisions on this part type are sent; empty: all. */
  readonly partType: string;
  /** Per cent of a threshold. */
  readonly nearThreshold: NumberField;
  /** Per cent. */
  readonly lowConfidence: NumberField;
  /** Pictures in 60 minutes; empty: without limit. */
  readonly quotaHour: NumberField;
  /** Pictures in 24 hours; empty: without limit. */
  readonly quotaDay: NumberField;
  readonly quotas: readonly ReasonQuota[];
  /** Pictures that look alike and wait; 0: without limit. */
  readonly similarLimit: NumberField;
}

/** What people ask for comes in whatever the quotas. */
export const QUOTA_REASONS: readonly QueueReason[] = QUEUE_REASONS.filter((reason) => reason !== 'flagged');

const MOST = 1_000_000;

export const schema: ConfigSchema<ReviewQueueConfig> = {
  defaults: {
    name: '',
    station: '',
    partType: '',
    nearThreshold: 10,
    lowConfidence: 60,
    quotaHour: '',
    quotaDay: '',
    quotas: [],
    similarLimit: 5,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
    // 1: took whatever came
    (config) => ({ ...config, similarLimit: 0, version: 2 }),
  ],
};

/** @throws {InvalidInput} naming the setting and its range */
export function readAdmissionSettings(config: ReviewQueueConfig): AdmissionSettings {
  return {
    nearThreshold: readNumber('near a threshold (%)', config.nearThreshold, 0, 100) / 100,
    lowConfidence: readNumber('unsure below (%)', config.lowConfidence, 0, 100) / 100,
    quotaHour: readLimit('pictures an hour', config.quotaHour),
    quotaDay: readLimit('pictures a day', config.quotaDay),
    quotaPerReason: readQuotas(config.quotas),
    similarLimit: readInteger('alike at once', config.similarLimit, 0, MOST),
  };
}

function readQuotas(quotas: readonly ReasonQuota[]): AdmissionSettings['quotaPerReason'] {
  if (!Array.isArray(quotas)) throw new InvalidInput('The quotas by reason must be a list.');
  const limits = quotas.map(({ reason, limit }) => {
    if (!QUOTA_REASONS.some((known) => known === reason)) {
      const known = QUOTA_REASONS.join(', ');
      throw new InvalidInput(`There is no quota for ${JSON.stringify(reason)}. Choose one of ${known}.`);
    }
    return [reason, readLimit(`pictures a day (${reason})`, limit)] as const;
  });
  return Object.fromEntries(limits);
}

function readLimit(name: string, value: NumberField): number | null {
  return String(value).trim() === '' ? null : readInteger(name, value, 0, MOST);
}
