import { constantsOf, prune } from './graph';
import { changed, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor } from './model';
import { floatTensor, product, tensorValues } from './tensor';

const DEFAULT_EPSILON = 1e-5;

/**
 * The same network with each BatchNormalization that follows a convolution drawn into its weights and bias: what it
 * computes with its running statistics stays the same, it only takes less time. Others stay as they are.
 *
 * @throws {OnnxInvalid} when weights or statistics are no float numbers
 */
export function foldBatchNormalization(model: OnnxModel): OnnxModel {
  const graph = model.graph as OnnxGraph;
  const constants = constantsOf(graph);
  const makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const readers = countReaders(graph);
  const folded = new Map<OnnxNode, OnnxNode>();
  const dropped = new Set<OnnxNode>();
  const added: OnnxTensor[] = [];
  for (const node of graph.node) {
    if (node.opType !== 'BatchNormalization') continue;
    const convolution = makers.get(node.input[0]);
    if (convolution?.opType !== 'Conv' || readers.get(convolution.output[0]) !== 1) continue;
    const parts = [...convolution.input.slice(1), ...node.input.slice(1, 5)].filter((name) => name !== '');
    if (!parts.every((name) => constants.has(name))) continue;
    const tensors = foldedTensors(convolution, node, constants);
    added.push(...tensors);
    const [weight, bias] = tensors.map(({ name }) => name);
    dropped.add(node);
    folded.set(
      convolution,
      changed(convolution, { input: [convolution.input[0], weight, bias], output: [node.output[0]] }),
    );
  }
  const node = graph.node.filter((each) => !dropped.has(each)).map((each) => folded.get(each) ?? each);
  const initializer = [...graph.initializer, ...added];
  return changed(model, { graph: prune(changed(graph, { node, initializer })) });
}

function foldedTensors(
  convolution: OnnxNode,
  normalization: OnnxNode,
  constants: ReadonlyMap<string, OnnxTensor>,
): [OnnxTensor, OnnxTensor] {
  const valuesOf = (name: string) => tensorValues(constants.get(name) as OnnxTensor);
  const [scale, shift, mean, variance] = normalization.input.slice(1, 5).map(valuesOf);
  const [, weightName, biasName = ''] = convolution.input;
  const { dims } = constants.get(weightName) as OnnxTensor;
  const weights = valuesOf(weightName);
  const bias = biasName === '' ? new Float64Array(scale.length) : valuesOf(biasName);
  const epsilon = normalization.attribute.find(({ name }) => name === 'epsilon')?.f ?? DEFAULT_EPSILON;
  const factors = scale.map((value, channel) => value / Math.sqrt(variance[channel] + epsilon));
  const filter = product(dims.slice(1).map(Number));
  const [output] = normalization.output;
  return [
    floatTensor(
      `${output}_weight`,
      dims.map(Number),
      Float32Array.from(weights, (value, place) => value * factors[Math.floor(place / filter)]),
    ),
    floatTensor(
      `${output}_bias`,
      [scale.length],
      Float32Array.from(bias, (value, channel) => (value - mean[channel]) * factors[channel] + shift[channel]),
    ),
  ];
}

/** How many inputs and outputs of the graph take each value. */
function countReaders(graph: OnnxGraph): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of [...graph.node.flatMap(({ input }) => input), ...graph.output.map((output) => output.name)]) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
