import { valueStrides } from './activations';
import { makeNode, valueInfo } from './builder';
import { readModel, writeModel } from './codec';
import { OnnxInvalid } from './errors';
import { constantsOf, feeds, integersOf, prune } from './graph';
import { changed, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor } from './model';
import { DataType, floatTensor, rawTensor, tensorValues } from './tensor';

/** Least and greatest number a value takes. */
export interface ValueRange {
  readonly least: number;
  readonly most: number;
}

export interface QuantisationWish {
  /**
   * Where 8-bit numbers may begin: at values of which a cell spans at least so many pixels of the picture. 1: with the
   * picture. The first layers of some networks (MobileNetV1) lose more than all others together.
   */
  readonly fromStride?: number;
}

/** The quantised value of a real number is `round(number / scale) + zeroPoint`, within 0..255. */
interface Steps {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Per-axis DequantizeLinear came with it. */
const LEAST_OPSET = 13;
/** Bias steps stay below this, so that sums of products still fit into 32 bits. */
const MOST_BIAS_STEPS = 2 ** 30;
const ACTIVATION_STEPS = 255;
/** Either way from 0. */
const WEIGHT_STEPS = 127;
/** 255 times so many steps fit into 16 bits, with two to spare for rounding. */
const PAIR_STEPS = 126;

const EVERYTHING: ValueRange = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

/** Operators ONNX Runtime computes in 8 bits when all they read and give is quantised. */
const CARRIERS = new Set(['Add', 'Concat', 'MaxPool', 'AveragePool', 'GlobalAveragePool']);
/** These give out values they read: their results have the same steps, which cut nothing off. */
const KEEPS_STEPS = new Set(['MaxPool']);

/** The opset from which each operator means what it means at 13; what is missing here changed at 13. */
const SAME_SINCE: Readonly<Record<string, number>> = {
  ...{ Conv: 1, Relu: 6, Add: 7, Sub: 7, Mul: 7, Div: 7, Sigmoid: 6, Concat: 4, Identity: 1, Constant: 1 },
  ...{ MaxPool: 8, AveragePool: 7, GlobalAveragePool: 1, Clip: 11, Pad: 11, Cast: 9, Reshape: 5, Transpose: 1 },
  ...{ BatchNormalization: 9, Flatten: 9, Gather: 11, Shape: 1, Slice: 11, Sqrt: 6, HardSigmoid: 6, LeakyRelu: 6 },
};

/**
 * Gives out the range of each value that `quantiseGraph` would round from stride 1 on, in place of the model's own
 * outputs: two numbers a value, so that nothing large is kept.
 *
 * @returns the graph, and for each value the names of its two outputs (float32, no dimensions)
 * @throws {OnnxInvalid} as `quantiseGraph`
 */
export function probeRanges(bytes: Uint8Array): {
  readonly bytes: Uint8Array;
  readonly values: ReadonlyMap<string, { readonly least: string; readonly most: string }>;
} {
  const { model, graph } = prepared(bytes);
  const values = new Map<string, { least: string; most: string }>();
  const nodes: OnnxNode[] = [];
  for (const value of planOf(graph, 1).values) {
    const names = { least: `${value}_least`, most: `${value}_most` };
    nodes.push(makeNode('ReduceMin', [value], [names.least], { keepdims: 0 }));
    nodes.push(makeNode('ReduceMax', [value], [names.most], { keepdims: 0 }));
    values.set(value, names);
  }
  const output = [...values.values()].flatMap(({ least, most }) => [valueInfo(least, []), valueInfo(most, [])]);
  const probed = prune(changed(graph, { node: [...graph.node, ...nodes], output }));
  return { bytes: writeModel(changed(model, { graph: probed })), values };
}

/**
 * Rounds convolutions to 8 bits: weights to int8, symmetric, one scale an output channel; values between layers to uint8 of
 * any zero point, one scale each; biases to int32. Written as pairs of QuantizeLinear and DequantizeLinear, which ONNX
 * Runtime fuses to integer arithmetic. Additions, concatenations and poolings between rounded values are rounded, too; what
 * stands elsewhere, and the outputs' type, stays float32. Zero is always exact, so that padding stays what it was.
 *
 * Processors without VNNI add two products with activations up in 16 bits: weights are scaled so that no two neighbours
 * overflow them, and the results are the same on every processor.
 *
 * @param bytes an ONNX model with its weights inside, constants folded as far as possible
 * @param ranges of the values that `probeRanges` names
 * @throws {OnnxInvalid} when there is no convolution to quantise, a range is missing or no number, or the model's operators
 *   are older than opset 13 and changed since
 */
export function quantiseGraph(
  bytes: Uint8Array,
  ranges: ReadonlyMap<string, ValueRange>,
  { fromStride = 1 }: QuantisationWish = {},
): Uint8Array {
  const { model, graph } = prepared(bytes);
  const plan = planOf(graph, fromStride);
  const writer = new Writer(graph, plan, ranges);
  return writeModel(changed(model, { graph: prune(writer.written()) }));
}

/** The steps that cover a range, and 0 exactly. */
function stepsOf({ least, most }: ValueRange): Steps {
  const [from, to] = [Math.min(least, 0), Math.max(most, 0)];
  if (!(Number.isFinite(from) && Number.isFinite(to))) throw new OnnxInvalid(`a value ranges from ${least} to ${most}`);
  const scale = Math.fround((to - from) / ACTIVATION_STEPS);
  if (!(scale > 0)) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: Math.min(ACTIVATION_STEPS, Math.max(0, Math.round(-from / scale))) };
}

/** What becomes 8 bits. */
interface Plan {
  /** Convolutions and carriers, by their first output. */
  readonly nodes: ReadonlySet<OnnxNode>;
  /** Every value that is rounded. */
  readonly values: ReadonlySet<string>;
  /** Result of a planned node, to the value behind the activations that the rounding swallows. */
  readonly ends: ReadonlyMap<string, string>;
  /** Activations that are swallowed, with what they cut off. */
  readonly swallowed: ReadonlyMap<OnnxNode, ValueRange>;
}

function planOf(graph: OnnxGraph, fromStride: number): Plan {
  const strides = new Map(feeds(graph).flatMap(({ name }) => [...valueStrides(graph, name)]));
  const constants = constantsOf(graph);
  const readers = readersOf(graph);
  const outputs = new Set(graph.output.map(({ name }) => name));
  const [nodes, values] = [new Set<OnnxNode>(), new Set<string>()];
  const swallowed = new Map<OnnxNode, ValueRange>();
  const ends = new Map<string, string>();

  const take = (node: OnnxNode) => {
    nodes.add(node);
    let end = node.output[0];
    while (!KEEPS_STEPS.has(node.opType)) {
      const next = readers.get(end) ?? [];
      const kept = outputs.has(end) || next.length !== 1 ? null : keptBy(next[0], constants);
      if (kept === null) break;
      swallowed.set(next[0], kept);
      end = next[0].output[0];
    }
    ends.set(node.output[0], end);
    values.add(end);
  };
  for (const node of graph.node) {
    if (node.domain !== '' && node.domain !== 'ai.onnx') continue;
    if (node.opType === 'Conv') {
      const weights = constants.get(node.input[1]);
      const bias = node.input[2] ? constants.get(node.input[2]) : undefined;
      if (weights?.dataType !== DataType.float || weights.dims.length !== 4) continue;
      if (node.input[2] && bias?.dataType !== DataType.float) continue;
      // ONNX Runtime rounds the weights of any convolution between rounded values itself, and worse: one scale for all
      if (!values.has(node.input[0]) && (strides.get(node.input[0]) ?? 0) < fromStride) continue;
      values.add(node.input[0]);
      take(node);
    } else if (CARRIERS.has(node.opType) && node.input.every((name) => values.has(name))) take(node);
  }
  return { nodes, values, ends, swallowed };
}

/** What a cutting activation lets through; null for one that does not let 0 through, or whose ends are not known. */
function keptBy(node: OnnxNode, constants: ReadonlyMap<string, OnnxTensor>): ValueRange | null {
  if (node.opType === 'Relu') return { least: 0, most: Number.POSITIVE_INFINITY };
  if (node.opType !== 'Clip') return null;
  const endOf = (name: string | undefined, open: number) => {
    if (!name) return open;
    const tensor = constants.get(name);
    return tensor?.dataType === DataType.float ? tensorValues(tensor)[0] : Number.NaN;
  };
  const least = endOf(node.input[1], Number.NEGATIVE_INFINITY);
  const most = endOf(node.input[2], Number.POSITIVE_INFINITY);
  return least <= 0 && most >= 0 ? { least, most } : null;
}

class Writer {
  private readonly constants: ReadonlyMap<string, OnnxTensor>;
  private readonly taken: ReadonlySet<string>;
  private readonly added: OnnxTensor[] = [];
  private readonly steps = new Map<string, Steps>();
  /** What swallowed activations let through, by the value behind them. */
  private readonly kept = new Map<string, ValueRange>();
  /** What readers in 8 bits read instead of a value, where its own name stays with the float one. */
  private readonly rounded = new Map<string, string>();

  constructor(
    private readonly graph: OnnxGraph,
    private readonly plan: Plan,
    private readonly ranges: ReadonlyMap<string, ValueRange>,
  ) {
    this.constants = constantsOf(graph);
    this.taken = new Set(
      [...graph.node.flatMap((node) => node.output), ...graph.input.map(({ name }) => name)].concat(
        graph.initializer.map(({ name }) => name),
      ),
    );
    for (const [{ input, output }, { least, most }] of plan.swallowed) {
      const before = this.kept.get(input[0]) ?? EVERYTHING;
      this.kept.set(output[0], { least: Math.max(least, before.least), most: Math.min(most, before.most) });
    }
    if (![...plan.nodes].some(({ opType }) => opType === 'Conv')) {
      throw new OnnxInvalid('it has no convolution that could compute with 8-bit numbers');
    }
  }

  written(): OnnxGraph {
    const { graph, plan } = this;
    const made = new Set([...plan.nodes].map(({ output }) => plan.ends.get(output[0]) as string));
    const node: OnnxNode[] = [];
    for (const { name } of graph.input) if (plan.values.has(name)) node.push(...this.roundedBeside(name));
    for (const candidate of graph.node) {
      if (plan.nodes.has(candidate)) node.push(...this.eightBits(candidate));
      else if (!plan.swallowed.has(candidate)) node.push(candidate);
      for (const name of candidate.output) {
        if (plan.values.has(name) && !made.has(name)) node.push(...this.roundedBeside(name));
      }
    }
    return changed(graph, { node, initializer: [...graph.initializer, ...this.added], valueInfo: [] });
  }

  /** A value that float operators make: they and other float operators keep it as it is. */
  private roundedBeside(name: string): OnnxNode[] {
    const result = this.fresh(`${name}_rounded`);
    this.rounded.set(name, result);
    return this.pair(name, result, this.stepsFor(name));
  }

  /** A planned node between rounded values; what it makes keeps its name, rounded. */
  private eightBits(node: OnnxNode): OnnxNode[] {
    const [output] = node.output;
    const end = this.plan.ends.get(output) as string;
    const before: OnnxNode[] = [];
    const input = node.input.map((name) => this.rounded.get(name) ?? name);
    if (node.opType === 'Conv') {
      const { scale } = this.stepsOfValue(node.input[0]);
      const { weights, bias } = this.weightsOf(node, scale, before);
      input.splice(1, 2, weights, ...(bias === null ? [] : [bias]));
    }
    const exact = this.fresh(`${end}_exact`);
    const steps = KEEPS_STEPS.has(node.opType) ? this.stepsOfValue(node.input[0]) : this.stepsFor(end);
    this.steps.set(end, steps);
    return [...before, changed(node, { input, output: [exact] }), ...this.pair(exact, end, steps)];
  }

  private weightsOf(
    node: OnnxNode,
    scaleBefore: number,
    before: OnnxNode[],
  ): { readonly weights: string; readonly bias: string | null } {
    const stem = node.output[0];
    const weights = this.constants.get(node.input[1]) as OnnxTensor;
    const bias = node.input[2] ? tensorValues(this.constants.get(node.input[2]) as OnnxTensor) : null;
    const { steps, scales } = channelSteps(tensorValues(weights), weights.dims.map(Number), (channel) =>
      bias === null ? 0 : Math.abs(bias[channel]) / (scaleBefore * MOST_BIAS_STEPS),
    );
    const dims = weights.dims.map(Number);
    const named = (name: string, tensor: (name: string) => OnnxTensor) => {
      const fresh = this.fresh(name);
      this.added.push(tensor(fresh));
      return fresh;
    };
    const dequantised = (values: string, scale: string) => {
      const result = this.fresh(`${values}_real`);
      before.push(makeNode('DequantizeLinear', [values, scale], [result], { axis: 0 }));
      return result;
    };
    const count = scales.length;
    const weightScales = named(`${stem}_weight_scales`, (name) => floatTensor(name, [count], scales));
    const weightValues = named(`${stem}_weights`, (name) => rawTensor(name, dims, DataType.int8, steps));
    const result = dequantised(weightValues, weightScales);
    if (bias === null) return { weights: result, bias: null };
    const biasScale = scales.map((scale) => scale * scaleBefore);
    const biasSteps = Int32Array.from(bias, (value, channel) => Math.round(value / biasScale[channel]));
    const biasScales = named(`${stem}_bias_scales`, (name) => floatTensor(name, [count], biasScale));
    const biasValues = named(`${stem}_bias`, (name) => rawTensor(name, [count], DataType.int32, biasSteps));
    return { weights: result, bias: dequantised(biasValues, biasScales) };
  }

  private pair(from: string, to: string, { scale, zeroPoint }: Steps): OnnxNode[] {
    const names = {
      scale: this.fresh(`${to}_scale`),
      zero: this.fresh(`${to}_zero`),
      steps: this.fresh(`${to}_steps`),
    };
    this.added.push(floatTensor(names.scale, [], Float32Array.of(scale)));
    this.added.push(rawTensor(names.zero, [], DataType.uint8, Uint8Array.of(zeroPoint)));
    return [
      makeNode('QuantizeLinear', [from, names.scale, names.zero], [names.steps]),
      makeNode('DequantizeLinear', [names.steps, names.scale, names.zero], [to]),
    ];
  }

  private stepsFor(value: string): Steps {
    const range = this.ranges.get(value);
    if (range === undefined) throw new OnnxInvalid(`the range of its value ${value} is missing`);
    const kept = this.kept.get(value) ?? EVERYTHING;
    const steps = stepsOf({ least: Math.max(range.least, kept.least), most: Math.min(range.most, kept.most) });
    this.steps.set(value, steps);
    return steps;
  }

  private stepsOfValue(value: string): Steps {
    return this.steps.get(value) ?? this.stepsFor(value);
  }

  private fresh(name: string): string {
    if (this.taken.has(name)) throw new OnnxInvalid(`it calls another value ${name}; rename that`);
    return name;
  }
}

/**
 * Weights in whole steps, one scale an output channel.
 *
 * @param dims [output channels, input channels of a group, rows, columns]
 * @param least a scale that a channel must not go below
 */
function channelSteps(
  values: Float64Array,
  [channels, ...inside]: readonly number[],
  least: (channel: number) => number,
): { readonly steps: Int8Array; readonly scales: Float32Array } {
  const size = values.length / channels;
  const scales = Float32Array.from({ length: channels }, (_, channel) => {
    const own = values.subarray(channel * size, (channel + 1) * size);
    const greatest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // an odd number of channels lets pairs reach from one place of the kernel to the next
    const isOdd = inside[0] % 2 === 1 && inside[0] < size;
    const pair = isOdd ? 2 * greatest : Math.max(greatestPair(own, 1), greatestPair(own, inside[1] * inside[2]));
    return Math.max(greatest / WEIGHT_STEPS, pair / PAIR_STEPS, least(channel)) || 1;
  });
  const steps = Int8Array.from(values, (value, place) => Math.round(value / scales[Math.floor(place / size)]));
  return { steps, scales };
}

/** Greatest sum of two neighbours of one sign, as kernels take them: `stride` 1 along a row, or from channel to channel. */
function greatestPair(values: Float64Array, stride: number): number {
  let most = 0;
  for (let place = 0; place + stride < values.length; place += 1) {
    most = Math.max(most, Math.abs(values[place] + values[place + stride]));
  }
  return most;
}

/** The graph with its padding in the convolutions, at an opset that has scales by channel. */
function prepared(bytes: Uint8Array): { readonly model: OnnxModel; readonly graph: OnnxGraph } {
  const model = withOpset(readModel(bytes));
  return { model, graph: withPadsInside(model.graph as OnnxGraph) };
}

function withOpset(model: OnnxModel): OnnxModel {
  const nodes = (model.graph as OnnxGraph).node;
  const used = new Set(nodes.map(({ domain }) => (domain === 'ai.onnx' ? '' : domain)));
  const imports = model.opsetImport.filter(({ domain }) => used.has(domain === 'ai.onnx' ? '' : domain));
  const standard = imports.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  const version = Number(standard?.version ?? 0);
  if (standard === undefined || version >= LEAST_OPSET) return changed(model, { opsetImport: imports });
  const changedSince = nodes.find(({ opType }) => (SAME_SINCE[opType] ?? LEAST_OPSET) > version);
  if (changedSince) {
    throw new OnnxInvalid(
      `its operators are of opset ${version}, and ${changedSince.opType} changed until ${LEAST_OPSET}; export it with opset ${LEAST_OPSET} or newer`,
    );
  }
  const opsetImport = imports.map((one) => (one === standard ? changed(one, { version: BigInt(LEAST_OPSET) }) : one));
  return changed(model, { opsetImport });
}

/** Padding with zeros in front of convolutions becomes part of them. */
function withPadsInside(graph: OnnxGraph): OnnxGraph {
  const constants = constantsOf(graph);
  const pads = new Map<string, { readonly from: string; readonly sides: readonly number[] }>();
  for (const node of graph.node) {
    const sides = node.opType === 'Pad' ? zeroPadding(node, constants) : null;
    if (sides) pads.set(node.output[0], { from: node.input[0], sides });
  }
  if (pads.size === 0) return graph;
  const node = graph.node.map((reader) => {
    const pad = pads.get(reader.input[0]);
    const stated = reader.attribute.find(({ name }) => name === 'auto_pad');
    const isPlain = stated === undefined || ['', 'NOTSET', 'VALID'].includes(new TextDecoder().decode(stated.s));
    if (pad === undefined || reader.opType !== 'Conv' || !isPlain) return reader;
    const own = integersOf(reader, 'pads');
    const sides = pad.sides.map((side, place) => side + (own[place] ?? 0));
    const others = reader.attribute.filter(({ name }) => name !== 'pads' && name !== 'auto_pad');
    const [attribute] = makeNode('Conv', [], [reader.output[0]], { pads: sides }).attribute;
    return changed(reader, { input: reader.input.with(0, pad.from), attribute: [...others, attribute] });
  });
  return prune(changed(graph, { node }));
}

/** Top, left, bottom and right; null when it pads anything else, or with something else. */
function zeroPadding(node: OnnxNode, constants: ReadonlyMap<string, OnnxTensor>): readonly number[] | null {
  const mode = node.attribute.find(({ name }) => name === 'mode');
  if (mode && !['', 'constant'].includes(new TextDecoder().decode(mode.s))) return null;
  const [, amounts, value, axes] = node.input;
  const sizes = constants.get(amounts ?? '');
  if (sizes?.dataType !== DataType.int64 || axes) return null;
  if (value && (constants.get(value) === undefined || tensorValues(constants.get(value) as OnnxTensor)[0] !== 0))
    return null;
  const around = [...tensorValues(sizes)];
  if (around.length !== 8 || around.some((side, place) => side < 0 || (place % 4 < 2 && side !== 0))) return null;
  return [around[2], around[3], around[6], around[7]];
}

function readersOf(graph: OnnxGraph): Map<string, OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of graph.node) {
    for (const name of node.input) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  return readers;
}
