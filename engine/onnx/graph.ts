import { makeNode, valueInfo } from './builder';
import { changed, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from './model';

/** The model's `metadata_props` as a plain object. */
export function metadataProps(model: OnnxModel): Record<string, string> {
  return Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
}

/** Inputs that a caller must feed: those that are no constants. */
export function feeds(graph: OnnxGraph): readonly OnnxValueInfo[] {
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  return graph.input.filter((input) => !constants.has(input.name));
}

/** The constants of a graph by name: weights, and the results of `Constant` nodes that hold a tensor. */
export function constantsOf(graph: OnnxGraph): Map<string, OnnxTensor> {
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const node of graph.node) {
    if (node.opType !== 'Constant') continue;
    const tensor = node.attribute.find(({ name }) => name === 'value')?.t;
    if (tensor) constants.set(node.output[0], tensor);
  }
  return constants;
}

/** The shapes of all constants by name, those that are only cast, or held by a `Constant` node as numbers, included. */
export function constantShapes(graph: OnnxGraph): Map<string, readonly number[]> {
  const shapes = new Map([...constantsOf(graph)].map(([name, { dims }]) => [name, dims.map(Number)]));
  for (const node of graph.node) {
    const from = KEEPS_SHAPE.has(node.opType) ? shapes.get(node.input[0]) : undefined;
    if (from) shapes.set(node.output[0], from);
    else if (node.opType === 'Constant' && !shapes.has(node.output[0])) {
      const listed = node.attribute.map(({ floats, ints }) => floats.length + ints.length).find((count) => count > 0);
      shapes.set(node.output[0], listed === undefined ? [] : [listed]);
    }
  }
  return shapes;
}

const KEEPS_SHAPE = new Set(['Cast', 'Identity', 'DequantizeLinear', 'Neg']);

/** The integers of a node's attribute; empty when it has none. */
export function integersOf(node: OnnxNode, attribute: string): readonly number[] {
  return (node.attribute.find(({ name }) => name === attribute)?.ints ?? []).map(Number);
}

/** An integer attribute of a node. */
export function integerOf(node: OnnxNode, attribute: string, fallback: number): number {
  const found = node.attribute.find(({ name }) => name === attribute);
  return found === undefined ? fallback : Number(found.i);
}

/** Gives values out under new names, in place of all outputs there were, and drops what nothing needs any more. */
export function withOutputs(graph: OnnxGraph, outputs: Readonly<Record<string, string>>): OnnxGraph {
  const given = Object.entries(outputs).filter(([name, value]) => name !== value);
  const identities = given.map(([name, value]) => makeNode('Identity', [value], [name]));
  const output = Object.keys(outputs).map((name) => valueInfo(name));
  return prune(changed(graph, { node: [...graph.node, ...identities], output }));
}

/** Drops nodes, constants and shape notes that no output depends on. */
export function prune(graph: OnnxGraph): OnnxGraph {
  const needed = new Set(graph.output.map((output) => output.name));
  const node = [...graph.node]
    .reverse()
    .filter((candidate) => {
      if (!candidate.output.some((name) => needed.has(name))) return false;
      for (const name of usedBy(candidate)) needed.add(name);
      return true;
    })
    .reverse();
  const isNeeded = ({ name }: { readonly name: string }) => needed.has(name);
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  return changed(graph, {
    node,
    initializer: graph.initializer.filter(isNeeded),
    sparseInitializer: graph.sparseInitializer.filter(({ values }) => values && isNeeded(values)),
    input: graph.input.filter((input) => isNeeded(input) || !constants.has(input.name)),
    valueInfo: graph.valueInfo.filter(isNeeded),
    quantizationAnnotation: graph.quantizationAnnotation.filter(({ tensorName }) => needed.has(tensorName)),
  });
}

/** Names a node reads, those that its inner graphs read from outside included. */
function usedBy(node: OnnxNode): string[] {
  const inner = node.attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...graphs]);
  return [
    ...node.input,
    ...inner.flatMap((graph) => [...graph.node.flatMap(usedBy), ...graph.output.map((output) => output.name)]),
  ];
}
