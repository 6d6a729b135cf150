import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../../engine/api';
import { type BackboneState, type CatalogueEntry, catalogue } from '../../../engine/catalogue';
import { FileServer, refusing, silentAfter, whole } from '../../support/file-server';
import { waitFor } from '../../support/wait';
import { type Line, openLine, type RunningApi, serveApi } from './line';

describe('backbones over the API', () => {
  const content = Buffer.alloc(200_000, 'backbone');
  const server = new FileServer(content);
  let line: Line;
  let api: RunningApi;

  before(() => server.open());
  after(() => server.close());
  beforeEach(async () => {
    const tiny: CatalogueEntry = {
      id: 'tiny',
      title: 'Tiny',
      licence: 'MIT',
      url: `${server.base}/tiny.onnx`,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      input: { width: 224, height: 224, normalisation: null },
    };
    server.does(whole);
    line = await openLine({}, { entries: [...catalogue(), tiny], attempts: 1, pauseMs: 1 });
    api = await serveApi(() => [line.station]);
  });
  afterEach(async () => {
    await api.close();
    await line.close();
    assert.deepEqual(api.errors, []);
  });

  async function ask<T = BackboneState>(method: string, path: string, status: number, body?: object): Promise<T> {
    const answer = await fetch(`${api.url}${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.equal(answer.status, status, text);
    return JSON.parse(text) as T;
  }
  const tiny = () => ask('GET', '/backbones/tiny', 200);
  const until = async (state: BackboneState['state']) => {
    await waitFor(state, async () => (await tiny()).state === state);
    return tiny();
  };

  it('are listed with licence and size, the embedded one ready', async () => {
    const { items } = await ask<{ items: BackboneState[] }>('GET', '/backbones', 200);
    assert.deepEqual(
      items.map(({ id, state, embedded }) => [id, state, embedded]),
      [
        ['starter', 'ready', true],
        ['resnet18', 'absent', false],
        ['wide-resnet50-2', 'absent', false],
        ['tiny', 'absent', false],
      ],
    );
    assert.deepEqual([items[2].licence, items[2].bytes, items[2].received], ['Apache-2.0', 275_420_879, 0]);
  });

  it('are pulled in the background, which is recorded', async () => {
    const begun = await ask('POST', '/backbones/tiny/pull', 202);
    assert.ok(['pulling', 'verifying', 'ready'].includes(begun.state));
    assert.equal((await until('ready')).received, content.length);
    assert.deepEqual(await readFile(join(line.dataFolder, 'backbones', 'tiny.onnx')), content);
    assert.equal((await ask('POST', '/backbones/tiny/pull', 202)).state, 'ready');
    assert.equal(server.requests.length, 1);
    const [entry] = await line.store.audit.list();
    assert.deepEqual([entry.action, entry.subject], ['backbone.pull', 'tiny']);
  });

  it('tell how far they are, can be stopped, and go on from there', async () => {
    server.does(silentAfter(80_000), whole);
    await ask('POST', '/backbones/tiny/pull', 202);
    await ask('POST', '/backbones/tiny/pull', 202);
    await waitFor('all that comes', async () => (await tiny()).received === 80_000);
    const stopped = await ask('POST', '/backbones/tiny/cancel', 200);
    assert.deepEqual([stopped.state, stopped.error], ['absent', null]);
    assert.equal(stopped.received, 80_000);
    const problem = await ask<Problem>('POST', '/backbones/tiny/cancel', 409);
    assert.equal(problem.code, 'backbone-not-pulling');
    await ask('POST', '/backbones/tiny/pull', 202);
    await until('ready');
    assert.deepEqual(
      server.requests.map(({ range }) => range ?? 'all'),
      ['all', 'bytes=80000-'],
    );
  });

  it('say why a pull failed, until the next one', async () => {
    server.does(refusing(403), whole);
    await ask('POST', '/backbones/tiny/pull', 202);
    await waitFor('the failure', async () => (await tiny()).error !== null);
    const { state, error } = await tiny();
    assert.deepEqual([state, error?.code], ['absent', 'backbone-pull-failed']);
    assert.match(error?.message ?? '', /it answers 403 Forbidden/);
    await ask('POST', '/backbones/tiny/pull', 202);
    assert.equal((await until('ready')).error, null);
  });

  it('must be in the catalogue, and here before anything is trained with them', async () => {
    assert.equal((await ask<Problem>('GET', '/backbones/vgg', 404)).code, 'backbone-unknown');
    assert.equal((await ask<Problem>('POST', '/backbones/vgg/pull', 404)).code, 'backbone-unknown');
    const training = (backbone: string) => ({
      partType: 'plate',
      source: { kind: 'simulator', product: 'plate', count: 8 },
      backbone,
    });
    const absent = await ask<Problem>('POST', '/training/start', 409, training('tiny'));
    assert.equal(absent.code, 'backbone-not-pulled');
    assert.match(absent.detail ?? '', /opti-quality models pull tiny/);
    assert.equal((await ask<Problem>('POST', '/training/start', 404, training('vgg'))).code, 'backbone-unknown');
  });
});
