import {
  changed,
  checkGraph,
  DataType,
  type OnnxGraph,
  OnnxInvalid,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  prune,
  tensorValues,
  valueInfo,
} from '../../onnx';
import { GradientGraph } from './gradient-graph';
import { probe } from './probe';
import { DEFAULT_EPSILON, numberOf } from './rules';
import { withSeparateWeights } from './separate-weights';
import type { NamedValues } from './tensor';

export interface TrainingGraphOptions {
  /**
   * The values that are fed, with their full shapes, batch included. They may lie within the graph, as features computed
   * beforehand do: what comes before them is left out.
   */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** The values whose gradient the caller supplies: the logits. */
  readonly outputs: readonly string[];
  /** Which of the model's weights are trained, by name. Numbers without dimensions, and bounds or sizes, are never. */
  readonly trainable: (weight: string) => boolean;
  /** Threads of ONNX Runtime. */
  readonly threads: number;
}

/** A part of the forward pass and the node that stands for it in the backward pass. */
export interface Step {
  readonly node: OnnxNode;
  readonly forward: readonly OnnxNode[];
}

/** The mean and variance that a batch normalisation keeps for use without a batch. */
export interface RunningStatistics {
  readonly mean: NamedValues;
  readonly variance: NamedValues;
  /** Values of the batch's own mean, and of the mean of its squared distances from it. */
  readonly batchMean: string;
  readonly batchVariance: string;
  /** Share of the old value that is kept at each step. */
  readonly momentum: number;
  /** Cells of a channel in a batch. */
  readonly cells: number;
}

export interface Weight extends NamedValues {
  readonly dims: readonly number[];
}

/** A graph made ready to be differentiated: shapes known, weights apart from constants. */
export interface TrainingPlan {
  readonly model: OnnxModel;
  readonly opset: number;
  readonly steps: readonly Step[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly weights: readonly Weight[];
  readonly statistics: readonly RunningStatistics[];
}

/** The oldest version of the standard operators in which their bounds and sizes are inputs. */
const OLDEST_OPSET = 11;

/** @throws {OnnxInvalid} when an output needs more than the inputs, or the operators are too old */
export async function planTraining(source: OnnxModel, options: TrainingGraphOptions): Promise<TrainingPlan> {
  const opset = Number(source.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0);
  if (opset < OLDEST_OPSET) throw new OnnxInvalid(`it has operators of version ${opset}, ${OLDEST_OPSET} is needed`);
  const model = cut(withSeparateWeights(source), options);
  const graph = model.graph as OnnxGraph;
  const running = new Set(graph.node.filter(isNormalisation).flatMap(({ input }) => input.slice(3, 5)));
  const read = new Set(graph.node.flatMap(({ input }) => input));
  const settings = new Set(graph.node.flatMap(settingsOf));
  const weights = graph.initializer
    .filter(({ name, dataType }) => dataType === DataType.float && !running.has(name))
    .filter(({ name, dims }) => dims.length > 0 && read.has(name) && !settings.has(name) && options.trainable(name))
    .map((tensor) => ({ name: tensor.name, dims: tensor.dims.map(Number), data: floatsOf(tensor) }));
  const trained = new Set(weights.map(({ name }) => name));
  const probed = await probe(model, options.inputs, trained, options.threads);
  const constants = new Map(probed.constants);
  const builder = new GradientGraph(opset, probed.shapes, 'normalised ');
  const statistics: RunningStatistics[] = [];
  const steps = graph.node
    .filter(({ output }) => !output.every((name) => name === '' || constants.has(name)))
    .map((node): Step => {
      const inTraining = isNormalisation(node) && node.input.slice(1, 3).some((name) => trained.has(name));
      return inTraining ? normalisedByBatch(node, builder, constants, statistics) : { node, forward: [node] };
    });
  for (const tensor of builder.constants) constants.set(tensor.name, tensor);
  const shapes = new Map(probed.shapes);
  for (const { forward } of steps) {
    for (const name of forward.flatMap(({ output }) => output)) {
      if (name !== '' && !shapes.has(name)) shapes.set(name, builder.dims(name));
    }
  }
  for (const { name, dims } of builder.constants) shapes.set(name, dims.map(Number));
  return { model, opset, steps, shapes, constants, weights, statistics };
}

/** Inputs that say how an operator works, and are no numbers it works on. */
function settingsOf({ opType, input }: OnnxNode): readonly string[] {
  return SET_BY_INPUTS.has(opType) ? input.slice(1) : [];
}

const SET_BY_INPUTS = new Set(['Clip', 'Resize', 'Upsample', 'Pow', 'Pad', 'Dropout']);

function isNormalisation({ opType }: OnnxNode): boolean {
  return opType === 'BatchNormalization';
}

/** The part of a graph between the inputs and the outputs. */
function cut(model: OnnxModel, { inputs, outputs }: TrainingGraphOptions): OnnxModel {
  const graph = model.graph as OnnxGraph;
  const fed = new Set(Object.keys(inputs));
  const node = graph.node.map((candidate) =>
    candidate.output.some((name) => fed.has(name))
      ? changed(candidate, { output: candidate.output.map((name) => (fed.has(name) ? `${name} as computed` : name)) })
      : candidate,
  );
  const part = prune(
    changed(graph, {
      node,
      input: Object.entries(inputs).map(([name, dims]) => valueInfo(name, dims)),
      output: outputs.map((name) => valueInfo(name)),
      valueInfo: [],
    }),
  );
  checkGraph(part);
  return changed(model, { graph: part });
}

function floatsOf(tensor: OnnxTensor): Float32Array {
  return Float32Array.from(tensorValues(tensor));
}

/** Batch normalisation as it is trained: with the mean and deviation of the batch itself. */
function normalisedByBatch(
  node: OnnxNode,
  graph: GradientGraph,
  constants: ReadonlyMap<string, OnnxTensor>,
  statistics: RunningStatistics[],
): Step {
  const first = graph.nodes.length;
  const [input, scale, bias, mean, variance] = node.input;
  const dims = graph.dims(input);
  const perChannel = dims.map((dim, axis) => (axis === 1 ? dim : 1));
  const axes = dims.map((_, axis) => axis).filter((axis) => axis !== 1);
  const batchMean = graph.mean(input, axes);
  const centred = graph.subtract(input, batchMean);
  const batchVariance = graph.mean(graph.multiply(centred, centred), axes);
  const epsilon = graph.scalar(numberOf(node, 'epsilon', DEFAULT_EPSILON));
  const deviation = graph.each('Sqrt', graph.add(batchVariance, epsilon));
  const scaled = graph.multiply(graph.divide(centred, deviation), graph.reshape(scale, perChannel));
  const result = graph.add(scaled, graph.reshape(bias, perChannel));
  graph.rename(result, node.output[0]);
  const running = [mean, variance].map((name) => {
    const tensor = constants.get(name);
    if (tensor === undefined)
      throw new OnnxInvalid(`the statistics of ${node.name || node.output[0]} are no constants`);
    return { name, data: floatsOf(tensor) };
  });
  statistics.push({
    mean: running[0],
    variance: running[1],
    batchMean,
    batchVariance,
    momentum: numberOf(node, 'momentum', 0.9),
    cells: dims.reduce((product, dim, axis) => (axis === 1 ? product : product * dim), 1),
  });
  return {
    node: changed(node, { output: [node.output[0], batchMean, deviation] }),
    forward: graph.nodes.slice(first),
  };
}
