import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { CameraUnavailable, type FrameSource, type HttpSourceOptions, httpSource } from '../../../engine/camera';
import { digestGuard, type HttpCamera, serve } from './fixtures/http-camera';
import { jpegPicture, pngPicture } from './fixtures/pictures';

describe('httpSource', () => {
  const signal = new AbortController().signal;
  const open: { close(): Promise<void> }[] = [];
  let jpeg: Buffer;

  before(async () => {
    jpeg = await jpegPicture(120, 90);
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((thing) => thing.close()));
  });

  async function camera(listener: RequestListener): Promise<HttpCamera> {
    const server = await serve(listener);
    open.unshift(server);
    return server;
  }

  function sourceOf(url: string, options: Partial<HttpSourceOptions> = {}): FrameSource {
    const source = httpSource({ url, ...options });
    open.unshift(source);
    return source;
  }

  const picture: RequestListener = (_, response) => {
    response.setHeader('Content-Type', 'image/jpeg');
    response.end(jpeg);
  };

  const hasNoSecret = (text: string) => assert.doesNotMatch(text, /secret|s%40cret|s@cret|token/i);

  it('takes a picture, and another', async () => {
    const { origin, requests } = await camera(picture);
    const source = sourceOf(`${origin}/snapshot.jpg?channel=1`);
    assert.equal(source.status.state, 'connecting');
    assert.deepEqual((await source.next(signal)).picture, jpeg);
    assert.deepEqual((await source.next(signal)).picture, jpeg);
    assert.equal(requests[0].url, '/snapshot.jpg?channel=1');
    assert.deepEqual(source.status, { state: 'ready', reconnects: 0, message: undefined });
  });

  it('takes a PNG, whatever content type the camera claims', async () => {
    const png = await pngPicture(40, 30);
    const { origin } = await camera((_, response) => response.end(png));
    assert.deepEqual((await sourceOf(origin).next(signal)).picture, png);
  });

  it('takes the first picture of a Motion JPEG stream and hangs up', async () => {
    const { origin } = await camera((_, response) => {
      response.setHeader('Content-Type', 'multipart/x-mixed-replace; boundary=frame');
      response.write(`--frame\r\nContent-Type: image/jpeg\r\n\r\n`);
      response.write(jpeg);
      response.write(`\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n`);
      response.write(jpeg.subarray(0, 100));
    });
    assert.deepEqual((await sourceOf(origin).next(signal)).picture, jpeg);
  });

  describe('basic authentication', () => {
    const guarded: RequestListener = (request, response) => {
      // base64 of "Aladdin:open sesame", RFC 7617, section 2
      if (request.headers.authorization === 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==') return picture(request, response);
      response.setHeader('WWW-Authenticate', 'Basic realm="camera"');
      response.statusCode = 401;
      response.end();
    };

    it('signs in when asked, and then at once', async () => {
      const { origin, requests } = await camera(guarded);
      const source = sourceOf(origin, { username: 'Aladdin', password: 'open sesame' });
      await source.next(signal);
      await source.next(signal);
      assert.deepEqual(
        requests.map(({ status }) => status),
        [401, 200, 200],
      );
      assert.equal(requests[0].authorization, null);
    });

    it('takes the credentials out of the address', async () => {
      const { origin } = await camera(guarded);
      const source = sourceOf(origin.replace('//', '//Aladdin:open%20sesame@'));
      assert.deepEqual((await source.next(signal)).picture, jpeg);
    });

    it('tells wrong and missing credentials apart, and does not repeat them', async () => {
      const { origin, requests } = await camera(guarded);
      const wrong = sourceOf(`${origin}/a?token=1`, { username: 'Aladdin', password: 's@cret' });
      await assert.rejects(wrong.next(signal), (error: CameraUnavailable) => {
        assert.ok(error instanceof CameraUnavailable);
        assert.match(error.message, /refuses the user name or password/);
        assert.equal(error.reason, 'camera-unavailable');
        hasNoSecret(JSON.stringify([error.message, error.parameters, wrong.status]));
        return true;
      });
      assert.equal(requests.length, 2);
      await assert.rejects(sourceOf(origin).next(signal), /asks for a user name and password/);
    });
  });

  describe('digest authentication', () => {
    const credentials = { username: 'operator', password: 's@cret: "1"' };

    for (const algorithm of ['MD5', 'SHA-256'] as const) {
      it(`signs in with ${algorithm}, and counts the uses of the nonce`, async () => {
        const guard = digestGuard({ algorithm, ...credentials });
        const { origin, requests } = await camera(
          (request, response) => guard(request, response) && picture(request, response),
        );
        const source = sourceOf(`${origin}/cgi-bin/snapshot.cgi?channel=1&subtype=0`, credentials);
        for (let i = 0; i < 3; i++) assert.deepEqual((await source.next(signal)).picture, jpeg);
        assert.deepEqual(
          requests.map(({ status }) => status),
          [401, 200, 200, 200],
        );
        assert.deepEqual(
          requests.slice(1).map(({ authorization }) => /nc=(\w+)/.exec(authorization ?? '')?.[1]),
          ['00000001', '00000002', '00000003'],
        );
      });
    }

    for (const tellsStale of [true, false]) {
      it(`takes a new nonce when the old one is used up, ${tellsStale ? 'told so' : 'without being told'}`, async () => {
        const guard = digestGuard({ algorithm: 'SHA-256', ...credentials, nonceUses: 2, tellsStale });
        const { origin, requests } = await camera(
          (request, response) => guard(request, response) && picture(request, response),
        );
        const source = sourceOf(origin, credentials);
        for (let i = 0; i < 4; i++) await source.next(signal);
        assert.deepEqual(
          requests.map(({ status }) => status),
          [401, 200, 200, 401, 200, 200],
        );
      });
    }

    it('gives up after one try with wrong credentials', async () => {
      const guard = digestGuard({ algorithm: 'MD5', ...credentials });
      const { origin, requests } = await camera(
        (request, response) => guard(request, response) && picture(request, response),
      );
      const source = sourceOf(origin, { username: 'operator', password: 'secret2' });
      await assert.rejects(source.next(signal), /refuses the user name or password/);
      assert.equal(requests.length, 2);
      hasNoSecret(JSON.stringify(source.status));
    });

    it('does not ask for ever when every nonce is stale', async () => {
      const guard = digestGuard({ algorithm: 'MD5', ...credentials, nonceUses: 0 });
      const { origin, requests } = await camera(
        (request, response) => guard(request, response) && picture(request, response),
      );
      await assert.rejects(sourceOf(origin, credentials).next(signal), CameraUnavailable);
      assert.ok(requests.length <= 5, `${requests.length} requests`);
    });

    it('takes the strongest of several offers, and never basic beside digest', async () => {
      const { origin, requests } = await camera((request, response) => {
        if (request.headers.authorization) return picture(request, response);
        response.statusCode = 401;
        response.setHeader('WWW-Authenticate', [
          'Basic realm="camera"',
          'Digest realm="camera", nonce="n", qop="auth", algorithm=MD5',
          'Digest realm="camera", nonce="n", qop="auth", algorithm=SHA-256',
          'Bearer realm="camera"',
        ]);
        response.end();
      });
      await sourceOf(origin, credentials).next(signal);
      assert.match(requests[1].authorization ?? '', /^Digest .*algorithm=SHA-256/);
    });

    it('says so when the camera wants a way to sign in that is not known here', async () => {
      const { origin } = await camera((_, response) => {
        response.writeHead(401, { 'WWW-Authenticate': 'Negotiate' }).end();
      });
      await assert.rejects(sourceOf(origin, credentials).next(signal), /not basic or digest/);
    });
  });

  describe('redirects', () => {
    it('follows them', async () => {
      const { origin } = await camera((request, response) => {
        if (request.url === '/now.jpg') return picture(request, response);
        response.writeHead(302, { Location: '/now.jpg' }).end();
      });
      assert.deepEqual((await sourceOf(`${origin}/snapshot`).next(signal)).picture, jpeg);
    });

    it('does not take the credentials along to another server', async () => {
      const other = await camera(picture);
      const { origin } = await camera((request, response) => {
        if (request.headers.authorization) {
          response.writeHead(307, { Location: `${other.origin}/picture.jpg` }).end();
        } else {
          response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="camera"' }).end();
        }
      });
      await sourceOf(origin, { username: 'operator', password: 'secret' }).next(signal);
      assert.deepEqual(
        other.requests.map(({ authorization }) => authorization),
        [null],
      );
    });

    it('gives up going round in circles, to files and to nowhere', async () => {
      for (const location of ['/', 'file:///etc/passwd', 'http://[']) {
        const { origin } = await camera((_, response) => {
          response.writeHead(302, { Location: location }).end();
        });
        await assert.rejects(sourceOf(origin).next(signal), /it redirects/);
      }
    });
  });

  describe('faults', () => {
    const faults: readonly (readonly [string, RequestListener, RegExp])[] = [
      [
        'a page',
        (_, response) => response.setHeader('Content-Type', 'text/html').end('<html>'),
        /answers with text\/html/,
      ],
      ['nothing', (_, response) => response.end(), /answers without a picture/],
      ['404', (_, response) => response.writeHead(404).end(), /\(404\)/],
      ['500', (_, response) => response.writeHead(500).end('x'.repeat(200_000)), /HTTP status 500/],
      [
        'half a picture',
        (_, response) => {
          response.setHeader('Content-Length', jpeg.length);
          response.write(jpeg.subarray(0, 1000), () => response.destroy());
        },
        /closed the connection before the picture was complete/,
      ],
    ];
    for (const [name, listener, message] of faults) {
      it(`says what is wrong with ${name}`, async () => {
        const { origin } = await camera(listener);
        const source = sourceOf(origin);
        await assert.rejects(source.next(signal), (error: CameraUnavailable) => {
          assert.ok(error instanceof CameraUnavailable);
          assert.match(error.message, message);
          return true;
        });
        assert.equal(source.status.state, 'unavailable');
      });
    }

    it('refuses more bytes than allowed, announced or not', async () => {
      const announced = await camera(picture);
      const flooding = await camera((_, response) => {
        response.write(jpeg);
        response.end(Buffer.alloc(100_000));
      });
      for (const { origin } of [announced, flooding]) {
        await assert.rejects(sourceOf(origin, { maxBytes: 1000 }).next(signal), { code: 'picture-unreadable' });
      }
    });

    it('gives up after the time allowed, before and in the middle of an answer', async () => {
      const silent = await camera(() => {});
      const slow = await camera((_, response) => void response.write(jpeg.subarray(0, 50)));
      for (const { origin } of [silent, slow]) {
        await assert.rejects(sourceOf(origin, { timeoutMs: 80 }).next(signal), /no picture within 0\.08 s/);
      }
    });

    it('ends at once when the caller gives up, and does not call that a fault of the camera', async () => {
      const { origin } = await camera(() => {});
      const source = sourceOf(origin);
      const abort = new AbortController();
      const frame = source.next(abort.signal);
      const reason = new Error('deadline');
      abort.abort(reason);
      await assert.rejects(frame, (error) => error === reason);
      await assert.rejects(source.next(abort.signal), (error) => error === reason);
      assert.notEqual(source.status.state, 'unavailable');
    });

    it('says when nobody listens, and counts the return', async () => {
      const first = await camera(picture);
      const { port } = new URL(first.origin);
      const source = sourceOf(first.origin);
      await source.next(signal);
      await first.close();
      open.splice(open.indexOf(first), 1);
      await assert.rejects(source.next(signal), new RegExp(`127\\.0\\.0\\.1:${port}/: it refuses the connection`));
      assert.equal(source.status.state, 'unavailable');
    });

    it('counts a reconnect when the camera is well again', async () => {
      let ill = true;
      const { origin } = await camera((request, response) =>
        ill ? response.writeHead(503).end() : picture(request, response),
      );
      const source = sourceOf(origin);
      const states: string[] = [];
      source.on('status', ({ state }) => states.push(state));
      await assert.rejects(source.next(signal), /busy \(503\)/);
      await assert.rejects(source.next(signal), /busy \(503\)/);
      ill = false;
      await source.next(signal);
      assert.equal(source.status.reconnects, 1);
      assert.deepEqual([...new Set(states)], ['unavailable', 'ready']);
    });

    it('sends a request again when the camera closed the kept connection', async () => {
      let connections = 0;
      const { origin } = await camera((request, response) => {
        const socket = request.socket as typeof request.socket & { answered?: boolean };
        if (socket.answered) return void socket.resetAndDestroy();
        connections++;
        socket.answered = true;
        picture(request, response);
      });
      const source = sourceOf(origin);
      for (let i = 0; i < 3; i++) await source.next(signal);
      assert.equal(connections, 3);
    });

    it('rejects waiting and later calls when it is closed', async () => {
      const { origin } = await camera(() => {});
      const source = sourceOf(origin);
      const frame = assert.rejects(source.next(signal), /source was closed/);
      await source.close();
      await frame;
      await assert.rejects(source.next(signal), /source was closed/);
      assert.equal(source.status.state, 'closed');
    });

    it('refuses an address that is none', () => {
      for (const url of ['', 'camera', 'ftp://camera/a.jpg', 'http://']) {
        assert.throws(() => httpSource({ url }), { code: 'invalid-input' });
      }
    });
  });
});
