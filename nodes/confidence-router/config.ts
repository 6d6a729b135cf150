import { InvalidInput, type RoutingDefaults, type Thresholds } from '../../engine/domain';
import { type ConfigSchema, type NumberField, readNumber } from '../shared';

export interface ConfidenceRouterConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  readonly thresholdsFrom: 'model' | 'manual';
  /** Raw scores, used with `manual`. */
  readonly accept: NumberField;
  readonly reject: NumberField;
  /** 0..100 */
  readonly auditPercent: NumberField;
}

export const schema: ConfigSchema<ConfidenceRouterConfig> = {
  defaults: {
    name: '',
    station: '',
    thresholdsFrom: 'model',
    accept: '',
    reject: '',
    auditPercent: 0,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/** @throws {InvalidInput} naming the setting and its range */
export function readRouterDefaults(config: ConfidenceRouterConfig): RoutingDefaults {
  return {
    thresholds:
      config.thresholdsFrom === 'manual'
        ? readThresholds({
            accept: readNumber('accept up to', config.accept, 0, Number.MAX_VALUE),
            reject: readNumber('reject above', config.reject, 0, Number.MAX_VALUE),
          })
        : null,
    auditShare: readNumber('audit share (%)', config.auditPercent, 0, 100) / 100,
  };
}

/**
 * Checks thresholds given by a person or a message.
 *
 * @throws {InvalidInput} for what is no number, negative, or accept > reject
 */
export function readThresholds(value: { readonly accept?: unknown; readonly reject?: unknown }): Thresholds {
  const { accept, reject } = value;
  if (!isScore(accept) || !isScore(reject)) {
    throw new InvalidInput(
      `Thresholds must be two numbers >= 0: {"accept": 1.2, "reject": 1.8}, not ${JSON.stringify({ accept, reject })}.`,
    );
  }
  if (accept > reject) {
    throw new InvalidInput(
      `The accept threshold (${accept}) must not be greater than the reject threshold (${reject}).`,
    );
  }
  return { accept, reject };
}

/** @throws {InvalidInput} unless `value` is a number from 0 to 1 */
export function readAuditShare(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new InvalidInput(`The audit share must be a number from 0 to 1, not ${JSON.stringify(value)}.`);
}

function isScore(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
