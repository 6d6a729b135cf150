import { type FeatureNetwork, type Head, LOGITS, withHead } from '../../classifier';
import { type CurvePoint, type Random, seededRandom, shuffled } from '../../domain';
import { augment, drawAugmentations, type Preprocessing } from '../../imaging';
import { foldBatchNormalization, type OnnxGraph, type OnnxModel } from '../../onnx';
import { AdamW, learningRateAt, TrainingSession, WeightAverage, withWeights } from '../trainer';
import { balancedWeights } from './class-weights';
import { readPicture, type UsedPicture } from './extract';
import { type ClassifierSettings, wishesOf } from './settings';
import { crossEntropy, fitTemperature, namedClasses } from './temperature';

export interface FineTuning {
  readonly pictures: readonly UsedPicture[];
  /** The class of each. */
  readonly labels: readonly number[];
  /** Which of them are left out, to stop early and to fit the temperature: the layer must not know them either. */
  readonly leftOut: ReadonlySet<number>;
  readonly classes: readonly string[];
  readonly preprocessing: Preprocessing;
  readonly settings: ClassifierSettings;
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onEpoch?: (curve: readonly CurvePoint[], memoryBytes: number) => void;
}

export interface FineTuned {
  readonly model: OnnxModel;
  readonly temperature: number;
  /** After which the pictures left out were named best; 0: none did better than the layer alone. */
  readonly epochs: number;
  readonly curve: readonly CurvePoint[];
}

/** Pictures a step. */
const BATCH = 8;
/** Epochs without a gain after which it ends. */
const PATIENCE = 6;
/** What the weights of the embedded backbone's filter bank are called: they are not learnt. */
const FIXED_FILTERS = 'm.parts.0.';
/** Operators that have weights among their inputs, and which inputs. */
const WEIGHTS: Readonly<Record<string, readonly number[]>> = { Conv: [1, 2], Gemm: [1, 2], MatMul: [0, 1] };

/**
 * Trains a backbone together with its linear layer, from a layer that was learnt on its features before. Statistics of
 * BatchNormalization stay as they are: a few pictures tell less of them than those the backbone was made from.
 *
 * @throws {UntrainableOperator} when the backbone has an operator without a rule
 * @throws the signal's reason when it aborts
 */
export async function fineTune(network: FeatureNetwork, head: Head, training: FineTuning): Promise<FineTuned> {
  const { classes, preprocessing, threads, labels, leftOut } = training;
  const start = foldBatchNormalization(withHead(network, head, 1, classes));
  const trained = weightsOf(start.graph as OnnxGraph);
  const dims = [BATCH, 3, preprocessing.height, preprocessing.width];
  const session = await TrainingSession.open(start, {
    inputs: { [network.input]: dims },
    outputs: [LOGITS],
    trainable: (name) => trained.has(name),
    threads,
  });
  try {
    const all = labels.map((_, index) => index);
    const loop = new FineTuningLoop(session, network.input, training);
    const best = await loop.run(
      all.filter((at) => !leftOut.has(at)),
      all.filter((at) => leftOut.has(at)),
    );
    const weights = balancedWeights(best.labels, classes.length);
    const temperature = fitTemperature(best.logits, best.labels, classes.length, weights);
    const tuned = withWeights(start, best.weights);
    return { model: tuned, temperature, epochs: best.epoch, curve: best.curve };
  } finally {
    await session.close();
  }
}

interface Best {
  readonly epoch: number;
  readonly loss: number;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly logits: Float32Array;
  readonly labels: readonly number[];
}

class FineTuningLoop {
  private readonly dims: readonly number[];
  private readonly random: Random;

  constructor(
    private readonly session: TrainingSession,
    private readonly input: string,
    private readonly training: FineTuning,
  ) {
    const { width, height } = training.preprocessing;
    this.dims = [BATCH, 3, height, width];
    this.random = seededRandom(training.settings.seed + 1);
  }

  /** Learns some pictures and stops when the others are named no better any more. */
  async run(learnt: readonly number[], left: readonly number[]): Promise<Best & { curve: readonly CurvePoint[] }> {
    const { settings, classes, labels, signal, onEpoch } = this.training;
    const { epochs, learningRate: peak } = settings;
    const stepsPerEpoch = Math.ceil(learnt.length / BATCH);
    const steps = epochs * stepsPerEpoch;
    const optimiser = new AdamW(this.session.parameters, { weightDecay: 0.02, clipNorm: 5 });
    const average = new WeightAverage(this.session.values, { decay: 0.99, ramp: stepsPerEpoch });
    const weights = balancedWeights(
      learnt.map((at) => labels[at]),
      classes.length,
    );
    const leftLabels = left.map((at) => labels[at]);
    const leftWeights = balancedWeights(leftLabels, classes.length);
    const measure = async (epoch: number): Promise<Best> => {
      const logits = await this.withAverage(average, () => this.logitsOf(left));
      const loss = crossEntropy(logits, leftLabels, classes.length, leftWeights);
      const copied = new Map([...average.weights].map(([name, data]) => [name, data.slice()]));
      return { epoch, loss, weights: copied, logits, labels: leftLabels };
    };
    let best = await measure(0);
    const curve: CurvePoint[] = [];
    for (let epoch = 1, patience = PATIENCE; epoch <= epochs && patience > 0; epoch += 1) {
      const order = shuffled(learnt, this.random);
      for (let at = 0; at < stepsPerEpoch; at += 1) {
        signal?.throwIfAborted();
        const batch = Array.from({ length: BATCH }, (_, place) => order[(at * BATCH + place) % order.length]);
        await this.step(batch, weights);
        const step = (epoch - 1) * stepsPerEpoch + at;
        const warmUp = Math.min(stepsPerEpoch, 20);
        optimiser.step(learningRateAt({ step, steps, warmUp, peak, floor: peak / 100 }));
        average.update();
      }
      const now = await measure(epoch);
      const right = namedClasses(now.logits, classes.length).filter((label, at) => label === leftLabels[at]).length;
      curve.push({ epoch, loss: now.loss, accuracy: leftLabels.length === 0 ? 0 : right / leftLabels.length });
      patience = now.loss < best.loss ? PATIENCE : patience - 1;
      if (now.loss < best.loss) best = now;
      onEpoch?.(curve, this.session.memoryBytes + optimiser.memoryBytes);
    }
    return { ...best, curve };
  }

  private async step(batch: readonly number[], weights: Float64Array): Promise<void> {
    const { classes, labels } = this.training;
    const { [LOGITS]: logits } = await this.session.forward({
      [this.input]: { data: await this.pictures(batch, true), dims: this.dims },
    });
    const data = new Float32Array(logits.data.length);
    const total = batch.reduce((sum, at) => sum + weights[labels[at]], 0);
    for (const [row, at] of batch.entries()) {
      const from = row * classes.length;
      const own = logits.data.subarray(from, from + classes.length);
      const highest = Math.max(...own);
      const shares = Array.from(own, (logit) => Math.exp(logit - highest));
      const sum = shares.reduce((a, b) => a + b, 0);
      const weight = weights[labels[at]] / total;
      for (const [label, share] of shares.entries()) {
        data[from + label] = weight * (share / sum - (label === labels[at] ? 1 : 0));
      }
    }
    await this.session.backward({ [LOGITS]: { data, dims: logits.dims } });
  }

  private async logitsOf(pictures: readonly number[]): Promise<Float32Array> {
    const count = this.training.classes.length;
    const result = new Float32Array(pictures.length * count);
    for (let at = 0; at < pictures.length; at += BATCH) {
      this.training.signal?.throwIfAborted();
      const batch = Array.from({ length: BATCH }, (_, place) => pictures[Math.min(at + place, pictures.length - 1)]);
      const feeds = { [this.input]: { data: await this.pictures(batch, false), dims: this.dims } };
      const { [LOGITS]: logits } = await this.session.forward(feeds);
      const used = Math.min(BATCH, pictures.length - at) * count;
      result.set(logits.data.subarray(0, used), at * count);
    }
    return result;
  }

  /** Lets the session compute with the averaged weights for a while. */
  private async withAverage<T>(average: WeightAverage, work: () => Promise<T>): Promise<T> {
    const { weights } = average;
    const own = this.session.values.map(({ name, data }) => {
      const kept = data.slice();
      data.set(weights.get(name) as Float32Array);
      return { data, kept };
    });
    try {
      return await work();
    } finally {
      for (const { data, kept } of own) data.set(kept);
    }
  }

  private async pictures(batch: readonly number[], isVaried: boolean): Promise<Float32Array> {
    const { pictures, preprocessing, settings } = this.training;
    const area = 3 * preprocessing.width * preprocessing.height;
    const data = new Float32Array(batch.length * area);
    for (const [place, at] of batch.entries()) {
      const read = await readPicture(pictures[at].source, preprocessing);
      if ('reason' in read) throw new Error(`${read.name} was there and is not any more: ${read.reason}`);
      const [change] = isVaried ? drawAugmentations(wishesOf(settings.augmentation), 1, this.random) : [];
      data.set(change === undefined ? read.tensor.data : augment(read.tensor, change), place * area);
    }
    return data;
  }
}

/** What convolutions and products multiply with: weights, by the name under which they are read. */
function weightsOf({ node }: OnnxGraph): ReadonlySet<string> {
  const read = node.flatMap(({ opType, input }) => (WEIGHTS[opType] ?? []).map((place) => input[place] ?? ''));
  return new Set(read.filter((name) => !name.startsWith(FIXED_FILTERS)));
}
