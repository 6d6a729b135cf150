import { InvalidInput, isName, PartTypeInvalid } from '../../engine/domain';

/** A number typed into the editor: a number, digits, or empty. */
export type NumberField = number | string;

/** @throws {InvalidInput} unless `value` is a number within `low`..`high` */
export function readNumber(name: string, value: NumberField, low: number, high: number): number {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (!Number.isFinite(number) || number < low || number > high) {
    throw new InvalidInput(
      `The setting "${name}" must be a number from ${low} to ${high}, not ${JSON.stringify(value)}.`,
    );
  }
  return number;
}

/** @throws {InvalidInput} unless `value` is a whole number within `low`..`high` */
export function readInteger(name: string, value: NumberField, low: number, high: number): number {
  const number = readNumber(name, value, low, high);
  if (!Number.isInteger(number)) {
    throw new InvalidInput(`The setting "${name}" must be a whole number, not ${JSON.stringify(value)}.`);
  }
  return number;
}

/** @throws {PartTypeInvalid} unless the text is safe as a folder name */
export function readPartType(text: unknown): string {
  if (typeof text !== 'string' || !isName(text)) throw new PartTypeInvalid(text);
  return text;
}
