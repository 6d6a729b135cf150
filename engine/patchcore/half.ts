/** Half-precision numbers (IEEE 754 binary16) as their 16 bits. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest half of a number, ties to even; beyond 65504 the greatest half there is. */
export function halfOf(value: number): number {
  const magnitude = Math.abs(value);
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65504) return sign | 0x7bff;
  // Below 2^-14 the steps are 2^-24 wide; above, ten bits follow the exponent.
  if (magnitude < 2 ** -14) return sign | roundedToEven(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  return sign | (((exponent + 14) << 10) + roundedToEven(magnitude * 2 ** (10 - exponent)));
}

/** The number a half stands for. */
export function ofHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function roundedToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
