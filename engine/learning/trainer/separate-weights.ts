import {
  changed,
  DataType,
  floatTensor,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../../onnx';
import { ofHalf } from '../../patchcore';

/**
 * Exporters store equal weights once and hand them to the other places through `Identity`: all biases of a new network,
 * say. Gives each of these places a weight of its own, under the name its value had, so that training one changes no other.
 * Likewise weights stored with half precision and read through `Cast` become float32 under the name of what was read.
 */
export function withSeparateWeights(model: OnnxModel): OnnxModel {
  const graph = model.graph as OnnxGraph;
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const outputs = new Set(graph.output.map(({ name }) => name));
  const added: OnnxTensor[] = [];
  const copied = new Set<string>();
  const node: OnnxNode[] = [];
  for (const candidate of graph.node) {
    const own = outputs.has(candidate.output[0]) ? undefined : ownWeight(candidate, weights.get(candidate.input[0]));
    if (own === undefined) {
      node.push(candidate);
      continue;
    }
    copied.add(candidate.input[0]);
    weights.set(own.name, own);
    added.push(own);
  }
  if (added.length === 0) return model;
  const read = new Set([...node.flatMap(({ input }) => input), ...outputs]);
  const isLeft = ({ name }: OnnxTensor) => read.has(name) || !copied.has(name);
  const initializer = [...graph.initializer.filter(isLeft), ...added];
  return changed(model, { graph: changed(graph, { node, initializer }) });
}

function ownWeight({ opType, output, attribute }: OnnxNode, weight: OnnxTensor | undefined): OnnxTensor | undefined {
  const [name] = output;
  if (opType === 'Identity' && weight?.dataType === DataType.float) return changed(weight, { name });
  const isHalf = weight?.dataType === DataType.float16 && weight.rawData.length > 0;
  const toFloat = attribute.some((each) => each.name === 'to' && Number(each.i) === DataType.float);
  if (opType !== 'Cast' || !isHalf || !toFloat) return undefined;
  const bits = new Uint16Array(weight.rawData.slice().buffer);
  return floatTensor(name, weight.dims.map(Number), Float32Array.from(bits, ofHalf));
}
