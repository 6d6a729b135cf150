import {
  AttributeType,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './model';
import { DataType, floatTensor, int64Tensor } from './tensor';

type AttributeValue = number | readonly number[] | string | { readonly float: number };
/** A fixed size, or a name for one that may vary. */
export type Dimension = number | string;

/**
 * Puts a small graph together, one operator after the other; values are referred to by the names the methods return.
 *
 * @example
 * const graph = new GraphBuilder('scale');
 * const x = graph.input('x', ['n']);
 * graph.output('y', graph.node('Mul', [x, graph.floats([1], [2])]), ['n']);
 * const bytes = writeModel(graph.build());
 */
export class GraphBuilder {
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers: OnnxTensor[] = [];
  private readonly inputs: OnnxValueInfo[] = [];
  private readonly outputs: OnnxValueInfo[] = [];
  private values = 0;

  /** @param opset version of the standard operators */
  constructor(
    private readonly name: string,
    private readonly opset = 17,
  ) {}

  /** A float32 input of the graph. */
  input(name: string, dims: readonly Dimension[]): string {
    this.inputs.push(valueInfo(name, dims));
    return name;
  }

  /** A float32 constant. */
  floats(dims: readonly number[], values: Float32Array | readonly number[]): string {
    const name = this.newName('constant');
    this.initializers.push(
      floatTensor(name, dims, values instanceof Float32Array ? values : Float32Array.from(values)),
    );
    return name;
  }

  /** An int64 constant: a vector of sizes, axes or indices, or a scalar. */
  integers(values: readonly number[] | number): string {
    const name = this.newName('constant');
    this.initializers.push(
      typeof values === 'number' ? int64Tensor(name, [], [values]) : int64Tensor(name, [values.length], values),
    );
    return name;
  }

  /**
   * An operator with one result.
   *
   * @param inputs names of values; '' leaves an optional one out
   * @param attributes whole numbers are stored as int; write `{ float: 2 }` for a float
   */
  node(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const output = this.newName(opType);
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.nodes.push({ input: inputs, output: [output], name: output, opType, attribute });
    return output;
  }

  /** Gives a value out under a name. */
  output(name: string, value: string, dims: readonly Dimension[]): void {
    this.nodes.push({ input: [value], output: [name], name: `give_${name}`, opType: 'Identity', attribute: [] });
    this.outputs.push(valueInfo(name, dims));
  }

  build(metadata: Readonly<Record<string, string>> = {}): OnnxModel {
    return {
      irVersion: 8,
      producerName: 'opti-quality',
      opsetImport: [{ version: this.opset }],
      graph: {
        name: this.name,
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: this.outputs,
        valueInfo: [],
      },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    };
  }

  private newName(stem: string): string {
    this.values += 1;
    return `${stem}_${this.values}`;
  }
}

function attributeOf(name: string, value: AttributeValue): OnnxAttribute {
  const empty = { name, floats: [], ints: [], strings: [], tensors: [], graphs: [] };
  if (typeof value === 'string') return { ...empty, s: Buffer.from(value), type: AttributeType.string };
  if (typeof value === 'number') return { ...empty, i: BigInt(value), type: AttributeType.int };
  if ('float' in value) return { ...empty, f: value.float, type: AttributeType.float };
  return { ...empty, ints: value.map(BigInt), type: AttributeType.ints };
}

function valueInfo(name: string, dims: readonly Dimension[]): OnnxValueInfo {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: DataType.float, shape: { dim } } } };
}
