import { InvalidInput } from '../domain';

/** Which register of a 32-bit number comes first: `big` = the high word (as Modbus does), `little` = the low word. */
export type WordOrder = 'big' | 'little';

/** Which byte of a register holds the first of two characters: `big` = the high byte. */
export type ByteOrder = 'big' | 'little';

export type NumberType = 'uint16' | 'uint32';

/** How many registers a number takes. */
export function registersOf(type: NumberType): 1 | 2 {
  return type === 'uint16' ? 1 : 2;
}

/** The highest value of a number type. */
export function maximumOf(type: NumberType): number {
  return type === 'uint16' ? 0xffff : 0xffffffff;
}

/**
 * A whole number as registers.
 *
 * @throws {InvalidInput} when the value does not fit the type
 */
export function encodeNumber(value: number, type: NumberType, wordOrder: WordOrder = 'big'): number[] {
  if (!Number.isInteger(value) || value < 0 || value > maximumOf(type)) {
    throw new InvalidInput(`${value} is not a whole number from 0 to ${maximumOf(type)} (${type}).`, { value, type });
  }
  if (type === 'uint16') return [value];
  const high = Math.floor(value / 0x10000);
  const low = value % 0x10000;
  return wordOrder === 'big' ? [high, low] : [low, high];
}

/** The number that starts at `registers[offset]`. */
export function decodeNumber(
  registers: readonly number[],
  offset: number,
  type: NumberType,
  wordOrder: WordOrder = 'big',
): number {
  if (type === 'uint16') return registers[offset];
  const [high, low] = wordOrder === 'big' ? [0, 1] : [1, 0];
  return registers[offset + high] * 0x10000 + registers[offset + low];
}

/**
 * ASCII text as registers, two characters each, filled with NUL.
 *
 * @param count how many registers to fill
 * @throws {InvalidInput} when the text is too long or has other than printable ASCII characters
 */
export function encodeAscii(text: string, count: number, byteOrder: ByteOrder = 'big'): number[] {
  if (text.length > count * 2) {
    throw new InvalidInput(`"${text}" is longer than ${count * 2} characters (${count} registers).`, { text, count });
  }
  if (!/^[\x20-\x7e]*$/.test(text)) {
    throw new InvalidInput(`"${text}" has characters outside printable ASCII.`, { text });
  }
  return Array.from({ length: count }, (_, index) => {
    const first = text.charCodeAt(index * 2) || 0;
    const second = text.charCodeAt(index * 2 + 1) || 0;
    return byteOrder === 'big' ? first * 256 + second : second * 256 + first;
  });
}

/**
 * The text in registers, up to the first NUL, without spaces at its ends. A byte that is no printable ASCII character
 * becomes `?`, so that a damaged serial number shows as such.
 */
export function decodeAscii(registers: readonly number[], byteOrder: ByteOrder = 'big'): string {
  const bytes = registers.flatMap((register) => {
    const high = register >> 8;
    const low = register & 0xff;
    return byteOrder === 'big' ? [high, low] : [low, high];
  });
  const end = bytes.indexOf(0);
  return bytes
    .slice(0, end < 0 ? bytes.length : end)
    .map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '?'))
    .join('')
    .trim();
}
