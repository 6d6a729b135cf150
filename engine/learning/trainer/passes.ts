import {
  changed,
  makeNode,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  valueInfo,
} from '../../onnx';
import type { BackwardPass } from './differentiate';
import { executionOrder, inOrderOfLeastMemory } from './execution-order';
import { bytesOf, RUNTIME_OPERATORS } from './gradient-graph';
import type { TrainingPlan } from './plan';

/** The two graphs of a training step. */
export interface Passes {
  readonly forward: OnnxModel;
  readonly backward: OnnxModel | null;
  /** Values that the forward pass leaves for the backward pass. */
  readonly saved: readonly string[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Most bytes that values within the passes take at one time; of each pass. */
  readonly workingBytes: number;
}

/**
 * Cheap beside the convolutions and products whose results they are computed from: the backward pass does them again rather
 * than have their results kept.
 */
const DONE_AGAIN = new Set([
  ...['Sigmoid', 'Relu', 'LeakyRelu', 'Clip', 'HardSigmoid', 'HardSwish', 'Tanh', 'Exp', 'Sqrt', 'Neg', 'Abs', 'Erf'],
  ...['Mul', 'Add', 'Sub', 'Div', 'Sum', 'Pow', 'Identity', 'Cast', 'Dropout'],
  ...['Concat', 'Split', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Slice', 'Pad', 'Resize', 'Expand'],
]);

/**
 * Writes the forward and the backward pass as graphs of their own. Weights are inputs of both, so that a step needs no new
 * session; those that are not trained are constants.
 */
export function writePasses(
  plan: TrainingPlan,
  backward: BackwardPass,
  inputs: readonly string[],
  outputs: readonly string[],
): Passes {
  const { graph, gradients, seeds, moving } = backward;
  const weights = new Set(plan.weights.map(({ name }) => name));
  const given = new Set(['', ...weights, ...inputs, ...seeds.values(), ...plan.constants.keys()]);
  const results = [...new Set(gradients.values())];
  const own = needed(graph.nodes, results);
  const made = new Set(own.flatMap(({ output }) => output));
  for (const { name } of graph.constants) made.add(name);
  const wanted = new Set([...own.flatMap(({ input }) => input), ...results].filter((name) => !made.has(name)));
  const again: OnnxNode[] = [];
  const saved = new Set<string>();
  for (const node of plan.steps.flatMap(({ forward }) => forward).reverse()) {
    const read = node.output.filter((name) => wanted.has(name));
    if (read.length === 0) continue;
    if (DONE_AGAIN.has(node.opType) && read.some((name) => moving.has(name))) {
      again.unshift(node);
      for (const name of node.input) wanted.add(name);
    } else for (const name of read) saved.add(name);
  }
  const shapes = new Map(plan.shapes);
  for (const name of [...seeds.values(), ...own.flatMap(({ output }) => output)]) shapes.set(name, graph.dims(name));
  for (const { batchMean, batchVariance } of plan.statistics) saved.add(batchMean).add(batchVariance);
  const kept = [...saved].filter((name) => !given.has(name));
  const forwardNodes = plan.steps.flatMap(({ forward }) => forward);
  const backwardNodes = inOrderOfLeastMemory([...again, ...own], seeds.values());
  const write = (
    nodes: readonly OnnxNode[],
    constants: Iterable<OnnxTensor>,
    sources: readonly string[],
    ends: readonly string[],
  ) => written(plan.model, nodes, constants, sources, ends, shapes);
  const forward = write(
    forwardNodes,
    plan.constants.values(),
    [...inputs, ...weights],
    [...new Set([...outputs, ...kept])],
  );
  const constants = [...plan.constants.values(), ...graph.constants];
  return {
    forward,
    backward:
      results.length === 0
        ? null
        : write(backwardNodes, constants, [...inputs, ...weights, ...seeds.values(), ...kept], results),
    saved: kept,
    shapes,
    workingBytes:
      mostBytes(forwardNodes, shapes, new Set([...outputs, ...kept])) +
      mostBytes(backwardNodes, shapes, new Set(results)),
  };
}

/** Nodes that the results depend on. */
function needed(nodes: readonly OnnxNode[], results: readonly string[]): readonly OnnxNode[] {
  const wanted = new Set(results);
  return [...nodes]
    .reverse()
    .filter((node) => {
      if (!node.output.some((name) => wanted.has(name))) return false;
      for (const name of node.input) wanted.add(name);
      return true;
    })
    .reverse();
}

function written(
  model: OnnxModel,
  nodes: readonly OnnxNode[],
  constants: Iterable<OnnxTensor>,
  inputs: readonly string[],
  outputs: readonly string[],
  shapes: ReadonlyMap<string, readonly number[]>,
): OnnxModel {
  const read = new Set(nodes.flatMap(({ input }) => input));
  const made = new Set(nodes.flatMap(({ output }) => output));
  const info = (name: string) => valueInfo(name, shapes.get(name));
  // A graph cannot give out what it was given under the same name.
  const passed = outputs.filter((name) => !made.has(name));
  const graph = changed(model.graph as OnnxGraph, {
    node: [...nodes, ...passed.map((name) => makeNode('Identity', [name], [passedOn(name)]))],
    initializer: [...constants].filter(({ name }) => read.has(name) && !made.has(name)),
    input: inputs.filter((name) => read.has(name) || outputs.includes(name)).map(info),
    output: outputs.map((name) => (made.has(name) ? info(name) : valueInfo(passedOn(name), shapes.get(name)))),
    valueInfo: [],
    quantizationAnnotation: [],
    sparseInitializer: [],
  });
  const [standard] = model.opsetImport;
  const others = model.opsetImport.filter(({ domain }) => domain !== RUNTIME_OPERATORS);
  const opsetImport = [...others, changed(standard, { domain: RUNTIME_OPERATORS, version: 1n })];
  return changed(model, { graph, opsetImport });
}

export function passedOn(name: string): string {
  return `${name} passed on`;
}

/** The most bytes that values take at one time when each is let go after its last reader. */
function mostBytes(
  nodes: readonly OnnxNode[],
  shapes: ReadonlyMap<string, readonly number[]>,
  elsewhere: ReadonlySet<string>,
): number {
  const last = new Map<string, number>();
  const order = executionOrder(nodes);
  for (const [place, { input, output }] of order.entries()) {
    for (const name of [...output, ...input]) last.set(name, place);
  }
  const held = new Map<string, number>();
  let bytes = 0;
  let most = 0;
  for (const [place, { input, output }] of order.entries()) {
    for (const name of output) {
      if (name === '' || elsewhere.has(name)) continue;
      held.set(name, bytesOf(shapes.get(name) ?? []));
      bytes += held.get(name) ?? 0;
    }
    most = Math.max(most, bytes);
    for (const name of [...input, ...output]) {
      if (last.get(name) !== place) continue;
      bytes -= held.get(name) ?? 0;
      held.delete(name);
    }
  }
  return most;
}
