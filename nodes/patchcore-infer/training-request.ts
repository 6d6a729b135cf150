import { isAbsolute, join } from 'node:path';
import {
  InvalidInput,
  isName,
  type TrainingOptions,
  type TrainingRequest,
  type TrainingSource,
} from '../../engine/domain';
import { readTrainingOptions, SIMULATED_PICTURES_LIMIT } from '../../engine/learning';
import { MINIMUM_PICTURES } from '../../engine/patchcore';
import { SIMULATED_PRODUCTS } from '../../engine/simulator';

/** What a "train" message asks for. */
export interface TrainOrder {
  readonly request: TrainingRequest;
  /** Do nothing when the part type has a model, or is being trained, already. */
  readonly unlessDeployed: boolean;
}

const DEFAULT_SIMULATED_PARTS = 60;

/**
 * Reads the payload of a "train" message.
 *
 * @param payload    an object, or anything else for all defaults
 * @param partType   used when the payload names none; may be empty
 * @param userFolder where relative folders start
 * @throws {InvalidInput} naming what is wrong
 */
export function readTrainOrder(payload: unknown, partType: string, userFolder: string): TrainOrder {
  const order = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  const wished = order.partType ?? partType;
  if (typeof wished !== 'string' || !isName(wished)) {
    throw new InvalidInput(
      `Which part type shall be trained? Set it in the node, or send {"partType": "plate"}; not ${JSON.stringify(wished)}.`,
    );
  }
  return {
    request: {
      partType: wished,
      source: readSource(order.source, userFolder),
      deploy: readFlag('deploy', order.deploy, true),
      ...(typeof order.backbone === 'string' ? { backbone: order.backbone } : {}),
      ...(order.options === undefined ? {} : { options: readOptions(order.options, userFolder) }),
    },
    unlessDeployed: readFlag('unlessDeployed', order.unlessDeployed, false),
  };
}

function readOptions(value: unknown, userFolder: string): TrainingOptions {
  const { defectFolder, referenceFolder, labelFolder, mask, ...others } = readTrainingOptions(value);
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(userFolder, path));
  return {
    ...others,
    ...(defectFolder === undefined ? {} : { defectFolder: absolute(defectFolder) }),
    ...(referenceFolder === undefined ? {} : { referenceFolder: absolute(referenceFolder) }),
    ...(labelFolder === undefined ? {} : { labelFolder: absolute(labelFolder) }),
    ...(mask === undefined ? {} : { mask: absolute(mask) }),
  };
}

function readSource(value: unknown, userFolder: string): TrainingSource {
  if (value === undefined) return { kind: 'labelled' };
  const source = (typeof value === 'object' && value !== null ? value : { kind: value }) as Record<string, unknown>;
  switch (source.kind) {
    case 'labelled':
      return { kind: 'labelled' };
    case 'folder':
      if (typeof source.folder !== 'string' || source.folder.trim() === '') {
        throw new InvalidInput('A training from a folder needs its path: {"kind": "folder", "folder": "/data/good"}.');
      }
      return { kind: 'folder', folder: isAbsolute(source.folder) ? source.folder : join(userFolder, source.folder) };
    case 'simulator':
      return readSimulator(source);
    default:
      throw new InvalidInput(
        `The source of a training must be of kind labelled, folder or simulator, not ${JSON.stringify(source.kind)}.`,
      );
  }
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
