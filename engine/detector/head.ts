import { constantsOf, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor, valueStrides } from '../onnx';
import { DetectorUnsupported } from './errors';
import { inputSides } from './picture-input';

/** A convolution that ends the head. */
export interface HeadConvolution {
  /** Values it makes and reads: [n, channels, height, width]. */
  readonly output: string;
  readonly input: string;
  /** Names of its weights, as the node reads them: an `Identity` may stand between the name and the initializer. */
  readonly weight: string;
  readonly bias: string | null;
  /** Channels of its output. */
  readonly channels: number;
}

/** One grid of the head. */
export interface DetectHeadLevel {
  /** Input pixels that a cell spans. */
  readonly stride: number;
  /** Left, top, right, bottom distances from the cell's centre in strides: 4 * bins channels. */
  readonly boxes: HeadConvolution;
  /** One logit a class. */
  readonly classes: HeadConvolution;
  /** Bins each distance is spread over; 1: the channel is the distance. */
  readonly bins: number;
}

/** Where the network becomes boxes. */
export interface DetectHead {
  /** Finest first. */
  readonly levels: readonly DetectHeadLevel[];
  /** Values the head's branches start from, one a level in the same order. */
  readonly headInputs: readonly string[];
  /** Values the neck (all from the first enlarging on) reads from the backbone, in the order they are made. */
  readonly neckInputs: readonly string[];
}

/** Operators between the last convolutions and the decoding that only move numbers. */
const MOVES = new Set([
  'Reshape',
  'Transpose',
  'Concat',
  'Flatten',
  'Split',
  'Slice',
  'Identity',
  'Squeeze',
  'Unsqueeze',
]);
const DECODES = new Set(['Softmax', 'Sub', 'Add', 'Mul', 'Relu', 'Exp', 'Softplus', 'Clip']);
/** Finer resizing than this belongs to the picture, not to a neck. */
const LEAST_NECK_STRIDE = 4;

/**
 * Finds the convolutions that end the detect head by walking the graph from its first output back; names do not matter. Of
 * a network with two heads (YOLO26) it is the one that the output comes from.
 *
 * @throws {DetectorUnsupported} when the graph does not end in pairs of a box and a class convolution, one a grid
 */
export function detectHead(model: OnnxModel): DetectHead {
  const graph = model.graph as OnnxGraph;
  const walk = new Walk(graph, inputSides(model).name);
  const found = new Map<number, { boxes?: HeadConvolution; classes?: HeadConvolution }>();
  for (const { node, role, stride } of walk.lastConvolutions()) {
    if (role === 'other') continue;
    const level = found.get(stride) ?? {};
    if (level[role] !== undefined) throw unsupported(`two convolutions give ${role} at stride ${stride}`);
    found.set(stride, { ...level, [role]: walk.convolution(node) });
  }
  const levels = [...found].sort(([a], [b]) => a - b).map(([stride, level]) => levelOf(stride, level));
  if (levels.length === 0) throw unsupported('no convolution gives boxes and classes of a grid');
  const [{ bins, classes }] = levels;
  if (levels.some((level) => level.bins !== bins || level.classes.channels !== classes.channels)) {
    throw unsupported('its grids have different numbers of classes or bins');
  }
  const headInputs = levels.map((level) => walk.commonSource(level.boxes.input, level.classes.input));
  return { levels, headInputs, neckInputs: walk.neckInputs(headInputs) };
}

function levelOf(stride: number, level: { boxes?: HeadConvolution; classes?: HeadConvolution }): DetectHeadLevel {
  const { boxes, classes } = level;
  if (boxes === undefined || classes === undefined) {
    throw unsupported(`the grid of stride ${stride} has no convolution of its own for ${boxes ? 'classes' : 'boxes'}`);
  }
  const bins = boxes.channels / 4;
  if (!Number.isInteger(bins)) throw unsupported(`${boxes.channels} channels make no boxes`);
  return { stride, boxes, classes, bins };
}

function unsupported(problem: string): DetectorUnsupported {
  return new DetectorUnsupported(`its head is of another form than YOLOv8 and later have (${problem})`);
}

/**
 * A constant by the name a node reads it with, looked for through `Identity` nodes: exporters share equal weights so.
 *
 * @throws {DetectorUnsupported} when it is none
 */
export function weightOf(graph: OnnxGraph, name: string): OnnxTensor {
  const constants = constantsOf(graph);
  const makers = new Map(graph.node.map((node) => [node.output[0], node]));
  let at = name;
  for (let maker = makers.get(at); maker?.opType === 'Identity'; maker = makers.get(at)) [at] = maker.input;
  const tensor = constants.get(at);
  if (tensor === undefined) throw unsupported(`the weights ${name} of a last convolution are no constant`);
  return tensor;
}

type Role = 'boxes' | 'classes' | 'other';

interface LastConvolution {
  readonly node: OnnxNode;
  readonly role: Role;
  readonly stride: number;
}

/** A graph with its values' makers and readers. */
class Walk {
  private readonly makers: ReadonlyMap<string, OnnxNode>;
  private readonly readers = new Map<string, OnnxNode[]>();
  private readonly places: ReadonlyMap<string, number>;
  private readonly strides: ReadonlyMap<string, number>;
  /** Values that the picture has an influence on. */
  private readonly varying: ReadonlySet<string>;

  constructor(
    private readonly graph: OnnxGraph,
    picture: string,
  ) {
    this.makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
    for (const node of graph.node) {
      for (const name of node.input) this.readers.set(name, [...(this.readers.get(name) ?? []), node]);
    }
    this.places = new Map(graph.node.flatMap((node, place) => node.output.map((name) => [name, place] as const)));
    this.strides = valueStrides(graph, picture);
    const varying = new Set([picture]);
    for (const node of graph.node) {
      if (node.input.some((name) => varying.has(name))) for (const name of node.output) varying.add(name);
    }
    this.varying = varying;
  }

  /** The last convolutions on all ways back from the first output, and what each is for. */
  *lastConvolutions(): Generator<LastConvolution> {
    const seen = new Set<OnnxNode>();
    const open = this.graph.output.slice(0, 1).map((output) => output.name);
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const node = this.makers.get(name);
      if (node === undefined || seen.has(node) || !this.varying.has(name)) continue;
      seen.add(node);
      const stride = this.strides.get(node.output[0]);
      if (node.opType === 'Conv' && stride !== undefined) yield { node, role: this.roleOf(node), stride };
      else open.push(...node.input);
    }
  }

  convolution(node: OnnxNode): HeadConvolution {
    const [input, weight, bias = ''] = node.input;
    return {
      output: node.output[0],
      input,
      weight,
      bias: bias === '' ? null : bias,
      channels: Number(weightOf(this.graph, weight).dims[0]),
    };
  }

  /** The last value that both are computed from: where two branches part. */
  commonSource(a: string, b: string): string {
    const before = this.before(a);
    const shared = [...this.before(b)].filter((name) => before.has(name) && this.strides.has(name));
    const last = shared.sort((x, y) => this.placeOf(y) - this.placeOf(x))[0];
    if (last === undefined) throw unsupported('boxes and classes have nothing in common');
    return last;
  }

  /** What everything behind the first enlarging reads that is made before it; without one, the head's inputs. */
  neckInputs(headInputs: readonly string[]): readonly string[] {
    const behind = new Set<string>();
    for (const node of this.graph.node) {
      const stride = this.strides.get(node.input[0] ?? '') ?? 0;
      const enlarges = ['Resize', 'Upsample', 'ConvTranspose'].includes(node.opType) && stride >= LEAST_NECK_STRIDE;
      if (enlarges || node.input.some((name) => behind.has(name))) for (const name of node.output) behind.add(name);
    }
    const needed = new Set(headInputs.flatMap((name) => [...this.before(name)]));
    const reads = this.graph.node
      .filter((node) => node.output.some((name) => behind.has(name) && needed.has(name)))
      .flatMap((node) => node.input.filter((name) => this.varying.has(name) && !behind.has(name)));
    const direct = headInputs.filter((name) => !behind.has(name));
    return [...new Set([...reads, ...direct])].sort((a, b) => this.placeOf(a) - this.placeOf(b));
  }

  /**
   * By what is first done with its numbers: classes go through a sigmoid, boxes are decoded, mask coefficients are given
   * out as they are. Where boxes and classes are laid into one value first, boxes come first.
   */
  private roleOf(node: OnnxNode): Role {
    const first = new Set<string>();
    const seen = new Set<OnnxNode>();
    const open = [node.output[0]];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      for (const reader of this.readers.get(name) ?? []) {
        if (seen.has(reader)) continue;
        seen.add(reader);
        if (MOVES.has(reader.opType)) open.push(...reader.output);
        else first.add(reader.opType);
      }
    }
    const isClass = first.has('Sigmoid');
    const isBox = [...DECODES].some((operator) => first.has(operator));
    if (isClass && isBox) return this.joinedRole(node);
    if (isClass) return 'classes';
    return isBox ? 'boxes' : 'other';
  }

  private joinedRole(node: OnnxNode): Role {
    const join = (this.readers.get(node.output[0]) ?? []).find((reader) => reader.opType === 'Concat');
    const place = join?.input.indexOf(node.output[0]) ?? -1;
    if (join?.input.length !== 2) throw unsupported('boxes and classes come out of one convolution');
    return place === 0 ? 'boxes' : 'classes';
  }

  /** A value and all that the picture has an influence on and that it is computed from. */
  private before(value: string): Set<string> {
    const found = new Set<string>();
    const open = [value];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (found.has(name) || !this.varying.has(name)) continue;
      found.add(name);
      open.push(...(this.makers.get(name)?.input ?? []));
    }
    return found;
  }

  private placeOf(name: string): number {
    return this.places.get(name) ?? -1;
  }
}
