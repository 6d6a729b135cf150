import { type Box, InvalidInput, type Random } from '../domain';

/**
 * One way to vary a picture: first mirrored, then turned about its centre, then shifted, then lit. Each is switchable,
 * because orientation, place or brightness can be the defect.
 */
export interface Augmentation {
  readonly flipHorizontal: boolean;
  readonly flipVertical: boolean;
  /** Degrees, clockwise. */
  readonly rotate: number;
  /** To the right and down, as shares of the sides. */
  readonly shiftX: number;
  readonly shiftY: number;
  /** `brightness * value ** gamma`, cut at 1; 1 and 1 change nothing. */
  readonly brightness: number;
  readonly gamma: number;
}

/** Which variations may be drawn, and how strong they may be. */
export interface AugmentationWishes {
  readonly flip: boolean;
  /** Degrees to either side, 0 (off) to 180. */
  readonly rotation: number;
  /** Brightness and gamma vary by up to this share, 0 (off) to 0.5. */
  readonly light: number;
  /** Share of the sides, 0 (off) to 0.25. */
  readonly shift: number;
}

/** A planar picture: [3 x height x width], 0..1. */
export interface PlanarPicture {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** The three ways to mirror, and not to. */
const FLIPS = [
  [true, false],
  [false, true],
  [true, true],
  [false, false],
] as const;

/**
 * Draws ways to vary a picture. The picture as it is belongs to none of them: with nothing switched on the list is empty,
 * with nothing but `flip` it has three members at most.
 *
 * @param count how many, at most
 * @throws {InvalidInput} when a wish is out of range
 */
export function drawAugmentations(
  { flip, rotation, light, shift }: AugmentationWishes,
  count: number,
  random: Random,
): Augmentation[] {
  requireRange('rotation', rotation, 180);
  requireRange('change of light', light, 0.5);
  requireRange('shift', shift, 0.25);
  const continuous = rotation > 0 || light > 0 || shift > 0;
  if (!continuous && !flip) return [];
  const around = (most: number): number => most * (2 * random() - 1);
  return Array.from({ length: continuous ? count : Math.min(count, FLIPS.length - 1) }, (_, index) => {
    const [flipHorizontal, flipVertical] = flip ? FLIPS[index % FLIPS.length] : [false, false];
    return {
      flipHorizontal,
      flipVertical,
      rotate: around(rotation),
      shiftX: around(shift),
      shiftY: around(shift),
      brightness: 1 + around(light),
      gamma: 1 + around(light),
    };
  });
}

/**
 * A varied copy of a picture. Bilinear; what would lie outside is mirrored at the edge.
 *
 * @param content the part that shows the source, in whole pixels (`contentOf`): it is varied within its own edges, the
 *   padding around it stays; by default the whole picture
 * @returns planar RGB of the same size, 0..1
 */
export function augment(picture: PlanarPicture, augmentation: Augmentation, content = whole(picture)): Float32Array {
  const { width, height } = picture;
  const { brightness, gamma } = augmentation;
  const origin = originOf(augmentation, content);
  const result = picture.data.slice();
  for (let y = content.y; y < content.y + content.height; y += 1) {
    for (let x = content.x; x < content.x + content.width; x += 1) {
      const [fromX, fromY] = origin(x + 0.5, y + 0.5);
      const [left, right, later] = neighbours(fromX - content.x, content.x, content.width);
      const [top, bottom, lower] = neighbours(fromY - content.y, content.y, content.height);
      for (let channel = 0; channel < 3; channel += 1) {
        const plane = channel * width * height;
        const above = mix(picture.data[plane + top * width + left], picture.data[plane + top * width + right], later);
        const below = mix(
          picture.data[plane + bottom * width + left],
          picture.data[plane + bottom * width + right],
          later,
        );
        const value = mix(above, below, lower);
        const lit = gamma === 1 ? brightness * value : brightness * value ** gamma;
        result[plane + y * width + x] = Math.min(1, lit);
      }
    }
  }
  return result;
}

/**
 * Where the patches of a varied picture come from: for each the patch of the picture as it was that shows the same place.
 *
 * @param rows    of the grid of patches over the whole picture
 * @param columns of it
 * @returns row-major [rows x columns]; -1 for a patch whose middle lies outside of the content
 */
export function augmentPlaces(
  rows: number,
  columns: number,
  size: { readonly width: number; readonly height: number },
  augmentation: Augmentation,
  content = whole(size),
): Int32Array {
  const origin = originOf(augmentation, content);
  const result = new Int32Array(rows * columns).fill(-1);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const x = ((column + 0.5) * size.width) / columns;
      const y = ((row + 0.5) * size.height) / rows;
      if (!(x >= content.x && x < content.x + content.width && y >= content.y && y < content.y + content.height)) {
        continue;
      }
      const [fromX, fromY] = origin(x, y);
      const fromColumn = Math.floor((mirrored(fromX, content.x, content.width) / size.width) * columns);
      const fromRow = Math.floor((mirrored(fromY, content.y, content.height) / size.height) * rows);
      result[row * columns + column] = Math.min(fromRow, rows - 1) * columns + Math.min(fromColumn, columns - 1);
    }
  }
  return result;
}

/** From a place in the varied picture to the place in the picture it came from, in pixels; may lie outside. */
function originOf(augmentation: Augmentation, content: Box): (x: number, y: number) => [number, number] {
  const { flipHorizontal, flipVertical, rotate, shiftX, shiftY } = augmentation;
  const centreX = content.x + content.width / 2;
  const centreY = content.y + content.height / 2;
  const cosine = Math.cos((rotate * Math.PI) / 180);
  const sine = Math.sin((rotate * Math.PI) / 180);
  return (x, y) => {
    const right = x - shiftX * content.width - centreX;
    const down = y - shiftY * content.height - centreY;
    const turnedX = right * cosine + down * sine;
    const turnedY = down * cosine - right * sine;
    return [
      exact(centreX + (flipHorizontal ? -turnedX : turnedX)),
      exact(centreY + (flipVertical ? -turnedY : turnedY)),
    ];
  };
}

/** The pixels around a position within `start`..`start + length`, mirrored at the ends, and the share of the second. */
function neighbours(position: number, start: number, length: number): [number, number, number] {
  const low = Math.floor(position - 0.5);
  return [start + reflected(low, length), start + reflected(low + 1, length), position - 0.5 - low];
}

/** ... 1 0 0 1 2 ... length-1 length-1 length-2 ... */
function reflected(index: number, length: number): number {
  const period = 2 * length;
  const within = ((index % period) + period) % period;
  return within < length ? within : period - 1 - within;
}

/** A place mirrored at `start` and `start + length` until it lies between them. */
function mirrored(place: number, start: number, length: number): number {
  const within = (((place - start) % (2 * length)) + 2 * length) % (2 * length);
  return start + (within <= length ? within : 2 * length - within);
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

/** Takes away what floating point added, so that quarter turns and mirror images hit pixels exactly. */
function exact(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

function whole({ width, height }: { readonly width: number; readonly height: number }): Box {
  return { x: 0, y: 0, width, height };
}

function requireRange(name: string, value: number, most: number): void {
  if (!(value >= 0 && value <= most))
    throw new InvalidInput(`The ${name} of an augmentation cannot be ${value}; give a number from 0 (off) to ${most}.`);
}
