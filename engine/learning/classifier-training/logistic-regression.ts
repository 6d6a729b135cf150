/** Rows that describe one picture each. */
export interface FeatureRows {
  /** Row-major [rows x columns]. */
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** A linear layer: `logits = weights * features + bias`. */
export interface LinearLayer {
  /** Row-major [classes x columns]. */
  readonly weights: Float64Array;
  /** [classes] */
  readonly bias: Float64Array;
}

export interface LogisticProblem {
  /** Best of about unit deviation (`scalingOf`). */
  readonly features: FeatureRows;
  /** The class of each row, 0..classes-1. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  /** How much a row of each class counts, > 0. */
  readonly classWeights: ArrayLike<number>;
  /** Half of it times the squared weights (not the bias) is added to the mean cross entropy; >= 0. */
  readonly penalty: number;
}

const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.999;
const EPSILON = 1e-8;

/**
 * Multinomial logistic regression, learnt step by step from weights of zero; one step looks at all rows. The problem is
 * convex: with a rate that falls to zero the steps end at its only minimum.
 *
 * @see Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization" (the steps)
 */
export class LogisticRegression {
  private readonly parameters: Float64Array;
  private readonly gradient: Float64Array;
  private readonly first: Float64Array;
  private readonly second: Float64Array;
  private readonly totalWeight: number;
  private steps = 0;

  constructor(private readonly problem: LogisticProblem) {
    const { classes, features, labels, classWeights } = problem;
    const size = classes * (features.columns + 1);
    this.parameters = new Float64Array(size);
    this.gradient = new Float64Array(size);
    this.first = new Float64Array(size);
    this.second = new Float64Array(size);
    let total = 0;
    for (let row = 0; row < features.rows; row += 1) total += classWeights[labels[row]];
    this.totalWeight = total;
  }

  get layer(): LinearLayer {
    const split = this.problem.classes * this.problem.features.columns;
    return { weights: this.parameters.slice(0, split), bias: this.parameters.slice(split) };
  }

  /**
   * One step against the gradient.
   *
   * @returns the loss before it: weighted mean cross entropy and penalty
   */
  step(learningRate: number): number {
    const loss = this.measure();
    this.steps += 1;
    const correctFirst = 1 - FIRST_DECAY ** this.steps;
    const correctSecond = 1 - SECOND_DECAY ** this.steps;
    const { parameters, gradient, first, second } = this;
    for (let at = 0; at < parameters.length; at += 1) {
      first[at] = FIRST_DECAY * first[at] + (1 - FIRST_DECAY) * gradient[at];
      second[at] = SECOND_DECAY * second[at] + (1 - SECOND_DECAY) * gradient[at] ** 2;
      parameters[at] -= (learningRate * (first[at] / correctFirst)) / (Math.sqrt(second[at] / correctSecond) + EPSILON);
    }
    return loss;
  }

  /** The loss; leaves its derivative in `gradient`. */
  private measure(): number {
    const { features, labels, classes, classWeights, penalty } = this.problem;
    const { data, rows, columns } = features;
    const { parameters, gradient, totalWeight } = this;
    const biasAt = classes * columns;
    let loss = 0;
    for (let at = 0; at < biasAt; at += 1) {
      gradient[at] = penalty * parameters[at];
      loss += (penalty / 2) * parameters[at] ** 2;
    }
    gradient.fill(0, biasAt);
    const shares = new Float64Array(classes);
    for (let row = 0; row < rows; row += 1) {
      const from = row * columns;
      for (let label = 0; label < classes; label += 1) {
        let sum = parameters[biasAt + label];
        const weights = label * columns;
        for (let column = 0; column < columns; column += 1) sum += parameters[weights + column] * data[from + column];
        shares[label] = sum;
      }
      const truth = labels[row];
      const weight = classWeights[truth] / totalWeight;
      loss += weight * (softmax(shares) - shares[truth]);
      for (let label = 0; label < classes; label += 1) {
        const slope = weight * (Math.exp(shares[label]) - (label === truth ? 1 : 0));
        gradient[biasAt + label] += slope;
        const weights = label * columns;
        for (let column = 0; column < columns; column += 1) gradient[weights + column] += slope * data[from + column];
      }
    }
    return loss;
  }
}

/** Turns logits into logarithms of probabilities. @returns 0, so that `softmax(x) - x[truth]` is the cross entropy */
function softmax(logits: Float64Array): 0 {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) highest = Math.max(highest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  const level = highest + Math.log(sum);
  for (let label = 0; label < logits.length; label += 1) logits[label] -= level;
  return 0;
}

/** The logits of each row, row-major [rows x classes]. */
export function logitsOf({ weights, bias }: LinearLayer, { data, rows, columns }: FeatureRows): Float64Array {
  const classes = bias.length;
  const logits = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row += 1) {
    for (let label = 0; label < classes; label += 1) {
      let sum = bias[label];
      for (let column = 0; column < columns; column += 1) {
        sum += weights[label * columns + column] * data[row * columns + column];
      }
      logits[row * classes + label] = sum;
    }
  }
  return logits;
}

/** What centres features and gives each the deviation 1; one that never changes keeps its scale. */
export interface Scaling {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

export function scalingOf({ data, rows, columns }: FeatureRows): Scaling {
  const mean = new Float64Array(columns);
  const deviation = new Float64Array(columns);
  for (let at = 0; at < data.length; at += 1) mean[at % columns] += data[at] / rows;
  for (let at = 0; at < data.length; at += 1) deviation[at % columns] += (data[at] - mean[at % columns]) ** 2 / rows;
  return { mean, deviation: deviation.map((variance) => (variance > 1e-12 ? Math.sqrt(variance) : 1)) };
}

export function scaled(features: FeatureRows, { mean, deviation }: Scaling): FeatureRows {
  const { columns } = features;
  const data = features.data.map((value, at) => (value - mean[at % columns]) / deviation[at % columns]);
  return { ...features, data };
}

/** The layer that takes features as they are, for one that takes them scaled. */
export function unscaled({ weights, bias }: LinearLayer, { mean, deviation }: Scaling): LinearLayer {
  const columns = mean.length;
  const own = weights.map((weight, at) => weight / deviation[at % columns]);
  return {
    weights: own,
    bias: bias.map((value, label) => {
      let shift = 0;
      for (let column = 0; column < columns; column += 1) shift += own[label * columns + column] * mean[column];
      return value - shift;
    }),
  };
}
