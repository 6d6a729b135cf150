import { loadRuntime, type OnnxRuntime, sessionOptions } from '../../inference';
import { type OnnxModel, writeModel } from '../../onnx';
import { differentiate } from './differentiate';
import { bytesOf } from './gradient-graph';
import { passedOn, writePasses } from './passes';
import { planTraining, type RunningStatistics, type TrainingGraphOptions } from './plan';
import { type NamedValues, sizeOf, type Tensor } from './tensor';

type InferenceSession = Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>;
type RuntimeTensor = InstanceType<OnnxRuntime['Tensor']>;

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

/** A graph in training. Blocks its thread while it runs. Ends with `close`. */
export class TrainingSession {
  private fed: Record<string, RuntimeTensor> = {};

  private constructor(
    private readonly runtime: OnnxRuntime,
    private readonly forwardPass: InferenceSession,
    private readonly backwardPass: InferenceSession | null,
    /** The weights that are trained. */
    readonly parameters: readonly ParameterTensor[],
    /**
     * Bytes of memory that training takes, as the shapes tell: weights and their gradients, what the forward pass leaves for
     * the backward pass, and the most that either needs while it runs. Within a fifth of what was measured; pictures and the
     * optimiser come on top.
     */
    readonly memoryBytes: number,
    private readonly inputs: Readonly<Record<string, readonly number[]>>,
    private readonly outputs: ReadonlyMap<string, readonly number[]>,
    private readonly seeds: ReadonlyMap<string, string>,
    private readonly gradients: ReadonlyMap<string, string>,
    private readonly weights: Readonly<Record<string, RuntimeTensor>>,
    private readonly saved: Readonly<Record<string, RuntimeTensor>>,
    private readonly results: Readonly<Record<string, RuntimeTensor>>,
    private readonly running: readonly RunningStatistics[],
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
    const empty = (names: Iterable<string>) =>
      Object.fromEntries([...names].map((name) => [name, emptyTensor(runtime, passes.shapes.get(name) ?? [])]));
    const results = empty(new Set(backward.gradients.values()));
    const saved = empty(passes.saved);
    const parameters = plan.weights.map((weight) => ({ ...weight, gradient: new Float32Array(weight.data.length) }));
    const bytes = (tensors: Iterable<{ readonly dims: readonly number[] }>) =>
      [...tensors].reduce((sum, { dims }) => sum + bytesOf(dims), 0);
    const weights = parameters.map(({ name, dims, data }) => [name, new runtime.Tensor('float32', data, dims)]);
    return new TrainingSession(
      runtime,
      await open(passes.forward, UNPLANNED),
      passes.backward && (await open(passes.backward, AS_WRITTEN)),
      parameters,
      RUNTIME_BYTES +
        2 * bytes(parameters) +
        bytes(Object.values(results)) +
        bytes(Object.values(saved)) +
        RUNTIME_SHARE * passes.workingBytes,
      options.inputs,
      new Map(options.outputs.map((name) => [name, passes.shapes.get(name) ?? []])),
      backward.seeds,
      backward.gradients,
      Object.fromEntries(weights),
      saved,
      results,
      plan.statistics,
    );
  }

  /** The running means and variances of the batch normalisations in training, as they stand. */
  get statistics(): readonly NamedValues[] {
    return this.running.flatMap(({ mean, variance }) => [mean, variance]);
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
    const fed = Object.entries(this.inputs).map(([name, dims]) => [name, this.tensorOf(name, feeds[name], dims)]);
    this.fed = Object.fromEntries(fed);
    const results = [...this.outputs].map(([name, dims]) => [name, emptyTensor(this.runtime, dims)] as const);
    const outputs = Object.fromEntries(results);
    const copied = results.filter(([name]) => name in this.saved);
    const fetches = renamed(this.forwardPass.outputNames, { ...outputs, ...this.saved });
    await this.forwardPass.run(only(this.forwardPass.inputNames, { ...this.fed, ...this.weights }), fetches);
    for (const [name, tensor] of copied) (tensor.data as Float32Array).set(this.saved[name].data as Float32Array);
    return Object.fromEntries(results.map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]));
  }

  /**
   * Adds the gradients of the last forward pass to those of the parameters, and lets the running statistics follow its batch.
   *
   * @param gradients of the loss by each output, in its shape; none counts as zero
   */
  async backward(gradients: Readonly<Record<string, Tensor>>): Promise<void> {
    for (const statistics of this.running) this.follow(statistics);
    if (this.backwardPass === null) return;
    const seeds = [...this.seeds].map(([output, seed]) => {
      const dims = this.outputs.get(output) ?? [];
      const given = gradients[output];
      return [seed, given ? this.tensorOf(output, given, dims) : emptyTensor(this.runtime, dims)];
    });
    const feeds = { ...this.fed, ...this.weights, ...this.saved, ...Object.fromEntries(seeds) };
    await this.backwardPass.run(
      only(this.backwardPass.inputNames, feeds),
      renamed(this.backwardPass.outputNames, this.results),
    );
    for (const { name, gradient } of this.parameters) {
      const result = this.gradients.get(name);
      if (result === undefined) continue;
      const values = this.results[result].data as Float32Array;
      for (let place = 0; place < values.length; place += 1) gradient[place] += values[place];
    }
  }

  async close(): Promise<void> {
    await this.forwardPass.release();
    await this.backwardPass?.release();
  }

  private follow({ mean, variance, batchMean, batchVariance, momentum, cells }: RunningStatistics): void {
    const means = this.saved[batchMean].data as Float32Array;
    const variances = this.saved[batchVariance].data as Float32Array;
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
function only(names: readonly string[], tensors: Readonly<Record<string, RuntimeTensor>>) {
  return Object.fromEntries(names.map((name) => [name, tensors[name]]));
}

/** The tensors under the names a session gives them out. */
function renamed(names: readonly string[], tensors: Readonly<Record<string, RuntimeTensor>>) {
  return only(names, {
    ...tensors,
    ...Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [passedOn(name), tensor])),
  });
}
