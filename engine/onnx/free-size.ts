import { constantShapes, constantsOf, integersOf } from './graph';
import { changed, type OnnxGraph, type OnnxNode, type OnnxTensor } from './model';
import { DataType, int64Tensor, tensorValues } from './tensor';

/**
 * Why a graph runs with one picture size only, in words that follow "because"; null when any size will do.
 *
 * @param strides of the values that have a picture-like layout
 * @param side the picture's larger side as the model has it
 */
export function fixedSizeReason(graph: OnnxGraph, strides: ReadonlyMap<string, number>, side: number): string | null {
  const constants = constantsOf(graph);
  const shapes = constantShapes(graph);
  for (const node of graph.node) {
    const layout = node.input.filter((name) => strides.has(name));
    if (layout.length === 0) continue;
    const called = `${node.opType} ${node.name || node.output[0]}`;
    const stride = Math.max(...layout.map((name) => strides.get(name) as number));
    if (node.opType === 'Reshape' || node.opType === 'Expand') {
      if (isFixedShape(constants.get(node.input[1]))) return `${called} has a fixed shape`;
    } else if ((node.opType === 'Resize' || node.opType === 'Upsample') && constants.has(node.input[3] ?? '')) {
      return `${called} has a fixed size`;
    } else if (node.opType.endsWith('Pool') && Math.max(...integersOf(node, 'kernel_shape'), 1) * stride >= side) {
      return `${called} pools over all of the picture`;
    } else if (!node.opType.includes('Conv') && node.input.some((name) => isMap(shapes.get(name)))) {
      return `${called} has a value for each place`;
    }
  }
  return null;
}

/**
 * Lets the batch vary where a `Reshape` of pooled values (squeeze-excite through dense layers) was saved with the batch
 * of 1 it was exported with.
 *
 * @param input name of the picture input
 */
export function withFreeBatch(graph: OnnxGraph, input: string): OnnxGraph {
  const constants = constantsOf(graph);
  const varying = new Set([input]);
  const added: OnnxTensor[] = [];
  const node = graph.node.map((candidate): OnnxNode => {
    const depends = candidate.input.some((name) => varying.has(name));
    if (depends) for (const name of candidate.output) varying.add(name);
    const shape = candidate.opType === 'Reshape' && depends ? constants.get(candidate.input[1]) : undefined;
    if (shape?.dataType !== DataType.int64) return candidate;
    const sizes = [...tensorValues(shape)];
    if (sizes[0] !== 1 || sizes.length < 2) return candidate;
    // A size of 0 means "as in the input".
    const free = int64Tensor(`${candidate.output[0]}_free_shape`, [sizes.length], [0, ...sizes.slice(1)]);
    added.push(free);
    return changed(candidate, { input: [candidate.input[0], free.name] });
  });
  return changed(graph, { node, initializer: [...graph.initializer, ...added] });
}

/** Sizes of 0 (as in the input) and -1 (what is left) follow any picture; the first two are batch and channels. */
function isFixedShape(shape: OnnxTensor | undefined): boolean {
  return shape?.dataType === DataType.int64 && [...tensorValues(shape)].slice(2).some((size) => size > 0);
}

function isMap(shape: readonly number[] | undefined): boolean {
  return shape !== undefined && shape.length >= 3 && shape.slice(-2).some((dim) => dim > 1);
}
