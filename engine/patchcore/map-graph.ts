import type { GraphBuilder } from '../onnx';

/**
 * Distances of patches as a smooth map over input pixels: bilinear upsampling, then a gaussian, edge values held. Both are
 * linear and act on rows and columns alone, so the map is `A * distances * B'` with small matrices, made by upsampling and
 * smoothing the unit matrix: far fewer operations than the same on every pixel.
 *
 * @param grid  name of the distances [1, 1, rows, columns]
 * @param stride input pixels a patch
 * @param sigma standard deviation of the gaussian, in input pixels
 * @returns name of the map [1, 1, stride * rows, stride * columns]
 */
export function addMap(graph: GraphBuilder, grid: string, stride: number, sigma: number): string {
  const shape = graph.node('Shape', [grid]);
  const down = addSmoothing(graph, shape, 2, stride, sigma);
  const across = graph.node('Transpose', [addSmoothing(graph, shape, 3, stride, sigma)], { perm: [0, 1, 3, 2] });
  return graph.node('MatMul', [graph.node('MatMul', [down, grid]), across]);
}

/** The matrix [1, 1, stride * cells, cells] that upsamples and smooths along one axis of the grid. */
function addSmoothing(graph: GraphBuilder, shape: string, axis: number, stride: number, sigma: number): string {
  const cells = graph.node('Slice', [shape, graph.integers([axis]), graph.integers([axis + 1]), graph.integers([0])]);
  const square = graph.node('Concat', [cells, cells], { axis: 0 });
  const zeros = graph.node('Expand', [graph.floats([1, 1], [0]), square]);
  const unit = graph.node('Unsqueeze', [graph.node('EyeLike', [zeros]), graph.integers([0, 1])]);
  const upsampled = graph.node('Resize', [unit, '', graph.floats([4], [1, 1, stride, 1])], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
  const kernel = gaussian(sigma);
  const radius = (kernel.length - 1) / 2;
  const padded = graph.node('Pad', [upsampled, graph.integers([0, 0, radius, 0, 0, 0, radius, 0])], { mode: 'edge' });
  return graph.node('Conv', [padded, graph.floats([1, 1, kernel.length, 1], kernel)]);
}

/** Weights of a gaussian, cut at four standard deviations, with sum 1. */
function gaussian(sigma: number): Float32Array {
  const radius = Math.ceil(4 * sigma);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, index) =>
    Math.exp(-0.5 * ((index - radius) / sigma) ** 2),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Float32Array.from(weights, (weight) => weight / sum);
}
