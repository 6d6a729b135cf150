/** One colour plane, row-major, 0..1. */
export interface Plane {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Half as wide and high, each pixel the mean of four; an odd last row or column is left out. */
export function halved({ data, width, height }: Plane): Plane {
  const columns = width >> 1;
  const rows = height >> 1;
  const small = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const place = 2 * y * width + 2 * x;
      small[y * columns + x] = 0.25 * (data[place] + data[place + 1] + data[place + width] + data[place + width + 1]);
    }
  }
  return { data: small, width: columns, height: rows };
}

/** The plane, and halves of halves until the longer side is at most `side` pixels; finest first. */
export function pyramid(plane: Plane, side: number): Plane[] {
  const planes = [plane];
  for (let last = plane; Math.max(last.width, last.height) > side && Math.min(last.width, last.height) > 3; ) {
    last = halved(last);
    planes.push(last);
  }
  return planes;
}

/** Pixels with strong gradients, which hold nearly all information on position. */
export interface Edges {
  /** Indices into the plane. */
  readonly places: Int32Array;
  /** Change a pixel to the right and downwards, one value a place. */
  readonly x: Float32Array;
  readonly y: Float32Array;
}

export const NO_EDGES: Edges = { places: new Int32Array(0), x: new Float32Array(0), y: new Float32Array(0) };

const BINS = 1024;

/** The strongest edges (central differences), about `most` of them at most; none in a blank plane. */
export function strongestEdges({ data, width, height }: Plane, most: number): Edges {
  const strengths = new Uint16Array(width * height);
  const histogram = new Uint32Array(BINS);
  for (let y = 1; y < height - 1; y += 1) {
    for (let place = y * width + 1; place < (y + 1) * width - 1; place += 1) {
      const across = Math.abs(data[place + 1] - data[place - 1]);
      const down = Math.abs(data[place + width] - data[place - width]);
      const bin = Math.min(BINS - 1, Math.floor((across + down) * (BINS / 2)));
      strengths[place] = bin;
      histogram[bin] += 1;
    }
  }
  let weakest = BINS - 1;
  for (let count = histogram[weakest]; weakest > 1 && count + histogram[weakest - 1] <= most; ) {
    weakest -= 1;
    count += histogram[weakest];
  }
  const places = new Int32Array(histogram.subarray(weakest).reduce((sum, count) => sum + count, 0));
  let found = 0;
  for (let place = 0; place < strengths.length; place += 1) if (strengths[place] >= weakest) places[found++] = place;
  const x = new Float32Array(found);
  const y = new Float32Array(found);
  for (let index = 0; index < found; index += 1) {
    const place = places[index];
    x[index] = (data[place + 1] - data[place - 1]) / 2;
    y[index] = (data[place + width] - data[place - width]) / 2;
  }
  return { places, x, y };
}
