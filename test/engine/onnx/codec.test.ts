import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../engine/domain';
import { loadRuntime } from '../../../engine/inference';
import {
  changed,
  DataType,
  floatTensor,
  GraphBuilder,
  int64Tensor,
  metadataProps,
  OnnxInvalid,
  readModel,
  tensorValues,
  writeModel,
} from '../../../engine/onnx';

const shared = process.env.OPTI_QUALITY_SHARED ?? join(packageRoot, '..', 'shared');
const starter = join(packageRoot, 'models', 'starter-backbone', 'model.onnx');

describe('ONNX files', () => {
  it("writes the embedded backbone byte for byte as Google's protobuf did", () => {
    const bytes = readFileSync(starter);
    assert.equal(Buffer.compare(Buffer.from(writeModel(readModel(bytes))), bytes), 0);
  });

  for (const file of [
    'mobilenet_v1_imagenet_features.onnx',
    'yolo26n-untrained.onnx',
    'yolo11n-synthetic/model.onnx',
  ]) {
    it(`writes ${file} byte for byte as it was read`, function () {
      const path = join(shared, 'models', file);
      if (!existsSync(path)) {
        console.log(`      skipped: ${path} is not there`);
        return this.skip();
      }
      const bytes = readFileSync(path);
      assert.equal(Buffer.compare(Buffer.from(writeModel(readModel(bytes))), bytes), 0);
    });
  }

  it('keeps fields it does not know', () => {
    const known = writeModel(new GraphBuilder('empty').build());
    // Field 99, length-delimited, three bytes: written by hand after the encoding rules of Protocol Buffers.
    const unknown = Uint8Array.from([0x9a, 0x06, 0x03, 1, 2, 3]);
    const bytes = Buffer.concat([known, unknown]);
    assert.equal(Buffer.compare(Buffer.from(writeModel(readModel(bytes))), bytes), 0);
  });

  it('runs in ONNX Runtime what the builder made', async () => {
    const graph = new GraphBuilder('scale');
    const x = graph.input('x', ['n', 2]);
    const scaled = graph.node('Mul', [x, graph.floats([2], [2, -3])]);
    graph.output('y', graph.node('LeakyRelu', [scaled], { alpha: { float: 0.5 } }), ['n', 2]);
    const bytes = writeModel(graph.build({ purpose: 'test' }));
    const { InferenceSession, Tensor } = loadRuntime();
    const session = await InferenceSession.create(bytes);
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 1, 2, -2), [2, 2]) });
    assert.deepEqual([...(y.data as Float32Array)], [2, -1.5, 4, 6]);
    assert.deepEqual(metadataProps(readModel(bytes)), { purpose: 'test' });
    await session.release();
  });

  it('reads tensors back as they were made, negative and large integers too', () => {
    const integers = [0, -1, 2 ** 40, -(2 ** 40)];
    assert.deepEqual([...tensorValues(int64Tensor('i', [4], integers))], integers);
    assert.deepEqual([...tensorValues(floatTensor('f', [1, 2], Float32Array.of(0.5, -8)))], [0.5, -8]);
    const empty = new Uint8Array();
    const listed = changed(floatTensor('l', [2], new Float32Array(2)), { rawData: empty, floatData: [0.25, 3] });
    const model = new GraphBuilder('g').build();
    const graph = changed(model.graph!, {
      initializer: [listed, changed(int64Tensor('n', [1], [0]), { rawData: empty, int64Data: [-7n] })],
    });
    const [floats, ints] = readModel(writeModel(changed(model, { graph }))).graph!.initializer;
    assert.deepEqual([...tensorValues(floats)], [0.25, 3]);
    assert.deepEqual([...tensorValues(ints)], [-7]);
    assert.equal(floats.dataType, DataType.float);
  });

  it('refuses a tensor whose values do not fill its shape', () => {
    const tensor = changed(floatTensor('f', [2], new Float32Array(2)), { dims: [3n] });
    assert.throws(() => tensorValues(tensor), OnnxInvalid);
  });

  it('refuses a file cut off at any place, and files of other kinds', () => {
    const bytes = readFileSync(starter);
    for (const length of [0, 1, 7, 100, 5000, bytes.length - 1]) {
      assert.throws(() => readModel(bytes.subarray(0, length)), OnnxInvalid, `${length} bytes`);
    }
    assert.throws(() => readModel(Buffer.from('{"this": "is JSON"}')), OnnxInvalid);
    assert.throws(() => readModel(Buffer.from('\x89PNG\r\n\x1a\n0000IHDR')), OnnxInvalid);
  });
});
