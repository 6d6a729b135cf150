import { InvalidInput } from '../domain';
import { DEFECT_CLASSES, type DefectClass, SIMULATED_PRODUCTS, type SimulatorOptions } from './types';

export type CompleteOptions = Required<SimulatorOptions>;

/** The options with their defaults. @throws {InvalidInput} when one is outside its range */
export function completeOptions(options: SimulatorOptions): CompleteOptions {
  const complete: CompleteOptions = {
    product: options.product,
    seed: options.seed,
    width: options.width ?? 1280,
    height: options.height ?? 720,
    defectRate: options.defectRate,
    defects: options.defects ?? DEFECT_CLASSES,
    lightJitter: options.lightJitter ?? 1,
    positionJitter: options.positionJitter ?? 1,
  };
  if (!SIMULATED_PRODUCTS.includes(complete.product)) {
    throw new InvalidInput(
      `There is no simulated product ${JSON.stringify(complete.product)}. Choose one of ${SIMULATED_PRODUCTS.join(', ')}.`,
      { option: 'product' },
    );
  }
  requireWhole('seed', complete.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  requireWhole('width', complete.width, 320, 2560);
  requireWhole('height', complete.height, 180, 1440);
  requireWithin('defectRate', complete.defectRate, 0, 1);
  requireWithin('lightJitter', complete.lightJitter, 0, 3);
  requireWithin('positionJitter', complete.positionJitter, 0, 3);
  if (!Array.isArray(complete.defects) || complete.defects.length === 0 || !complete.defects.every(isDefectClass)) {
    throw new InvalidInput(`The defects must be a list with one or more of ${DEFECT_CLASSES.join(', ')}.`, {
      option: 'defects',
    });
  }
  return complete;
}

function isDefectClass(value: unknown): value is DefectClass {
  return (DEFECT_CLASSES as readonly unknown[]).includes(value);
}

function requireWhole(option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new InvalidInput(`The simulator's ${option} must be a whole number from ${min} to ${max}, not ${value}.`, {
    option,
  });
}

function requireWithin(option: string, value: number, min: number, max: number): void {
  if (Number.isFinite(value) && value >= min && value <= max) return;
  throw new InvalidInput(`The simulator's ${option} must be a number from ${min} to ${max}, not ${value}.`, { option });
}
