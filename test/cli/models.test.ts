import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../engine/domain';
import { FileServer, refusing } from '../support/file-server';
import { CLI_LIMIT_MS } from './run';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('opti-quality models', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;

  function optiQuality(...args: string[]): Promise<Outcome> {
    const entry = join(packageRoot, 'cli', 'opti-quality.ts');
    const { HTTP_PROXY, http_proxy, OPTI_QUALITY_MIRROR, ...env } = process.env;
    const options = { cwd: packageRoot, env: { ...env, OPTI_QUALITY_BACKBONES: folder } };
    return new Promise((resolve) => {
      execFile(process.execPath, ['--import', 'tsx', entry, 'models', ...args], options, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  }

  function lastLine<T>({ stdout }: Outcome): T {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'opti-models-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('lists the catalogue, and which backbones are here', async () => {
    const outcome = await optiQuality('list');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /starter +1\.1 MB {2}embedded/);
    assert.match(outcome.stdout, /wide-resnet50-2 +275\.4 MB {2}not pulled {2}Apache-2\.0/);

    await writeFile(join(folder, 'resnet18_Opset17.onnx'), Buffer.alloc(46_748_544));
    const { backbones } = lastLine<{ backbones: { id: string; path: string | null }[] }>(
      await optiQuality('list', '--json'),
    );
    assert.deepEqual(
      backbones.map(({ id, path }) => [id, path !== null]),
      [
        ['starter', true],
        ['resnet18', true],
        ['wide-resnet50-2', false],
      ],
    );
    await rm(join(folder, 'resnet18_Opset17.onnx'));
  });

  it('has the embedded backbone already', async () => {
    const outcome = await optiQuality('pull', 'starter', '--json');
    const { fetched, path } = lastLine<{ fetched: boolean; path: string }>(outcome);
    assert.equal(fetched, false);
    assert.equal((await stat(path)).size, 1_061_793);
  });

  it('refuses what a mirror gives instead, keeps nothing of it, and says so as JSON too', async () => {
    // The real files are far too large for a test: what a pull does with a right one is tested in the engine.
    const mirror = await mkdtemp(join(tmpdir(), 'opti-mirror-'));
    await writeFile(join(mirror, 'resnet18_Opset17.onnx'), Buffer.alloc(46_748_544));
    const outcome = await optiQuality('pull', 'resnet18', '--mirror', pathToFileURL(mirror).href, '--json');
    await rm(mirror, { recursive: true });
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /100 % {2}verifying/);
    const { error } = lastLine<{ error: { code: string; message: string } }>(outcome);
    assert.equal(error.code, 'backbone-altered');
    assert.match(error.message, /its SHA-256 is another one/);
    assert.equal(await stat(join(folder, 'resnet18_Opset17.onnx')).catch(() => null), null);
  });

  it('tells what a server answered', async () => {
    const server = new FileServer(Buffer.alloc(1));
    await server.open();
    server.does(refusing(404));
    const outcome = await optiQuality('pull', 'resnet18', '--mirror', server.base);
    await server.close();
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /resnet18_Opset17\.onnx: it answers 404 Not Found/);
  });

  it('tells wrong use from failure', async () => {
    for (const args of [[], ['fetch'], ['pull'], ['pull', 'starter', 'resnet18'], ['list', '--mirror', 'x']]) {
      assert.equal((await optiQuality(...args)).code, 2, args.join(' '));
    }
    const unknown = await optiQuality('pull', 'vgg');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /There is: starter, resnet18, wide-resnet50-2/);
    assert.match((await optiQuality('--help')).stdout, /models pull ID/);
  });
});
