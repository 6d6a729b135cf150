import { setImmediate } from 'node:timers/promises';
import { type CurvePoint, seededRandom } from '../../domain';
import { learningRateAt } from '../trainer';
import { balancedWeights, stratifiedFolds } from './class-weights';
import {
  type FeatureRows,
  type LinearLayer,
  LogisticRegression,
  logitsOf,
  scaled,
  scalingOf,
  unscaled,
} from './logistic-regression';
import { crossEntropy, fitTemperature, namedClasses } from './temperature';

/** Features of pictures, several rows for one where altered copies of it are learnt, too. */
export interface LearntRows {
  readonly features: FeatureRows;
  /** Of each row, counted from 0 without gaps: the picture it is of. */
  readonly pictures: ArrayLike<number>;
  /** Of each row: whether it shows the picture as it is. */
  readonly isOriginal: ArrayLike<boolean>;
  /** Of each picture. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

export interface LayerOptions {
  readonly epochs: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onEpoch?: (epoch: number, curve: readonly CurvePoint[], share: number) => void;
}

export interface ChosenLayer {
  readonly layer: LinearLayer;
  readonly temperature: number;
  readonly penalty: number;
  /** After which the pictures left out were named best. */
  readonly epochs: number;
  /** Of the penalty that was chosen: cross entropy and accuracy of the pictures left out. */
  readonly curve: readonly CurvePoint[];
}

const FOLDS = 5;
/** Weak to strong: which one is best depends on how many features and pictures there are. */
const PENALTIES = [0.003, 0.03, 0.3, 3] as const;
/** Epochs without a gain after which a penalty is given up. */
const PATIENCE = 25;
/** A gain smaller than this share of the loss is none. */
const LEAST_GAIN = 1e-3;
const WARM_UP = 5;
/** Products of weights and features a fold; above it, only one fold is left out instead of each in turn. */
const MANY_PRODUCTS = 1e7;

interface Trial {
  readonly penalty: number;
  readonly epochs: number;
  readonly loss: number;
  readonly curve: readonly CurvePoint[];
  /** Logits of the pictures left out, and their labels, at the best epoch. */
  readonly logits: Float64Array;
  readonly labels: Int32Array;
}

/**
 * Learns a linear layer by logistic regression. The pictures are dealt to five folds; each is named by a layer that did not
 * learn it. The penalty and the number of epochs with which that goes best are taken (early stopping), the temperature is
 * fitted to those logits, and the layer is learnt anew from all pictures. All classes count alike.
 *
 * @throws the signal's reason when it aborts
 */
export async function chooseLayer(rows: LearntRows, options: LayerOptions): Promise<ChosenLayer> {
  const { classes, labels } = rows;
  const products = rows.features.data.length * classes;
  const folds = stratifiedFolds(labels, FOLDS, seededRandom(options.seed));
  const used = products > MANY_PRODUCTS ? 1 : FOLDS;
  let best: Trial | null = null;
  for (const [index, penalty] of PENALTIES.entries()) {
    const trial = await tryPenalty(
      rows,
      folds,
      used,
      penalty,
      options,
      (share) => (index + share) / (PENALTIES.length + 0.5),
    );
    if (best === null || trial.loss < best.loss) best = trial;
  }
  const { penalty, epochs, curve, logits, labels: named } = best as Trial;
  const weights = balancedWeights(named, classes);
  const temperature = fitTemperature(logits, named, classes, weights);
  const all = Array.from(rows.pictures, (_, row) => row);
  const { layer } = await learn(rows, all, penalty, epochs, options);
  return { layer, temperature, penalty, epochs, curve };
}

/** The rows of all but some of the pictures; the others are numbered anew. */
export function rowsWithout(rows: LearntRows, leftOut: ReadonlySet<number>): LearntRows {
  const kept = Array.from(rows.labels, (_, picture) => picture).filter((picture) => !leftOut.has(picture));
  const numbers = new Map(kept.map((picture, number) => [picture, number]));
  const wanted = rowsWhere(rows, (row) => numbers.has(rows.pictures[row]));
  return {
    features: picked(rows.features, wanted),
    pictures: wanted.map((row) => numbers.get(rows.pictures[row]) as number),
    isOriginal: wanted.map((row) => rows.isOriginal[row]),
    labels: kept.map((picture) => rows.labels[picture]),
    classes: rows.classes,
  };
}

/** Steps all folds together, so that each epoch shows how well pictures are named that were left out. */
async function tryPenalty(
  rows: LearntRows,
  folds: Int32Array,
  used: number,
  penalty: number,
  options: LayerOptions,
  shareOf: (share: number) => number,
): Promise<Trial> {
  const { classes, pictures, isOriginal } = rows;
  const parts = Array.from({ length: used }, (_, fold) => {
    const learnt = rowsWhere(rows, (row) => folds[pictures[row]] !== fold);
    const left = rowsWhere(rows, (row) => folds[pictures[row]] === fold && isOriginal[row]);
    const own = problemOf(rows, learnt, penalty);
    const aside = scaled(picked(rows.features, left), own.scaling);
    return { regression: own.regression, aside, labels: left.map((row) => rows.labels[pictures[row]]) };
  }).filter(({ labels }) => labels.length > 0);
  const labels = Int32Array.from(parts.flatMap((part) => part.labels));
  const weights = balancedWeights(labels, classes);
  const curve: CurvePoint[] = [];
  let best: Pick<Trial, 'loss' | 'epochs' | 'logits'> = {
    loss: Number.POSITIVE_INFINITY,
    epochs: 0,
    logits: new Float64Array(0),
  };
  let patience = PATIENCE;
  for (let epoch = 1; epoch <= options.epochs && patience > 0; epoch += 1) {
    await setImmediate();
    options.signal?.throwIfAborted();
    for (const { regression } of parts) regression.step(rateAt(epoch, options));
    const logits = joined(parts.map(({ regression, aside }) => logitsOf(regression.layer, aside)));
    const loss = crossEntropy(logits, labels, classes, weights);
    const right = namedClasses(logits, classes).filter((label, at) => label === labels[at]).length;
    curve.push({ epoch, loss, accuracy: right / labels.length });
    patience = loss < best.loss * (1 - LEAST_GAIN) ? PATIENCE : patience - 1;
    if (loss < best.loss) best = { loss, epochs: epoch, logits };
    options.onEpoch?.(epoch, curve, shareOf(epoch / options.epochs));
  }
  return { penalty, curve, labels, ...best };
}

/** A layer for features as they are, learnt from some of the rows. */
async function learn(
  rows: LearntRows,
  learnt: readonly number[],
  penalty: number,
  epochs: number,
  options: LayerOptions,
): Promise<{ layer: LinearLayer }> {
  const { regression, scaling } = problemOf(rows, learnt, penalty);
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    await setImmediate();
    options.signal?.throwIfAborted();
    regression.step(rateAt(epoch, options));
  }
  return { layer: unscaled(regression.layer, scaling) };
}

function problemOf(rows: LearntRows, learnt: readonly number[], penalty: number) {
  const features = picked(rows.features, learnt);
  const scaling = scalingOf(features);
  const labels = learnt.map((row) => rows.labels[rows.pictures[row]]);
  const classWeights = balancedWeights(labels, rows.classes);
  const problem = { features: scaled(features, scaling), labels, classes: rows.classes, classWeights, penalty };
  return { regression: new LogisticRegression(problem), scaling };
}

function rateAt(epoch: number, { epochs, learningRate }: LayerOptions): number {
  return learningRateAt({
    step: epoch - 1,
    steps: epochs,
    warmUp: WARM_UP,
    peak: learningRate,
    floor: learningRate / 100,
  });
}

function rowsWhere({ features }: LearntRows, holds: (row: number) => boolean): number[] {
  return Array.from({ length: features.rows }, (_, row) => row).filter(holds);
}

function picked({ data, columns }: FeatureRows, rows: readonly number[]): FeatureRows {
  const result = new Float32Array(rows.length * columns);
  for (const [to, from] of rows.entries())
    result.set(data.subarray(from * columns, (from + 1) * columns), to * columns);
  return { data: result, rows: rows.length, columns };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const result = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
