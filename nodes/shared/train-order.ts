import { isAbsolute, join } from 'node:path';
import {
  type ClassifierTrainingOptions,
  type DetectorTrainingOptions,
  InvalidInput,
  isName,
  type ModelKind,
  type TrainingOptions,
  type TrainingRequest,
  type TrainingSource,
} from '../../engine/domain';
import {
  readClassifierTrainingOptions,
  readDetectorTrainingOptions,
  readTrainingOptions,
  SIMULATED_PICTURES_LIMIT,
} from '../../engine/learning';
import { MINIMUM_PICTURES } from '../../engine/patchcore';
import { SIMULATED_PRODUCTS } from '../../engine/simulator';

/** What a "train" message asks for. */
export interface TrainOrder {
  readonly request: TrainingRequest;
  /** Do nothing when the part type has a model, or is being trained, already. */
  readonly unlessDeployed: boolean;
}

/** Of the node that reads a "train" message. */
export interface TrainDefaults {
  /** What the node trains. */
  readonly kind: ModelKind;
  /** Used when the payload names none; may be empty. */
  readonly partType: string;
  /** Where relative paths start. */
  readonly userFolder: string;
}

const DEFAULT_SIMULATED_PARTS = 60;

/** The property that says how a model of each kind is trained. */
const OPTIONS = { patchcore: 'options', detector: 'detector', classifier: 'classifier' } as const;

const SOURCES: Readonly<Record<ModelKind, readonly TrainingSource['kind'][]>> = {
  patchcore: ['labelled', 'folder', 'simulator'],
  detector: ['labelled', 'dataset', 'simulator'],
  classifier: ['labelled', 'dataset', 'simulator'],
};

/**
 * Reads the payload of a "train" message.
 *
 * @param payload an object, or anything else for all defaults
 * @throws {InvalidInput} naming what is wrong
 */
export function readTrainOrder(payload: unknown, { kind, partType, userFolder }: TrainDefaults): TrainOrder {
  const order = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  const wished = order.partType ?? partType;
  if (typeof wished !== 'string' || !isName(wished)) {
    throw new InvalidInput(
      `Which part type shall be trained? Set it in the node, or send {"partType": "plate"}; not ${JSON.stringify(wished)}.`,
    );
  }
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(userFolder, path));
  return {
    request: {
      ...(kind === 'patchcore' ? {} : { kind }),
      partType: wished,
      source: readSource(order.source, kind, absolute),
      deploy: readFlag('deploy', order.deploy, true),
      ...(typeof order.backbone === 'string' ? { backbone: order.backbone } : {}),
      ...readOptions(order, kind, absolute),
    },
    unlessDeployed: readFlag('unlessDeployed', order.unlessDeployed, false),
  };
}

type Absolute = (path: string) => string;

/** The options of the kind; those of another kind are refused, because they would have no effect. */
function readOptions(
  order: Record<string, unknown>,
  kind: ModelKind,
  absolute: Absolute,
): Pick<TrainingRequest, 'options' | 'detector' | 'classifier'> {
  const wrong = Object.values(OPTIONS).find((name) => name !== OPTIONS[kind] && order[name] !== undefined);
  if (wrong) {
    throw new InvalidInput(`This node trains a ${kind}: how, stands in "${OPTIONS[kind]}", not in "${wrong}".`);
  }
  const value = order[OPTIONS[kind]];
  if (value === undefined) return {};
  switch (kind) {
    case 'patchcore':
      return { options: readAnomalyOptions(value, absolute) };
    case 'detector':
      return { detector: readDetectorOptions(value, absolute) };
    case 'classifier':
      return { classifier: readClassifierOptions(value, absolute) };
  }
}

function readAnomalyOptions(value: unknown, absolute: Absolute): TrainingOptions {
  const { defectFolder, referenceFolder, labelFolder, mask, ...others } = readTrainingOptions(value);
  return {
    ...others,
    ...(defectFolder === undefined ? {} : { defectFolder: absolute(defectFolder) }),
    ...(referenceFolder === undefined ? {} : { referenceFolder: absolute(referenceFolder) }),
    ...(labelFolder === undefined ? {} : { labelFolder: absolute(labelFolder) }),
    ...(mask === undefined ? {} : { mask: absolute(mask) }),
  };
}

function readDetectorOptions(value: unknown, absolute: Absolute): DetectorTrainingOptions {
  const { base, replay, ...others } = readDetectorTrainingOptions(value);
  return {
    ...others,
    ...(base === undefined ? {} : { base: isFile(base) ? absolute(base) : base }),
    ...(replay === undefined ? {} : { replay: absolute(replay) }),
  };
}

function readClassifierOptions(value: unknown, absolute: Absolute): ClassifierTrainingOptions {
  const { backbone, ...others } = readClassifierTrainingOptions(value);
  return {
    ...others,
    ...(backbone === undefined ? {} : { backbone: isFile(backbone) ? absolute(backbone) : backbone }),
  };
}

function isFile(name: string): boolean {
  return name.endsWith('.onnx');
}

function readSource(value: unknown, kind: ModelKind, absolute: Absolute): TrainingSource {
  if (value === undefined) return { kind: 'labelled' };
  const source = (typeof value === 'object' && value !== null ? value : { kind: value }) as Record<string, unknown>;
  const kinds: readonly unknown[] = SOURCES[kind];
  if (!kinds.includes(source.kind)) {
    throw new InvalidInput(
      `The source of this training must be of kind ${SOURCES[kind].join(', ')}, not ${JSON.stringify(source.kind)}.`,
    );
  }
  switch (source.kind as TrainingSource['kind']) {
    case 'labelled':
      return { kind: 'labelled' };
    case 'folder':
      if (!isPath(source.folder)) {
        throw new InvalidInput('A training from a folder needs its path: {"kind": "folder", "folder": "/data/good"}.');
      }
      return { kind: 'folder', folder: absolute(source.folder) };
    case 'dataset':
      if (!isPath(source.path)) {
        throw new InvalidInput(
          'A training from a data set needs its path: {"kind": "dataset", "path": "/data/boards/data.yaml"}.',
        );
      }
      return { kind: 'dataset', path: absolute(source.path) };
    case 'simulator':
      return readSimulator(source);
  }
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function readSimulator(source: Record<string, unknown>): TrainingSource {
  const { product = 'plate', count = DEFAULT_SIMULATED_PARTS, seed } = source;
  const products: readonly unknown[] = SIMULATED_PRODUCTS;
  if (typeof product !== 'string' || !products.includes(product)) {
    throw new InvalidInput(
      `The product must be one of ${SIMULATED_PRODUCTS.join(', ')}, not ${JSON.stringify(product)}.`,
    );
  }
  if (!isWhole(count, MINIMUM_PICTURES, SIMULATED_PICTURES_LIMIT)) {
    throw new InvalidInput(
      `The count of simulated parts must be a whole number from ${MINIMUM_PICTURES} to ${SIMULATED_PICTURES_LIMIT}, not ${JSON.stringify(count)}.`,
    );
  }
  if (seed !== undefined && !isWhole(seed, 0, 2 ** 32 - 1)) {
    throw new InvalidInput(`The seed must be a whole number >= 0, not ${JSON.stringify(seed)}.`);
  }
  return { kind: 'simulator', product, count, ...(seed === undefined ? {} : { seed }) };
}

function isWhole(value: unknown, low: number, high: number): value is number {
  return Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
}

function readFlag(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw new InvalidInput(`"${name}" must be true or false, not ${JSON.stringify(value)}.`);
}
