import { InvalidInput } from '../../engine/domain';
import { DEFECT_CLASSES, type DefectClass, SIMULATED_PRODUCTS, type SimulatedProduct } from '../../engine/simulator';
import { type ConfigSchema, type NumberField, readInteger, readNumber, readPartType } from '../shared';

export const SOURCES = ['simulator', 'folder', 'http', 'rtsp', 'usb', 'browser', 'payload'] as const;
export type CaptureSource = (typeof SOURCES)[number];

/** True for cameras that may take their time: others are bounded by the deadline alone. */
export function hasTimeout(source: CaptureSource): boolean {
  return source === 'http' || source === 'rtsp' || source === 'usb' || source === 'browser';
}

export interface CameraCaptureConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  readonly source: CaptureSource;
  readonly simulatorProduct: SimulatedProduct;
  /** 0..100 */
  readonly simulatorDefectPercent: NumberField;
  /** Defect classes separated by commas; empty: all. */
  readonly simulatorDefects: string;
  readonly simulatorSeed: NumberField;
  /** Relative paths start at Node-RED's user folder. */
  readonly folder: string;
  readonly folderMode: 'step' | 'watch';
  readonly folderLoop: boolean;
  /** Watching: begin with the files that are there already. */
  readonly folderExisting: boolean;
  /** Watching: look again and again instead of waiting for the system's notice, for network shares. */
  readonly folderPolling: boolean;
  readonly url: string;
  /** Accept a certificate nobody vouches for, as most cameras have. */
  readonly allowUntrustedCertificate: boolean;
  readonly rtspUrl: string;
  readonly device: string;
  readonly captureSize: '1280x720' | 'native';
  readonly ffmpegPath: string;
  readonly browserCamera: string;
  /** Milliseconds to wait for an HTTP, RTSP, USB or browser camera. */
  readonly timeout: NumberField;
  readonly partTypeFrom: 'message' | 'fixed';
  readonly partType: string;
  /** Milliseconds from trigger to verdict; empty: the station's. */
  readonly deadline: NumberField;
  /** Triggers that may wait while a picture is being taken. */
  readonly queueLength: NumberField;
  readonly acceptUploads: boolean;
}

export const schema: ConfigSchema<CameraCaptureConfig> = {
  defaults: {
    name: '',
    station: '',
    source: 'simulator',
    simulatorProduct: 'plate',
    simulatorDefectPercent: 10,
    simulatorDefects: '',
    simulatorSeed: 1,
    folder: '',
    folderMode: 'step',
    folderLoop: true,
    folderExisting: false,
    folderPolling: false,
    url: '',
    allowUntrustedCertificate: false,
    rtspUrl: '',
    device: '/dev/video0',
    captureSize: '1280x720',
    ffmpegPath: 'ffmpeg',
    browserCamera: 'camera-1',
    timeout: 3000,
    partTypeFrom: 'message',
    partType: 'part',
    deadline: '',
    queueLength: 10,
    acceptUploads: false,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/** The configuration with its texts read and checked. */
export interface CaptureSettings {
  readonly simulator: {
    readonly product: SimulatedProduct;
    /** 0..1 */
    readonly defectRate: number;
    /** Undefined: all. */
    readonly defects: readonly DefectClass[] | undefined;
    readonly seed: number;
  };
  readonly timeoutMs: number;
  readonly partType: string;
  /** Undefined: the station's. */
  readonly deadlineMs: number | undefined;
  readonly queueLength: number;
}

/**
 * Reads and checks what the editor's form gives as text; only what the chosen source needs.
 *
 * @throws {InvalidInput} naming the setting and what it must be
 */
export function readCaptureSettings(config: CameraCaptureConfig): CaptureSettings {
  if (!SOURCES.includes(config.source)) {
    throw new InvalidInput(
      `The picture source must be one of ${SOURCES.join(', ')}, not ${JSON.stringify(config.source)}.`,
    );
  }
  requireText('folder', config.source === 'folder', config.folder);
  requireText('snapshot URL', config.source === 'http', config.url);
  requireText('stream URL', config.source === 'rtsp', config.rtspUrl);
  requireText('device', config.source === 'usb', config.device);
  requireText('camera name', config.source === 'browser', config.browserCamera);
  const simulated = config.source === 'simulator';
  return {
    simulator: {
      product: simulated ? readProduct(config.simulatorProduct) : 'plate',
      defectRate: simulated ? readNumber('defective parts (%)', config.simulatorDefectPercent, 0, 100) / 100 : 0,
      defects: simulated ? readDefects(config.simulatorDefects) : undefined,
      seed: simulated ? readInteger('seed', config.simulatorSeed, 0, 2 ** 32 - 1) : 0,
    },
    timeoutMs: readNumber('camera timeout (ms)', config.timeout, 100, 60_000),
    partType: readPartType(config.partType),
    deadlineMs:
      String(config.deadline).trim() === '' ? undefined : readNumber('deadline (ms)', config.deadline, 100, 600_000),
    queueLength: readInteger('triggers that may wait', config.queueLength, 0, 1000),
  };
}

function requireText(name: string, needed: boolean, text: string): void {
  if (needed && text.trim() === '')
    throw new InvalidInput(`The setting "${name}" is empty. Open the node and fill it in.`);
}

function readProduct(product: SimulatedProduct): SimulatedProduct {
  if (SIMULATED_PRODUCTS.includes(product)) return product;
  throw new InvalidInput(
    `The product must be one of ${SIMULATED_PRODUCTS.join(', ')}, not ${JSON.stringify(product)}.`,
  );
}

function readDefects(text: string): readonly DefectClass[] | undefined {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const known: readonly string[] = DEFECT_CLASSES;
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    throw new InvalidInput(`The defect class must be one of ${known.join(', ')}, not ${JSON.stringify(wrong)}.`);
  }
  return names.length === 0 ? undefined : (names as DefectClass[]);
}
