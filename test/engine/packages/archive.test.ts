import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import promises, { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  ArchiveInvalid,
  ArchiveTooLarge,
  ArchiveTooNew,
  archiveName,
  archiveOf,
  exportPackage,
  FileExists,
  fileSource,
  importPackage,
  importVersion,
  ModelExists,
  ModelInvalid,
  ModelKeyInvalid,
  ModelKeyMissing,
  ModelKeyWrong,
  NoRoom,
  readManifest,
  readModelKey,
  readModelKeyFile,
  verifyFiles,
  writePackage,
} from '../../../engine/packages';
import { sampleFiles, sampleManifest, writeFirstFormat } from './sample';

const key = readModelKey('0123456789abcdef'.repeat(4));
const otherKey = readModelKey('f123456789abcdef'.repeat(4));

describe('Model archives', function () {
  this.timeout(180_000);
  let place: string;
  let folder: string;
  const path = (...parts: string[]) => join(place, ...parts);

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'archive-'));
    folder = path('models', 'cable', '3');
    await writePackage(folder, { ...sampleManifest, version: '3', parent: '2' }, sampleFiles);
  });
  afterEach(() => rm(place, { recursive: true, force: true }));

  const archived = async (withKey: typeof key | null = null, from = folder) =>
    collected((await archiveOf(from, withKey)).content());
  const unpack = (bytes: Buffer, to = 'in', options: Parameters<typeof importPackage>[2] = {}) =>
    importPackage(inPieces(bytes), path(to), options);
  const refused = async (bytes: Buffer, options: Parameters<typeof importPackage>[2] = {}) => {
    const before = await readdir(place);
    const error = await unpack(bytes, 'refused', options).then(
      () => null,
      (reason: Error) => reason,
    );
    assert.deepEqual(await readdir(place), before, 'nothing stays behind');
    return error;
  };

  for (const [kind, secret] of [
    ['plain', null],
    ['encrypted', key],
  ] as const) {
    describe(kind, () => {
      it('gives back every byte of the package', async () => {
        await exportPackage(folder, path('cable.opti'), { key: secret });
        const manifest = await importPackage(fileSource(path('cable.opti')), path('in', '1'), { key: secret });
        assert.deepEqual(manifest, await verifyFiles(folder));
        assert.deepEqual(await contentOf(path('in', '1')), await contentOf(folder));
        assert.deepEqual(await readdir(path('in')), ['1']);
      });

      it('carries files of any size, empty ones and whole chunks too', async () => {
        const chunk = 64 * 1024;
        for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk]) {
          const from = path('sizes', String(size));
          await writePackage(from, sampleManifest, {
            ...sampleFiles,
            'a.bin': randomBytes(size),
            'z.bin': Buffer.alloc(0),
          });
          await unpack(await archived(secret, from), `to-${size}`, { key: secret });
          assert.deepEqual(await contentOf(path(`to-${size}`)), await contentOf(from));
        }
      });

      it('is refused with any byte changed', async () => {
        const bytes = await archived(secret);
        await fc.assert(
          fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
            const changed = Buffer.from(bytes);
            changed[at] ^= flip;
            const error = await refused(changed, { key: secret });
            assert.ok(
              [ArchiveInvalid, ArchiveTooNew, ModelKeyWrong, ModelKeyMissing].some((type) => error instanceof type),
              `byte ${at}: ${error}`,
            );
            assert.match((error as Error).message, /^The model archive .*\. [A-Z]/);
          }),
          { numRuns: 150 },
        );
      });

      it('is refused when it ends at any other place', async () => {
        const bytes = await archived(secret);
        await fc.assert(
          fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
            assert.ok(
              (await refused(bytes.subarray(0, length), { key: secret })) instanceof ArchiveInvalid,
              `${length}`,
            );
          }),
          { numRuns: 60 },
        );
        assert.ok((await refused(Buffer.concat([bytes, Buffer.alloc(1)]), { key: secret })) instanceof ArchiveInvalid);
        assert.ok((await refused(Buffer.concat([bytes, bytes]), { key: secret })) instanceof ArchiveInvalid);
      });

      it('leaves nothing behind when its source fails or the import is given up', async () => {
        const bytes = await archived(secret);
        async function* failing() {
          yield bytes.subarray(0, bytes.length - 20);
          throw new Error('the cable was pulled');
        }
        await assert.rejects(importPackage(failing(), path('in'), { key: secret }), /the cable was pulled/);
        const stop = new AbortController();
        async function* endless() {
          yield bytes.subarray(0, bytes.length - 20);
          stop.abort(new Error('given up'));
          yield bytes.subarray(bytes.length - 20);
        }
        const given = importPackage(endless(), path('in'), { key: secret, signal: stop.signal });
        await assert.rejects(given, /given up/);
        assert.deepEqual(await readdir(place), ['models']);
      });

      it('says that the disk is full, and leaves nothing behind', async () => {
        const bytes = await archived(secret);
        const error = await onFullDisk(() => refused(bytes, { key: secret }));
        assert.ok(error instanceof NoRoom, String(error));
        assert.match(error.message, /no room for the model/);
        await onFullDisk(() => assert.rejects(exportPackage(folder, path('x.opti'), { key: secret }), NoRoom));
        assert.deepEqual(await readdir(place), ['models']);
      });
    });
  }

  it('has the same bytes for the same version, wherever it lies and in whatever order its manifest lists the files', async () => {
    const bytes = await archived();
    const copy = path('elsewhere', '3');
    await cp(folder, copy, { recursive: true });
    assert.deepEqual(await archived(null, copy), bytes);
    await unpack(bytes);
    assert.deepEqual(await archived(null, path('in')), bytes);
  });

  it('names no folder of the machine it was made on', async () => {
    assert.equal((await archived()).includes(place), false);
  });

  it('is read by what the description of the format says', async () => {
    const bytes = await archived();
    assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x89OPTI\r\n\x1a');
    const header = 12 + bytes.readUInt32BE(8);
    assert.deepEqual(JSON.parse(bytes.subarray(12, header).toString()), { format: 1, encryption: null });
    const content = header + 4 + bytes.readUInt32BE(header);
    assert.deepEqual(bytes.subarray(header + 4, content), await readFile(join(folder, 'manifest.json')));
    const { files } = JSON.parse(bytes.subarray(header + 4, content).toString()) as {
      files: Record<string, { bytes: number }>;
    };
    let at = content;
    for (const name of Object.keys(files).sort()) {
      assert.deepEqual(bytes.subarray(at, at + files[name].bytes), await readFile(join(folder, name)));
      at += files[name].bytes;
    }
    assert.deepEqual(bytes.subarray(at), createHash('sha256').update(bytes.subarray(0, at)).digest());
  });

  it('shows nothing of an encrypted package, and not the same bytes twice', async () => {
    const [first, second] = [await archived(key), await archived(key)];
    for (const secret of ['weights of the head', 'cable', 'golden']) assert.equal(first.includes(secret), false);
    const differing = first.filter((byte, index) => byte !== second[index]).length;
    assert.ok(differing > 0.9 * (first.length - 300), `${differing} of ${first.length}`);
  });

  it('is refused with another key, without a key, and with a pass phrase instead of a key', async () => {
    const bytes = await archived(key);
    assert.ok((await refused(bytes, { key: otherKey })) instanceof ModelKeyWrong);
    assert.ok((await refused(bytes)) instanceof ModelKeyMissing);
    assert.ok((await refused(bytes, { key: readModelKey('a pass phrase of people') })) instanceof ModelKeyWrong);
  });

  it('takes a pass phrase, however its accents are composed', async () => {
    const bytes = await archived(readModelKey('Prüfstraße Nummer 7'));
    await unpack(bytes, 'in', { key: readModelKey(' Pru\u0308fstraße Nummer 7\n') });
    assert.ok((await refused(bytes, { key: readModelKey('Prüfstraße Nummer 8') })) instanceof ModelKeyWrong);
    assert.ok((await refused(bytes, { key })) instanceof ModelKeyWrong);
  });

  it('takes a plain archive although there is a key', async () => {
    await unpack(await archived(), 'in', { key });
    await verifyFiles(path('in'));
  });

  it('is refused with chunks swapped, repeated, left out, or the last one gone', async () => {
    const from = path('long');
    await writePackage(from, sampleManifest, { ...sampleFiles, 'head.onnx': randomBytes(300_000) });
    const bytes = await archived(key, from);
    const begin = 12 + bytes.readUInt32BE(8) + 32;
    const size = 64 * 1024 + 16;
    const chunks: Buffer[] = [];
    for (let at = begin; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    assert.equal(chunks.length, 5);
    const [a, b, c, d, e] = chunks;
    const orders = [[b, a, c, d, e], [a, a, b, c, d, e], [a, c, d, e], [a, b, c, d], [a, b, c, d, e, e], [e], []];
    for (const order of orders) {
      const error = await refused(Buffer.concat([bytes.subarray(0, begin), ...order]), { key });
      assert.ok(error instanceof ArchiveInvalid, String(error));
    }
  });

  it('is refused when a newer release made it, and says so', async () => {
    const bytes = await archived();
    const header = Buffer.from(JSON.stringify({ format: 2, encryption: null, more: true }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(header.length);
    const rest = bytes.subarray(12 + bytes.readUInt32BE(8));
    const newer = await refused(Buffer.concat([bytes.subarray(0, 8), length, header, rest]));
    assert.ok(newer instanceof ArchiveTooNew);
    assert.match(newer.message, /made by a newer version of this package .*Update this package/);
    const manifest = await refused(await crafted({ format: 999 }));
    assert.ok(manifest instanceof ArchiveTooNew, String(manifest));
    assert.match(manifest.message, /manifest format 999/);
  });

  it('is refused when its names would leave the folder, or mean something else on another system', async () => {
    const entry = { sha256: createHash('sha256').update('').digest('hex'), bytes: 0 };
    const wrong = [
      ['../outside'],
      ['/etc/passwd'],
      ['a/../../b'],
      ['a\\b'],
      ['C:\\x'],
      ['C:x'],
      ['manifest.json'],
      ['Manifest.JSON'],
      ['manifest.sha256'],
      ['manifest.json/x'],
      ['.hidden'],
      ['aux.png'],
      ['a.'],
      ['a '],
      ['a\0b'],
      ['a//b'],
      ['a/./b'],
      [''],
      ['Bank.json', 'bank.json'],
      ['golden', 'golden/1.png'],
      [`${'d/'.repeat(9)}x`],
      ['x'.repeat(200)],
    ];
    for (const names of wrong) {
      const files = Object.fromEntries(names.map((name) => [name, entry]));
      const error = await refused(await crafted({ files, golden: [] }));
      assert.ok(error instanceof ArchiveInvalid, `${names}: ${error}`);
    }
    assert.deepEqual(await readdir(place), ['models']);
  });

  it('is refused before anything is written when it claims too much', async () => {
    const huge = { sha256: '0'.repeat(64), bytes: 3 * 1024 ** 3 };
    assert.ok((await refused(await crafted({ files: { 'a.bin': huge } }))) instanceof ArchiveTooLarge);
    assert.ok((await refused(await archived(), { limits: { bytes: 20 } })) instanceof ArchiveTooLarge);
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`f${index}`, { ...huge, bytes: 0 }]));
    assert.ok((await refused(await crafted({ files: many }))) instanceof ArchiveTooLarge);
    const length = Buffer.alloc(4, 0xff);
    const bytes = await archived();
    const long = await refused(Buffer.concat([bytes.subarray(0, 12 + bytes.readUInt32BE(8)), length, randomBytes(99)]));
    assert.ok(long instanceof ArchiveInvalid);
  });

  it('is refused when a file is not the one of the manifest, although the archive itself is whole', async () => {
    const wrong = { 'head.onnx': { sha256: '0'.repeat(64), bytes: 4 } };
    const error = await refused(await crafted({ files: wrong, golden: [] }, Buffer.from('head')));
    assert.ok(error instanceof ArchiveInvalid);
    assert.match(error.message, /head\.onnx was changed/);
  });

  it('does not let a header choose how much memory a pass phrase costs', async () => {
    const phrase = readModelKey('a pass phrase of people');
    for (const derivation of [
      { name: 'scrypt', cost: 2 ** 20, blockSize: 32, parallelization: 1 },
      { name: 'scrypt', cost: 2 ** 30, blockSize: 8, parallelization: 1 },
      { name: 'scrypt', cost: 3 * 2 ** 14, blockSize: 8, parallelization: 1 },
      { name: 'scrypt', cost: 2, blockSize: 8, parallelization: 1 },
    ]) {
      const encryption = { cipher: 'aes-256-gcm', chunk: 65536, salt: '0'.repeat(64), derivation };
      const header = Buffer.from(JSON.stringify({ format: 1, encryption }));
      const start = Buffer.alloc(12);
      start.write('\x89OPTI\r\n\x1a', 'latin1');
      start.writeUInt32BE(header.length, 8);
      const bytes = Buffer.concat([start, header, createHmac('sha256', 'x').digest(), randomBytes(100)]);
      assert.ok((await refused(bytes, { key: phrase })) instanceof ArchiveInvalid);
    }
  });

  it('is refused when it is something else altogether', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('PK\x03\x04'), randomBytes(5000)]) {
      const error = await refused(bytes);
      assert.ok(error instanceof ArchiveInvalid);
      assert.match(error.message, /no file made by "models export"/);
    }
  });

  it('is never made of a damaged package, nor put over a file or a package', async () => {
    const archive = path('cable.opti');
    await exportPackage(folder, archive);
    await assert.rejects(exportPackage(folder, archive), FileExists);
    await assert.rejects(importPackage(fileSource(archive), folder), ModelExists);
    await writeFile(join(folder, 'head.onnx'), 'other weights of th');
    await assert.rejects(exportPackage(folder, path('damaged.opti')), ModelInvalid);
    assert.deepEqual((await readdir(place)).sort(), ['cable.opti', 'models']);
  });

  it('writes through no link that lies where it unpacks', async () => {
    await mkdir(path('target'));
    await symlink(path('target'), path('link'));
    await importPackage(inPieces(await archived()), path('link', '1'));
    await verifyFiles(path('target', '1'));
    await symlink(path('nowhere'), path('dangling'));
    await assert.rejects(importPackage(inPieces(await archived()), path('dangling')));
    assert.equal((await readdir(place)).includes('nowhere'), false);
  });

  it('removes what a killed process left a day ago, and nothing younger', async () => {
    for (const name of ['.aaaaaaaaaaaa.partial', '.bbbbbbbbbbbb.partial', '.mine']) await mkdir(path(name));
    const longAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    for (const name of ['.aaaaaaaaaaaa.partial', '.mine']) await utimes(path(name), longAgo, longAgo);
    await unpack(await archived());
    assert.deepEqual((await readdir(place)).sort(), ['.bbbbbbbbbbbb.partial', '.mine', 'in', 'models']);
  });

  describe('among the models of a station', () => {
    const models = () => path('there', 'models');

    it('becomes the next version, and keeps what it was called', async () => {
      const bytes = await archived();
      const first = await importVersion(inPieces(bytes), models());
      const second = await importVersion(inPieces(bytes), models());
      assert.deepEqual([first.version, second.version, second.parent], ['1', '2', null]);
      const sha256 = createHash('sha256')
        .update(await readFile(join(folder, 'manifest.json')))
        .digest('hex');
      assert.deepEqual(second.origin, { name: 'cable', version: '3', sha256 });
      assert.deepEqual(await verifyFiles(join(models(), 'cable', '2')), second);
      const { version, parent, origin, ...rest } = second;
      const { version: _version, parent: _parent, ...original } = await readManifest(folder);
      assert.deepEqual(rest, original);
      assert.deepEqual((await readdir(models())).sort(), ['cable']);
    });

    it('takes a package of an older format as it is', async () => {
      const old = path('old');
      await writeFirstFormat(old);
      const bytes = await archived(key, old);
      const { version, origin } = await importVersion(inPieces(bytes), models(), { key });
      assert.deepEqual([version, origin?.name, origin?.version], ['1', 'cable', '1']);
      const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as object;
      assert.deepEqual(await read(join(models(), 'cable', '1', 'manifest.json')), {
        ...(await read(join(old, 'manifest.json'))),
        origin,
      });
      await verifyFiles(join(models(), 'cable', '1'));
    });

    it('gives two imports at once a number each', async () => {
      const bytes = await archived();
      const made = await Promise.all(Array.from({ length: 4 }, () => importVersion(inPieces(bytes), models())));
      assert.deepEqual(made.map(({ version }) => version).sort(), ['1', '2', '3', '4']);
      for (const { version } of made)
        assert.equal((await verifyFiles(join(models(), 'cable', version))).version, version);
    });

    it('is refused when its name is none, or the check fails', async () => {
      await assert.rejects(importVersion(inPieces(await crafted({ name: '../up', files: {}, golden: [] })), models()), {
        code: 'archive-invalid',
      });
      await assert.rejects(
        importVersion(inPieces(await crafted({ partType: 'a b', files: {}, golden: [] })), models()),
        {
          code: 'archive-invalid',
        },
      );
      const check = async () => {
        throw new ModelInvalid('x', 'golden/1.png scores otherwise');
      };
      await assert.rejects(importVersion(inPieces(await archived()), models(), { check }), ModelInvalid);
      assert.deepEqual(await readdir(models()), []);
    });
  });

  describe('keys', () => {
    it('are 32 bytes in hex or base64, or a pass phrase', async () => {
      const bytes = randomBytes(32);
      for (const text of [
        bytes.toString('hex'),
        ` ${bytes.toString('base64')}\n`,
        bytes.toString('hex').toUpperCase(),
      ]) {
        assert.deepEqual(readModelKey(text), { kind: 'bytes', bytes });
      }
      assert.deepEqual(readModelKey('twelve signs'), { kind: 'pass-phrase', text: 'twelve signs' });
      for (const text of ['', '  \n', 'too short']) assert.throws(() => readModelKey(text), ModelKeyInvalid);
    });

    it('are read from a text file', async () => {
      await writeFile(path('key'), `${'ab'.repeat(32)}\r\n`);
      assert.deepEqual(await readModelKeyFile(path('key')), { kind: 'bytes', bytes: Buffer.alloc(32, 0xab) });
      await assert.rejects(readModelKeyFile(path('none')), /there is no such file/);
      await assert.rejects(readModelKeyFile(place), /no small text file/);
    });
  });

  it('is called after its model and version', () => {
    assert.equal(archiveName({ name: 'cable', version: '3' }), 'cable-3.opti');
  });

  /** An archive that is whole, with another manifest than any export would write. */
  async function crafted(changes: object, content = Buffer.alloc(0)): Promise<Buffer> {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as object;
    const text = Buffer.from(JSON.stringify({ ...manifest, ...changes }));
    const header = Buffer.from(JSON.stringify({ format: 1, encryption: null }));
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(header.length, 0);
    numbers.writeUInt32BE(text.length, 4);
    const magic = Buffer.from('\x89OPTI\r\n\x1a', 'latin1');
    const all = Buffer.concat([magic, numbers.subarray(0, 4), header, numbers.subarray(4), text, content]);
    return Buffer.concat([all, createHash('sha256').update(all).digest()]);
  }
});

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The bytes as a network might bring them. */
async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = Math.min(2 * size + 1, 10_000)) {
    yield bytes.subarray(at, at + size);
  }
}

async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = await Promise.all(
    files.sort().map(async (file) => [file.slice(folder.length), (await readFile(file)).toString('base64')]),
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** Runs `work` while every write to an opened file fails as on a full disk. */
async function onFullDisk<Result>(work: () => Promise<Result>): Promise<Result> {
  const original = promises.open;
  promises.open = async (path, ...more) => {
    const handle = await original(path, ...more);
    handle.writeFile = async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    return handle;
  };
  try {
    return await work();
  } finally {
    promises.open = original;
  }
}
