import assert from 'node:assert/strict';
import { mkdir, rename, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Inspection } from '../../engine/domain';
import type { InspectionMessage } from '../../nodes/shared';
import { hugePng } from '../support/huge-png';
import {
  badPlate,
  collect,
  type FlowNode,
  flowTab,
  goodPlate,
  loadFlow,
  on,
  openedStation,
  STATION,
  send,
  serveHttpNode,
  stationNode,
  statuses,
  TAB,
  temporaryFolder,
  unloadFlow,
  until,
  useNodeRed,
  warnings,
} from './support';

/** camera -> out; its failed inspections leave by the router's outlet; errors by Catch. */
async function cameraFlow(camera: object, station: object = {}): Promise<FlowNode[]> {
  return [
    flowTab(),
    stationNode(await temporaryFolder(), station),
    on(TAB, { id: 'camera', type: 'camera-capture', version: 1, station: STATION, wires: [['out']], ...camera }),
    on(TAB, { id: 'out', type: 'sink' }),
    on(TAB, { id: 'router', type: 'confidence-router', version: 1, station: STATION, wires: [['ok'], ['ng'], ['rv']] }),
    ...['ok', 'ng', 'rv', 'errors'].map((id) => on(TAB, { id, type: 'sink' })),
    on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
  ];
}

async function start(camera: object, station: object = {}): Promise<void> {
  await loadFlow(await cameraFlow(camera, station));
  await openedStation();
}

const inspectionIn = (message: InspectionMessage): Inspection => message.inspection as Inspection;

describe('camera-capture', () => {
  useNodeRed();

  it('opens an inspection and passes the picture on with its facts', async () => {
    await start({ source: 'payload', partType: 'plate', deadline: '1500' });
    const picture = await goodPlate();
    send('camera', { payload: picture, serial: 'A-17', trigger: { source: 'plc', sequence: 5, node: 'p1' } });
    const message = await until(() => collect('out')[0]);
    const { id, station, partType, serial, trigger, image, findings, capturedAt, deadlineAt } = inspectionIn(message);
    assert.match(id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
    assert.equal(station, STATION);
    assert.equal(partType, 'plate');
    assert.equal(serial, 'A-17');
    assert.deepEqual(trigger, { source: 'plc', sequence: 5, node: 'p1' });
    assert.equal(image?.width, 1280);
    assert.equal(image?.height, 720);
    assert.equal(image?.format, 'jpeg');
    assert.deepEqual(findings, []);
    assert.equal(Date.parse(deadlineAt) - Date.parse(capturedAt), 1500);
    assert.deepEqual(message.payload, picture);
  });

  it('takes the part type from the message, or its own when fixed', async () => {
    await start({ source: 'payload', partType: 'plate' });
    send('camera', { payload: await goodPlate(), partType: 'cable' });
    assert.equal(inspectionIn(await until(() => collect('out')[0])).partType, 'cable');
  });

  it('does not listen to the message when its part type is fixed', async () => {
    await start({ source: 'payload', partType: 'plate', partTypeFrom: 'fixed' });
    send('camera', { payload: await goodPlate(), partType: 'cable' });
    assert.equal(inspectionIn(await until(() => collect('out')[0])).partType, 'plate');
  });

  it('gives a part with an unusable part type its fail-safe verdict and tells Catch nodes', async () => {
    await start({ source: 'payload', partType: 'plate' });
    send('camera', { payload: await goodPlate(), partType: '../../etc/passwd' });
    const verdict = await until(() => collect('ng')[0]);
    assert.equal(inspectionIn(verdict).decision?.by, 'failsafe');
    assert.deepEqual(inspectionIn(verdict).decision?.reasons, ['part-type-invalid']);
    const { error } = await until(() => collect('errors')[0]);
    assert.match((error as Error).message, /part type .* is not usable/);
    assert.equal(collect('out').length, 0);
  });

  it('draws parts with their truth, the same ones from the same seed', async () => {
    await start({
      source: 'simulator',
      simulatorProduct: 'plate',
      simulatorSeed: 2000,
      simulatorDefectPercent: 100,
      simulatorDefects: 'fracture',
    });
    send('camera', {});
    const message = await until(() => collect('out')[0]);
    assert.deepEqual(message.payload, await badPlate(2000));
    const truth = message.simulated as { label: string; defects: { label: string; box: object }[] };
    assert.equal(truth.label, 'NG');
    assert.equal(truth.defects[0].label, 'fracture');
    send('camera', {});
    const next = await until(() => collect('out')[1]);
    assert.notDeepEqual(next.payload, message.payload);
  });

  it('takes a path or a data URL as picture', async () => {
    const file = join(await temporaryFolder(), 'part.jpg');
    const picture = await goodPlate();
    await writeFile(file, picture);
    await start({ source: 'payload' });
    send('camera', { payload: file });
    send('camera', { payload: `data:image/jpeg;base64,${picture.toString('base64')}` });
    await until(() => collect('out').length === 2);
    for (const { payload } of collect('out')) assert.deepEqual(payload, picture);
  });

  describe('with a folder', () => {
    async function folderOfTwo(): Promise<string> {
      const folder = join(await temporaryFolder(), 'pictures');
      await mkdir(folder);
      await writeFile(join(folder, 'part-2.jpg'), await goodPlate(2));
      await writeFile(join(folder, 'part-10.jpg'), await goodPlate(10));
      return folder;
    }

    it('takes the files in the order of their names and starts over', async () => {
      await start({ source: 'folder', folder: await folderOfTwo(), folderMode: 'step', folderLoop: true });
      for (let trigger = 0; trigger < 3; trigger++) send('camera', {});
      await until(() => collect('out').length === 3);
      const names = collect('out').map(({ filename }) => String(filename).split('/').at(-1));
      assert.deepEqual(names, ['part-2.jpg', 'part-10.jpg', 'part-2.jpg']);
    });

    it('gives the trigger after the last file its fail-safe verdict when it does not loop', async () => {
      await start({ source: 'folder', folder: await folderOfTwo(), folderMode: 'step', folderLoop: false });
      for (let trigger = 0; trigger < 3; trigger++) send('camera', {});
      const verdict = await until(() => collect('ng')[0]);
      assert.deepEqual(inspectionIn(verdict).decision?.reasons, ['no-picture']);
      assert.equal(collect('out').length, 2);
      await until(() => collect('errors').length === 1);
    });

    it('takes each new file by itself, one after the other', async () => {
      const folder = join(await temporaryFolder(), 'pictures');
      await mkdir(folder);
      const flow = await cameraFlow({ source: 'folder', folder, folderMode: 'watch', wires: [['router']] });
      await loadFlow(flow);
      await openedStation();
      // whole at once: a file that does not grow for a while is taken as it is
      const put = async (name: string, bytes: Buffer) => {
        await writeFile(join(folder, `.${name}`), bytes);
        await rename(join(folder, `.${name}`), join(folder, name));
      };
      // the watcher needs a moment to begin: files come until one is taken
      const picture = await goodPlate(1);
      for (let probe = 0; collect('rv').length === 0; probe++) {
        await put(`probe-${probe}.jpg`, picture);
        await pause(300);
      }
      await put('a.jpg', picture);
      await put('b.jpg', Buffer.from('this is text'));
      await put('c.jpg', await goodPlate(3));
      // without findings nothing speaks for the parts: REVIEW; the text file gets the fail-safe verdict
      const files = () => collect('rv').map(({ filename }) => basename(String(filename)));
      await until(() => files().includes('a.jpg') && files().includes('c.jpg') && collect('ng').length === 1);
      assert.equal(new Set(files()).size, files().length, 'each file once');
      assert.ok(collect('rv').every((message) => inspectionIn(message).trigger.source === 'folder'));
      assert.deepEqual(inspectionIn(collect('ng')[0]).decision?.reasons, ['picture-unreadable']);
    });

    it('gives a file it cannot read its verdict and its record, and goes on with the next', async () => {
      const folder = join(await temporaryFolder(), 'pictures');
      await mkdir(folder);
      await writeFile(join(folder, 'a.jpg'), '');
      await truncate(join(folder, 'a.jpg'), 40 * 1024 * 1024);
      await writeFile(join(folder, 'b.jpg'), await goodPlate(1));
      const watching = { source: 'folder', folder, folderMode: 'watch', folderExisting: true };
      await loadFlow(await cameraFlow({ ...watching, wires: [['router']] }));
      const station = await openedStation();
      const { id, decision, trigger } = inspectionIn(await until(() => collect('ng')[0]));
      assert.deepEqual(decision?.reasons, ['picture-unreadable']);
      assert.equal(trigger.source, 'folder');
      assert.equal((await station.store.inspections.get(id))?.state, 'settled');
      assert.equal((await until(() => collect('errors')[0])).filename, 'a.jpg');
      assert.equal((await until(() => collect('rv')[0])).filename, 'b.jpg');
    });
  });

  describe('with an HTTP camera', () => {
    let server: Server;
    let url: string;
    let answer: (respond: { picture?: Buffer; status?: number; never?: boolean }) => void;
    let mode: { picture?: Buffer; status?: number; never?: boolean };

    beforeEach(async () => {
      answer = (respond) => {
        mode = respond;
      };
      answer({ status: 500 });
      server = createServer((_request, response) => {
        if (mode.never) return;
        response.statusCode = mode.status ?? 200;
        response.end(mode.picture);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/snapshot.jpg`;
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it('asks it for one picture at each trigger', async () => {
      answer({ picture: await goodPlate() });
      await start({ source: 'http', url });
      send('camera', {});
      assert.deepEqual((await until(() => collect('out')[0])).payload, await goodPlate());
    });

    it('gives the fail-safe verdict when it is dead, and works again when it is back', async () => {
      await start({ source: 'http', url });
      const shown = statuses('camera');
      send('camera', { serial: 'lost' });
      const verdict = await until(() => collect('ng')[0]);
      assert.equal(inspectionIn(verdict).serial, 'lost');
      assert.deepEqual(inspectionIn(verdict).decision?.reasons, ['camera-unavailable']);
      await until(() => collect('errors').length === 1);
      await until(() => shown.at(-1)?.fill === 'red');
      answer({ picture: await goodPlate() });
      send('camera', {});
      await until(() => collect('out').length === 1);
      await until(() => shown.at(-1)?.fill !== 'red');
    });

    it('gives up after its time and says so', async () => {
      answer({ never: true });
      await start({ source: 'http', url, timeout: '200' });
      send('camera', {});
      const verdict = await until(() => collect('ng')[0]);
      assert.deepEqual(inspectionIn(verdict).decision?.reasons, ['camera-unavailable']);
    });

    it('gives the verdict at the deadline while it still hangs', async () => {
      answer({ never: true });
      await start({ source: 'http', url, timeout: '3000', deadline: '300' });
      send('camera', {});
      const verdict = await until(() => collect('ng')[0]);
      // the rest of 300 ms may be too little to record it in, which is told, too
      assert.equal(inspectionIn(verdict).decision?.reasons[0], 'deadline-exceeded');
    });

    it('counts triggers beyond the queue as missed, warns, and gives each its verdict', async () => {
      answer({ never: true });
      await start({ source: 'http', url, timeout: '600', queueLength: '1' });
      const warned = warnings('camera');
      const shown = statuses('camera');
      for (let trigger = 0; trigger < 4; trigger++) send('camera', { serial: trigger });
      await until(() => collect('ng').length === 4);
      const missed = collect('ng').filter((message) => inspectionIn(message).decision?.reasons.includes('overload'));
      assert.deepEqual(missed.map((message) => inspectionIn(message).serial).sort(), ['2', '3']);
      assert.equal(new Set(collect('ng').map((message) => inspectionIn(message).id)).size, 4);
      assert.equal(warned.filter((text) => text.includes('missed')).length, 2);
      answer({ picture: await goodPlate() });
      send('camera', {});
      await until(() => shown.at(-1)?.text?.includes('2 triggers missed'));
    });

    it('keeps user and password out of its messages', async () => {
      const flow = await cameraFlow({ source: 'http', url });
      await loadFlow(flow, { credentials: { camera: { user: 'operator', password: 'secret-7' } } });
      await openedStation();
      answer({ status: 401 });
      send('camera', {});
      const caught = await until(() => collect('errors')[0]);
      assert.ok(!JSON.stringify(caught).includes('secret-7'));
    });
  });

  describe('bad pictures', () => {
    const cases: [string, () => Promise<unknown> | unknown, string[], RegExp][] = [
      [
        'a truncated JPEG',
        async () => (await goodPlate()).subarray(0, 20_000),
        ['picture-unreadable'],
        /last row|decoded/,
      ],
      ['0 bytes', () => Buffer.alloc(0), ['picture-unreadable', 'no-picture'], /no bytes|empty/i],
      ['a 100-megapixel PNG', () => hugePng(10_000, 10_000), ['picture-unreadable'], /10000 x 10000 pixels/],
      [
        'text called .jpg',
        () => Buffer.from('not a picture at all, whatever its name'),
        ['picture-unreadable'],
        /not a JPEG or PNG/,
      ],
      ['a number', () => 42, ['no-picture'], /msg\.payload must be/],
      ['an object', () => ({ picture: 1 }), ['no-picture'], /msg\.payload must be/],
      ['nothing', () => undefined, ['no-picture'], /msg\.payload must be/],
      ['the path of a missing file', () => '/does/not/exist.jpg', ['no-picture'], /exist/],
    ];
    for (const [what, payload, reasons, text] of cases) {
      it(`${what}: one fail-safe verdict, one clear error, nothing passed on`, async () => {
        await start({ source: 'payload' });
        send('camera', { payload: await payload() });
        const verdict = await until(() => collect('ng')[0]);
        const { decision } = inspectionIn(verdict);
        assert.equal(decision?.by, 'failsafe');
        assert.ok(reasons.includes(String(decision?.reasons[0])), String(decision?.reasons));
        const { error } = await until(() => collect('errors')[0]);
        assert.match((error as Error).message, text);
        assert.equal(collect('out').length, 0);
        // and the next good picture is inspected
        send('camera', { payload: await goodPlate() });
        await until(() => collect('out').length === 1);
        assert.equal(collect('ng').length, 1);
      });
    }

    it('closes at once while its picture is looked at, which ends with the deadline of the part', async () => {
      await start({ source: 'payload', deadline: 20_000 });
      const station = await openedStation();
      const deadlines: (number | undefined)[] = [];
      Object.assign(station, {
        inspectPicture: (_: Buffer, deadline?: number) => {
          deadlines.push(deadline);
          return new Promise(() => {});
        },
      });
      const opened: Inspection[] = [];
      station.events.on('inspection-opened', (inspection) => opened.push(inspection));
      send('camera', { payload: await goodPlate() });
      await until(() => deadlines.length === 1);
      assert.deepEqual(deadlines, [Date.parse(opened[0].deadlineAt)]);
      const reasons: unknown[] = [];
      station.events.on('inspection-settled', ({ decision }) => reasons.push(decision?.reasons[0]));
      const warned = warnings('camera');
      await unloadFlow();
      assert.deepEqual([reasons, warned], [['interrupted'], []]);
    });

    it('keeps control characters out of serial numbers', async () => {
      await start({ source: 'payload' });
      send('camera', { payload: await goodPlate(), serial: ' A\u0000-1\n\u0007\u0085 ' });
      assert.equal(inspectionIn(await until(() => collect('out')[0])).serial, 'A-1');
    });

    it('leaves the incoming message and its Buffer as they were', async () => {
      await start({ source: 'payload' });
      const picture = await goodPlate();
      const copy = Buffer.from(picture);
      const message: InspectionMessage = { _msgid: 'm', payload: picture, other: { deep: 1 } };
      send('camera', message);
      const out = await until(() => collect('out')[0]);
      assert.deepEqual(picture, copy);
      assert.equal(message.inspection, undefined);
      assert.deepEqual(out.other, { deep: 1 });
    });
  });

  it('takes pictures sent to the HTTP API and answers with the verdict', async () => {
    const flow = await cameraFlow({ source: 'payload', acceptUploads: true, partType: 'plate', wires: [['router']] });
    await loadFlow(flow);
    await openedStation();
    const server = await serveHttpNode();
    try {
      const upload = (body: Buffer) =>
        fetch(`${server.url}/inspection/api/upload/?serial=U-1`, {
          method: 'POST',
          headers: { 'content-type': 'image/jpeg' },
          body: new Uint8Array(body),
        });
      const response = await upload(await goodPlate());
      assert.equal(response.status, 200);
      const body = (await response.json()) as Record<string, unknown>;
      assert.equal(body.verdict, 'REVIEW');
      assert.equal(body.status, 'pending_review');
      assert.equal(body.serial, 'U-1');
      const refused = await upload(Buffer.from('no picture'));
      assert.ok(refused.status >= 400 && refused.status < 500, String(refused.status));
      await until(() => collect('rv').length === 1);
      assert.equal(collect('ng').length, 0);
    } finally {
      await server.close();
    }
  });

  it('asks a browser camera, and fails safe when no browser shows it', async () => {
    await start({ source: 'browser', browserCamera: 'bench' });
    send('camera', {});
    const verdict = await until(() => collect('ng')[0]);
    assert.deepEqual(inspectionIn(verdict).decision?.reasons, ['camera-unavailable']);
    const { browserCameras } = await openedStation();
    const picture = await goodPlate();
    const leave = browserCameras.onRequest('bench', ({ requestId }) => browserCameras.resolve(requestId, picture));
    send('camera', {});
    assert.deepEqual((await until(() => collect('out')[0])).payload, picture);
    leave();
  });

  it('says what is wrong with its settings instead of working', async () => {
    await start({ source: 'http', url: '' });
    send('camera', {});
    const { error } = await until(() => collect('errors').at(-1));
    assert.match((error as Error).message, /"snapshot URL" is empty/);
  });

  it('says when no station is chosen', async () => {
    await loadFlow([
      flowTab(),
      on(TAB, { id: 'camera', type: 'camera-capture', station: '', source: 'payload' }),
      on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
      on(TAB, { id: 'errors', type: 'sink' }),
    ]);
    send('camera', { payload: await goodPlate() });
    const { error } = await until(() => collect('errors')[0]);
    assert.match((error as Error).message, /No inspection station is chosen/);
  });
});
