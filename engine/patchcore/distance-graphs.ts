import { GraphBuilder, writeModel } from '../onnx';

/** Inputs `a` [m, columns] and `b` [n, columns]; output `squared` [m, n], squared distances between their rows. */
export function pairwiseGraph(columns: number): Uint8Array {
  const graph = new GraphBuilder('pairwise');
  const { partial, norms } = addPartial(graph, columns);
  graph.output('squared', addNorms(graph, partial, norms), ['m', 'n']);
  return writeModel(graph.build());
}

/** Inputs as `pairwiseGraph`; output `nearest` [m]: squared distance of each row of `a` to the nearest row of `b`. */
export function nearestGraph(columns: number): Uint8Array {
  const graph = new GraphBuilder('nearest');
  const { partial, norms } = addPartial(graph, columns);
  const least = graph.node('ReduceMin', [partial], { axes: [1], keepdims: 1 });
  const nearest = graph.node('Reshape', [addNorms(graph, least, norms), graph.integers([-1])]);
  graph.output('nearest', nearest, ['m']);
  return writeModel(graph.build());
}

/**
 * Inputs as `pairwiseGraph`; output `closest` [m, count]: squared distances of each row of `a` to its nearest rows of `b`,
 * nearest first.
 */
export function closestGraph(columns: number, count: number): Uint8Array {
  const graph = new GraphBuilder('closest');
  const { partial, norms } = addPartial(graph, columns);
  const [least] = graph.nodes('TopK', [partial, graph.integers([count])], 2, { axis: 1, largest: 0, sorted: 1 });
  graph.output('closest', addNorms(graph, least, norms), ['m', count]);
  return writeModel(graph.build());
}

/** Squared distances without the squared norms of the rows of `a`, which make no row of `b` nearer than another. */
function addPartial(graph: GraphBuilder, columns: number): { partial: string; norms: string } {
  const a = graph.input('a', ['m', columns]);
  const b = graph.input('b', ['n', columns]);
  const normsOfB = graph.node('Transpose', [addSquaredNorms(graph, b)], { perm: [1, 0] });
  const partial = graph.node('Gemm', [a, b, normsOfB], { alpha: { float: -2 }, transB: 1 });
  return { partial, norms: addSquaredNorms(graph, a) };
}

/** Rounding may leave a little below 0. */
function addNorms(graph: GraphBuilder, partial: string, norms: string): string {
  return graph.node('Max', [graph.node('Add', [partial, norms]), graph.floats([], [0])]);
}

function addSquaredNorms(graph: GraphBuilder, rows: string): string {
  return graph.node('ReduceSumSquare', [rows], { axes: [1], keepdims: 1 });
}
