import {
  changed,
  constantsOf,
  DataType,
  feeds,
  int64Tensor,
  integersOf,
  type OnnxGraph,
  OnnxInvalid,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  prune,
  tensorValues,
  valueInfo,
} from '../../onnx';

export interface InputSize {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Pictures at a time. */
  readonly batch: number;
}

type Grid = readonly [number, number];

/**
 * The model for another input size and batch. Exporters write the shapes of `Reshape` (attention over all cells of a grid)
 * and the sizes of `Resize` down as numbers of the size they exported; those that count pictures or the cells of a grid
 * are written anew. What has no such shape runs at any size and stays.
 *
 * Meant for the body of a network: constants with a number for each cell, as the anchors behind a detect head, stay as they
 * are, so cut the graph before them.
 *
 * @throws {OnnxInvalid} without an input of [batch, channels, height, width], or when the new size does not fit the grids
 */
export function resized(model: OnnxModel, { width, height, batch }: InputSize): OnnxModel {
  const graph = model.graph as OnnxGraph;
  const [input, ...others] = feeds(graph);
  const dims = input && dimsOf(input);
  if (others.length > 0 || dims?.length !== 4) {
    throw new OnnxInvalid('it needs one input of [batch, channels, height, width] to be used at another size');
  }
  const [oldBatch, channels, oldHeight, oldWidth] = dims;
  const first = valueInfo(input.name, [batch, channels > 0 ? channels : 3, height, width]);
  const inputs = graph.input.map((value) => (value === input ? first : value));
  const free = changed(graph, {
    input: inputs,
    valueInfo: [],
    output: graph.output.map(({ name }) => valueInfo(name)),
  });
  if (oldHeight <= 0 || oldWidth <= 0) return changed(model, { graph: free });
  const old: Grid = [oldHeight, oldWidth];
  const scale: Grid = [height / oldHeight, width / oldWidth];
  const added: OnnxTensor[] = [];
  const constants = constantsOf(graph);
  const grids = new Map<string, Grid>([[input.name, old]]);
  const node = graph.node.map((candidate): OnnxNode => {
    const place = candidate.opType === 'Reshape' ? 1 : candidate.opType === 'Resize' ? 3 : -1;
    const target = place > 0 ? constants.get(candidate.input[place] ?? '') : undefined;
    const grid = grids.get(candidate.input.find((name) => grids.has(name)) ?? '');
    const sizes = target?.dataType === DataType.int64 ? [...tensorValues(target)] : undefined;
    const after = grid && gridAfter(candidate, grid, sizes, constants);
    for (const name of candidate.output) if (after) grids.set(name, after);
    if (sizes === undefined || after === undefined) return candidate;
    const fresh = sizesAt(sizes, after, scale, oldBatch > 0 ? oldBatch : 1, batch);
    if (fresh.every((size, index) => size === sizes[index])) return candidate;
    if (!fresh.every(Number.isInteger)) {
      throw new OnnxInvalid(`its operator ${candidate.name} needs ${fresh.join(' x ')} cells; use another size`);
    }
    const constant = int64Tensor(`${candidate.output[0]} sizes`, [fresh.length], fresh);
    added.push(constant);
    return changed(candidate, {
      input: candidate.input.map((name, index) => (index === place ? constant.name : name)),
    });
  });
  const graphAtSize = prune(changed(free, { node, initializer: [...graph.initializer, ...added] }));
  return changed(model, { graph: graphAtSize });
}

/** The grid of cells behind an operator, at the size of the export; operators without strides keep it. */
function gridAfter(
  node: OnnxNode,
  grid: Grid,
  sizes: readonly number[] | undefined,
  constants: ReadonlyMap<string, OnnxTensor>,
): Grid {
  if (node.opType === 'Resize' || node.opType === 'Upsample') {
    if (sizes) return [sizes[2], sizes[3]];
    const scales = constants.get(node.input[node.opType === 'Resize' ? 2 : 1] ?? '');
    const factors = scales ? [...tensorValues(scales)] : [1, 1, 1, 1];
    return [Math.floor(grid[0] * factors[2]), Math.floor(grid[1] * factors[3])];
  }
  if (node.opType !== 'Conv' && !node.opType.endsWith('Pool')) return grid;
  const strides = integersOf(node, 'strides');
  return [Math.ceil(grid[0] / (strides[0] ?? 1)), Math.ceil(grid[1] / (strides[1] ?? 1))];
}

function sizesAt(sizes: readonly number[], grid: Grid, scale: Grid, oldBatch: number, batch: number): number[] {
  const fresh = [...sizes];
  const last = sizes.length - 1;
  if (sizes.length >= 3 && sizes[0] === oldBatch) fresh[0] = batch;
  if (sizes.length >= 4 && sizes[last - 1] === grid[0] && sizes[last] === grid[1]) {
    fresh[last - 1] = grid[0] * scale[0];
    fresh[last] = grid[1] * scale[1];
    return fresh;
  }
  const cells = sizes.lastIndexOf(grid[0] * grid[1]);
  if (cells > 0) fresh[cells] = grid[0] * scale[0] * grid[1] * scale[1];
  return fresh;
}

function dimsOf({ type }: OnnxGraph['input'][number]): readonly number[] {
  if (type?.value.case !== 'tensorType') return [];
  return (type.value.value.shape?.dim ?? []).map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : 0));
}
