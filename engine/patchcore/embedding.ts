import { seededRandom } from '../domain';
import type { Tensor } from '../inference';
import type { BankManifest } from '../packages';
import type { Features } from './extractor';
import type { ViewDistances } from './scoring';

/** Numbers of an embedding. */
export const EMBEDDING_SIZE = 64;
/** The mean of a view is taken over every so many cells along both sides of the grid. */
const LATTICE_STEP = 4;
/** Layers are named by their stride in input pixels. */
const LAYER = 'stride';
/** Of the projection: another one makes embeddings that cannot be compared with those stored. */
const PROJECTION_SEED = 1;

/** What makes embeddings comparable: the features of one backbone, taken at one place from pictures of one size. */
export function embeddingSpace({ backbone, preprocessing }: BankManifest): string {
  const { width, height } = preprocessing;
  const outputs = backbone.outputs.map(({ name }) => name).join('+');
  return `${backbone.sha256.slice(0, 16)}/${outputs}/${width}x${height}`;
}

/** What the most unusual place of a picture looks like. */
export interface Embedding {
  /** {@link EMBEDDING_SIZE} numbers of unit length. */
  readonly vector: Float32Array;
  /** Names what vectors can be compared with each other: the same features, taken in the same way. */
  readonly space: string;
}

/** Where the most unusual patch of a view lies, and how unusual it is. */
export interface WorstPatch {
  /** Index in the grid of patches, row-major. */
  readonly patch: number;
  readonly distance: number;
}

/** The patch with the greatest distance. */
export function worstPatch({ distances }: Pick<ViewDistances, 'distances'>): WorstPatch {
  let patch = 0;
  for (let index = 1; index < distances.length; index += 1) if (distances[index] > distances[patch]) patch = index;
  return { patch, distance: distances[patch] };
}

/**
 * What a patch looks like, in few numbers: its features (mean of 3 x 3 cells of each layer), less the mean of the view, each
 * layer of unit length, all projected by random signs, which keeps distances, and brought to unit length. It does not depend
 * on the memory bank, so that it stays comparable from one version of a model to the next.
 *
 * @param features what a head is fed with: `stride8`, `stride16`, ... [1, channels, rows, columns]
 * @param patch    index in the grid of the finest layer, row-major
 * @returns {@link EMBEDDING_SIZE} numbers of unit length; all 0 when the view has no structure
 * @see Achlioptas 2003, "Database-friendly random projections: Johnson-Lindenstrauss with binary coins"
 */
export function patchEmbedding(features: Features, patch: number): Float32Array {
  const layers = Object.entries(features)
    .flatMap(([name, tensor]) => (name.startsWith(LAYER) ? [{ stride: Number(name.slice(LAYER.length)), tensor }] : []))
    .sort((one, other) => one.stride - other.stride);
  const [finest] = layers;
  const columns = finest.tensor.dims[3];
  const [row, column] = [Math.floor(patch / columns), patch % columns];
  const parts = layers.map(({ stride, tensor }) => {
    const scale = finest.stride / stride;
    return unitLength(deviation(tensor, Math.floor(row * scale), Math.floor(column * scale)));
  });
  return unitLength(projected(joined(parts)));
}

/** Mean of the 3 x 3 cells around a cell, less the mean over the layer; one number a channel. */
function deviation({ data, dims }: Tensor, row: number, column: number): Float32Array {
  const [, channels, rows, columns] = dims;
  const around = cellsWithin([row - 1, row + 2], [column - 1, column + 2], rows, columns, 1);
  const everywhere = cellsWithin([0, rows], [0, columns], rows, columns, LATTICE_STEP);
  const result = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel += 1) {
    const from = channel * rows * columns;
    result[channel] = meanOf(data, from, around) - meanOf(data, from, everywhere);
  }
  return result;
}

type Span = readonly [from: number, to: number];

/** Places in a plane of those cells that exist. */
function cellsWithin(
  [top, bottom]: Span,
  [left, right]: Span,
  rows: number,
  columns: number,
  step: number,
): Int32Array {
  const cells: number[] = [];
  for (let row = Math.max(0, top); row < Math.min(rows, bottom); row += step) {
    for (let column = Math.max(0, left); column < Math.min(columns, right); column += step) {
      cells.push(row * columns + column);
    }
  }
  return Int32Array.from(cells);
}

function meanOf(data: Float32Array, from: number, cells: Int32Array): number {
  let sum = 0;
  for (let index = 0; index < cells.length; index += 1) sum += data[from + cells[index]];
  return sum / cells.length;
}

/** By number of values, because all backbones of a kind have as many. */
const projections = new Map<number, Float32Array>();

function projected(values: Float32Array): Float32Array {
  const signs = projections.get(values.length) ?? randomSigns(values.length * EMBEDDING_SIZE);
  projections.set(values.length, signs);
  const result = new Float32Array(EMBEDDING_SIZE);
  for (let index = 0; index < EMBEDDING_SIZE; index += 1) {
    const from = index * values.length;
    let sum = 0;
    for (let place = 0; place < values.length; place += 1) sum += values[place] * signs[from + place];
    result[index] = sum;
  }
  return result;
}

function randomSigns(count: number): Float32Array {
  const random = seededRandom(PROJECTION_SEED);
  return Float32Array.from({ length: count }, () => (random() < 0.5 ? -1 : 1));
}

function unitLength(values: Float32Array): Float32Array {
  let squares = 0;
  for (const value of values) squares += value * value;
  const norm = Math.sqrt(squares);
  return norm > 0 ? values.map((value) => value / norm) : values;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let from = 0;
  for (const part of parts) {
    result.set(part, from);
    from += part.length;
  }
  return result;
}
