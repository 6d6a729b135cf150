import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Problem } from '../../../engine/api';
import { routes } from '../../../engine/api/routes';
import { newId } from '../../../engine/domain';
import { type Line, openLine, type RunningApi, serveApi } from './line';

/** The same questions each time; FUZZ_SEED asks others. */
const SEED = Number(process.env.FUZZ_SEED ?? 1);

describe('the API, asked at random', function () {
  this.timeout(120_000);
  let line: Line;
  let api: RunningApi;

  before(async () => {
    line = await openLine();
    api = await serveApi(() => [line.station]);
  });
  after(async () => {
    await api.close();
    await line.close();
  });

  const write = fc.constantFrom(
    ...routes
      .filter((route) => route.method !== 'GET' && route.operation !== 'undoReview')
      .map((route) => ({ method: route.method, path: route.path.replace(/\{\w+\}/, newId()) })),
  );
  const bytes = fc.uint8Array({ maxLength: 400 });
  const form = fc
    .array(fc.tuple(fc.string({ maxLength: 20 }), fc.option(fc.string({ maxLength: 20 })), bytes), { maxLength: 4 })
    .map((parts) =>
      Buffer.concat([
        ...parts.map(([name, filename, content]) =>
          Buffer.concat([
            Buffer.from(`--B\r\ncontent-disposition: form-data; name="${name}"`),
            Buffer.from(filename === null ? '\r\n\r\n' : `; filename="${filename}"\r\n\r\n`),
            content,
            Buffer.from('\r\n'),
          ]),
        ),
        Buffer.from('--B--\r\n'),
      ]),
    );
  const body = fc.oneof(
    bytes.map((content) => ({ type: 'application/json', content: Buffer.from(content) })),
    fc.json().map((text) => ({ type: 'application/json', content: Buffer.from(text) })),
    bytes.map((content) => ({ type: 'image/jpeg', content: Buffer.from(content) })),
    bytes.map((content) => ({
      type: 'image/jpeg',
      content: Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), content]),
    })),
    bytes.map((content) => ({
      type: 'image/png',
      content: Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), content]),
    })),
    form.map((content) => ({ type: 'multipart/form-data; boundary=B', content })),
    bytes.map((content) => ({ type: 'multipart/form-data; boundary=B', content: Buffer.from(content) })),
    fc.record({ type: fc.stringMatching(/^[a-z]+\/[a-z;= "]*$/), content: bytes.map((some) => Buffer.from(some)) }),
  );

  it('answers any body with a problem or a documented success, and never with a fault inside', async () => {
    await fc.assert(
      fc.asyncProperty(write, body, async ({ method, path }, { type, content }) => {
        const response = await fetch(api.url + path, {
          method,
          headers: { 'content-type': type },
          body: new Uint8Array(content),
        });
        const text = await response.text();
        assert.ok(response.status < 500, `${response.status} ${text}`);
        if (response.status >= 400) {
          assert.match(response.headers.get('content-type')!, /^application\/problem\+json/);
          assert.equal((JSON.parse(text) as Problem).status, response.status);
        }
      }),
      { numRuns: 400, seed: SEED },
    );
    assert.deepEqual(api.errors, []);
  });

  it('answers any path and query with a problem or a documented success', async () => {
    const segment = fc.oneof(
      fc.constantFrom(
        'inspections',
        'labeling-queue',
        'models',
        'picture',
        'map',
        '..',
        '.',
        '%2e%2e',
        '..%2f',
        '%00',
        '',
      ),
      fc.string({ maxLength: 12 }).map((text) => encodeURIComponent(text)),
      fc.constantFrom(...routes.flatMap((route) => route.path.split('/'))),
    );
    const query = fc.webQueryParameters();
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { maxLength: 5 }), query, async (segments, parameters) => {
        const response = await fetch(`${api.url}/${segments.join('/')}?${parameters}`, {
          method: 'HEAD',
          redirect: 'manual',
        });
        assert.ok(response.status < 500, String(response.status));
      }),
      { numRuns: 300, seed: SEED },
    );
    assert.deepEqual(api.errors, []);
  });

  it('has stored nothing while that went on', async () => {
    for (const folder of ['images', 'maps', 'models']) {
      assert.deepEqual(await readdir(join(line.dataFolder, folder)), []);
    }
    assert.deepEqual((await line.store.inspections.list()).items, []);
    assert.deepEqual(await line.jobs.list(), []);
  });
});
