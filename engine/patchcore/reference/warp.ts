import type { Plane } from './plane';

/** Maps pixel coordinates (centres at whole numbers): `x' = xx x + xy y + x0`, `y' = yx x + yy y + y0`. */
export interface Affine {
  readonly xx: number;
  readonly xy: number;
  readonly x0: number;
  readonly yx: number;
  readonly yy: number;
  readonly y0: number;
}

/** Small displacements at nodes spread evenly over a frame, its border included; bilinear between them. */
export interface Bend {
  /** At least 2 each. */
  readonly columns: number;
  readonly rows: number;
  /** Pixels, row-major. */
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Where a reference shows what a picture has at (x, y): at map(x, y), displaced by the bend at (x, y). */
export interface Warp {
  readonly map: Affine;
  readonly bend: Bend | null;
}

export function shiftBy(x: number, y: number): Affine {
  return { xx: 1, xy: 0, x0: x, yx: 0, yy: 1, y0: y };
}

/** First `inner`, then `outer`. */
export function compose(outer: Affine, inner: Affine): Affine {
  return {
    xx: outer.xx * inner.xx + outer.xy * inner.yx,
    xy: outer.xx * inner.xy + outer.xy * inner.yy,
    x0: outer.xx * inner.x0 + outer.xy * inner.y0 + outer.x0,
    yx: outer.yx * inner.xx + outer.yy * inner.yx,
    yy: outer.yx * inner.xy + outer.yy * inner.yy,
    y0: outer.yx * inner.x0 + outer.yy * inner.y0 + outer.y0,
  };
}

/** The same warp between pictures enlarged by `factor`, where pixel `i` covers `i..i+1`. */
export function enlarged({ map, bend }: Warp, factor: number): Warp {
  const half = (factor - 1) / 2;
  const shrink = { xx: 1 / factor, xy: 0, x0: -half / factor, yx: 0, yy: 1 / factor, y0: -half / factor };
  const grow = { xx: factor, xy: 0, x0: half, yx: 0, yy: factor, y0: half };
  const times = (values: Float32Array) => values.map((value) => value * factor);
  return { map: compose(grow, compose(map, shrink)), bend: bend && { ...bend, x: times(bend.x), y: times(bend.y) } };
}

/** Part of a row of pixels, along which the place in the other frame moves evenly. */
type VisitRow = (first: number, count: number, x: number, y: number, stepX: number, stepY: number) => void;

/** Goes through a frame of the given size, telling where each pixel lies in the other frame. */
export function alongRows({ map, bend }: Warp, width: number, height: number, visit: VisitRow): void {
  const cells = bend === null ? 1 : bend.columns - 1;
  const cellWidth = (width - 1) / cells;
  for (let y = 0; y < height; y += 1) {
    for (let cell = 0, from = 0; cell < cells && from < width; cell += 1) {
      const to = cell === cells - 1 ? width : Math.min(width, Math.ceil((cell + 1) * cellWidth));
      const moved = bend === null ? STILL : alongCell(bend, cell, from - cell * cellWidth, cellWidth, y / (height - 1));
      const x = map.xx * from + map.xy * y + map.x0 + moved.x;
      const down = map.yx * from + map.yy * y + map.y0 + moved.y;
      visit(y * width + from, to - from, x, down, map.xx + moved.stepX, map.yx + moved.stepY);
      from = to;
    }
  }
}

const STILL = { x: 0, y: 0, stepX: 0, stepY: 0 };

function alongCell({ columns, rows, x, y }: Bend, cell: number, start: number, cellWidth: number, down: number) {
  const row = Math.min(Math.floor(down * (rows - 1)), rows - 2);
  const share = down * (rows - 1) - row;
  const node = row * columns + cell;
  const at = (values: Float32Array, place: number) => values[place] + (values[place + columns] - values[place]) * share;
  const [leftX, leftY] = [at(x, node), at(y, node)];
  const stepX = (at(x, node + 1) - leftX) / cellWidth;
  const stepY = (at(y, node + 1) - leftY) / cellWidth;
  return { x: leftX + stepX * start, y: leftY + stepY * start, stepX, stepY };
}

/**
 * Lays a plane into another frame: result(x, y) = plane(warp(x, y)), bilinear; outside, its edge is held.
 *
 * @param laid takes the result
 */
export function laidOver(
  plane: Plane,
  warp: Warp,
  width: number,
  height: number,
  laid = new Float32Array(width * height),
): Float32Array {
  const { data, width: columns, height: rows } = plane;
  const [right, bottom] = [columns - 1, rows - 1];
  const isInside = (x: number, y: number) => x >= 0 && y >= 0 && x < right && y < bottom;
  alongRows(warp, width, height, (first, count, startX, startY, stepX, stepY) => {
    let [x, y] = [startX, startY];
    const last = count - 1;
    if (isInside(x, y) && isInside(x + last * stepX, y + last * stepY)) {
      for (let place = first; place <= first + last; place += 1) {
        const left = x | 0;
        const top = y | 0;
        const across = x - left;
        const corner = top * columns + left;
        const below = corner + columns;
        const upper = data[corner] + (data[corner + 1] - data[corner]) * across;
        const lower = data[below] + (data[below + 1] - data[below]) * across;
        laid[place] = upper + (lower - upper) * (y - top);
        x += stepX;
        y += stepY;
      }
      return;
    }
    for (let place = first; place <= first + last; place += 1) {
      laid[place] = valueAt(plane, x < 0 ? 0 : x > right ? right : x, y < 0 ? 0 : y > bottom ? bottom : y);
      x += stepX;
      y += stepY;
    }
  });
  return laid;
}

/** Bilinear, at a place within the plane. */
function valueAt({ data, width, height }: Plane, x: number, y: number): number {
  const left = Math.min(x | 0, width - 2);
  const top = Math.min(y | 0, height - 2);
  return between(data, top * width + left, width, x - left, y - top);
}

/** The values of a plane, laid over a frame `width` wide, at some of the frame's pixels only. */
export function laidAt(plane: Plane, { map, bend }: Warp, places: Int32Array, width: number, height: number) {
  const [right, bottom] = [plane.width - 1, plane.height - 1];
  const values = new Float32Array(places.length);
  for (let index = 0; index < places.length; index += 1) {
    const frameX = places[index] % width;
    const frameY = (places[index] - frameX) / width;
    let x = map.xx * frameX + map.xy * frameY + map.x0;
    let y = map.yx * frameX + map.yy * frameY + map.y0;
    if (bend !== null) {
      const column = (frameX / (width - 1)) * (bend.columns - 1);
      const row = (frameY / (height - 1)) * (bend.rows - 1);
      const left = Math.min(column | 0, bend.columns - 2);
      const top = Math.min(row | 0, bend.rows - 2);
      const node = top * bend.columns + left;
      x += between(bend.x, node, bend.columns, column - left, row - top);
      y += between(bend.y, node, bend.columns, column - left, row - top);
    }
    values[index] = valueAt(plane, Math.min(Math.max(x, 0), right), Math.min(Math.max(y, 0), bottom));
  }
  return values;
}

function between(values: Float32Array, corner: number, columns: number, across: number, down: number): number {
  const upper = values[corner] + (values[corner + 1] - values[corner]) * across;
  const below = corner + columns;
  const lower = values[below] + (values[below + 1] - values[below]) * across;
  return upper + (lower - upper) * down;
}

/** Which pixels of the frame lie on the other plane. */
export interface Coverage {
  /** 1 where one does, 0 where the plane ends, row-major. */
  readonly counts: Float32Array;
  /** Share of the frame's pixels that do, 0..1. */
  readonly share: number;
}

export function coverage(
  warp: Warp,
  plane: { readonly width: number; readonly height: number },
  width: number,
  height: number,
): Coverage {
  const [right, bottom] = [plane.width - 0.5, plane.height - 0.5];
  const counts = new Float32Array(width * height);
  let covered = 0;
  const isOn = (x: number, y: number) => x >= -0.5 && y >= -0.5 && x <= right && y <= bottom;
  alongRows(warp, width, height, (first, count, x, y, stepX, stepY) => {
    // both ends of a straight line on a convex plane: all of it is
    if (isOn(x, y) && isOn(x + (count - 1) * stepX, y + (count - 1) * stepY)) {
      counts.fill(1, first, first + count);
      covered += count;
      return;
    }
    for (let index = 0; index < count; index += 1) {
      if (!isOn(x + index * stepX, y + index * stepY)) continue;
      counts[first + index] = 1;
      covered += 1;
    }
  });
  return { counts, share: covered / counts.length };
}
