import { changed, floatTensor, type OnnxGraph, type OnnxModel } from '../../onnx';
import { withSeparateWeights } from './separate-weights';

/**
 * A copy of a model with other weights; the model itself stays as it is. Weights that the model shares among several places
 * are separated first, so that each place has its own.
 *
 * @param weights by name; as many numbers as the weight has in the model, not copied
 * @throws {RangeError} for a name the model does not have, or a wrong count
 */
export function withWeights(model: OnnxModel, weights: ReadonlyMap<string, Float32Array>): OnnxModel {
  const separate = withSeparateWeights(model);
  const graph = separate.graph as OnnxGraph;
  const left = new Set(weights.keys());
  const initializer = graph.initializer.map((tensor) => {
    const data = weights.get(tensor.name);
    if (data === undefined) return tensor;
    left.delete(tensor.name);
    return floatTensor(tensor.name, tensor.dims.map(Number), data);
  });
  const [unknown] = left;
  if (unknown !== undefined) throw new RangeError(`the model has no weight ${unknown}`);
  return changed(separate, { graph: changed(graph, { initializer }) });
}
