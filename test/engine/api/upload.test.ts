import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import type { Problem, UploadAnswer } from '../../../engine/api';
import { isId, newId } from '../../../engine/domain';
import { waitFor } from '../../support/wait';
import { aPicture, type Line, openLine, type RunningApi, serveApi } from './line';

describe('POST /upload/', () => {
  let line: Line;
  let api: RunningApi;
  let picture: Buffer;

  before(async () => {
    line = await openLine();
    api = await serveApi(() => [line.station]);
    picture = await aPicture();
  });
  after(async () => {
    await api.close();
    await line.close();
  });
  afterEach(() => {
    assert.deepEqual(api.errors, []);
  });

  async function uploadRaw(query: string, type = 'image/jpeg', body: Uint8Array = picture) {
    return fetch(`${api.url}/upload/?${query}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(body),
    });
  }

  async function uploadForm(fields: Record<string, string>, path = '/upload/') {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'part.jpg');
    return fetch(`${api.url}${path}`, { method: 'POST', body: form });
  }

  it('inspects a raw picture and keeps its bytes', async () => {
    const response = await uploadRaw('partType=plate&serial=score%200.5');
    const answer = (await response.json()) as UploadAnswer;
    assert.equal(response.status, 200);
    assert.ok(isId(answer.id));
    assert.deepEqual(answer, {
      id: answer.id,
      status: 'auto_validated',
      verdict: 'OK',
      confidence: 0.5,
      threshold_used: 2,
      reasons: ['score-below-accept'],
      score: 0.5,
      partType: 'plate',
      serial: 'score 0.5',
      picture: `/inspection/api/inspections/${answer.id}/picture`,
      map: `/inspection/api/inspections/${answer.id}/map`,
    });
    const stored = await fetch(`${api.url}/inspections/${answer.id}/picture`);
    assert.deepEqual(Buffer.from(await stored.arrayBuffer()), picture);
  });

  it('inspects the picture in the field "file" of a form', async () => {
    const response = await uploadForm({ partType: 'bracket', serial: 'score 3' });
    const answer = (await response.json()) as UploadAnswer;
    assert.equal(response.status, 200);
    assert.deepEqual(
      [answer.verdict, answer.status, answer.partType, answer.serial],
      ['NG', 'auto_validated', 'bracket', 'score 3'],
    );
    assert.equal(answer.threshold_used, 2);
  });

  it('answers pending_review when a person has to look', async () => {
    const answer = (await (await uploadForm({ serial: 'score 1.5' }, '/upload')).json()) as UploadAnswer;
    assert.deepEqual([answer.verdict, answer.status], ['REVIEW', 'pending_review']);
  });

  it('names no threshold for a fail-safe verdict', async () => {
    const answer = (await (await uploadRaw('serial=no%20score')).json()) as UploadAnswer;
    assert.deepEqual(
      [answer.verdict, answer.status, answer.threshold_used, answer.score, answer.map],
      ['NG', 'auto_validated', null, null, null],
    );
    assert.deepEqual(answer.reasons, ['inference-failed']);
  });

  it('answers ten clients at once, each with its own part', async () => {
    const pictures = await Promise.all(Array.from({ length: 10 }, (_, index) => aPicture(64 + index, 48)));
    const answers = await Promise.all(
      pictures.map(async (body, index) => {
        const serial = `score 0.${index + 1}`;
        const response = await uploadRaw(`serial=${encodeURIComponent(serial)}`, 'image/jpeg', body);
        assert.equal(response.status, 200);
        return (await response.json()) as UploadAnswer;
      }),
    );
    assert.equal(new Set(answers.map(({ id }) => id)).size, 10);
    for (const [index, { id, serial }] of answers.entries()) {
      assert.equal(serial, `score 0.${index + 1}`);
      const record = await line.store.inspections.get(id);
      assert.equal(record?.image?.sha256, createHash('sha256').update(pictures[index]).digest('hex'));
    }
  });

  it('refuses more pictures at a time than it can hold, and takes them when there is room again', async () => {
    let release = () => {};
    line.held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const refused: Response[] = [];
    const uploads = Array.from({ length: 24 }, async () => {
      const response = await uploadRaw('');
      if (response.status === 503) refused.push(response);
      return response.status;
    });
    await waitFor('the refusals', () => refused.length >= 8);
    release();
    const taken = (await Promise.all(uploads)).filter((status) => status === 200);
    assert.deepEqual([taken.length, refused.length], [16, 8]);
    for (const response of refused) {
      assert.equal(response.headers.get('retry-after'), '1');
      assert.equal(((await response.json()) as Problem).code, 'busy');
    }
    assert.equal((await uploadRaw('')).status, 200);
  });

  it('says 503 with problem details when no flow takes pictures', async () => {
    line.accepting = false;
    const response = await uploadRaw('');
    line.accepting = true;
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.equal(((await response.json()) as Problem).code, 'no-intake');
  });

  const multipart = (lines: readonly (string | Buffer)[]) =>
    Buffer.concat(lines.map((part) => Buffer.concat([Buffer.from(part), Buffer.from('\r\n')])));
  const part = (name: string, filename?: string) =>
    `--B\r\nContent-Disposition: form-data; name="${name}"${filename ? `; filename="${filename}"` : ''}\r\n`;
  const form = 'multipart/form-data; boundary=B';

  const refused: readonly [string, string, string | Buffer, number, string, string?][] = [
    ['an empty body', 'image/jpeg', '', 422, 'picture-unreadable'],
    ['text that calls itself a JPEG', 'image/jpeg', 'hello', 415, 'picture-unreadable'],
    ['a JPEG cut off in its header', 'image/jpeg', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 422, 'picture-unreadable'],
    ['a body of another type', 'text/plain', 'hello', 415, 'unsupported-media-type'],
    ['JSON', 'application/json', '{}', 415, 'unsupported-media-type'],
    ['an unknown query parameter', 'image/jpeg', 'x', 400, 'invalid-input', 'partTyp=plate'],
    ['a parameter given twice', 'image/jpeg', 'x', 400, 'invalid-input', 'partType=a&partType=b'],
    ['a part type that is a path', 'image/jpeg', 'x', 400, 'invalid-input', 'partType=..%2f..%2fetc'],
    ['a serial with a line break', 'image/jpeg', 'x', 400, 'invalid-input', 'serial=a%0Ab'],
    ['an unknown station', 'image/jpeg', 'x', 404, 'unknown-station', 'station=other'],
    ['a form without boundary', 'multipart/form-data', 'x', 400, 'malformed-form'],
    ['a form that is no form', form, 'hello', 400, 'malformed-form'],
    ['an empty form', form, '--B--\r\n', 400, 'invalid-form'],
    ['a form without picture', form, multipart([part('serial'), 'a', '--B--']), 400, 'invalid-form'],
    ['a picture in a wrong field', form, multipart([part('image', 'a.jpg'), 'x', '--B--']), 400, 'invalid-form'],
    ['an unknown field', form, multipart([part('serail'), 'a', part('file', 'a'), 'x', '--B--']), 400, 'invalid-input'],
    [
      'a field given twice',
      form,
      multipart([part('serial'), 'a', part('serial'), 'b', part('file', 'a'), 'x', '--B--']),
      400,
      'invalid-form',
    ],
    ['two pictures', form, multipart([part('file', 'a'), 'x', part('file', 'b'), 'y', '--B--']), 400, 'invalid-form'],
    ['a field that is too long', form, multipart([part('serial'), 'a'.repeat(2000), '--B--']), 400, 'invalid-form'],
    [
      'a form that ends in the picture',
      form,
      Buffer.from(`${part('file', 'a.jpg')}\r\n\xff\xd8`),
      400,
      'malformed-form',
    ],
    [
      'a field named __proto__',
      form,
      multipart([part('__proto__'), 'a', part('file', 'a'), 'x', '--B--']),
      400,
      'invalid-input',
    ],
  ];
  for (const [what, type, body, status, code, query] of refused) {
    it(`refuses ${what}`, async () => {
      const before = await line.store.inspections.list({ limit: 1 });
      const response = await uploadRaw(query ?? '', type, Buffer.from(body));
      const problem = (await response.json()) as Problem;
      assert.deepEqual([response.status, problem.code], [status, code], problem.detail);
      assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
      assert.equal(problem.status, status);
      assert.equal(problem.type, `urn:problem-type:opti-quality:${code}`);
      assert.ok(problem.title.length > 0 && problem.detail.length > 20);
      assert.deepEqual(await line.store.inspections.list({ limit: 1 }), before);
    });
  }

  it('refuses a body of more than 32 MiB by its announced length, without reading it', async () => {
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const upload = request(`${api.url}/upload/`, {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg', 'content-length': 10 * 1024 ** 3 },
      });
      upload.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          upload.destroy();
          resolve({ status: response.statusCode!, text });
        });
      });
      upload.on('error', reject);
      upload.write(picture);
    });
    assert.equal(answer.status, 413);
    assert.equal(JSON.parse(answer.text).code, 'body-too-large');
  });

  for (const [kind, type, head] of [
    ['raw body', 'image/jpeg', ''],
    ['form', form, `${part('file', 'a.jpg')}Content-Type: image/jpeg\r\n\r\n`],
  ] as const) {
    it(`refuses a ${kind} that grows over 32 MiB, and the client reads why`, async () => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from(head));
          for (let megabytes = 0; megabytes < 34; megabytes++) controller.enqueue(Buffer.alloc(1024 * 1024));
          controller.close();
        },
      });
      const response = await fetch(`${api.url}/upload/`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
        duplex: 'half',
      } as RequestInit);
      assert.equal(response.status, 413);
      assert.equal(((await response.json()) as Problem).code, 'body-too-large');
    });
  }

  it('keeps the connection of a refused body open until it is sent, so that its answer is not lost', async () => {
    const socket = connect(api.port, '127.0.0.1');
    let text = '';
    let ended = false;
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.once('end', () => {
      ended = true;
    });
    socket.write('POST /inspection/api/upload/ HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n');
    socket.write('content-length: 5000\r\n\r\n');
    await waitFor('the whole answer', () => text.endsWith('}'));
    assert.match(text, /^HTTP\/1\.1 415 /);
    for (let part = 0; part < 10; part += 1) {
      assert.equal(ended, false, `after ${500 * part} of 5000 bytes`);
      await new Promise((resolve) => socket.write(Buffer.alloc(500), resolve));
    }
    await waitFor('the end', () => ended);
    socket.destroy();
  });

  for (const [kind, head] of [
    ['raw body', 'content-type: image/jpeg\r\ncontent-length: 5000\r\n\r\n'],
    ['form', `content-type: ${form}\r\ncontent-length: 5000\r\n\r\n${part('file', 'a.jpg')}\r\n`],
  ]) {
    it(`forgets a ${kind} whose client goes away in the middle`, async () => {
      const before = await line.store.inspections.list({ limit: 1 });
      const seen = { begun: 0, gone: 0 };
      const watched = await serveApi(
        () => [line.station],
        (app) =>
          app.use((_request, response, next) => {
            seen.begun += 1;
            response.once('close', () => {
              seen.gone += 1;
            });
            next();
          }),
      );
      const socket = connect(watched.port, '127.0.0.1');
      socket.write(`POST /inspection/api/upload/ HTTP/1.1\r\nhost: x\r\n${head}`);
      socket.write(picture.subarray(0, 200));
      await waitFor('the upload to begin', () => seen.begun === 1);
      socket.destroy();
      await waitFor('the server to see it gone', () => seen.gone === 1);
      await watched.close();
      assert.deepEqual(watched.errors, []);
      assert.deepEqual(await line.store.inspections.list({ limit: 1 }), before);
      assert.equal((await uploadRaw('')).status, 200);
    });
  }

  it('leaves no temporary file behind', async () => {
    const files = await readdir(join(line.dataFolder), { recursive: true });
    assert.deepEqual(
      files.filter((file) => /\.(tmp|partial)$/.test(file)),
      [],
    );
  });

  it('copes with a raw body parser in front', async () => {
    const behind = await serveApi(
      () => [line.station],
      (app) => app.use(express.raw({ type: '*/*', limit: '50mb' })),
    );
    const response = await fetch(`${behind.url}/upload/`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: new Uint8Array(picture),
    });
    await behind.close();
    assert.equal(response.status, 200);
  });

  it('gives a browser camera its picture once', async () => {
    const requestId = newId();
    const asked = new Promise<Buffer>((resolve) => line.captureRequests.set(requestId, resolve));
    const post = (id: string) =>
      fetch(`${api.url}/browser-cameras/${id}`, {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg' },
        body: new Uint8Array(picture),
      });
    const first = await post(requestId);
    assert.deepEqual(await first.json(), { accepted: true });
    assert.deepEqual(await asked, picture);
    const second = await post(requestId);
    assert.equal(second.status, 404);
    assert.equal(((await second.json()) as Problem).code, 'request-over');
    assert.equal((await post('nonsense')).status, 404);
  });
});
