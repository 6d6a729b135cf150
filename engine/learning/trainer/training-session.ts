import { loadRuntime, type OnnxRuntime, sessionOptions } from '../../inference';
import { type OnnxModel, writeModel } from '../../onnx';
import { differentiate } from './differentiate';
import { bytesOf } from './gradient-graph';
import { passedOn, writePasses } from './passes';
import { planTraining, type RunningStatistics, type TrainingGraphOptions } from './plan';
import { type NamedValues, sizeOf, type Tensor } from './tensor';

type InferenceSession = Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>;
type RuntimeTensor = InstanceType<OnnxRuntime['Tensor']>;
type Tensors = Readonly<Record<string, RuntimeTensor>>;

type Options = Parameters<OnnxRuntime['InferenceSession']['create']>[1];

/** Planning its memory ahead keeps twice as much of it. */
const UNPLANNED: Options = { enableMemPattern: false };
/** The backward pass has nothing to gain from the runtime's rewriting, which would undo its order. */
const AS_WRITTEN: Options = { ...UNPLANNED, graphOptimizationLevel: 'disabled' };
/** The runtime keeps more memory than values take at one time: it grows in steps that double, and has scratch of its own. */
const RUNTIME_SHARE = 3.5;
/** What it keeps for two graphs of any size. */
const RUNTIME_BYTES = 1e8;

/** A trained weight with what has been added up of its gradient. The optimiser changes `data` in place. */
export interface ParameterTensor extends NamedValues {
  readonly dims: readonly number[];
  readonly gradient: Float32Array;
}

/** What a session is made of. */
interface Parts {
  readonly forwardPass: InferenceSession;
  readonly backwardPass: InferenceSession | null;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: ReadonlyMap<string, readonly number[]>;
  /** Name of the gradient fed for each output. */
  readonly seeds: ReadonlyMap<string, string>;
  /** Name of the result that is the gradient of each weight. */
  readonly gradients: ReadonlyMap<string, string>;
  readonly weights: Tensors;
  /** What the forward pass leaves for the backward pass, overwritten at each step. */
  readonly saved: Tensors;
  /** What the backward pass gives, overwritten at each step. */
  readonly results: Tensors;
  readonly running: readonly RunningStatistics[];
}

/** A graph in training. Blocks its thread while it runs. Ends with `close`. */
export class TrainingSession {
  private fed: Tensors = {};

  private constructor(
    private readonly runtime: OnnxRuntime,
    /** The weights that are trained. */
    readonly parameters: readonly ParameterTensor[],
    /**
     * Bytes of memory that training takes, as the shapes tell: weights and their gradients, what the forward pass leaves for
     * the backward pass, and the most that either needs while it runs. Within a fifth of what was measured; pictures and the
     * optimiser come on top.
     */
    readonly memoryBytes: number,
    private readonly parts: Parts,
  ) {}

  /**
   * Makes the part of a model between `inputs` and `outputs` ready to be trained. The model stays as it is.
   *
   * @throws {UntrainableOperator} when a gradient would have to pass an operator without a rule
   * @throws {OnnxInvalid} when an output needs more than the inputs
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async open(model: OnnxModel, options: TrainingGraphOptions): Promise<TrainingSession> {
    const runtime = loadRuntime();
    const plan = await planTraining(model, options);
    const backward = differentiate(plan, options.outputs);
    const passes = writePasses(plan, backward, Object.keys(options.inputs), options.outputs);
    const open = (graph: OnnxModel, changes: Options) =>
      runtime.InferenceSession.create(writeModel(graph), { ...sessionOptions(options.threads), ...changes });
    const shapeOf = (name: string) => passes.shapes.get(name) ?? [];
    const empty = (names: Iterable<string>) =>
      Object.fromEntries([...names].map((name) => [name, emptyTensor(runtime, shapeOf(name))]));
    const parameters = plan.weights.map((weight) => ({ ...weight, gradient: new Float32Array(weight.data.length) }));
    const weights = parameters.map(({ name, dims, data }) => [name, new runtime.Tensor('float32', data, dims)]);
    const results = empty(new Set(backward.gradients.values()));
    const saved = empty(passes.saved);
    const kept = [...parameters, ...parameters, ...Object.values(results), ...Object.values(saved)];
    const forwardPass = await open(passes.forward, UNPLANNED);
    return new TrainingSession(
      runtime,
      parameters,
      RUNTIME_BYTES + kept.reduce((sum, { dims }) => sum + bytesOf(dims), 0) + RUNTIME_SHARE * passes.workingBytes,
      {
        forwardPass,
        backwardPass: passes.backward && (await open(passes.backward, AS_WRITTEN)),
        inputs: options.inputs,
        outputs: new Map(options.outputs.map((name) => [name, shapeOf(name)])),
        seeds: backward.seeds,
        gradients: backward.gradients,
        weights: Object.fromEntries(weights),
        saved,
        results,
        running: plan.statistics,
      },
    );
  }

  /** The running means and variances of the batch normalisations in training, as they stand. */
  get statistics(): readonly NamedValues[] {
    return this.parts.running.flatMap(({ mean, variance }) => [mean, variance]);
  }

  /** All that training changes, for `withWeights`: weights and running statistics. Not copied. */
  get values(): readonly NamedValues[] {
    return [...this.parameters, ...this.statistics];
  }

  /**
   * Runs the forward pass.
   *
   * @param feeds each input, in the shape it was opened with; not changed before `backward`
   * @returns each output, as the caller's own
   */
  async forward(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const fed = Object.entries(this.parts.inputs).map(([name, dims]) => [name, this.tensorOf(name, feeds[name], dims)]);
    this.fed = Object.fromEntries(fed);
    const results = [...this.parts.outputs].map(([name, dims]) => [name, emptyTensor(this.runtime, dims)] as const);
    const outputs = Object.fromEntries(results);
    const copied = results.filter(([name]) => name in this.parts.saved);
    const fetches = renamed(this.parts.forwardPass.outputNames, { ...outputs, ...this.parts.saved });
    await this.parts.forwardPass.run(
      only(this.parts.forwardPass.inputNames, { ...this.fed, ...this.parts.weights }),
      fetches,
    );
    for (const [name, tensor] of copied) (tensor.data as Float32Array).set(this.parts.saved[name].data as Float32Array);
    return Object.fromEntries(results.map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]));
  }

  /**
   * Adds the gradients of the last forward pass to those of the parameters, and lets the running statistics follow its batch.
   *
   * @param gradients of the loss by each output, in its shape; none counts as zero
   */
  async backward(gradients: Readonly<Record<string, Tensor>>): Promise<void> {
    for (const statistics of this.parts.running) this.follow(statistics);
    if (this.parts.backwardPass === null) return;
    const seeds = [...this.parts.seeds].map(([output, seed]) => {
      const dims = this.parts.outputs.get(output) ?? [];
      const given = gradients[output];
      return [seed, given ? this.tensorOf(output, given, dims) : emptyTensor(this.runtime, dims)];
    });
    const feeds = { ...this.fed, ...this.parts.weights, ...this.parts.saved, ...Object.fromEntries(seeds) };
    await this.parts.backwardPass.run(
      only(this.parts.backwardPass.inputNames, feeds),
      renamed(this.parts.backwardPass.outputNames, this.parts.results),
    );
    for (const { name, gradient } of this.parameters) {
      const result = this.parts.gradients.get(name);
      if (result === undefined) continue;
      const values = this.parts.results[result].data as Float32Array;
      for (let place = 0; place < values.length; place += 1) gradient[place] += values[place];
    }
  }

  async close(): Promise<void> {
    await this.parts.forwardPass.release();
    await this.parts.backwardPass?.release();
  }

  private follow({ mean, variance, batchMean, batchVariance, momentum, cells }: RunningStatistics): void {
    const means = this.parts.saved[batchMean].data as Float32Array;
    const variances = this.parts.saved[batchVariance].data as Float32Array;
    // The variance that is kept is that of all pictures, which a batch's own underestimates.
    const share = cells > 1 ? cells / (cells - 1) : 1;
    for (let channel = 0; channel < means.length; channel += 1) {
      mean.data[channel] = momentum * mean.data[channel] + (1 - momentum) * means[channel];
      variance.data[channel] = momentum * variance.data[channel] + (1 - momentum) * share * variances[channel];
    }
  }

  private tensorOf(name: string, tensor: Tensor | undefined, dims: readonly number[]): RuntimeTensor {
    if (tensor === undefined) throw new RangeError(`${name} is not fed`);
    if (tensor.data.length !== sizeOf(dims)) {
      throw new RangeError(`${name} has the shape [${tensor.dims}], training was opened with [${dims}]`);
    }
    return new this.runtime.Tensor('float32', tensor.data, dims);
  }
}

function emptyTensor(runtime: OnnxRuntime, dims: readonly number[]): RuntimeTensor {
  return new runtime.Tensor('float32', new Float32Array(sizeOf(dims)), dims);
}

/** The tensors a session knows. */
function only(names: readonly string[], tensors: Tensors) {
  return Object.fromEntries(names.map((name) => [name, tensors[name]]));
}

/** The tensors under the names a session gives them out. */
function renamed(names: readonly string[], tensors: Tensors) {
  return only(names, {
    ...tensors,
    ...Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [passedOn(name), tensor])),
  });
}
