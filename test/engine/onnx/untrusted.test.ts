import assert from 'node:assert/strict';
import {
  changed,
  floatTensor,
  GraphBuilder,
  inspectBackbone,
  type OnnxGraph,
  OnnxInvalid,
  type OnnxNode,
  readModel,
  tapBackbone,
  writeModel,
} from '../../../engine/onnx';
import { classifierOf } from '../../support/networks';

const { model } = classifierOf('plain', 'Relu', [1, 3, 64, 64]);
const graph = model.graph!;

function withGraph(changes: Partial<OnnxGraph>): Uint8Array {
  return writeModel(changed(model, { graph: changed(graph, changes) }));
}

function withNode(place: number, changes: Partial<OnnxNode>): Uint8Array {
  return withGraph({ node: graph.node.map((node, at) => (at === place ? changed(node, changes) : node)) });
}

function refused(bytes: Uint8Array, problem: RegExp): void {
  const expected = (error: unknown) => error instanceof OnnxInvalid && problem.test(error.message);
  assert.throws(() => inspectBackbone(bytes), expected);
  assert.throws(() => tapBackbone(bytes), expected);
}

/** A length-delimited protobuf field, written by hand after the encoding rules of Protocol Buffers. */
function field(number: number, content: Uint8Array): Buffer {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(content.length)]), content]);
}

describe('ONNX files from unknown sources', () => {
  it('refuses weights that lie in other files, and opens none', () => {
    const [first, ...rest] = graph.initializer;
    const elsewhere = changed(first, {
      rawData: new Uint8Array(),
      dataLocation: 1,
      externalData: [
        { ...readModel(writeModel(new GraphBuilder('g').build({ location: '../../etc/passwd' }))).metadataProps[0] },
      ],
    });
    refused(
      withGraph({ initializer: [elsewhere, ...rest] }),
      /weights lie in other files \(constant_1\); save it as one/,
    );
  });

  it('refuses a tensor whose bytes do not fill its shape', () => {
    const [first, ...rest] = graph.initializer;
    const resized = (dims: readonly bigint[]) => withGraph({ initializer: [changed(first, { dims }), ...rest] });
    refused(resized([4n, 3n, 3n, 4n]), /constant_1 has 432 bytes, its shape \[4,3,3,4\] needs 576/);
    refused(resized([4n, -3n]), /constant_1 has the shape \[4,-3\]/);
    refused(resized([2n ** 40n, 2n ** 40n]), /constant_1 has the shape/);
    refused(resized(Array.from({ length: 40 }, () => 1n)), /constant_1 has 40 dimensions/);
  });

  it('refuses two weights or two values of one name', () => {
    const twice = floatTensor(graph.initializer[0].name, [1], Float32Array.of(1));
    refused(withGraph({ initializer: [...graph.initializer, twice] }), /weight tensor constant_1 is there twice/);
    refused(withNode(1, { output: graph.node[0].output }), /the value Conv_3 is there twice/);
  });

  it('refuses nodes that read what is made later, never, or by themselves', () => {
    refused(
      withGraph({ node: [...graph.node].reverse() }),
      /before it is made: the nodes are out of order or form a circle/,
    );
    refused(withNode(1, { input: graph.node[1].output }), /before it is made/);
    refused(withNode(1, { input: ['nobody'] }), /its node Relu_Relu_4 reads nobody, which nothing makes/);
    refused(withGraph({ initializer: graph.initializer.slice(1) }), /reads constant_1, which nothing makes/);
    refused(withGraph({ output: [changed(graph.output[0], { name: 'gone' })] }), /nothing makes its output gone/);
  });

  it('refuses more nodes than any network has', () => {
    const many = Array.from({ length: 20_001 }, () => changed(graph.node[1], { output: [] }));
    refused(withGraph({ node: many }), /it has 20[0-9]+ nodes, at most 20000 are taken/);
  });

  it('refuses a small file that would fill the memory with empty messages', () => {
    const nodes = Buffer.alloc(6_000_000).fill(Buffer.from([0x0a, 0x00]));
    refused(Buffer.concat([writeModel(model), field(7, nodes)]), /more than 1000000 fields/);
  });

  it('refuses messages nested beyond reason', () => {
    let inner: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 200; depth += 1) inner = field(1, field(5, field(6, inner)));
    refused(Buffer.concat([writeModel(model), field(7, inner)]), /nested too deeply/);
  });

  it('refuses noise without another kind of error', () => {
    const bytes = Buffer.from(writeModel(model));
    for (let place = 0; place < bytes.length; place += 97) {
      const damaged = Buffer.from(bytes);
      damaged[place] ^= 0xff;
      try {
        tapBackbone(damaged);
      } catch (error) {
        assert.ok(error instanceof OnnxInvalid, `byte ${place}: ${error}`);
      }
    }
  });
});
