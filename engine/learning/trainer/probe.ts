import { loadRuntime, sessionOptions } from '../../inference';
import {
  changed,
  DataType,
  makeNode,
  type OnnxGraph,
  type OnnxModel,
  type OnnxTensor,
  rawTensor,
  valueInfo,
  writeModel,
} from '../../onnx';
import { sizeOf } from './tensor';

/** What a graph's values are like at one size of its inputs. */
export interface Probed {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Values that nothing fed changes, shapes and the like, as constants. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
}

/**
 * Learns the shapes of all values by running the graph once on zeros: nothing but the shapes is given out, so it takes no
 * more memory than any run.
 *
 * @param inputs shapes of what is fed
 * @param trained weights that are no constants
 * @throws the runtime's error when the graph does not run at this size
 */
export async function probe(
  model: OnnxModel,
  inputs: Readonly<Record<string, readonly number[]>>,
  trained: ReadonlySet<string>,
  threads: number,
): Promise<Probed> {
  const graph = model.graph as OnnxGraph;
  const fixed = fixedValues(graph, trained);
  const made = graph.node.flatMap(({ output }) => output).filter((name) => name !== '');
  const moving = made.filter((name) => !fixed.has(name));
  const wanted = made.filter((name) => fixed.has(name));
  // The runtime runs what nothing reads from the last to the first: so each value is let go before the next is made.
  const notes = moving.map((name) => makeNode('Shape', [name], [shapeOf(name)])).reverse();
  const output = [...wanted, ...moving.map(shapeOf)].map((name) => valueInfo(name));
  const untyped = output.map((value) => changed(value, { type: undefined }));
  const bytes = writeModel(
    changed(model, { graph: changed(graph, { node: [...graph.node, ...notes], output: untyped }) }),
  );
  const runtime = loadRuntime();
  const options = {
    ...sessionOptions(threads),
    graphOptimizationLevel: 'disabled' as const,
    enableMemPattern: false,
    enableCpuMemArena: false,
  };
  const session = await runtime.InferenceSession.create(bytes, options);
  try {
    const zeros = Object.entries(inputs).map(([name, dims]) => [
      name,
      new runtime.Tensor('float32', new Float32Array(sizeOf(dims)), dims),
    ]);
    const results = await session.run(Object.fromEntries(zeros));
    const shapes = new Map<string, readonly number[]>(Object.entries(inputs));
    for (const { name, dims } of graph.initializer) shapes.set(name, dims.map(Number));
    for (const name of moving) shapes.set(name, Array.from(results[shapeOf(name)].data as BigInt64Array, Number));
    const constants = new Map(
      graph.initializer.filter(({ name }) => !trained.has(name)).map((tensor) => [tensor.name, tensor]),
    );
    for (const name of wanted) {
      const { dims, type, data } = results[name];
      shapes.set(name, dims);
      constants.set(name, rawTensor(name, dims, ELEMENT_TYPES[type] ?? DataType.float, data as Float32Array));
    }
    return { shapes, constants };
  } finally {
    await session.release();
  }
}

/** Values computed from constants and shapes alone. */
function fixedValues(graph: OnnxGraph, trained: ReadonlySet<string>): Set<string> {
  const weights = graph.initializer.map(({ name }) => name);
  const fixed = new Set(['', ...weights.filter((name) => !trained.has(name))]);
  for (const { opType, input, output } of graph.node) {
    if (opType === 'Shape' || opType === 'Size' || input.every((name) => fixed.has(name))) {
      for (const name of output) fixed.add(name);
    }
  }
  return fixed;
}

function shapeOf(value: string): string {
  return `shape of ${value}`;
}

const ELEMENT_TYPES: Readonly<Record<string, number>> = {
  float32: DataType.float,
  float64: DataType.double,
  int64: DataType.int64,
  int32: DataType.int32,
  bool: DataType.bool,
  int8: DataType.int8,
  uint8: DataType.uint8,
};
