import type { OnnxGraph, OnnxModel, OnnxNode, OnnxValueInfo } from './model';
import { DataType } from './tensor';

const ACTIVATIONS = new Set([
  'Relu',
  'Clip',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Celu',
  'Selu',
  'ThresholdedRelu',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Swish',
  'Mish',
  'Softplus',
  'Tanh',
  'Erf',
  'Gelu',
]);

/** Operators whose result has no picture-like layout any more, or one this room cannot follow. */
const NOT_SPATIAL = new Set([
  'GlobalAveragePool',
  'GlobalMaxPool',
  'GlobalLpPool',
  'ReduceMean',
  'ReduceMax',
  'ReduceSum',
  'Flatten',
  'Reshape',
  'Gemm',
  'MatMul',
  'Shape',
  'Softmax',
  'LogSoftmax',
  'ArgMax',
  'Squeeze',
  'Unsqueeze',
  'Gather',
  'Transpose',
  'Resize',
  'Upsample',
  'ConvTranspose',
  'DepthToSpace',
  'SpaceToDepth',
  'Slice',
]);

const STRIDED = new Set(['Conv', 'ConvInteger', 'QLinearConv', 'MaxPool', 'AveragePool', 'LpPool']);

/** The model's `metadata_props` as a plain object. */
export function metadataProps(model: OnnxModel): Record<string, string> {
  return Object.fromEntries(model.metadataProps.map(({ key, value }) => [key ?? '', value ?? '']));
}

/** Inputs that a caller must feed: those that are no constants. */
export function feeds(graph: OnnxGraph): readonly OnnxValueInfo[] {
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  return graph.input.filter((input) => !constants.has(input.name));
}

/**
 * How many input pixels one cell of each value spans, followed through the strides of convolutions and poolings. Values
 * without a picture-like layout are missing.
 *
 * @param input name of the picture input
 */
export function valueStrides(graph: OnnxGraph, input: string): Map<string, number> {
  const strides = new Map([[input, 1]]);
  for (const node of graph.node) {
    const known = node.input.map((name) => strides.get(name)).filter((stride) => stride !== undefined);
    if (known.length === 0 || NOT_SPATIAL.has(node.opType ?? '')) continue;
    const stride = Math.max(...known) * strideOf(node);
    for (const output of node.output) strides.set(output, stride);
  }
  return strides;
}

/**
 * The value of the last activation at each stride, in the order of the graph. A gate (`x * sigmoid(x)`) counts as one
 * activation: the product is taken. A channel weight (squeeze-excite) is no activation.
 *
 * @returns stride to value name
 */
export function lastActivations(graph: OnnxGraph, input: string): Map<number, string> {
  const strides = valueStrides(graph, input);
  const result = new Map<number, string>();
  for (const node of graph.node) {
    const stride = strides.get(node.output[0] ?? '');
    if (stride === undefined) continue;
    const gated =
      node.opType === 'Mul' &&
      node.input.includes(result.get(stride) ?? '') &&
      node.input.every((name) => strides.get(name) === stride);
    if (ACTIVATIONS.has(node.opType ?? '') || gated) result.set(stride, node.output[0]);
  }
  return result;
}

/** Gives values out under new names, in place of all outputs there were, and drops what nothing needs any more. */
export function withOutputs(graph: OnnxGraph, outputs: Readonly<Record<string, string>>): OnnxGraph {
  const identities: OnnxNode[] = Object.entries(outputs).map(([name, value]) => ({
    input: [value],
    output: [name],
    name: `give_${name}`,
    opType: 'Identity',
    attribute: [],
  }));
  const output = Object.keys(outputs).map((name) => ({ name, type: { tensorType: { elemType: DataType.float } } }));
  return prune({ ...graph, node: [...graph.node, ...identities], output });
}

/** Drops nodes, constants and shape notes that no output depends on. */
export function prune(graph: OnnxGraph): OnnxGraph {
  const needed = new Set(graph.output.map((output) => output.name ?? ''));
  const node = [...graph.node]
    .reverse()
    .filter((candidate) => {
      if (!candidate.output.some((name) => needed.has(name))) return false;
      for (const name of usedBy(candidate)) needed.add(name);
      return true;
    })
    .reverse();
  const isNeeded = ({ name }: { readonly name?: string }) => needed.has(name ?? '');
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  return {
    ...graph,
    node,
    initializer: graph.initializer.filter(isNeeded),
    input: graph.input.filter((input) => isNeeded(input) || !constants.has(input.name)),
    valueInfo: graph.valueInfo.filter(isNeeded),
  };
}

/** Names a node reads, those that its inner graphs read from outside included. */
function usedBy(node: OnnxNode): string[] {
  const inner = node.attribute.flatMap((attribute) => [...(attribute.g ? [attribute.g] : []), ...attribute.graphs]);
  return [
    ...node.input,
    ...inner.flatMap((graph) => [...graph.node.flatMap(usedBy), ...graph.output.map((output) => output.name ?? '')]),
  ];
}

function strideOf(node: OnnxNode): number {
  if (!STRIDED.has(node.opType ?? '')) return 1;
  const strides = node.attribute.find((attribute) => attribute.name === 'strides')?.ints ?? [];
  return Math.max(1, ...strides.map(Number));
}
