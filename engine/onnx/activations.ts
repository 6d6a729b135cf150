import { constantShapes, integerOf, integersOf } from './graph';
import type { OnnxGraph, OnnxNode } from './model';
import { product } from './tensor';

/** A nonlinear step and the value it was applied to. */
export interface Activation {
  readonly after: string;
  readonly before: string;
}

const ACTIVATIONS = new Set([
  'Relu',
  'Clip',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Celu',
  'Selu',
  'ThresholdedRelu',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Swish',
  'Mish',
  'Softplus',
  'Softsign',
  'Tanh',
  'Erf',
  'Gelu',
]);

const STRIDED = new Set(['Conv', 'ConvInteger', 'QLinearConv', 'MaxPool', 'AveragePool', 'LpPool']);
const ARITHMETIC = new Set(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max']);

/** Operators that keep the layout [batch, channels, height, width]: cells stay where they are. */
const SPATIAL = new Set([
  ...ACTIVATIONS,
  ...STRIDED,
  ...ARITHMETIC,
  ...['Sum', 'Mean', 'Abs', 'Neg', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Floor', 'Ceil', 'Round', 'Sign', 'Where'],
  ...['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LRN', 'LpNormalization'],
  ...['Identity', 'Cast', 'Dropout', 'Pad', 'QuantizeLinear', 'DequantizeLinear'],
]);

/**
 * How many input pixels one cell of each value spans, followed through the strides of convolutions and poolings. Values
 * without a picture-like layout, and those behind operators not known here, are missing.
 *
 * @param input name of the picture input
 * @param side the picture's larger side where the model fixes it: a pooling over all of it is the end of the layout
 */
export function valueStrides(graph: OnnxGraph, input: string, side = Number.POSITIVE_INFINITY): Map<string, number> {
  const strides = new Map([[input, 1]]);
  for (const node of graph.node) {
    const known = node.input.map((name) => strides.get(name)).filter((stride) => stride !== undefined);
    if (known.length === 0 || !keepsLayout(node)) continue;
    const before = Math.max(...known);
    const pooled = node.opType.endsWith('Pool') ? Math.max(...integersOf(node, 'kernel_shape'), 1) : 1;
    if (pooled * before >= side) continue;
    const stride = before * (STRIDED.has(node.opType) ? Math.max(1, ...integersOf(node, 'strides')) : 1);
    for (const output of node.output) strides.set(output, stride);
  }
  return strides;
}

/** How many channels each value of a picture-like layout has, as far as the weights tell. */
export function valueChannels(graph: OnnxGraph, strides: ReadonlyMap<string, number>): Map<string, number> {
  const constants = constantShapes(graph);
  const channels = new Map<string, number>();
  for (const node of graph.node) {
    const [output] = node.output;
    if (!strides.has(output) || node.opType === 'Split') continue;
    const known = node.input.map((name) => channels.get(name)).filter((count) => count !== undefined);
    const weights = node.opType === 'Conv' ? constants.get(node.input[1]) : undefined;
    if (weights) channels.set(output, weights[0]);
    else if (node.opType === 'Concat') {
      if (known.length === node.input.length)
        channels.set(
          output,
          known.reduce((sum, count) => sum + count, 0),
        );
    } else if (known.length > 0) channels.set(output, Math.max(...known));
  }
  return channels;
}

/**
 * The last activation at each stride through which all that follows is computed: the end of a stage, not one within the
 * next stage's first block, which its shortcut passes by. Where there is none, the last of all. A gate
 * (`x * sigmoid(x)` and the like) counts as one activation of x, and so does a constant factor behind an activation. A
 * channel weight (squeeze-excite) is no activation.
 *
 * @returns stride to activation
 */
export function lastActivations(graph: OnnxGraph, strides: ReadonlyMap<string, number>): Map<number, Activation> {
  const chains = new Chains(graph);
  const necks = neckValues(graph, strides);
  const result = new Map<number, Activation>();
  for (const node of graph.node) {
    const stride = strides.get(node.output[0] ?? '');
    const activation = stride === undefined ? null : chains.activationAt(node, strides);
    if (stride === undefined || activation === null) continue;
    const known = result.get(stride);
    if (known === undefined || necks.has(activation.after) || !necks.has(known.after)) result.set(stride, activation);
  }
  return result;
}

/** Values that alone are still to be read when they are made: everything behind is computed from them. */
function neckValues(graph: OnnxGraph, strides: ReadonlyMap<string, number>): Set<string> {
  const lastRead = new Map<string, number>();
  for (const [place, node] of graph.node.entries()) for (const name of node.input) lastRead.set(name, place);
  for (const { name } of graph.output) lastRead.set(name, graph.node.length);
  const isPicture = (name: string) => strides.has(name) && lastRead.has(name);
  const open = new Set(graph.input.map(({ name }) => name).filter(isPicture));
  const result = new Set<string>();
  for (const [place, node] of graph.node.entries()) {
    for (const name of node.output.filter(isPicture)) open.add(name);
    for (const name of node.input) if (lastRead.get(name) === place) open.delete(name);
    const [only] = open;
    if (open.size === 1 && node.output.includes(only)) result.add(only);
  }
  return result;
}

/** The activation that makes a value, looked for through identities and constant factors; null when there is none. */
export function activationOf(graph: OnnxGraph, value: string, strides: ReadonlyMap<string, number>): Activation | null {
  const chains = new Chains(graph);
  let name = value;
  for (let steps = 0; steps < LONGEST_CHAIN; steps += 1) {
    const node = chains.makers.get(name);
    if (node === undefined) return null;
    const activation = chains.activationAt(node, strides);
    if (activation) return { after: value, before: activation.before };
    const from = node.opType === 'Identity' ? node.input[0] : chains.scaledFrom(node);
    if (from === undefined) return null;
    name = from;
  }
  return null;
}

const LONGEST_CHAIN = 8;

interface Link {
  readonly value: string;
  /** Whether an activation lies between this value and the end of the chain. */
  readonly active: boolean;
}

/** Follows values back through steps that have one input and constants. */
class Chains {
  readonly makers: ReadonlyMap<string, OnnxNode>;
  private readonly readers = new Map<string, OnnxNode[]>();
  private readonly outputs: ReadonlySet<string>;
  private readonly constants: ReadonlyMap<string, readonly number[]>;

  constructor(graph: OnnxGraph) {
    this.makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
    for (const node of graph.node) {
      for (const name of node.input) this.readers.set(name, [...(this.readers.get(name) ?? []), node]);
    }
    this.outputs = new Set(graph.output.map((output) => output.name));
    this.constants = constantShapes(graph);
  }

  activationAt(node: OnnxNode, strides: ReadonlyMap<string, number>): Activation | null {
    const before = this.activatedBy(node, strides);
    return before === null ? null : { after: this.throughFactor(node.output[0]), before };
  }

  /** The value behind a multiplication with, or division by, one constant number. */
  scaledFrom(node: OnnxNode): string | undefined {
    if (node.opType !== 'Mul' && node.opType !== 'Div') return undefined;
    const [first, second] = node.input;
    if (this.isNumber(second)) return first;
    return node.opType === 'Mul' && this.isNumber(first) ? second : undefined;
  }

  private activatedBy(node: OnnxNode, strides: ReadonlyMap<string, number>): string | null {
    const step = this.step(node);
    if (step?.active) return this.beforeActivations(step.value);
    if (node.opType !== 'Mul' || node.input.length !== 2) return null;
    const [first, second] = node.input;
    const stride = strides.get(first);
    if (stride === undefined || stride !== strides.get(second)) return null;
    const others = new Map(this.chain(second).map((link) => [link.value, link.active]));
    const shared = this.chain(first).find(({ value, active }) => {
      const other = others.get(value);
      return other !== undefined && (other || active);
    });
    return shared?.value ?? null;
  }

  /** Activations in a row (`Relu`, then `Clip`) count as one. */
  private beforeActivations(value: string): string {
    const node = this.makers.get(value);
    const step = node && this.step(node);
    return step?.active ? this.beforeActivations(step.value) : value;
  }

  /** The factor of a gate written in several steps, as long as nothing else reads what lies between. */
  private throughFactor(value: string): string {
    const readers = this.readers.get(value) ?? [];
    if (readers.length !== 1 || this.outputs.has(value)) return value;
    return this.scaledFrom(readers[0]) === value ? readers[0].output[0] : value;
  }

  private chain(end: string): readonly Link[] {
    const links: Link[] = [{ value: end, active: false }];
    while (links.length < LONGEST_CHAIN) {
      const last = links[links.length - 1];
      const node = this.makers.get(last.value);
      const step = node && this.step(node);
      if (!step) break;
      links.push({ value: step.value, active: last.active || step.active });
    }
    return links;
  }

  private step(node: OnnxNode): Link | null {
    const [first] = node.input;
    if (ACTIVATIONS.has(node.opType)) return { value: first, active: true };
    if (node.opType === 'Identity' || node.opType === 'Neg') return { value: first, active: false };
    if (!ARITHMETIC.has(node.opType)) return null;
    const varying = node.input.filter((name) => !this.constants.has(name));
    const active = node.opType === 'Min' || node.opType === 'Max';
    return varying.length === 1 ? { value: varying[0], active } : null;
  }

  private isNumber(name: string): boolean {
    const constant = this.constants.get(name);
    return constant !== undefined && product(constant) === 1;
  }
}

function keepsLayout(node: OnnxNode): boolean {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return false;
  if (node.opType === 'Concat' || node.opType === 'Split') return integerOf(node, 'axis', 0) === 1;
  return SPATIAL.has(node.opType);
}
