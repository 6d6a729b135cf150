import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../engine/domain';
import { defaultThreads, loadRuntime, RuntimeMissing, sessionOptions } from '../../../engine/inference';

describe('ONNX Runtime', () => {
  it('is missing with a word on what to install when the package is not there', () => {
    const load = () => require('onnxruntime-node-that-is-not-installed');
    assert.throws(
      () => loadRuntime(load),
      (error: RuntimeMissing) => {
        assert.ok(error instanceof RuntimeMissing);
        assert.equal(error.reason, 'runtime-missing');
        assert.match(error.message, /npm install onnxruntime-node/);
        return true;
      },
    );
  });

  it('is missing with the reason when its native part does not load', () => {
    const load = () => {
      throw new Error('libonnxruntime.so.1: cannot open shared object file\nmore');
    };
    assert.throws(() => loadRuntime(load), /libonnxruntime\.so\.1: cannot open shared object file\. Install/);
  });

  it('leaves one core to the main process and shares the others among the children', () => {
    const cores = availableParallelism();
    assert.equal(defaultThreads(), Math.max(1, cores - 1));
    assert.equal(defaultThreads(1000), 1);
  });

  it('takes the session options', async function () {
    this.timeout(180_000);
    let runtime: ReturnType<typeof loadRuntime>;
    try {
      runtime = loadRuntime();
    } catch (error) {
      console.log(`      skipped: ${(error as Error).message}`);
      return this.skip();
    }
    const file = join(packageRoot, 'models', 'starter-backbone', 'model.onnx');
    const session = await runtime.InferenceSession.create(file, sessionOptions(1));
    assert.ok(session.inputNames.length > 0);
    await session.release();
  });
});
