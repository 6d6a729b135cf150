import { OnnxInvalid } from './errors';
import type { OnnxGraph, OnnxNode, OnnxTensor } from './model';
import { elementBytes, isExternal, product } from './tensor';

const MAXIMUM_NODES = 20_000;
const MAXIMUM_TENSORS = 50_000;
const MAXIMUM_RANK = 16;

/**
 * Looks at a graph from an unknown source before it is edited: sizes, weights within the file, one maker for each value,
 * and every value made before it is read.
 *
 * @throws {OnnxInvalid} naming the first thing wrong
 */
export function checkGraph(graph: OnnxGraph): void {
  refuseMoreThan(MAXIMUM_NODES, graph.node.length, 'nodes');
  refuseMoreThan(MAXIMUM_TENSORS, graph.initializer.length, 'weight tensors');
  for (const tensor of graph.initializer) checkTensor(tensor);
  for (const node of graph.node) {
    for (const { t } of node.attribute) if (t) checkTensor(t);
  }
  checkNames(graph);
}

function refuseMoreThan(most: number, count: number, what: string): void {
  if (count > most) throw new OnnxInvalid(`it has ${count} ${what}, at most ${most} are taken`);
}

function checkTensor(tensor: OnnxTensor): void {
  const name = tensor.name || 'a constant';
  if (isExternal(tensor)) throw new OnnxInvalid(`its weights lie in other files (${name}); save it as one file`);
  const dims = tensor.dims.map(Number);
  if (dims.length > MAXIMUM_RANK) throw new OnnxInvalid(`${name} has ${dims.length} dimensions`);
  const size = product(dims);
  if (dims.some((dim) => dim < 0) || !Number.isSafeInteger(size))
    throw new OnnxInvalid(`${name} has the shape [${dims}]`);
  const bytes = elementBytes(tensor.dataType);
  if (bytes === undefined) return;
  if (tensor.rawData.length > 0) {
    if (tensor.rawData.length !== size * bytes) {
      throw new OnnxInvalid(`${name} has ${tensor.rawData.length} bytes, its shape [${dims}] needs ${size * bytes}`);
    }
    return;
  }
  const { floatData, int32Data, int64Data, doubleData, uint64Data } = tensor;
  const listed = Math.max(...[floatData, int32Data, int64Data, doubleData, uint64Data].map((list) => list.length));
  if (listed !== size) throw new OnnxInvalid(`${name} has ${listed} values, its shape [${dims}] needs ${size}`);
}

function checkNames(graph: OnnxGraph): void {
  const known = new Set<string>();
  const add = (name: string, what: string) => {
    if (name === '') return;
    if (known.has(name)) throw new OnnxInvalid(`${what} ${name} is there twice`);
    known.add(name);
  };
  for (const tensor of graph.initializer) add(tensor.name, 'the weight tensor');
  for (const { values } of graph.sparseInitializer) add(values?.name ?? '', 'the weight tensor');
  const constants = new Set(known);
  for (const { name } of graph.input) if (!constants.has(name)) add(name, 'the input');
  const later = new Set(graph.node.flatMap((node) => node.output));
  for (const node of graph.node) {
    for (const name of node.input) if (name !== '' && !known.has(name)) throw missing(node, name, later.has(name));
    for (const name of node.output) add(name, 'the value');
  }
  for (const { name } of graph.output) if (!known.has(name)) throw new OnnxInvalid(`nothing makes its output ${name}`);
}

function missing(node: OnnxNode, name: string, madeLater: boolean): OnnxInvalid {
  const reader = `its node ${node.name || node.opType} reads ${name}`;
  return new OnnxInvalid(
    madeLater
      ? `${reader} before it is made: the nodes are out of order or form a circle`
      : `${reader}, which nothing makes`,
  );
}
