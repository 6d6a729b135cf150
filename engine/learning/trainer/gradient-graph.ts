import { changed, floatTensor, int64Tensor, makeNode, type OnnxNode, type OnnxTensor } from '../../onnx';
import { sizeOf } from './tensor';

type Dims = readonly number[];
type Attributes = Parameters<typeof makeNode>[3];

/** Between the last bound that can be told apart and none: "from the end to the beginning, all of it". */
const BEFORE_ALL = -(2 ** 31);

/** Puts a graph of fixed shapes together, operator by operator, and knows the shape of each of its values. */
export class GradientGraph {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxTensor[] = [];
  private readonly known = new Map<string, string>();
  private readonly shapes: Map<string, Dims>;
  private values = 0;

  /**
   * @param opset version of the standard operators, 11 or later
   * @param shapes of the values made elsewhere
   * @param prefix of the names of values made here
   */
  constructor(
    readonly opset: number,
    shapes: ReadonlyMap<string, Dims>,
    private readonly prefix: string,
  ) {
    this.shapes = new Map(shapes);
  }

  dims(value: string): Dims {
    const dims = this.shapes.get(value);
    if (dims === undefined) throw new RangeError(`the shape of ${value} is not known`);
    return dims;
  }

  /** An operator with one result of the shape `dims`. */
  node(opType: string, inputs: readonly string[], dims: Dims, attributes: Attributes = {}): string {
    return this.several(opType, inputs, [dims], attributes)[0];
  }

  several(
    opType: string,
    inputs: readonly string[],
    dims: readonly Dims[],
    attributes: Attributes = {},
  ): readonly string[] {
    const outputs = dims.map((shape) => this.newValue(shape));
    this.nodes.push(makeNode(opType, inputs, outputs, attributes));
    return outputs;
  }

  integers(values: readonly number[]): string {
    return this.constant(`i${values}`, [values.length], (name) => int64Tensor(name, [values.length], values));
  }

  scalar(value: number): string {
    return this.constant(`f${value}`, [], (name) => floatTensor(name, [], Float32Array.of(value)));
  }

  floats(dims: Dims, values: Float32Array): string {
    const name = this.newValue(dims);
    this.constants.push(floatTensor(name, dims, values));
    return name;
  }

  add(a: string, b: string): string {
    return this.broadcast('Add', a, b);
  }

  subtract(a: string, b: string): string {
    return this.broadcast('Sub', a, b);
  }

  multiply(a: string, b: string): string {
    return this.broadcast('Mul', a, b);
  }

  divide(a: string, b: string): string {
    return this.broadcast('Div', a, b);
  }

  /** An operator that works on each number alone. */
  each(opType: string, value: string, attributes: Attributes = {}): string {
    return this.node(opType, [value], this.dims(value), attributes);
  }

  /** 1 where the two values are equal or as `comparison` says, else 0. */
  mask(comparison: 'Equal' | 'Greater' | 'Less', a: string, b: string): string {
    return this.node('Cast', [this.broadcast(comparison, a, b)], broadcastOf(this.dims(a), this.dims(b)), { to: 1 });
  }

  reshape(value: string, dims: Dims): string {
    if (same(dims, this.dims(value))) return value;
    return this.node('Reshape', [value, this.integers(dims)], dims);
  }

  transpose(value: string, perm: readonly number[]): string {
    const from = this.dims(value);
    // Moving axes of length 1 moves no number.
    const moved = perm.filter((axis) => from[axis] !== 1);
    const dims = perm.map((axis) => from[axis]);
    if (moved.every((axis, place) => place === 0 || moved[place - 1] < axis)) return this.reshape(value, dims);
    return this.node('Transpose', [value], dims, { perm });
  }

  /** Sums over axes; they stay with length 1. */
  sum(value: string, axes: readonly number[]): string {
    return this.reduced('ReduceSum', value, axes, 13);
  }

  /** Means over axes; they stay with length 1. */
  mean(value: string, axes: readonly number[]): string {
    return this.reduced('ReduceMean', value, axes, 18);
  }

  /** Sums a value over the axes along which a value of the shape `dims` was repeated to get its shape. */
  sumTo(value: string, dims: Dims): string {
    const from = this.dims(value);
    const extra = from.length - dims.length;
    const axes = from.flatMap((dim, axis) => (axis < extra || (dims[axis - extra] === 1 && dim !== 1) ? [axis] : []));
    return this.reshape(this.sum(value, axes), dims);
  }

  /** Every `step`-th of `counts` cells of some axes, from `starts` on. */
  window(
    value: string,
    axes: readonly number[],
    starts: readonly number[],
    counts: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): string {
    const from = this.dims(value);
    const dims = from.map((dim, axis) => (axes.includes(axis) ? counts[axes.indexOf(axis)] : dim));
    if (same(dims, from)) return value;
    const ends = starts.map((start, place) => start + (counts[place] - 1) * steps[place] + 1);
    const inputs = [value, ...[starts, ends, axes].map((list) => this.integers(list))];
    return this.node('Slice', steps.every((step) => step === 1) ? inputs : [...inputs, this.integers(steps)], dims);
  }

  /** The numbers of the last axis in reverse. */
  reversed(value: string): string {
    const dims = this.dims(value);
    const bounds = [[-1], [BEFORE_ALL], [dims.length - 1], [-1]].map((list) => this.integers(list));
    return dims[dims.length - 1] === 1 ? value : this.node('Slice', [value, ...bounds], dims);
  }

  /** Adds cells before and after; negative counts take cells away. */
  pad(value: string, before: readonly number[], after: readonly number[], filler = 0): string {
    if ([...before, ...after].every((count) => count === 0)) return value;
    const dims = this.dims(value).map((dim, axis) => before[axis] + dim + after[axis]);
    const inputs = [value, this.integers([...before, ...after])];
    return this.node('Pad', filler === 0 ? inputs : [...inputs, this.scalar(filler)], dims);
  }

  /**
   * Matrix product of the last two axes; those before are equal, or absent in one of the two. Turning a factor within the
   * product saves a copy of it: the runtime's own operator does, the standard one does not.
   */
  product(a: string, b: string, { turnA = false, turnB = false } = {}): string {
    const sides = (value: string, turned: boolean) => {
      const dims = this.dims(value);
      const last = dims.slice(-2);
      return { batch: dims.slice(0, -2), sides: turned ? [last[1], last[0]] : last };
    };
    const [left, right] = [sides(a, turnA), sides(b, turnB)];
    const dims = [...broadcastOf(left.batch, right.batch), left.sides[0], right.sides[1]];
    const result = this.newValue(dims);
    const attributes = { transA: turnA ? 1 : 0, transB: turnB ? 1 : 0 };
    const node = makeNode('FusedMatMul', [a, b], [result], attributes);
    this.nodes.push(changed(node, { domain: RUNTIME_OPERATORS }));
    return result;
  }

  /** A value made elsewhere. */
  declare(value: string, dims: Dims): void {
    this.shapes.set(value, dims);
  }

  /** Gives the result of the last operator another name. */
  rename(value: string, name: string): void {
    const last = this.nodes.length - 1;
    this.shapes.set(name, this.dims(value));
    this.nodes[last] = changed(this.nodes[last], { output: [name] });
  }

  zeros(dims: Dims): string {
    return this.node('Expand', [this.scalar(0), this.integers(dims)], dims);
  }

  /** @param since the version from which the axes are an input */
  private reduced(opType: string, value: string, axes: readonly number[], since: number): string {
    const dims = this.dims(value).map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    if (same(dims, this.dims(value))) return value;
    return this.opset < since
      ? this.node(opType, [value], dims, { axes, keepdims: 1 })
      : this.node(opType, [value, this.integers(axes)], dims, { keepdims: 1 });
  }

  private broadcast(opType: string, a: string, b: string): string {
    return this.node(opType, [a, b], broadcastOf(this.dims(a), this.dims(b)));
  }

  private constant(key: string, dims: Dims, make: (name: string) => OnnxTensor): string {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const name = this.newValue(dims);
    this.constants.push(make(name));
    this.known.set(key, name);
    return name;
  }

  private newValue(dims: Dims): string {
    this.values += 1;
    const name = `${this.prefix}${this.values}`;
    this.shapes.set(name, dims);
    return name;
  }
}

/** The domain of operators that ONNX Runtime has beyond the standard. */
export const RUNTIME_OPERATORS = 'com.microsoft';

export function same(a: Dims, b: Dims): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

function broadcastOf(a: Dims, b: Dims): Dims {
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  const extra = longer.length - shorter.length;
  return longer.map((dim, axis) => (axis < extra ? dim : Math.max(dim, shorter[axis - extra])));
}

/** Bytes of a float32 value. */
export function bytesOf(dims: Dims): number {
  return 4 * sizeOf(dims);
}
