import { type FailSafeVerdict, InvalidInput } from '../../engine/domain';
import { SHADOW_LIMIT } from '../../engine/learning';
import { type ConfigSchema, type NumberField, readInteger, readNumber } from '../shared';

export interface InspectionStationConfig {
  readonly version: number;
  readonly name: string;
  /** Relative paths start at Node-RED's user folder; empty: `opti-quality` there. */
  readonly dataFolder: string;
  /** Inside the data folder. */
  readonly databaseFile: string;
  /** Folders besides the data folder from which API and dashboard may train, separated by commas. */
  readonly trainingFolders: string;
  /** Command of another trainer for detectors: program and arguments, with placeholders; empty: none. */
  readonly externalTrainer: string;
  readonly failSafe: FailSafeVerdict;
  /** Milliseconds from trigger to verdict. */
  readonly deadline: NumberField;
  /** Local times `hh:mm`, separated by commas. */
  readonly shiftStarts: string;
  /** Only labels that a second person has approved are learnt from. */
  readonly secondPerson: boolean;
  /** Production pictures on which the gate compares decisions; 0: none. */
  readonly gatePictures: NumberField;
  readonly retentionOkDays: NumberField;
  readonly retentionOkMb: NumberField;
  readonly retentionNgDays: NumberField;
  readonly retentionNgMb: NumberField;
  readonly retentionReviewDays: NumberField;
  readonly retentionReviewMb: NumberField;
  readonly poolSize: NumberField;
  readonly queueLimit: NumberField;
  readonly queuePolicy: 'reject' | 'drop-oldest';
  readonly memoryCapMb: NumberField;
  /** Megabytes an imported model may have. */
  readonly importLimitMb: NumberField;
}

export interface InspectionStationCredentials {
  /** Encrypts exported models and opens imported ones: a pass phrase, or 32 bytes as hex or base64. */
  readonly modelKey: string;
}

export const schema: ConfigSchema<InspectionStationConfig> = {
  defaults: {
    name: '',
    dataFolder: '',
    databaseFile: '',
    trainingFolders: '',
    externalTrainer: '',
    failSafe: 'NG',
    deadline: 5000,
    shiftStarts: '06:00, 14:00, 22:00',
    secondPerson: false,
    gatePictures: 200,
    retentionOkDays: '',
    retentionOkMb: '',
    retentionNgDays: '',
    retentionNgMb: '',
    retentionReviewDays: '',
    retentionReviewMb: '',
    poolSize: 1,
    queueLimit: 64,
    queuePolicy: 'reject',
    memoryCapMb: 1024,
    importLimitMb: 2048,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/** Days and bytes to keep; null: no limit. */
export interface RetentionLimit {
  readonly days: number | null;
  readonly bytes: number | null;
}

/** The configuration with its numbers read and checked. */
export interface StationSettings {
  readonly failSafe: FailSafeVerdict;
  readonly deadlineMs: number;
  readonly shiftStarts: readonly string[];
  readonly secondPerson: boolean;
  readonly gatePictures: number;
  /** Program and arguments; empty: none. */
  readonly externalTrainer: readonly string[];
  readonly retention: Readonly<Record<'OK' | 'NG' | 'REVIEW', RetentionLimit>>;
  readonly pool: {
    readonly size: number;
    readonly queueLimit: number;
    readonly queuePolicy: 'reject' | 'drop-oldest';
    readonly memoryCapMb: number;
  };
  readonly importLimitMb: number;
}

/**
 * Reads and checks what the editor's form gives as text.
 *
 * @throws {InvalidInput} naming the setting and its range
 */
export function readStationSettings(config: InspectionStationConfig): StationSettings {
  if (config.failSafe !== 'NG' && config.failSafe !== 'REVIEW') {
    throw new InvalidInput(`The fail-safe verdict must be NG or REVIEW, not ${JSON.stringify(config.failSafe)}.`);
  }
  if (config.queuePolicy !== 'reject' && config.queuePolicy !== 'drop-oldest') {
    throw new InvalidInput(
      `The queue policy must be reject or drop-oldest, not ${JSON.stringify(config.queuePolicy)}.`,
    );
  }
  return {
    failSafe: config.failSafe,
    deadlineMs: readNumber('deadline (ms)', config.deadline, 100, 600_000),
    shiftStarts: readShiftStarts(config.shiftStarts),
    secondPerson: config.secondPerson === true,
    gatePictures: readInteger('pictures for the gate', config.gatePictures, 0, SHADOW_LIMIT),
    externalTrainer: readCommand(config.externalTrainer),
    retention: {
      OK: readRetention('OK', config.retentionOkDays, config.retentionOkMb),
      NG: readRetention('NG', config.retentionNgDays, config.retentionNgMb),
      REVIEW: readRetention('REVIEW', config.retentionReviewDays, config.retentionReviewMb),
    },
    pool: {
      size: readInteger('processes', config.poolSize, 1, 16),
      queueLimit: readInteger('queue limit', config.queueLimit, 1, 10_000),
      queuePolicy: config.queuePolicy,
      memoryCapMb: readNumber('model memory (MB)', config.memoryCapMb, 64, 65_536),
    },
    importLimitMb: readNumber('largest imported model (MB)', config.importLimitMb, 1, 65_536),
  };
}

function readRetention(verdict: string, days: NumberField, megabytes: NumberField): RetentionLimit {
  const mebibytes = readOptional(`retention of ${verdict} (MB)`, megabytes);
  return {
    days: readOptional(`retention of ${verdict} (days)`, days),
    bytes: mebibytes === null ? null : mebibytes * 1024 * 1024,
  };
}

function readOptional(name: string, value: NumberField): number | null {
  return String(value).trim() === '' ? null : readNumber(name, value, 0, Number.MAX_SAFE_INTEGER);
}

/** Program and arguments, split at blanks; double quotes keep blanks together. It is never given to a shell. */
function readCommand(text: string): readonly string[] {
  if ((text.match(/"/g)?.length ?? 0) % 2 === 1) {
    throw new InvalidInput(`The command of the external trainer has a quote that does not end: ${text}`);
  }
  const words = text.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replaceAll('"', ''));
}

function readShiftStarts(text: string): readonly string[] {
  const starts = text
    .split(',')
    .map((start) => start.trim())
    .filter((start) => start !== '');
  const wrong = starts.find((start) => !/^([01]\d|2[0-3]):[0-5]\d$/.test(start));
  if (wrong !== undefined) {
    throw new InvalidInput(`A shift start must look like 06:00, not ${JSON.stringify(wrong)}.`);
  }
  return starts;
}
