import type { DetectionTarget } from '../../detector';
import type { Box } from '../../domain';

/** A picture as the detector sees it: at the size of its input, padding included. */
export interface SourcePicture {
  readonly width: number;
  readonly height: number;
  /** Planar RGB, [3 x height x width]. */
  readonly pixels: Uint8Array;
  readonly targets: readonly DetectionTarget[];
}

/** A rectangle of a picture laid into a part of the window. */
export interface WindowPart {
  /** Which picture. */
  readonly picture: number;
  /** What of it, in its pixels; what lies outside of the picture is grey. */
  readonly source: Box;
  /** Where to, in whole pixels of the window. */
  readonly region: Box;
  /** First turned over its main diagonal, then mirrored. */
  readonly transpose: boolean;
  readonly flipX: boolean;
  readonly flipY: boolean;
}

/** How a training input is made: one part, or several side by side (a mosaic), then lit. */
export interface WindowPlan {
  readonly parts: readonly WindowPart[];
  /** `gain * (value - 0.5) + 0.5 + offset` for red, green and blue, values 0..1. */
  readonly gains: readonly [number, number, number];
  readonly offset: number;
}

/** A training input and what is to be found in it. */
export interface TrainingWindow {
  /** Planar RGB, [3 x side x side], 0..1. */
  readonly data: Float32Array;
  readonly targets: readonly DetectionTarget[];
}

/** The grey that the detector's letterbox pads with. */
const PADDING = 114;
/** A box of which less than this share is seen is no target any more. */
const LEAST_SHARE = 0.3;
/** Nor is one narrower than this, in pixels of the window. */
const LEAST_SIDE = 3;

/**
 * Draws a training input: bilinear without antialiasing, as the detector's letterbox.
 *
 * @param pictures of the plan's parts, in their order
 * @param side     of the window in pixels
 */
export function renderWindow(plan: WindowPlan, pictures: readonly SourcePicture[], side: number): TrainingWindow {
  const data = new Float32Array(3 * side * side);
  const tables = plan.gains.map((gain) => ({ scale: gain / 255, offset: 0.5 - 0.5 * gain + plan.offset }));
  const targets = plan.parts.flatMap((part, index) => {
    for (const [channel, light] of tables.entries()) drawPart(part, pictures[index], channel, light, data, side);
    return pictures[index].targets.flatMap((target) => targetIn(part, target) ?? []);
  });
  return { data, targets };
}

function drawPart(
  part: WindowPart,
  { width, height, pixels }: SourcePicture,
  channel: number,
  { scale, offset }: { readonly scale: number; readonly offset: number },
  data: Float32Array,
  side: number,
): void {
  const { region, source, transpose } = part;
  // positions across and down the region in the picture: of its columns, or of its rows when transposed
  const across = sampled(
    transpose ? source.y : source.x,
    transpose ? source.height : source.width,
    region.width,
    part.flipX,
  );
  const down = sampled(
    transpose ? source.x : source.y,
    transpose ? source.width : source.height,
    region.height,
    part.flipY,
  );
  const [acrossLimit, downLimit] = transpose ? [height, width] : [width, height];
  const [acrossStep, downStep] = transpose ? [width, 1] : [1, width];
  const plane = channel * width * height;
  const top = channel * side * side;
  for (let row = 0; row < region.height; row += 1) {
    const v = down[row];
    const vLow = Math.floor(v);
    const vShare = v - vLow;
    const isOff = v < -0.5 || v > downLimit - 0.5;
    const v0 = plane + Math.max(vLow, 0) * downStep;
    const v1 = plane + Math.min(vLow + 1, downLimit - 1) * downStep;
    const to = top + (region.y + row) * side + region.x;
    for (let column = 0; column < region.width; column += 1) {
      const u = across[column];
      let value = PADDING;
      if (!isOff && u >= -0.5 && u <= acrossLimit - 0.5) {
        const uLow = Math.floor(u);
        const uShare = u - uLow;
        const u0 = Math.max(uLow, 0) * acrossStep;
        const u1 = Math.min(uLow + 1, acrossLimit - 1) * acrossStep;
        const above = pixels[v0 + u0] + (pixels[v0 + u1] - pixels[v0 + u0]) * uShare;
        const below = pixels[v1 + u0] + (pixels[v1 + u1] - pixels[v1 + u0]) * uShare;
        value = above + (below - above) * vShare;
      }
      data[to + column] = Math.min(1, Math.max(0, value * scale + offset));
    }
  }
}

/** Where the centres of `count` pixels lie between `start` and `start + length`, less half a pixel. */
function sampled(start: number, length: number, count: number, flip: boolean): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => {
    const share = (index + 0.5) / count;
    return start + length * (flip ? 1 - share : share) - 0.5;
  });
}

/** A target as it lies in the window; null when too little of it is seen. */
function targetIn(part: WindowPart, { class: label, box }: DetectionTarget): DetectionTarget | null {
  const { source, region } = part;
  let x = [(box.x - source.x) / source.width, (box.x + box.width - source.x) / source.width];
  let y = [(box.y - source.y) / source.height, (box.y + box.height - source.y) / source.height];
  if (part.transpose) [x, y] = [y, x];
  if (part.flipX) x = [1 - x[1], 1 - x[0]];
  if (part.flipY) y = [1 - y[1], 1 - y[0]];
  const [left, right] = x.map((share) => Math.min(1, Math.max(0, share)));
  const [top, bottom] = y.map((share) => Math.min(1, Math.max(0, share)));
  const seen = ((right - left) * (bottom - top)) / ((x[1] - x[0]) * (y[1] - y[0]));
  const width = (right - left) * region.width;
  const height = (bottom - top) * region.height;
  if (!(seen >= LEAST_SHARE) || width < LEAST_SIDE || height < LEAST_SIDE) return null;
  return { class: label, box: { x: region.x + left * region.width, y: region.y + top * region.height, width, height } };
}
