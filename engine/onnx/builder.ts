import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from './model';
import { DataType, floatTensor, int64Tensor } from './tensor';

type AttributeValue = number | readonly number[] | string | { readonly float: number };
type Attributes = Readonly<Record<string, AttributeValue>>;
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
  private readonly made: OnnxNode[] = [];
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

  /** A constant of any element type, under the tensor's own name. */
  constant(tensor: OnnxTensor): string {
    this.initializers.push(tensor);
    return tensor.name;
  }

  /**
   * An operator with one result.
   *
   * @param inputs names of values; '' leaves an optional one out
   * @param attributes whole numbers are stored as int; write `{ float: 2 }` for a float
   */
  node(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(opType, inputs, 1, attributes)[0];
  }

  /** An operator with several results, e.g. `TopK`. */
  nodes(opType: string, inputs: readonly string[], results: number, attributes: Attributes = {}): readonly string[] {
    const outputs = Array.from({ length: results }, () => this.newName(opType));
    this.made.push(makeNode(opType, inputs, outputs, attributes));
    return outputs;
  }

  /** Gives a value out under a name. */
  output(name: string, value: string, dims: readonly Dimension[]): void {
    this.made.push(makeNode('Identity', [value], [name]));
    this.outputs.push(valueInfo(name, dims));
  }

  build(metadata: Readonly<Record<string, string>> = {}): OnnxModel {
    const graph = create(GraphProtoSchema, { name: this.name });
    const parts = { node: this.made, initializer: this.initializers, input: this.inputs, output: this.outputs };
    return create(ModelProtoSchema, {
      irVersion: 8n,
      producerName: 'opti-quality',
      opsetImport: [{ version: BigInt(this.opset) }],
      graph: Object.assign(graph, parts) as GraphProto,
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    });
  }

  private newName(stem: string): string {
    this.values += 1;
    return `${stem}_${this.values}`;
  }
}

/** An operator as a node named after its first result. */
export function makeNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes = {},
): OnnxNode {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  const node = create(NodeProtoSchema, {
    input: [...inputs],
    output: [...outputs],
    name: `${opType}_${outputs[0]}`,
    opType,
  });
  return Object.assign(node, { attribute });
}

/** A float32 value; without sizes its shape is left open. */
export function valueInfo(name: string, dims?: readonly Dimension[]): OnnxValueInfo {
  const dim = dims?.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  const tensor = { elemType: DataType.float, ...(dim && { shape: { dim } }) };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensor } } });
}

function attributeOf(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, s: new TextEncoder().encode(value), type: AttributeType.STRING });
  }
  if (typeof value === 'number')
    return create(AttributeProtoSchema, { name, i: BigInt(value), type: AttributeType.INT });
  if ('float' in value) return create(AttributeProtoSchema, { name, f: value.float, type: AttributeType.FLOAT });
  return create(AttributeProtoSchema, { name, ints: value.map(BigInt), type: AttributeType.INTS });
}
