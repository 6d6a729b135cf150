import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ModelVersion } from '../../../engine/domain';
import { ModelRegistry } from '../../../engine/learning';
import { type ModelKey, readModelKey, verifyFiles } from '../../../engine/packages';
import { waitFor } from '../../support/wait';
import { writeVersion } from '../learning/packages';
import { type Line, openLine, type RunningApi, serveApi } from './line';

const key = readModelKey('a pass phrase of people');

describe('models over the API, as one file', function () {
  this.timeout(120_000);
  let line: Line;
  let api: RunningApi;
  /** Requests that have come. */
  let arrived: number;

  beforeEach(async () => {
    arrived = 0;
    line = await openLine();
    api = await served(null);
    await writeVersion(line.dataFolder, 'plate', '4');
  });
  afterEach(async () => {
    await api.close();
    await line.close();
  });

  function served(modelKey: ModelKey | null, importLimitBytes?: number): Promise<RunningApi> {
    const models = new ModelRegistry({ store: line.store, modelKey, importLimitBytes });
    return serveApi(
      () => [{ ...line.station, models }],
      (app) =>
        app.use((incoming, _response, next) => {
          (incoming as { user?: object }).user = { username: 'ada' };
          arrived += 1;
          next();
        }),
    );
  }
  const serveAgain = async (...options: Parameters<typeof served>) => {
    await api.close();
    api = await served(...options);
  };
  const exported = async (query = '') => {
    const response = await fetch(`${api.url}/models/plate/versions/4/export${query}`);
    assert.equal(response.status, 200);
    return Buffer.from(await response.arrayBuffer());
  };
  const imported = (body: NonNullable<RequestInit['body']>) =>
    fetch(`${api.url}/models/import`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body,
      duplex: 'half',
    } as RequestInit);
  const problem = async (response: Response) => {
    assert.equal(response.headers.get('content-type')?.split(';')[0], 'application/problem+json');
    const { status, code } = (await response.json()) as { status: number; code: string };
    assert.equal(status, response.status);
    return `${status} ${code}`;
  };
  /** All files and folders, read again where one went away meanwhile. */
  const models = async (): Promise<string[]> => {
    try {
      return (await readdir(join(line.dataFolder, 'models'), { recursive: true })).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return models();
      throw error;
    }
  };

  it('brings a version from one station to another, with a number of its own and a record of who did it', async () => {
    const bytes = await exported();
    const response = await imported(bytes);
    assert.equal(response.status, 201);
    const version = (await response.json()) as ModelVersion;
    assert.deepEqual([version.name, version.version, version.origin], ['plate', '5', { name: 'plate', version: '4' }]);
    assert.deepEqual([version.deployed, version.parent], [false, null]);
    const { items } = (await (await fetch(`${api.url}/models/list`)).json()) as { items: ModelVersion[] };
    assert.deepEqual(
      items.find((item) => item.version === '5'),
      version,
    );
    await verifyFiles(join(line.dataFolder, 'models', 'plate', '5'));
    const [entry] = await line.store.audit.list({ action: 'model.import' });
    assert.deepEqual([entry.actor, entry.subject], ['ada', 'plate']);
    assert.equal((entry.after as { version: string }).version, '5');
    const deployed = await fetch(`${api.url}/models/plate/deploy`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"version":"5"}',
    });
    assert.equal(deployed.status, 200);
  });

  it('names the file, and sends no body for HEAD', async () => {
    const url = `${api.url}/models/plate/versions/4/export`;
    const head = await fetch(url, { method: 'HEAD' });
    assert.equal(head.headers.get('content-disposition'), 'attachment; filename="plate-4.opti"');
    assert.equal((await head.arrayBuffer()).byteLength, 0);
    const same = Buffer.from(await (await fetch(url)).arrayBuffer());
    assert.deepEqual(same, await exported('?encrypted=false'));
  });

  it('encrypts with the key of the station, which the importing one needs, too', async () => {
    assert.equal(
      await problem(await fetch(`${api.url}/models/plate/versions/4/export?encrypted=true`)),
      '409 model-key-missing',
    );
    await serveAgain(key);
    const bytes = await exported('?encrypted=true');
    assert.equal(bytes.includes('head of plate'), false);
    assert.equal((await imported(bytes)).status, 201);
    await serveAgain(null);
    assert.equal(await problem(await imported(bytes)), '409 model-key-missing');
    await serveAgain(readModelKey('a pass phrase of others'));
    assert.equal(await problem(await imported(bytes)), '422 model-key-wrong');
    assert.equal((await imported(await exported())).status, 201);
  });

  it('answers with a problem and keeps nothing of what cannot be used', async () => {
    const bytes = await exported();
    const before = await models();
    const altered = Buffer.from(bytes);
    altered[bytes.length - 40] ^= 1;
    assert.equal(await problem(await imported(altered)), '422 archive-invalid');
    assert.equal(await problem(await imported(bytes.subarray(0, -1))), '422 archive-invalid');
    assert.equal(await problem(await imported(Buffer.alloc(200_000))), '422 archive-invalid');
    assert.equal(await problem(await imported(new Uint8Array(0))), '422 archive-invalid');
    const text = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' };
    assert.equal(await problem(await fetch(`${api.url}/models/import`, text)), '415 unsupported-media-type');
    assert.equal(await problem(await fetch(`${api.url}/models/plate/versions/9/export`)), '404 not-found');
    assert.equal(
      await problem(await fetch(`${api.url}/models/plate/versions/4/export?encrypted=yes`)),
      '400 invalid-input',
    );
    await serveAgain(null, 5);
    assert.equal(await problem(await imported(bytes)), '413 archive-too-large');
    assert.deepEqual(await models(), before);
    assert.deepEqual(await line.store.audit.list({ action: 'model.import' }), []);
  });

  it('answers a refused body that is still on its way', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const post = request(`${api.url}/models/import`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
      });
      post.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
        post.destroy();
      });
      post.on('error', reject);
      post.write(Buffer.alloc(100_000));
    });
    assert.equal(status, 422);
  });

  it('keeps no version that cannot be recorded', async () => {
    const bytes = await exported();
    const before = await models();
    await line.store.close();
    assert.equal(await problem(await imported(bytes)), '503 store-closed');
    assert.deepEqual(await models(), before);
  });

  it('keeps nothing of an import whose client went away', async () => {
    const bytes = await exported();
    const before = await models();
    const post = request(`${api.url}/models/import`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
    });
    post.on('error', () => {});
    post.write(bytes.subarray(0, bytes.length - 30));
    await waitFor('the import to begin', async () => (await models()).length > before.length);
    post.destroy();
    await waitFor('nothing of it left', async () => (await models()).length === before.length);
    assert.deepEqual(api.errors, []);
  });

  it('takes two imports at once and asks the third to wait', async () => {
    const bytes = await exported();
    const before = (await models()).length;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slowly() {
      yield bytes.subarray(0, 2000);
      await held;
      yield bytes.subarray(2000);
    }
    const earlier = arrived;
    const slow = [1, 2].map(() => imported(Readable.toWeb(Readable.from(slowly())) as unknown as BodyInit));
    await waitFor('both to be on their way', () => arrived === earlier + 2);
    const third = await imported(bytes);
    assert.equal(third.headers.get('retry-after'), '1');
    assert.equal(await problem(third), '503 busy');
    release();
    assert.deepEqual(
      (await Promise.all(slow)).map(({ status }) => status),
      [201, 201],
    );
    assert.ok((await models()).length > before);
  });

  it('tells of a damaged version before it sends anything', async () => {
    const head = join(line.dataFolder, 'models', 'plate', '4', 'head.onnx');
    await writeFile(head, (await readFile(head)).reverse());
    assert.equal(await problem(await fetch(`${api.url}/models/plate/versions/4/export`)), '409 model-invalid');
  });
});
