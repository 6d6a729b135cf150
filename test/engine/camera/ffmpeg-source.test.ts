import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import {
  CameraUnavailable,
  FfmpegMissing,
  type FfmpegSourceOptions,
  type FrameSource,
  ffmpegSource,
} from '../../../engine/camera';
import { ffmpegArguments } from '../../../engine/camera/ffmpeg-arguments';
import { inspectPicture } from '../../../engine/imaging';
import { waitFor } from '../../support/wait';
import { serve } from './fixtures/http-camera';
import { jpegPicture } from './fixtures/pictures';

const { signal } = new AbortController();
const open: FrameSource[] = [];

function sourceOf(options: Partial<FfmpegSourceOptions>): FrameSource {
  const input = 'rtsp://operator:s3cret!@192.0.2.7/stream';
  const source = ffmpegSource({ input, kind: 'rtsp', timeoutMs: 30_000, ...options });
  open.push(source);
  return source;
}

async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((source) => source.close()));
}

async function until(source: FrameSource, holds: (status: FrameSource['status']) => boolean): Promise<void> {
  while (!holds(source.status)) await once(source, 'status');
}

const state = (source: FrameSource, wished: string) => until(source, ({ state }) => state === wished);
const reconnected = (source: FrameSource, times: number) => until(source, ({ reconnects }) => reconnects >= times);

/** Mean grey level of a vertical strip. */
async function brightness(picture: Buffer, left: number, width: number): Promise<number> {
  const strip = await sharp(picture).extract({ left, top: 0, width, height: 720 }).greyscale().raw().toBuffer();
  return strip.reduce((sum, value) => sum + value, 0) / strip.length;
}

describe('ffmpegSource with ffmpeg', function () {
  this.timeout(180_000);
  let folder = '';

  before(async function () {
    if (spawnSync('ffmpeg', ['-version']).status !== 0) {
      console.log('      skipped: ffmpeg is not installed');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'opti-quality-ffmpeg-'));
  });

  afterEach(closeAll);
  after(() => rm(folder || 'nothing', { recursive: true, force: true }));

  /** A live test card: 640x480, a running clock in it, in real time. */
  const card = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=640x480:rate=25'];

  it('gives pictures of 1280x720, the side borders of a 4:3 camera black', async () => {
    const source = sourceOf({ inputArguments: card });
    const { picture } = await source.next(signal);
    const { width, height, format } = await inspectPicture(picture);
    assert.deepEqual([width, height, format], [1280, 720, 'jpeg']);
    assert.ok((await brightness(picture, 0, 150)) < 3);
    assert.ok((await brightness(picture, 320, 640)) > 50);
    assert.deepEqual(source.status, { state: 'ready', reconnects: 0, message: undefined });
  });

  it('gives pictures as the camera has them', async () => {
    const source = sourceOf({ inputArguments: card, size: 'native' });
    const { width, height } = await inspectPicture((await source.next(signal)).picture);
    assert.deepEqual([width, height], [640, 480]);
  });

  it('gives a frame newer than the call, and never the same twice', async () => {
    const source = sourceOf({ inputArguments: card, framesPerSecond: 10 });
    const first = await source.next(signal);
    await sleep(450);
    const second = await source.next(signal);
    const third = await source.next(signal);
    assert.notDeepEqual(first.picture, second.picture);
    assert.notDeepEqual(second.picture, third.picture);
  });

  it('reads a video file, and connects again at its end', async () => {
    const file = join(folder, 'line.mp4');
    const made = spawnSync('ffmpeg', [
      ...['-hide_banner', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25:duration=1'],
      ...['-c:v', 'mpeg4', file],
    ]);
    assert.equal(made.status, 0, made.stderr.toString());
    const source = sourceOf({ inputArguments: ['-re', '-i', file], backOff: { firstMs: 20, maxMs: 100 } });
    await source.next(signal);
    await reconnected(source, 1);
    await source.next(signal);
    assert.equal(source.status.state, 'ready');
  });

  it('takes a network stream by its address, signed in', async () => {
    const frame = await jpegPicture(320, 240);
    const camera = await serve((request, response) => {
      // base64 of "operator:s3cret!"
      if (request.headers.authorization !== 'Basic b3BlcmF0b3I6czNjcmV0IQ==') {
        response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="camera"' }).end();
        return;
      }
      response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=frame' });
      const send = () => {
        response.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${frame.length}\r\n\r\n`);
        response.write(Buffer.concat([frame, Buffer.from('\r\n')]));
      };
      const timer = setInterval(send, 40);
      response.on('close', () => clearInterval(timer));
    });
    const input = `${camera.origin}/video.mjpg`;
    const source = sourceOf({ input, size: 'native', username: 'operator', password: 's3cret!' });
    const { width, height } = await inspectPicture((await source.next(signal)).picture);
    assert.deepEqual([width, height], [320, 240]);
    await source.close();
    await camera.close();
  });

  it('repeats what ffmpeg says about a camera that is not there, without its password', async () => {
    const source = sourceOf({ input: 'rtsp://operator:s3cret!@127.0.0.1:9/stream', timeoutMs: 500 });
    await reconnected(source, 1);
    await assert.rejects(source.next(signal), (error: CameraUnavailable) => {
      assert.ok(error instanceof CameraUnavailable);
      assert.match(error.message, /rtsp:\/\/127\.0\.0\.1:9\/stream: no frame within 0\.5 s: .*Connection refused/);
      const told = JSON.stringify([error.message, error.parameters, source.status]);
      assert.doesNotMatch(told, /s3cret|operator/);
      return true;
    });
    assert.equal(source.status.state, 'reconnecting');
  });

  it('ends ffmpeg on close', async () => {
    const source = sourceOf({ inputArguments: card });
    await source.next(signal);
    const waiting = assert.rejects(source.next(signal), /source was closed/);
    await source.close();
    await waiting;
    await assert.rejects(source.next(signal), /source was closed/);
    assert.equal(source.status.state, 'closed');
    await waitFor('the end of ffmpeg', () => !process.getActiveResourcesInfo().includes('ProcessWrap'));
  });
});

describe('ffmpegSource with a camera that fails', function () {
  this.timeout(180_000);
  let folder = '';
  let ffmpegPath = '';

  before(async function () {
    if (process.platform === 'win32') this.skip();
    folder = await mkdtemp(join(tmpdir(), 'opti-quality-ffmpeg-'));
    ffmpegPath = join(folder, 'ffmpeg');
    await writeFile(
      join(folder, 'picture.jpg'),
      await sharp({ create: { width: 64, height: 48, channels: 3, background: 'red' } })
        .jpeg()
        .toBuffer(),
    );
    await writeFile(ffmpegPath, fakeFfmpeg(process.execPath, folder));
    await chmod(ffmpegPath, 0o755);
  });

  afterEach(closeAll);
  after(() => rm(folder || 'nothing', { recursive: true, force: true }));

  /** What the first, second, ... start does; the last one is repeated. */
  async function behave(...starts: ('frames' | 'stall' | 'stall-after-frames' | 'die')[]): Promise<void> {
    for (const name of ['starts', 'sent']) await writeFile(join(folder, name), '');
    await writeFile(join(folder, 'behaviour.json'), JSON.stringify(starts));
  }

  const starts = async () => (await readFile(join(folder, 'starts'), 'utf8')).trim().split('\n').map(Number);
  /** When the frame with this number had left the camera. */
  const sentAt = (number: string) =>
    waitFor(`frame ${number}`, async () => {
      const times = await readFile(join(folder, 'sent'), 'utf8');
      const line = new RegExp(`^${number} (\\d+)\n`, 'm').exec(times);
      return line && Number(line[1]);
    });
  const quick = { stallMs: 1_500, connectMs: 20_000, backOff: { firstMs: 50, maxMs: 800 } };

  it('gives a frame that the camera sent after the call, never one that lay ready', async () => {
    await behave('frames');
    const source = sourceOf({ ffmpegPath, ...quick, stallMs: 10_000 });
    await source.next(signal);
    for (let i = 0; i < 20; i++) {
      // The main process is busy, and a frame waits in the pipe.
      for (const end = Date.now() + 25; Date.now() < end; );
      const calledAt = Date.now();
      const { picture } = await source.next(signal);
      const at = await sentAt(/frame (\d+)\./.exec(picture.toString('latin1'))?.[1] ?? 'without a number');
      assert.ok(at >= calledAt, `sent ${calledAt - at} ms before the call`);
    }
  });

  it('kills a connection that gives no frames any more and makes a new one', async () => {
    await behave('stall-after-frames', 'frames');
    const source = sourceOf({ ffmpegPath, ...quick });
    await source.next(signal);
    const messages: (string | undefined)[] = [];
    source.on('status', ({ state, message }) => state === 'reconnecting' && messages.push(message));
    await reconnected(source, 1);
    await source.next(signal);
    assert.deepEqual([source.status.state, source.status.reconnects], ['ready', 1]);
    assert.equal(messages[0], 'No frame for 1.5 s.');
    const [first] = await starts();
    assert.throws(() => process.kill(first, 0), 'the stalled ffmpeg still runs');
  });

  it('gives up a connection that never gives a frame', async () => {
    await behave('stall', 'frames');
    const source = sourceOf({ ffmpegPath, ...quick, connectMs: 4_000 });
    await source.next(signal);
    assert.ok(source.status.reconnects >= 1);
  });

  it('waits for a camera that comes back while a call waits', async () => {
    await behave('die', 'die', 'frames');
    const source = sourceOf({ ffmpegPath, ...quick });
    assert.ok((await source.next(signal)).picture.length > 0);
    assert.equal(source.status.reconnects, 2);
  });

  it('tries less and less often', async () => {
    await behave('die');
    const begun = Date.now();
    const source = sourceOf({ ffmpegPath, ...quick });
    await reconnected(source, 5);
    // pauses of 50, 100, 200, 400 and 800 ms, give or take a fifth: 1240 ms at least, and 250 without back-off
    assert.ok(Date.now() - begun >= 1_000, `${Date.now() - begun} ms`);
  });

  it('says why after the time a call may wait, with the last words of ffmpeg and no password', async () => {
    await behave('die');
    const source = sourceOf({ ffmpegPath, ...quick, timeoutMs: 500 });
    await state(source, 'reconnecting');
    await assert.rejects(source.next(signal), (error: CameraUnavailable) => {
      assert.match(
        error.message,
        /no frame within 0\.5 s: .*rtsp:\/\/192\.0\.2\.7\/stream: 401 Unauthorized \(\*\*\*\)/,
      );
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
  });

  it('ends a waiting call at once when the caller gives up', async () => {
    await behave('stall');
    const source = sourceOf({ ffmpegPath });
    const abort = new AbortController();
    const frame = source.next(abort.signal);
    const reason = new Error('deadline');
    abort.abort(reason);
    await assert.rejects(frame, (error) => error === reason);
  });

  it('closes while it pauses', async () => {
    await behave('die');
    const source = sourceOf({ ffmpegPath, backOff: { firstMs: 60_000, maxMs: 60_000 } });
    await state(source, 'reconnecting');
    await source.close();
  });

  it('says what to install when ffmpeg is missing, and works once it is there', async () => {
    const later = join(folder, 'ffmpeg-later');
    const source = sourceOf({ ffmpegPath: later, ...quick });
    await assert.rejects(source.next(signal), (error: FfmpegMissing) => {
      assert.ok(error instanceof FfmpegMissing);
      assert.match(error.message, /need ffmpeg, and ".*ffmpeg-later" cannot be run\. Install it with/);
      assert.equal(error.reason, 'camera-unavailable');
      return true;
    });
    await assert.rejects(source.next(signal), FfmpegMissing);
    assert.equal(source.status.state, 'unavailable');
    await behave('frames');
    await writeFile(later, await readFile(ffmpegPath));
    await chmod(later, 0o755);
    await state(source, 'ready');
    assert.ok((await source.next(signal)).picture.length > 0);
  });
});

describe('ffmpegArguments', () => {
  const rtsp = { input: 'rtsp://cam/1', kind: 'rtsp', size: 'native', framesPerSecond: 15, credentials: null } as const;
  const inputOf = (list: string[]) => list.slice(list.indexOf('error') + 1, list.indexOf('-an')).join(' ');

  it('takes RTSP over TCP, with the credentials escaped', () => {
    const credentials = { username: 'operator', password: 'p@ss:w/rd' };
    const list = ffmpegArguments({ ...rtsp, credentials });
    assert.equal(
      inputOf(list),
      '-rtsp_transport tcp -fflags nobuffer -flags low_delay -i rtsp://operator:p%40ss%3Aw%2Frd@cam/1',
    );
  });

  it('keeps the credentials of the address, and adds no RTSP options to others', () => {
    assert.match(inputOf(ffmpegArguments({ ...rtsp, input: 'rtsp://a:b%40c@cam/1' })), /-i rtsp:\/\/a:b%40c@cam\/1$/);
    assert.equal(
      inputOf(ffmpegArguments({ ...rtsp, input: 'http://cam/video.mjpg' })),
      '-fflags nobuffer -flags low_delay -i http://cam/video.mjpg',
    );
  });

  it('opens USB cameras in the way of each system', () => {
    const usb = { ...rtsp, kind: 'usb', size: '1280x720' } as const;
    const of = (input: string, platform: NodeJS.Platform) => inputOf(ffmpegArguments({ ...usb, input }, platform));
    assert.match(of('/dev/video2', 'linux'), /^-f v4l2 -video_size 1280x720 .*-i \/dev\/video2$/);
    assert.match(of('1', 'linux'), /-i \/dev\/video1$/);
    assert.match(of('HD Webcam', 'win32'), /^-f dshow .*-i video=HD Webcam$/);
    assert.match(of('0', 'darwin'), /^-f avfoundation -framerate 30 .*-i 0$/);
  });

  it('refuses an address or a device that is none', () => {
    assert.throws(() => ffmpegArguments({ ...rtsp, input: '192.168.0.10' }), { code: 'invalid-input' });
    assert.throws(() => ffmpegArguments({ ...rtsp, kind: 'usb', input: ' ' }), { code: 'invalid-input' });
  });
});

/** A program that behaves like ffmpeg with a camera of many moods. */
function fakeFfmpeg(node: string, folder: string): string {
  return `#!${node}
const fs = require('node:fs');
const folder = ${JSON.stringify(folder)};
fs.appendFileSync(folder + '/starts', process.pid + '\\n');
const count = fs.readFileSync(folder + '/starts', 'utf8').trim().split('\\n').length;
const behaviour = JSON.parse(fs.readFileSync(folder + '/behaviour.json', 'utf8'));
const mood = behaviour[Math.min(count, behaviour.length) - 1];
const picture = fs.readFileSync(folder + '/picture.jpg');
if (mood === 'die') {
  const url = process.argv[process.argv.indexOf('-i') + 1];
  console.error(url + ': 401 Unauthorized (' + decodeURIComponent(new URL(url).password) + ')');
  process.exit(1);
}
let left = mood === 'frames' ? Infinity : mood === 'stall' ? 0 : 5;
let number = 0;
setInterval(() => left-- > 0 && send(), 20);

function send() {
  number += 1;
  fs.writeSync(1, numbered());
  fs.appendFileSync(folder + '/sent', number + ' ' + Date.now() + '\\n');
}

/** The picture with its number in a comment. */
function numbered() {
  const comment = Buffer.from('frame ' + number + '.');
  const head = Buffer.from([0xff, 0xfe, 0, comment.length + 2]);
  return Buffer.concat([picture.subarray(0, 2), head, comment, picture.subarray(2)]);
}
`;
}
