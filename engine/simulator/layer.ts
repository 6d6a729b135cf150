/** Numbers a pixel: linear red, green, blue (lit by the standard light, premultiplied), sheen, alpha. */
export const CHANNELS = 5;

/**
 * A flat piece of the scene in its own units. Sheen is the light it mirrors, scaled when drawn by the highlight at that
 * place of the picture; alpha includes the shadow the piece casts.
 */
export interface Layer {
  readonly width: number;
  readonly height: number;
  /** Pixels a unit. */
  readonly scale: number;
  /** Units from the left and top border to the origin. */
  readonly left: number;
  readonly top: number;
  readonly pixels: Float32Array;
}

/** The material at one point: linear colour, sheen, alpha; colour and sheen are not premultiplied. */
export type Painter = (u: number, v: number, out: Float32Array, column: number, row: number) => void;

/** Units to each side of an origin. */
export interface Extent {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Asks `paint` for each pixel of the extent. */
export function paintLayer(extent: Extent, scale: number, paint: Painter): Layer {
  const width = Math.ceil((extent.left + extent.right) * scale);
  const height = Math.ceil((extent.top + extent.bottom) * scale);
  const pixels = new Float32Array(width * height * CHANNELS);
  const out = new Float32Array(CHANNELS);
  for (let row = 0; row < height; row += 1) {
    const v = (row + 0.5) / scale - extent.top;
    for (let column = 0; column < width; column += 1) {
      out.fill(0);
      paint((column + 0.5) / scale - extent.left, v, out, column, row);
      const alpha = out[4];
      if (alpha <= 0) continue;
      const index = (row * width + column) * CHANNELS;
      for (let channel = 0; channel < 4; channel += 1) pixels[index + channel] = out[channel] * alpha;
      pixels[index + 4] = alpha;
    }
  }
  return { width, height, scale, left: extent.left, top: extent.top, pixels };
}

export interface Shadow {
  /** Units the shadow is shifted by. */
  readonly dx: number;
  readonly dy: number;
  /** Units of blur. */
  readonly blur: number;
  /** 0..1 */
  readonly strength: number;
}

/** Adds the shadows a layer casts on what is drawn before it. */
export function castShadows(layer: Layer, shadows: readonly Shadow[]): Layer {
  const { width, height, scale, pixels } = layer;
  const alpha = new Float32Array(width * height);
  for (let index = 0; index < alpha.length; index += 1) alpha[index] = pixels[index * CHANNELS + 4];
  for (const shadow of shadows) {
    const blurred = blur(alpha, width, height, Math.max(1, Math.round(shadow.blur * scale)));
    const dx = Math.round(shadow.dx * scale);
    const dy = Math.round(shadow.dy * scale);
    for (let row = Math.max(0, dy); row < Math.min(height, height + dy); row += 1) {
      for (let column = Math.max(0, dx); column < Math.min(width, width + dx); column += 1) {
        const index = (row * width + column) * CHANNELS + 4;
        const dark = blurred[(row - dy) * width + column - dx] * shadow.strength;
        pixels[index] += (1 - pixels[index]) * dark;
      }
    }
  }
  return layer;
}

/** Two running means each way; the border counts as empty. */
export function blur(values: Float32Array, width: number, height: number, radius: number): Float32Array {
  let current = values;
  for (let pass = 0; pass < 2; pass += 1) {
    current = blurLines(current, height, width, width, 1, radius);
    current = blurLines(current, width, height, 1, width, radius);
  }
  return current;
}

function blurLines(
  values: Float32Array,
  lines: number,
  length: number,
  lineStep: number,
  step: number,
  radius: number,
): Float32Array {
  const result = new Float32Array(values.length);
  const span = 2 * radius + 1;
  for (let line = 0; line < lines; line += 1) {
    const start = line * lineStep;
    let sum = 0;
    for (let at = 0; at < Math.min(radius, length); at += 1) sum += values[start + at * step];
    for (let at = 0; at < length; at += 1) {
      if (at + radius < length) sum += values[start + (at + radius) * step];
      if (at - radius - 1 >= 0) sum -= values[start + (at - radius - 1) * step];
      result[start + at * step] = sum / span;
    }
  }
  return result;
}

/** The layer's colours (linear RGB, interleaved) a little out of focus, to serve as a background. */
export function defocus({ width, height, pixels }: Layer): Float32Array {
  const across = new Float32Array(width * height * 3);
  const result = new Float32Array(width * height * 3);
  const channels = CHANNELS;
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = row * width + column;
      const before = (column > 0 ? at - 1 : at) * channels;
      const after = (column < width - 1 ? at + 1 : at) * channels;
      for (let channel = 0; channel < 3; channel += 1) {
        const sides = pixels[before + channel] + pixels[after + channel];
        across[at * 3 + channel] = (sides + 2 * pixels[at * channels + channel]) / 4;
      }
    }
  }
  const line = width * 3;
  for (let row = 0; row < height; row += 1) {
    const above = row > 0 ? -line : 0;
    const below = row < height - 1 ? line : 0;
    for (let index = row * line; index < (row + 1) * line; index += 1) {
      result[index] = (across[index + above] + 2 * across[index] + across[index + below]) / 4;
    }
  }
  return result;
}
