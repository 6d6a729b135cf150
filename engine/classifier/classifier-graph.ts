import {
  changed,
  floatTensor,
  GraphBuilder,
  inspectBackbone,
  makeNode,
  type Normalisation,
  type OnnxGraph,
  OnnxInvalid,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type PictureSize,
  readModel,
  tapBackbone,
  valueInfo,
} from '../onnx';

/**
 * What is made of the values of a channel over the picture: their mean, or their mean and their deviation. The deviation
 * tells of what is seen in a few places only.
 */
export type Pooling = 'average' | 'average-and-deviation';

/** A network that gives one row of features for each picture. */
export interface FeatureNetwork {
  /** Output `features` [batch, count]; picture input as the backbone calls it, RGB 0..1. */
  readonly model: OnnxModel;
  readonly input: string;
  /** The only size it runs with; null: any. */
  readonly fixed: PictureSize | null;
}

export const FEATURES = 'features';
export const LOGITS = 'logits';
export const PROBABILITIES = 'probabilities';

/** Finer features are too local to tell whole pictures apart. */
const FINEST_STRIDE = 8;
/** What the added values are called: nothing of a backbone begins so. */
const PREFIX = 'classify/';
const LEAST_VARIANCE = 1e-8;

/** A linear layer: `logits = weights * features + bias`. */
export interface Head {
  /** Row-major [classes x features]. */
  readonly weights: Float32Array;
  /** [classes] */
  readonly bias: Float32Array;
}

/**
 * Makes a backbone give its features pooled over the whole picture: of each stride from 8 on, the coarsest last.
 *
 * @param bytes an ONNX file: a feature extractor or a whole classifier
 * @param deepest take the coarsest stride only
 * @throws {OnnxInvalid} as `tapBackbone`, and when it has no activation at all
 */
export function featureNetwork(
  bytes: Uint8Array,
  pooling: Pooling,
  { normalisation, deepest = false }: { normalisation?: Normalisation; deepest?: boolean } = {},
): FeatureNetwork {
  const { taps } = inspectBackbone(bytes);
  if (taps.length === 0) throw new OnnxInvalid('it has no activation at any stride');
  const strides = taps.map(({ stride }) => stride);
  const coarse = strides.filter((stride) => stride >= FINEST_STRIDE);
  const taken = coarse.length === 0 ? strides.slice(-1) : coarse.slice(deepest ? -1 : 0);
  const tapped = tapBackbone(bytes, taken, ['after'], normalisation);
  const model = readModel(tapped.bytes);
  const graph = model.graph as OnnxGraph;
  const tail = new Tail();
  const pooled = tapped.outputs.flatMap((value) => pooledValues(tail, value, pooling));
  tail.node('Concat', pooled, { axis: 1 }, FEATURES);
  return {
    model: changed(model, { graph: tail.behind(graph, { [FEATURES]: ['batch', 'features'] }) }),
    input: tapped.input,
    fixed: tapped.fixed,
  };
}

/**
 * Puts a linear layer on top of the features: outputs `logits` and `probabilities`, both [batch, classes].
 *
 * @param temperature logits are divided by it before they become probabilities
 * @param classes     names, in the order of the outputs
 */
export function withHead(
  { model }: Pick<FeatureNetwork, 'model'>,
  { weights, bias }: Head,
  temperature: number,
  classes: readonly string[],
): OnnxModel {
  const count = classes.length;
  const graph = model.graph as OnnxGraph;
  const tail = new Tail();
  const layer = [
    tail.constant('head.weight', [count, weights.length / count], weights),
    tail.constant('head.bias', [count], bias),
  ];
  tail.node('Gemm', [FEATURES, ...layer], { transB: 1 }, LOGITS);
  const divisor = tail.constant('temperature', [], Float32Array.of(temperature));
  tail.node('Softmax', [tail.node('Div', [LOGITS, divisor])], { axis: 1 }, PROBABILITIES);
  const names = `{${classes.map((name, index) => `${index}: ${JSON.stringify(name)}`).join(', ')}}`;
  const { metadataProps: named } = new GraphBuilder('').build({ names, task: 'classify' });
  return changed(model, {
    graph: tail.behind(graph, { [LOGITS]: ['batch', count], [PROBABILITIES]: ['batch', count] }),
    metadataProps: [...model.metadataProps.filter(({ key }) => key !== 'names' && key !== 'task'), ...named],
  });
}

/** Name of the constant that logits are divided by. */
export const TEMPERATURE = `${PREFIX}temperature`;

function pooledValues(tail: Tail, value: string, pooling: Pooling): string[] {
  const flat = (of: string) => tail.node('Flatten', [of], { axis: 1 });
  const mean = tail.node('GlobalAveragePool', [value]);
  if (pooling === 'average') return [flat(mean)];
  const meanSquare = tail.node('GlobalAveragePool', [tail.node('Mul', [value, value])]);
  const variance = tail.node('Relu', [tail.node('Sub', [meanSquare, tail.node('Mul', [mean, mean])])]);
  const least = tail.constant('least', [], Float32Array.of(LEAST_VARIANCE));
  return [flat(mean), flat(tail.node('Sqrt', [tail.node('Add', [variance, least])]))];
}

/** Nodes that are put behind those of a graph. */
class Tail {
  private readonly nodes: OnnxNode[] = [];
  private readonly constants = new Map<string, OnnxTensor>();

  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number>> = {},
    output = `${PREFIX}${opType}_${this.nodes.length}`,
  ): string {
    this.nodes.push(makeNode(opType, inputs, [output], attributes));
    return output;
  }

  constant(name: string, dims: readonly number[], values: Float32Array): string {
    const full = `${PREFIX}${name}`;
    this.constants.set(full, floatTensor(full, dims, values));
    return full;
  }

  behind(graph: OnnxGraph, outputs: Readonly<Record<string, readonly (number | string)[]>>): OnnxGraph {
    return changed(graph, {
      node: [...graph.node, ...this.nodes],
      initializer: [...graph.initializer, ...this.constants.values()],
      output: Object.entries(outputs).map(([name, dims]) => valueInfo(name, dims)),
    });
  }
}
