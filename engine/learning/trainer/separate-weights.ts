import { changed, DataType, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor } from '../../onnx';

/**
 * Exporters store equal weights once and hand them to the other places through `Identity`: all biases of a new network,
 * say. Gives each of these places a weight of its own, under the name its value had, so that training one changes no other.
 */
export function withSeparateWeights(model: OnnxModel): OnnxModel {
  const graph = model.graph as OnnxGraph;
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const outputs = new Set(graph.output.map(({ name }) => name));
  const added: OnnxTensor[] = [];
  const node: OnnxNode[] = [];
  for (const candidate of graph.node) {
    const shared = candidate.opType === 'Identity' ? weights.get(candidate.input[0]) : undefined;
    const [name] = candidate.output;
    if (shared?.dataType !== DataType.float || outputs.has(name)) {
      node.push(candidate);
      continue;
    }
    const own = changed(shared, { name });
    weights.set(name, own);
    added.push(own);
  }
  if (added.length === 0) return model;
  return changed(model, { graph: changed(graph, { node, initializer: [...graph.initializer, ...added] }) });
}
