import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type CatalogueEntry,
  findPulled,
  PullAltered,
  PullFailed,
  PullNotWritable,
  type PullOptions,
  type PullProgress,
  PullRunning,
  pull,
} from '../../../engine/catalogue';
import { InvalidInput, seededRandom } from '../../../engine/domain';
import {
  altered,
  brokenAfter,
  FileServer,
  rangeless,
  refusing,
  silentAfter,
  truncatedTo,
  whole,
} from '../../support/file-server';
import { waitFor } from '../../support/wait';

const SIZE = 300_000;
const random = seededRandom(7);
const content = Buffer.from(Uint8Array.from({ length: SIZE }, () => random() * 256));
const sha256 = createHash('sha256').update(content).digest('hex');
const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'] as const;

function entryAt(url: string): CatalogueEntry {
  const input = { width: 64, height: 64, normalisation: null };
  return { id: 'tiny', title: 'Tiny', licence: 'MIT', url, bytes: SIZE, sha256, input };
}

describe('Pulling a backbone', () => {
  const server = new FileServer(content);
  const environment = new Map<string, string | undefined>();
  let folder: string;
  let path: string;
  let seen: PullProgress[];

  const options = (more: Partial<PullOptions> = {}): PullOptions => ({
    folder,
    entries: [entryAt(`${server.base}/models/tiny.onnx`)],
    attempts: 3,
    pauseMs: 1,
    timeouts: { connectMs: 20_000, silenceMs: 20_000 },
    onProgress: (progress) => seen.push(progress),
    ...more,
  });
  const names = () => readdir(folder).then((list) => list.sort());
  const ranges = () => server.requests.map(({ range }) => range ?? 'all');

  before(async () => {
    for (const name of [...PROXY_VARIABLES, 'OPTI_QUALITY_MIRROR']) {
      environment.set(name, process.env[name]);
      delete process.env[name];
    }
    await server.open();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'opti-pull-'));
    path = join(folder, 'tiny.onnx');
    seen = [];
    server.does(whole);
  });
  afterEach(async () => {
    for (const name of PROXY_VARIABLES) delete process.env[name];
    await rm(folder, { recursive: true, force: true });
  });
  after(async () => {
    for (const [name, value] of environment) if (value !== undefined) process.env[name] = value;
    await server.close();
  });

  it('fetches the file once, tells how far it is, and leaves nothing else behind', async () => {
    assert.deepEqual(await pull('tiny', options()), { path, fetched: true });
    assert.deepEqual(await readFile(path), content);
    assert.deepEqual(await names(), ['tiny.onnx']);
    assert.deepEqual(seen[0], { stage: 'pulling', received: 0, total: SIZE });
    assert.deepEqual(seen.at(-1), { stage: 'verifying', received: SIZE, total: SIZE });

    assert.deepEqual(await pull('tiny', options()), { path, fetched: false });
    assert.equal(server.requests.length, 1);
    assert.equal(await findPulled('tiny', ['/nowhere', folder], options().entries), path);
  });

  it('goes on where a broken connection left off, as long as something comes', async () => {
    server.does(...Array.from({ length: 6 }, () => brokenAfter(40_000)), whole);
    await pull('tiny', options());
    assert.deepEqual(await readFile(path), content);
    assert.equal(server.requests.length, 7);
    assert.equal(server.requests[1].range?.startsWith('bytes='), true);
    assert.match(server.requests[1].ifRange ?? '', /^"[0-9a-f]{16}"$/);
  });

  it('goes on with what an earlier process has left', async () => {
    await writeFile(`${path}.part`, content.subarray(0, 123_456));
    await pull('tiny', options());
    assert.deepEqual(await readFile(path), content);
    assert.deepEqual(ranges(), ['bytes=123456-']);
    assert.equal(seen[0].received, 123_456);
  });

  it('only checks a part that is whole already', async () => {
    await writeFile(`${path}.part`, content);
    await pull('tiny', options());
    assert.equal(server.requests.length, 0);
    assert.deepEqual(await names(), ['tiny.onnx']);
  });

  it('begins anew when what was left is of another file, or too long', async () => {
    for (const left of [Buffer.alloc(1000, 1), Buffer.alloc(SIZE, 1), Buffer.alloc(SIZE + 1, 1)]) {
      await rm(path, { force: true });
      server.does(whole);
      await writeFile(`${path}.part`, left);
      await pull('tiny', options());
      assert.deepEqual(await readFile(path), content);
      assert.equal(ranges().at(-1), 'all');
    }
  });

  it('takes the whole file from a server that knows no ranges', async () => {
    server.does(brokenAfter(50_000), rangeless);
    await pull('tiny', options());
    assert.deepEqual(await readFile(path), content);
  });

  it('begins anew when the file at the address became another one in between', async () => {
    const other = Buffer.alloc(SIZE, 9);
    server.does((request, response) => brokenAfter(50_000)(request, response, other), whole);
    await pull('tiny', options());
    assert.deepEqual(await readFile(path), content);
    assert.deepEqual(server.requests.length, 2);
  });

  it('keeps nothing of an altered file', async () => {
    server.does(altered);
    await assert.rejects(
      pull('tiny', options()),
      (error) => error instanceof PullAltered && /SHA-256/.test(error.message),
    );
    assert.deepEqual(await names(), []);
  });

  it('replaces a file of the same name and size that is another one', async () => {
    await writeFile(path, Buffer.alloc(SIZE, 3));
    await pull('tiny', options());
    assert.deepEqual(await readFile(path), content);
  });

  it('refuses an answer of another size without reading it, and keeps what was there', async () => {
    await writeFile(`${path}.part`, content.subarray(0, 1000));
    server.does((request, response) => rangeless(request, response, Buffer.from('<html>Sign in</html>')));
    await assert.rejects(pull('tiny', options()), /it has 20 bytes instead of 300000/);
    assert.equal((await stat(`${path}.part`)).size, 1000);
    server.does((_request, response) => void response.end(Buffer.alloc(SIZE + 10)));
    await assert.rejects(pull('tiny', options()), PullAltered);
  });

  it('takes no web page for the file, asks for it once, and keeps what was there', async () => {
    await writeFile(`${path}.part`, content.subarray(0, 1000));
    server.does((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.write('<html>Sign ');
      response.end('in</html>');
    });
    await assert.rejects(pull('tiny', options()), /answers with a web page in place of the file/);
    assert.equal(server.requests.length, 1);
    assert.equal((await stat(`${path}.part`)).size, 1000);
  });

  it('gives up when a truncated answer brings nothing more, and keeps what came', async () => {
    server.does(truncatedTo(1000));
    await assert.rejects(pull('tiny', options()), (error) => {
      assert.ok(error instanceof PullFailed);
      assert.match(error.message, /models\/tiny.onnx: the connection was closed too early/);
      return true;
    });
    assert.equal((await stat(`${path}.part`)).size, 1000);
    assert.equal(existsSync(path), false);
  });

  it('asks again after a server was busy, and not after it refused', async () => {
    server.does(refusing(503), refusing(429, { 'Retry-After': '0' }), whole);
    await pull('tiny', options());
    assert.equal(server.requests.length, 3);
    await rm(path);
    server.does(refusing(404));
    await assert.rejects(pull('tiny', options()), /it answers 404 Not Found/);
    assert.equal(server.requests.length, 1);
  });

  it('does not wait for ever for a silent server', async () => {
    server.does(silentAfter(10_000));
    const impatient = options({ timeouts: { connectMs: 2000, silenceMs: 300 }, attempts: 1 });
    server.does(silentAfter(10_000), silentAfter(0));
    await assert.rejects(pull('tiny', impatient), PullFailed);
    assert.equal((await stat(`${path}.part`)).size, 10_000);
  }).timeout(180_000);

  it('says so when nobody answers', async () => {
    const closed = new FileServer(content);
    await closed.open();
    const gone = options({ entries: [entryAt(`${closed.base}/tiny.onnx`)] });
    await closed.close();
    await assert.rejects(
      pull('tiny', gone),
      (error) => error instanceof PullFailed && /ECONNREFUSED/.test(error.message),
    );
  });

  it('stops when told to, keeps what came, and goes on later', async () => {
    server.does(silentAfter(50_000), whole);
    const stop = new AbortController();
    const stopped = pull('tiny', options({ signal: stop.signal }));
    const poll = setInterval(() => {
      void stat(`${path}.part`).then(
        ({ size }) => size === 50_000 && stop.abort(new Error('enough')),
        () => undefined,
      );
    }, 5);
    await assert.rejects(stopped, /^Error: enough$/);
    clearInterval(poll);
    assert.deepEqual(await names(), ['tiny.onnx.part']);
    await pull('tiny', options());
    assert.deepEqual(await readFile(path), content);
    assert.deepEqual(ranges(), ['all', 'bytes=50000-']);
  });

  it('lets one of two pulls do the work', async () => {
    let hangUp = () => {};
    server.does((request, response, bytes) => {
      silentAfter(1000)(request, response, bytes);
      hangUp = () => response.destroy();
    }, whole);
    const first = pull('tiny', options({ timeouts: { connectMs: 60_000, silenceMs: 60_000 } }));
    await waitFor('the first bytes', async () => (await stat(`${path}.part`).catch(() => null))?.size === 1000);
    await assert.rejects(pull('tiny', options()), PullRunning);
    hangUp();
    await first;
    assert.deepEqual(await readFile(path), content);
    assert.deepEqual(await names(), ['tiny.onnx']);
  });

  it('takes over from a process that died', async () => {
    // No process has this id: Linux and macOS count to 2^22 at most.
    await writeFile(`${path}.lock`, JSON.stringify({ host: (await import('node:os')).hostname(), process: 2 ** 30 }));
    await pull('tiny', options());
    await rm(path);
    await writeFile(`${path}.lock`, JSON.stringify({ host: 'another-machine', process: 1 }));
    await assert.rejects(pull('tiny', options()), PullRunning);
    const old = new Date(Date.now() - 120_000);
    await utimes(`${path}.lock`, old, old);
    await pull('tiny', options());
    assert.deepEqual(await names(), ['tiny.onnx']);
  });

  it('takes a file from a folder, and from a mirror by its name', async () => {
    const share = join(folder, 'a share');
    await mkdir(share);
    await writeFile(join(share, 'tiny.onnx'), content);
    const local = entryAt(pathToFileURL(join(share, 'tiny.onnx')).href);
    await writeFile(`${path}.part`, content.subarray(0, 5000));
    await pull('tiny', options({ entries: [local] }));
    assert.deepEqual(await readFile(path), content);

    const elsewhere = entryAt('https://models.invalid/deep/down/tiny.onnx?download=true');
    for (const mirror of [pathToFileURL(share).href, `${server.base}/mirror/`, `${server.base}/mirror`]) {
      await rm(path);
      await pull('tiny', options({ entries: [elsewhere], mirror }));
      assert.deepEqual(await readFile(path), content);
    }
    assert.deepEqual(
      server.requests.map(({ url }) => url),
      ['/mirror/tiny.onnx', '/mirror/tiny.onnx'],
    );

    await rm(path);
    process.env.OPTI_QUALITY_MIRROR = `${server.base}/plant`;
    await pull('tiny', options({ entries: [elsewhere] })).finally(() => delete process.env.OPTI_QUALITY_MIRROR);
    assert.equal(server.requests.at(-1)?.url, '/plant/tiny.onnx');
    await assert.rejects(pull('tiny', options({ mirror: 'plant/share' })), InvalidInput);
    await rm(path);
    const empty = pathToFileURL(join(folder, 'empty')).href;
    await assert.rejects(pull('tiny', options({ mirror: empty })), /there is no such file/);
  });

  it('names no password of a mirror in its messages', async () => {
    server.does(refusing(403));
    const mirror = server.base.replace('http://', 'http://line:secret@');
    await assert.rejects(pull('tiny', options({ mirror })), (error) => {
      assert.match(String(error), /it answers 403/);
      assert.doesNotMatch(String(error), /secret/);
      return true;
    });
  });

  it('goes through a proxy where the environment names one, and past it where it says so', async () => {
    const asked: string[] = [];
    const proxy = createServer((incoming, outgoing) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      const { pathname } = new URL(incoming.url ?? '');
      httpRequest(
        `${server.base}${pathname}`,
        { headers: { range: incoming.headers.range ?? 'bytes=0-' } },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      ).end();
    });
    proxy.on('connect', ({ url }, socket) => {
      asked.push(`CONNECT ${url}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      process.env.HTTP_PROXY = address;
      process.env.HTTPS_PROXY = address;
      await pull('tiny', options({ entries: [entryAt('http://models.invalid/tiny.onnx')] }));
      assert.deepEqual(await readFile(path), content);
      assert.deepEqual(asked, ['GET http://models.invalid/tiny.onnx']);

      await rm(path);
      const secure = options({ entries: [entryAt('https://models.invalid/tiny.onnx')], attempts: 1 });
      await assert.rejects(pull('tiny', secure), PullFailed);
      assert.equal(asked.at(-1), 'CONNECT models.invalid:443');

      process.env.HTTPS_PROXY = 'proxy without address';
      await assert.rejects(pull('tiny', secure), (error) => error instanceof InvalidInput);
      assert.deepEqual(await names(), []);

      process.env.HTTPS_PROXY = address;
      process.env.NO_PROXY = '127.0.0.1';
      await pull('tiny', options());
      assert.equal(asked.length, 2);
    } finally {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });

  it('says so when the disk is full or the folder cannot be written', async function () {
    if (!existsSync('/dev/full')) this.skip();
    await symlink('/dev/full', `${path}.part`);
    await assert.rejects(pull('tiny', options()), (error) => {
      assert.ok(error instanceof PullNotWritable);
      assert.match(error.message, /the disk is full\. Free space/);
      return true;
    });
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(pull('tiny', options({ folder: join(file, 'below') })), PullNotWritable);
    const huge = { ...entryAt(`${server.base}/huge.onnx`), bytes: Number.MAX_SAFE_INTEGER };
    await assert.rejects(pull('tiny', options({ entries: [huge] })), /it needs 9007199254740991 bytes/);
  });
});
