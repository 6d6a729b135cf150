import { isPartType, PartTypeInvalid } from '../engine/domain';
import { describe, WrongUse } from './output';

/** @throws {WrongUse} when a required option is missing or empty */
export function required(value: string | undefined, option: string): string {
  if (value === undefined || value === '') throw new WrongUse(`--${option} is missing.`);
  return value;
}

/** @throws {WrongUse} when the part type is missing, or one no station would take */
export function partTypeOf(value: string | undefined): string {
  const partType = required(value, 'part-type');
  if (!isPartType(partType)) throw new WrongUse(describe(new PartTypeInvalid(partType)));
  return partType;
}

/** @throws {WrongUse} when the value is no number within the range */
export function numberWithin(value: string | undefined, option: string, low: number, high: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || !(number >= low && number <= high)) {
    throw new WrongUse(`--${option} takes a number from ${low} to ${high}, not ${JSON.stringify(value)}.`);
  }
  return number;
}

/** @throws {WrongUse} when the value is no whole number within the range */
export function wholeWithin(value: string | undefined, option: string, low: number, high: number): number | undefined {
  const number = numberWithin(value, option, low, high);
  if (number !== undefined && !Number.isInteger(number)) {
    throw new WrongUse(`--${option} takes a whole number from ${low} to ${high}, not ${JSON.stringify(value)}.`);
  }
  return number;
}
