import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpSource } from '../../../engine/camera';
import { jpegPicture } from './fixtures/pictures';

describe('httpSource over TLS', function () {
  this.timeout(180_000);
  const { signal } = new AbortController();
  let folder = '';
  let server: Server;
  let url = '';
  let jpeg: Buffer;

  before(async function () {
    folder = await mkdtemp(join(tmpdir(), 'opti-quality-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=camera'],
      ...['-keyout', key, '-out', cert],
    ]);
    if (made.status !== 0) {
      console.log('      skipped: no openssl to make a certificate with');
      return this.skip();
    }
    jpeg = await jpegPicture(60, 40);
    const files = { key: await readFile(key), cert: await readFile(cert) };
    server = createServer(files, (_, response) => response.end(jpeg)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/snapshot`;
  });

  after(async () => {
    server?.closeAllConnections();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('refuses a certificate nobody vouches for, and says which switch accepts it', async () => {
    const source = httpSource({ url });
    await assert.rejects(source.next(signal), /certificate is not trusted\. Switch on "accept untrusted certificate"/);
    await source.close();
  });

  it('accepts it when told so', async () => {
    const source = httpSource({ url, allowUntrustedCertificate: true });
    assert.deepEqual((await source.next(signal)).picture, jpeg);
    await source.close();
  });
});
