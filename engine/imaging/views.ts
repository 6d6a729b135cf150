import sharp from 'sharp';
import { type Box, InvalidInput, type PictureInfo } from '../domain';
import { decoder, unreadable } from './decode';
import { readPictureHeader } from './header';
import { defaultPictureLimits, type PictureLimits } from './limits';
import { boxToSource, type Placement } from './placement';
import { layIn, type Placed, type Preprocessing, place, requireSides } from './tensor';

/** A view shows at least this many pixels of the source a side. */
const LEAST_SIDE = 16;
/** Tiles a side, at most. */
const MOST_TILES = 16;

/** Equal parts of the region, in reading order. */
export interface Tiles {
  /** 1..16 each. */
  readonly columns: number;
  readonly rows: number;
  /** Share of a tile's side that it has in common with its neighbour, 0..0.5. */
  readonly overlap: number;
}

/** What of a picture is looked at, and how it becomes network inputs. The same at training and serving. */
export interface Viewing {
  /** How each tile becomes an input. */
  readonly preprocessing: Preprocessing;
  /** Region of interest as fractions of the picture's sides, 0..1; null: the whole picture. */
  readonly roi: Box | null;
  /** null: the region as one view. */
  readonly tiles: Tiles | null;
}

/** Where a view lies, without its pixels: depends on the picture's size only. */
export interface ViewFrame {
  /** 0..columns * rows - 1, in reading order. */
  readonly tile: number;
  /** Sides of the input. */
  readonly width: number;
  readonly height: number;
  /** From the whole source picture to this input; offsets may be negative. */
  readonly placement: Placement;
  /** Whole pixels of the source that the view shows; what it has besides is padding. */
  readonly source: Box;
}

export interface View extends ViewFrame {
  /** Planar RGB, [3 x height x width], 0..1. */
  readonly data: Float32Array;
}

export interface PictureViews {
  /** One a tile, in reading order. */
  readonly views: readonly View[];
  readonly picture: Omit<PictureInfo, 'sha256'>;
}

/**
 * Decodes a picture once and gives the network inputs for its region and tiles. Every row is decoded, also outside the
 * region, so that a damaged picture does not pass. Without region and tiles the one view is what `toTensor` gives.
 *
 * @throws {PictureUnreadable} as `inspectPicture`
 * @throws {InvalidInput} as `viewFrames`
 * @throws {RangeError} when a side of the input is not a whole number within 1..4096
 */
export async function toViews(
  picture: Buffer,
  viewing: Viewing,
  limits: PictureLimits = defaultPictureLimits,
): Promise<PictureViews> {
  const header = readPictureHeader(picture, limits);
  const { width, height, format } = header;
  const cuts = cutsOf(width, height, viewing);
  const { kernel } = viewing.preprocessing;
  const decoded = decoder(picture, header);
  const wantsAll = cuts.length === 1 && cuts[0].box.width === width && cuts[0].box.height === height;
  try {
    const data = wantsAll
      ? [await layIn(decoded, cuts[0].placed, kernel)]
      : await layInEach(await decoded.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }), cuts, kernel);
    return {
      views: cuts.map(({ frame }, index) => ({ ...frame, data: data[index] })),
      picture: { width, height, format, bytes: picture.length },
    };
  } catch (error) {
    throw unreadable(error, picture);
  }
}

/**
 * The views of any picture of the given size.
 *
 * Tiles have equal sizes and cover the region completely. With `crop` and tiles the region is first cut to the largest
 * centred part whose tiles have the input's shape, so that no strip between two tiles stays unseen.
 *
 * @throws {InvalidInput} when the region or the tiles are out of range, or a view would show fewer than 16 pixels a side
 * @throws {RangeError} when a side of the input is not a whole number within 1..4096
 */
export function viewFrames(pictureWidth: number, pictureHeight: number, viewing: Viewing): ViewFrame[] {
  return cutsOf(pictureWidth, pictureHeight, viewing).map(({ frame }) => frame);
}

/** The part of a view's input that shows the source, in input pixels: the rest is padding. */
export function contentOf({ source, placement, width, height }: ViewFrame): Box {
  const { scaleX, scaleY, offsetX, offsetY } = placement;
  const left = Math.max(0, Math.round(source.x * scaleX + offsetX));
  const top = Math.max(0, Math.round(source.y * scaleY + offsetY));
  const right = Math.min(width, Math.round((source.x + source.width) * scaleX + offsetX));
  const bottom = Math.min(height, Math.round((source.y + source.height) * scaleY + offsetY));
  return { x: left, y: top, width: right - left, height: bottom - top };
}

interface Cut {
  readonly frame: ViewFrame;
  /** What is cut out of the source, in whole pixels. */
  readonly box: Box;
  /** Where the cut lies in the input. */
  readonly placed: Placed;
}

function cutsOf(pictureWidth: number, pictureHeight: number, { preprocessing, roi, tiles }: Viewing): Cut[] {
  requireSides(preprocessing);
  const region = roi === null ? box(0, 0, pictureWidth, pictureHeight) : inPixels(roi, pictureWidth, pictureHeight);
  const size = { width: pictureWidth, height: pictureHeight };
  if (tiles === null) return [cutOf(region, 0, size, preprocessing)];
  requireTiles(tiles);
  const shaped = preprocessing.mode === 'crop';
  const area = shaped ? inShape(region, tiles, preprocessing.width / preprocessing.height) : region;
  const perTile = shaped ? { ...preprocessing, mode: 'stretch' as const } : preprocessing;
  const columns = spread(area.width, tiles.columns, tiles.overlap);
  const rows = spread(area.height, tiles.rows, tiles.overlap);
  return rows.starts.flatMap((y, row) =>
    columns.starts.map((x, column) =>
      cutOf(box(area.x + x, area.y + y, columns.side, rows.side), row * tiles.columns + column, size, perTile),
    ),
  );
}

function cutOf(
  cut: Box,
  tile: number,
  picture: { readonly width: number; readonly height: number },
  preprocessing: Preprocessing,
): Cut {
  if (Math.min(cut.width, cut.height) < LEAST_SIDE) {
    throw new InvalidInput(
      `A view would show ${cut.width} x ${cut.height} of the picture's ${picture.width} x ${picture.height} pixels; ` +
        `each side needs at least ${LEAST_SIDE}. Use fewer tiles, a larger region of interest or a larger picture.`,
      { width: cut.width, height: cut.height, pictureWidth: picture.width, pictureHeight: picture.height },
    );
  }
  const placed = place(cut.width, cut.height, preprocessing);
  const { scaleX, scaleY, offsetX, offsetY } = placed.placement;
  const { width, height } = preprocessing;
  const placement = {
    ...placed.placement,
    offsetX: offsetX - cut.x * scaleX,
    offsetY: offsetY - cut.y * scaleY,
    sourceWidth: picture.width,
    sourceHeight: picture.height,
  };
  const source = common(cut, boxToSource(box(0, 0, width, height), placement));
  return { frame: { tile, width, height, placement, source }, box: cut, placed };
}

/** Fractions to pixels, grown to whole ones. */
function inPixels(roi: Box, width: number, height: number): Box {
  const { x, y } = roi;
  const within = x >= 0 && y >= 0 && roi.width > 0 && roi.height > 0 && x + roi.width <= 1 + 1e-9;
  if (!within || !(y + roi.height <= 1 + 1e-9)) {
    throw new InvalidInput(
      `The region of interest ${JSON.stringify(roi)} does not lie in the picture: give x, y, width and height as fractions from 0 to 1.`,
    );
  }
  const left = Math.floor(x * width + 1e-6);
  const top = Math.floor(y * height + 1e-6);
  const right = Math.min(width, Math.ceil((x + roi.width) * width - 1e-6));
  const bottom = Math.min(height, Math.ceil((y + roi.height) * height - 1e-6));
  return box(left, top, right - left, bottom - top);
}

function requireTiles({ columns, rows, overlap }: Tiles): void {
  for (const count of [columns, rows]) {
    if (!(Number.isInteger(count) && count >= 1 && count <= MOST_TILES))
      throw new InvalidInput(`${columns} x ${rows} tiles cannot be made; give whole numbers from 1 to ${MOST_TILES}.`);
  }
  if (!(overlap >= 0 && overlap <= 0.5))
    throw new InvalidInput(`Tiles cannot overlap by ${overlap} of their side; give a share from 0 to 0.5.`);
}

/** The largest centred part of a region whose tiles have the given width-to-height ratio. */
function inShape(region: Box, { columns, rows, overlap }: Tiles, ratio: number): Box {
  const wanted = (ratio * sidesIn(columns, overlap)) / sidesIn(rows, overlap);
  const width = Math.min(region.width, Math.round(region.height * wanted));
  const height = Math.min(region.height, Math.round(region.width / wanted));
  return box(
    region.x + Math.floor((region.width - width) / 2),
    region.y + Math.floor((region.height - height) / 2),
    width,
    height,
  );
}

/** How many sides of a tile an area has that `count` overlapping tiles cover. */
function sidesIn(count: number, overlap: number): number {
  return count - (count - 1) * overlap;
}

/** Equal stretches that cover 0..`length`: the first begins at 0, the last ends at `length`. */
function spread(length: number, count: number, overlap: number): { side: number; starts: number[] } {
  const side = Math.min(length, Math.ceil(length / sidesIn(count, overlap) - 1e-9));
  const step = count === 1 ? 0 : (length - side) / (count - 1);
  return { side, starts: Array.from({ length: count }, (_, index) => Math.round(index * step)) };
}

function layInEach(
  { data, info }: { readonly data: Buffer; readonly info: sharp.OutputInfo },
  cuts: readonly Cut[],
  kernel: Preprocessing['kernel'],
): Promise<Float32Array[]> {
  const { width, height, channels } = info;
  return Promise.all(
    cuts.map(({ box: { x, y, width: cutWidth, height: cutHeight }, placed }) => {
      const whole = sharp(data, { raw: { width, height, channels } });
      return layIn(whole.extract({ left: x, top: y, width: cutWidth, height: cutHeight }), placed, kernel);
    }),
  );
}

function common(a: Box, b: Box): Box {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return box(x, y, Math.min(a.x + a.width, b.x + b.width) - x, Math.min(a.y + a.height, b.y + b.height) - y);
}

function box(x: number, y: number, width: number, height: number): Box {
  return { x, y, width, height };
}
