import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DetectionsFinding, FailureFinding, Inspection, Job } from '../../engine/domain';
import type { InspectionMessage } from '../../nodes/shared';
import { colourDetector, colouredPicture, writeColourPackage } from '../support/colour-detector';
import { hugePng } from '../support/huge-png';
import {
  collect,
  deploy,
  deployIn,
  type FlowNode,
  flowTab,
  loadFlow,
  on,
  openedStation,
  packProcesses,
  STATION,
  send,
  stationNode,
  statuses,
  TAB,
  temporaryFolder,
  until,
  useNodeRed,
  verdictsOf,
  warnings,
} from './support';

const FILE = 'colours.onnx';

function line(dataFolder: string, detect: object = {}, station: object = {}): FlowNode[] {
  return [
    flowTab(),
    stationNode(dataFolder, station),
    on(TAB, {
      id: 'camera',
      type: 'camera-capture',
      version: 1,
      station: STATION,
      source: 'payload',
      partType: 'plate',
      wires: [['detect']],
    }),
    on(TAB, {
      id: 'detect',
      type: 'yolo-detect',
      version: 1,
      station: STATION,
      wires: [['judged', 'router'], ['jobs']],
      ...detect,
    }),
    on(TAB, { id: 'router', type: 'confidence-router', version: 1, station: STATION, wires: [['ok'], ['ng'], ['rv']] }),
    ...['judged', 'jobs', 'ok', 'ng', 'rv', 'errors'].map((id) => on(TAB, { id, type: 'sink' })),
    on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
  ];
}

/** A line whose user folder holds the colour detector. */
async function start(detect: object = {}, station: object = {}): Promise<string> {
  const userDir = await temporaryFolder();
  await writeFile(join(userDir, FILE), colourDetector());
  await loadFlow(line(join(userDir, 'data'), { model: FILE, ...detect }, station), { userDir });
  await openedStation();
  return userDir;
}

/** Sends a picture straight into the node, in an inspection of its own. */
async function look(payload: unknown, partType = 'plate'): Promise<Inspection> {
  const { inspections } = await openedStation();
  const inspection = inspections.open({ partType, trigger: { source: 'message' }, route: TAB });
  send('detect', { payload, inspection });
  return inspection;
}

const findingIn = (message: InspectionMessage) => (message.inspection as Inspection).findings.at(-1);
const judged = async (place = 0) => findingIn(await until(() => collect('judged')[place])) as DetectionsFinding;
const failed = async (place = 0) => findingIn(await until(() => collect('judged')[place])) as unknown as FailureFinding;
const errorText = async (place = 0) => ((await until(() => collect('errors')[place])).error as Error).message;
const redAndGreen = () => colouredPicture([['red', 255], null, null, ['green', 128]]);

describe('yolo-detect', function () {
  this.timeout(240_000);
  useNodeRed();

  it('adds the boxes of a model file by name and in pixels of the picture, and the line rejects the part', async () => {
    await start();
    const shown = statuses('detect');
    send('camera', { payload: await redAndGreen() });
    const finding = await judged();
    assert.equal(finding.kind, 'detections');
    assert.equal(finding.node, 'detect');
    assert.equal(finding.model?.name, 'colours');
    // the picture has twice the sides of the input; red is 255 / 255, green 128 / 255 of its field
    assert.deepEqual(
      finding.detections.map(({ label, box }) => [label, box]),
      [
        ['red', { x: 0, y: 0, width: 64, height: 64 }],
        ['green', { x: 64, y: 64, width: 64, height: 64 }],
      ],
    );
    const [red, green] = finding.detections.map(({ confidence }) => confidence);
    assert.ok(Math.abs(red - 1) < 0.02 && Math.abs(green - 128 / 255) < 0.02, `${red} ${green}`);
    assert.deepEqual(finding.thresholds, { confidence: 0.25, perClass: {} });
    assert.equal(finding.review, undefined);
    assert.ok(finding.milliseconds.total > 0 && finding.milliseconds.session > 0);
    assert.deepEqual(JSON.parse(JSON.stringify(finding)), finding, 'plain JSON');
    const { decision } = (await until(() => collect('ng')[0])).inspection as Inspection;
    assert.deepEqual(decision?.reasons, ['defect-detected']);
    assert.match(
      String((await until(() => shown.find(({ text }) => /ms$/.test(text ?? '')))).text),
      /^defects: 2 · \d+ ms$/,
    );
  });

  it('lets no part pass because nothing was found', async () => {
    await start();
    send('camera', { payload: await colouredPicture([null, null, null, null]) });
    const { decision } = (await until(() => collect('rv')[0])).inspection as Inspection;
    assert.deepEqual((await judged()).detections, []);
    assert.deepEqual(decision?.reasons, ['no-positive-evidence']);
    assert.deepEqual(verdictsOf(collect('ok')), []);
  });

  it('sends classes set to REVIEW to a person, and leaves ignored ones out', async () => {
    await start({
      classes: [
        { label: 'red', confidence: '', effect: 'REVIEW' },
        { label: 'green', confidence: '', effect: 'ignored' },
      ],
    });
    send('camera', { payload: await redAndGreen() });
    const finding = await judged();
    assert.deepEqual(finding.review, ['red']);
    assert.deepEqual(
      finding.detections.map(({ label }) => label),
      ['red'],
    );
    const { decision } = (await until(() => collect('rv')[0])).inspection as Inspection;
    assert.deepEqual(decision?.reasons, ['defect-detected']);
  });

  it('counts boxes from the confidences set, for all classes and for one', async () => {
    await start({ confidence: '0.9', classes: [{ label: 'green', confidence: '0.45', effect: 'NG' }] });
    send('camera', { payload: await colouredPicture([['red', 200], null, null, ['green', 128]]) });
    const finding = await judged();
    // red is 200 / 255 = 0.78 of its field, green 128 / 255 = 0.5
    assert.deepEqual(
      finding.detections.map(({ label }) => label),
      ['green'],
    );
    assert.deepEqual(finding.thresholds, { confidence: 0.9, perClass: { green: 0.45 } });
  });

  it('looks at a region, or at tiles of the picture one by one', async () => {
    const userDir = await start({ roi: '0.5, 0.5, 0.5, 0.5' });
    send('camera', { payload: await redAndGreen() });
    assert.deepEqual(new Set((await judged()).detections.map(({ label }) => label)), new Set(['green']));
    const tiles = { model: FILE, tileColumns: 2, tileRows: 2, tileOverlap: 0, iou: 0 };
    await deploy(line(join(userDir, 'data'), tiles));
    await openedStation();
    send('camera', { payload: await redAndGreen() });
    const { detections } = await judged(1);
    // each tile fills the input of four cells of its own
    const reds = detections.filter(({ label }) => label === 'red');
    assert.deepEqual(new Set(detections.map(({ label }) => label)), new Set(['red', 'green']));
    assert.ok(reds.every(({ box }) => box.x + box.width <= 64 && box.y + box.height <= 64));
  });

  it('uses the detector deployed for the part type, and the earlier one again after a roll-back', async () => {
    const folder = await temporaryFolder();
    const thresholds = { confidence: 0.4, perClass: { green: 0.9 } };
    await writeColourPackage(join(folder, 'models/plate.detector/1'), { partType: 'plate', version: '1', thresholds });
    await writeColourPackage(join(folder, 'models/plate.detector/2'), { partType: 'plate', version: '2' }, ['a', 'b']);
    await deployIn(folder, 'plate.detector', '1');
    await loadFlow(line(folder, { partType: 'plate' }));
    const { models } = await openedStation();
    const shown = statuses('detect');
    await until(() => shown.some(({ text }) => text === 'plate.detector version 1'));
    send('camera', { payload: await redAndGreen() });
    const first = await judged();
    assert.deepEqual(first.model, { name: 'plate.detector', version: '1' });
    assert.deepEqual(first.thresholds, thresholds, 'those of the model');
    assert.deepEqual(
      first.detections.map(({ label }) => label),
      ['red'],
    );
    await models.deploy('plate.detector', '2', 'test');
    send('camera', { payload: await redAndGreen() });
    assert.deepEqual(
      (await judged(1)).detections.map(({ label }) => label),
      ['a', 'b'],
    );
    await models.rollback('plate', 'test', 'detector');
    send('camera', { payload: await redAndGreen() });
    assert.equal((await judged(2)).model?.version, '1');
    const told = collect('jobs').map(({ topic, payload }) => [topic, (payload as { version: string }).version]);
    assert.deepEqual(told, [
      ['model', '1'],
      ['model', '2'],
      ['model', '1'],
    ]);
  });

  const faults: [string, () => Promise<Buffer> | Buffer, RegExp][] = [
    ['a picture of no bytes', () => Buffer.alloc(0), /no bytes/],
    ['bytes that are no picture', () => Buffer.from('picture'), /not a JPEG or PNG/],
    [
      'half a picture',
      async () => (await redAndGreen()).subarray(0, 400),
      /ends before its last row|cannot be decoded/,
    ],
    ['a picture of 100 megapixels', () => hugePng(10_000, 10_000), /10000 x 10000 pixels/],
  ];
  it('passes pictures that cannot be read on as failures, tells why, and goes on', async () => {
    await start();
    const shown = statuses('detect');
    for (const [place, [fault, picture, message]] of faults.entries()) {
      await look(await picture());
      const finding = await failed(place);
      assert.deepEqual([finding.kind, finding.reason], ['failure', 'picture-unreadable'], fault);
      assert.match(await errorText(place), message, fault);
    }
    await until(() => collect('ng').length === faults.length);
    assert.equal(shown.at(-1)?.fill, 'red');
    await look(await redAndGreen());
    assert.equal((await judged(faults.length)).detections.length, 2);
    assert.equal(shown.at(-1)?.fill, 'green');
  });

  it('tells at once that its model file is missing, and fails each picture safe', async () => {
    const userDir = await start({ model: 'models/none.onnx' });
    assert.ok((await errorText()).includes(join(userDir, 'models/none.onnx')));
    send('camera', { payload: await redAndGreen() });
    const { decision } = (await until(() => collect('ng')[0])).inspection as Inspection;
    assert.deepEqual([decision?.by, decision?.reasons], ['failsafe', ['no-model']]);
    assert.equal((await failed()).kind, 'failure');
  });

  it('refuses a model file that is no detector', async () => {
    const userDir = await temporaryFolder();
    const detector = colourDetector();
    await writeFile(join(userDir, FILE), detector.subarray(0, detector.length / 2));
    await loadFlow(line(join(userDir, 'data'), { model: FILE }), { userDir });
    assert.match(await errorText(), /ONNX/, 'before any picture came');
    assert.equal(statuses('detect').at(-1)?.fill, 'red');
    await look(await redAndGreen());
    assert.equal((await failed()).kind, 'failure');
    await until(() => collect('ng').length === 1);
  });

  it('goes on where the model does not know a class of its settings, and says which, once', async () => {
    await start({ classes: [{ label: 'gren', confidence: '0.5', effect: 'NG' }] });
    const warned = warnings('detect');
    for (const place of [0, 1]) {
      await look(await redAndGreen());
      const finding = await judged(place);
      assert.deepEqual([finding.detections.length, finding.thresholds.perClass], [2, {}]);
    }
    assert.equal(warned.length, 1);
    assert.match(warned[0], /colours .* does not know gren/);
  });

  it('gives a part that waited too long for others the fail-safe verdict', async () => {
    await start({}, { queueLimit: 1 });
    await look(await redAndGreen());
    await judged();
    const picture = await redAndGreen();
    const parts = await Promise.all(Array.from({ length: 8 }, () => look(picture)));
    await until(() => collect('judged').length === 1 + parts.length);
    const reasons = collect('judged').map((message) => (findingIn(message) as unknown as FailureFinding).reason);
    assert.ok(reasons.includes('overload'), reasons.join());
    await until(() => collect('ng').length === 1 + parts.length);
  });

  it('fails a picture safe when the station is closed', async () => {
    await start();
    const station = await openedStation();
    const inspection = await look(await redAndGreen());
    await judged();
    await station.close();
    send('detect', { payload: await redAndGreen(), inspection });
    assert.equal((await failed(1)).reason, 'interrupted');
    assert.match(await errorText(), /closed/);
  });

  it('survives the death of the inference process, and loads its file again', async () => {
    await start();
    await look(await redAndGreen());
    await judged();
    const { pool } = await openedStation();
    const restarted = new Promise((resolve) => pool.once('restart', resolve));
    for (const child of packProcesses()) process.kill(child, 'SIGKILL');
    await restarted;
    await until(() => pool.state === 'ready');
    await look(await redAndGreen());
    assert.equal((await judged(1)).detections.length, 2);
  });

  it('refuses a message that did not pass a camera, and orders it does not understand', async () => {
    await start();
    send('detect', { payload: await redAndGreen() });
    assert.match(await errorText(), /carries no inspection/);
    send('detect', { topic: 'train', payload: { partType: 'plate', options: {} } });
    assert.match(await errorText(1), /stands in "detector"/);
    send('detect', { topic: 'train' });
    assert.match(await errorText(2), /Which part type/);
    send('detect', { topic: 'cancel' });
    assert.match(await errorText(3), /has started no training/);
  });

  it('fails each message with settings out of range, and says which', async () => {
    await start({ confidence: 2 });
    assert.equal(statuses('detect').at(-1)?.fill, 'red');
    await look(await redAndGreen());
    assert.match(await errorText(), /confidence.*0 to 1/);
  });

  it('tells only of trainings and models of detectors', async () => {
    await start({ model: '', partType: 'plate' });
    const { jobs } = await openedStation();
    const source = { kind: 'simulator', product: 'plate', count: 400 } as const;
    const job = await jobs.submit({ partType: 'plate', source, deploy: true }, 'test');
    await until(async () => (await jobs.get(job.id)).state === 'running');
    await jobs.cancel(job.id, 'test');
    await until(async () => (await jobs.get(job.id)).state === 'cancelled');
    assert.deepEqual(
      collect('jobs').map(({ payload }) => (payload as Job).id),
      [],
    );
  });
});
