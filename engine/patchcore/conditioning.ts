import { CholeskyDecomposition, Matrix as Dense, EigenvalueDecomposition } from 'ml-matrix';
import type { Random } from '../domain';
import type { Matrix } from './matrix';
import type { Conditioning, Layer } from './neck-graph';
import type { Products } from './product';

/** How the features of patches are made comparable. */
export type ConditioningKind = 'none' | 'scaling' | 'whitening';

/** Mean and covariance of good patches, over the channels of all layers. */
export interface FeatureMoments {
  readonly layers: readonly Layer[];
  readonly mean: Float32Array;
  /** [channels x channels] */
  readonly covariance: Matrix;
}

/**
 * Added to every eigenvalue before whitening, as a share of their mean: directions in which good patches hardly vary would
 * otherwise drown the others in noise.
 */
const SHRINKAGE = 0.1;
/** Beyond this many channels only the strongest directions are computed. */
const MOST_EXACT = 400;
const EXTRA_DIRECTIONS = 16;
const POWER_STEPS = 6;

/** @param patches features of good patches, one a row */
export async function featureMoments(
  patches: Matrix,
  layers: readonly Layer[],
  products: Products,
): Promise<FeatureMoments> {
  const { data, rows, columns } = patches;
  const sums = new Float64Array(columns);
  for (let row = 0, place = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, place += 1) sums[column] += data[place];
  }
  const mean = Float32Array.from(sums, (sum) => sum / rows);
  const centred = new Float32Array(rows * columns);
  const scale = 1 / Math.sqrt(rows);
  for (let row = 0, place = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, place += 1) {
      centred[place] = (data[place] - mean[column]) * scale;
    }
  }
  const samples = { data: centred, rows, columns };
  return { layers, mean, covariance: await products.multiplyTransposed(samples, samples) };
}

/** The strongest directions of the features, layers weighing the same: what every conditioning is made of. */
export interface PrincipalDirections {
  readonly mean: Float32Array;
  /** One over the root of the mean variance of a channel's layer. */
  readonly scales: Float32Array;
  /** Of the scaled covariance, one a column. */
  readonly vectors: Matrix;
  /** Their variances, strongest first. */
  readonly values: readonly number[];
  /** Mean variance of all directions. */
  readonly usual: number;
}

/** @param dimension how many are wanted, at most one a channel */
export async function principalDirections(
  { layers, mean, covariance }: FeatureMoments,
  dimension: number,
  products: Products,
  random: Random,
): Promise<PrincipalDirections> {
  const channels = mean.length;
  const scales = layerScales(layers, covariance);
  const scaled = new Float32Array(channels * channels);
  let trace = 0;
  for (let row = 0; row < channels; row += 1) {
    for (let column = 0; column < channels; column += 1) {
      const place = row * channels + column;
      scaled[place] = covariance.data[place] * scales[row] * scales[column];
    }
    trace += scaled[row * channels + row];
  }
  const matrix = { data: scaled, rows: channels, columns: channels };
  const directions = await strongestDirections(matrix, Math.min(dimension, channels), products, random);
  return { mean, scales, ...directions, usual: trace / channels };
}

/**
 * A conditioning of the strongest directions: that there are fewer of them than channels makes the search that much faster.
 *
 * `scaling`: each layer is divided by the root of its mean variance, so that a layer of large numbers does not decide alone.
 * `whitening`: after that, each principal direction is divided by its standard deviation, with shrinkage.
 *
 * @returns null for `none`
 */
export function conditioningOf(kind: ConditioningKind, principal: PrincipalDirections): Conditioning | null {
  if (kind === 'none') return null;
  const { mean, scales, vectors, values, usual } = principal;
  const { rows, columns } = vectors;
  const floor = SHRINKAGE * usual;
  const weights = new Float32Array(rows * columns);
  for (let column = 0; column < columns; column += 1) {
    // without any variance there is nothing to whiten
    const factor = kind === 'scaling' || floor === 0 ? 1 : 1 / Math.sqrt(Math.max(values[column], 0) + floor);
    for (let row = 0; row < rows; row += 1) {
      weights[row * columns + column] = scales[row] * vectors.data[row * columns + column] * factor;
    }
  }
  return { mean, weights: { data: weights, rows, columns } };
}

/** Fits a conditioning to the features of good patches. */
export async function fitConditioning(
  kind: ConditioningKind,
  moments: FeatureMoments,
  dimension: number,
  products: Products,
  random: Random,
): Promise<Conditioning | null> {
  if (kind === 'none') return null;
  return conditioningOf(kind, await principalDirections(moments, dimension, products, random));
}

/** `(patches - mean) * weights`, as the head computes it; the patches themselves without a conditioning. */
export async function conditioned(
  patches: Matrix,
  conditioning: Conditioning | null,
  products: Products,
): Promise<Matrix> {
  if (conditioning === null) return patches;
  const { mean, weights } = conditioning;
  const { data, rows, columns } = patches;
  const centred = new Float32Array(rows * columns);
  for (let place = 0; place < centred.length; place += 1) centred[place] = data[place] - mean[place % columns];
  return products.multiply({ data: centred, rows, columns }, weights);
}

/** One over the root of the mean variance of a channel's layer; 1 for a layer that never varies. */
function layerScales(layers: readonly Layer[], covariance: Matrix): Float32Array {
  const scales = new Float32Array(covariance.rows);
  let from = 0;
  for (const { channels } of layers) {
    let variance = 0;
    for (let channel = from; channel < from + channels; channel += 1) {
      variance += covariance.data[channel * covariance.columns + channel] / channels;
    }
    scales.fill(variance > 0 ? 1 / Math.sqrt(variance) : 1, from, from + channels);
    from += channels;
  }
  return scales;
}

/** Eigenvectors (columns) and eigenvalues of a covariance, strongest first. */
interface Directions {
  readonly vectors: Matrix;
  readonly values: readonly number[];
}

/**
 * Up to 400 channels exactly; beyond that by subspace iteration from a random start.
 *
 * @see Halko, Martinsson, Tropp 2011, "Finding structure with randomness", algorithm 4.4
 */
async function strongestDirections(
  covariance: Matrix,
  count: number,
  products: Products,
  random: Random,
): Promise<Directions> {
  const channels = covariance.rows;
  if (channels <= MOST_EXACT) return eigenOf(covariance, count);
  const width = Math.min(channels, count + EXTRA_DIRECTIONS);
  let basis: Matrix = {
    data: Float32Array.from({ length: channels * width }, () => random() - 0.5),
    rows: channels,
    columns: width,
  };
  for (let step = 0; step < POWER_STEPS; step += 1) {
    basis = await orthonormal(await products.multiply(covariance, basis), products);
  }
  const projected = await products.multiplyTransposed(basis, await products.multiply(covariance, basis));
  const { vectors, values } = eigenOf(projected, count);
  return { vectors: await products.multiply(basis, vectors), values };
}

/**
 * What is added to the diagonal of the Gram matrix in each pass, as shares of its trace: above float32's rounding for as long
 * as columns may be almost dependent (few directions vary much in pictures of one part), hardly anything at last.
 */
const SHIFTS = [1e-6, 1e-6, 1e-6, 1e-8];

/**
 * The columns made orthonormal by Cholesky QR, in several shifted passes.
 *
 * @see Fukaya, Kannan, Nakatsukasa, Yamamoto, Yanagisawa 2020, "Shifted Cholesky QR for computing the QR factorization of
 * ill-conditioned matrices"
 */
async function orthonormal(basis: Matrix, products: Products): Promise<Matrix> {
  let result = basis;
  for (const shift of SHIFTS) {
    const gram = denseOf(await products.multiplyTransposed(result, result));
    const added = shift * gram.trace();
    for (let index = 0; index < gram.rows; index += 1) gram.set(index, index, gram.get(index, index) + added);
    const lower = new CholeskyDecomposition(gram).lowerTriangularMatrix;
    result = await products.multiply(result, ofDense(inverseOfLower(lower).transpose()));
  }
  return result;
}

function inverseOfLower(lower: Dense): Dense {
  const size = lower.rows;
  const inverse = Dense.zeros(size, size);
  for (let column = 0; column < size; column += 1) {
    inverse.set(column, column, 1 / lower.get(column, column));
    for (let row = column + 1; row < size; row += 1) {
      let sum = 0;
      for (let index = column; index < row; index += 1) sum += lower.get(row, index) * inverse.get(index, column);
      inverse.set(row, column, -sum / lower.get(row, row));
    }
  }
  return inverse;
}

function eigenOf(matrix: Matrix, count: number): Directions {
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(denseOf(matrix), {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, index) => index).sort((a, b) => realEigenvalues[b] - realEigenvalues[a]);
  const chosen = order.slice(0, count);
  const data = new Float32Array(matrix.rows * count);
  for (let row = 0; row < matrix.rows; row += 1) {
    chosen.forEach((index, column) => {
      data[row * count + column] = eigenvectorMatrix.get(row, index);
    });
  }
  return {
    vectors: { data, rows: matrix.rows, columns: count },
    values: chosen.map((index) => realEigenvalues[index]),
  };
}

function denseOf({ data, rows, columns }: Matrix): Dense {
  return Dense.from1DArray(rows, columns, data);
}

function ofDense(dense: Dense): Matrix {
  return { data: Float32Array.from(dense.to1DArray()), rows: dense.rows, columns: dense.columns };
}
