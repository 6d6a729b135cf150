import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClassFinding, FailureFinding, Inspection } from '../../engine/domain';
import type { InspectionMessage } from '../../nodes/shared';
import { writeColourClassifier } from '../support/colour-classifier';
import { colouredPicture } from '../support/colour-detector';
import { hugePng } from '../support/huge-png';
import {
  collect,
  deployIn,
  type FlowNode,
  flowTab,
  loadFlow,
  on,
  openedStation,
  STATION,
  send,
  stationNode,
  statuses,
  TAB,
  temporaryFolder,
  unloadFlow,
  until,
  useNodeRed,
} from './support';

function line(dataFolder: string, classify: object = {}): FlowNode[] {
  return [
    flowTab(),
    stationNode(dataFolder),
    on(TAB, {
      id: 'camera',
      type: 'camera-capture',
      version: 1,
      station: STATION,
      source: 'payload',
      partType: 'weld',
      wires: [['classify']],
    }),
    on(TAB, {
      id: 'classify',
      type: 'image-classify',
      version: 1,
      station: STATION,
      wires: [['judged', 'router'], ['jobs']],
      ...classify,
    }),
    on(TAB, { id: 'router', type: 'confidence-router', version: 1, station: STATION, wires: [['ok'], ['ng'], ['rv']] }),
    ...['judged', 'jobs', 'ok', 'ng', 'rv', 'errors'].map((id) => on(TAB, { id, type: 'sink' })),
    on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
  ];
}

/** A data folder with the colour classifier deployed for part type `weld`. */
async function folderWithClassifier(): Promise<string> {
  const folder = await temporaryFolder();
  await writeColourClassifier(join(folder, 'models/weld.classifier/1'), 'weld', '1');
  await deployIn(folder, 'weld.classifier', '1');
  return folder;
}

async function start(dataFolder: string, classify: object = {}): Promise<void> {
  await loadFlow(line(dataFolder, classify));
  await openedStation();
}

const red = () => colouredPicture(Array(4).fill(['red', 255]));
const green = () => colouredPicture(Array(4).fill(['green', 255]));
const black = () => colouredPicture([null, null, null, null]);

const findingIn = (message: InspectionMessage) => (message.inspection as Inspection).findings.at(-1);
const judged = async (place = 0) => findingIn(await until(() => collect('judged')[place])) as ClassFinding;
const decisionAt = async (output: string, place = 0) =>
  ((await until(() => collect(output)[place], output)).inspection as Inspection).decision;
const errorText = async (place = 0) => ((await until(() => collect('errors')[place])).error as Error).message;

describe('image-classify', function () {
  this.timeout(240_000);
  useNodeRed();

  it('names the class with the deployed classifier, and the line does what the class means', async () => {
    await start(await folderWithClassifier());
    const shown = statuses('classify');
    send('camera', { payload: await red() });
    const finding = await judged();
    // softmax of (8, 0, 0): e^8 / (e^8 + 2)
    const [kind, label, verdict] = [finding.kind, finding.label, finding.verdict];
    assert.deepEqual([kind, label, verdict], ['class', 'bad', 'NG']);
    assert.ok(Math.abs(finding.confidence - 0.99933) < 1e-3, String(finding.confidence));
    assert.deepEqual(Object.keys(finding.probabilities), ['bad', 'good', 'odd']);
    assert.ok(Math.abs(Object.values(finding.probabilities).reduce((sum, one) => sum + one) - 1) < 1e-6);
    assert.deepEqual([finding.node, finding.model], ['classify', { name: 'weld.classifier', version: '1' }]);
    assert.ok(finding.milliseconds.total > 0);
    assert.deepEqual((await decisionAt('ng'))?.reasons, ['class-ng']);
    send('camera', { payload: await green() });
    assert.deepEqual((await decisionAt('ok'))?.reasons, ['class-ok']);
    await until(() => shown.some(({ text }) => /^good 1\.00 · \d+ ms$/.test(text ?? '')));
  });

  it('sends a part of which no class is likely to a person, though the likeliest means OK', async () => {
    await start(await folderWithClassifier(), { verdicts: [{ label: 'bad', verdict: 'OK' }] });
    send('camera', { payload: await black() });
    assert.deepEqual((await decisionAt('rv'))?.reasons, ['no-positive-evidence']);
    const { label, confidence, verdict } = await judged();
    assert.deepEqual([label, verdict], ['bad', 'OK']);
    assert.ok(Math.abs(confidence - 1 / 3) < 0.01);
  });

  it('lets a class mean something else than the model says', async () => {
    await start(await folderWithClassifier(), { verdicts: [{ label: 'good', verdict: 'REVIEW' }] });
    send('camera', { payload: await green() });
    assert.equal((await decisionAt('rv'))?.by, 'model');
    assert.equal((await judged()).verdict, 'REVIEW');
  });

  it('uses the classifier of the part type that is set, whatever the part is', async () => {
    const folder = await folderWithClassifier();
    await start(folder, { partType: 'weld' });
    const { inspections } = await openedStation();
    const inspection = inspections.open({ partType: 'other', trigger: { source: 'message' }, route: TAB });
    send('classify', { payload: await red(), inspection });
    assert.equal((await judged()).model?.name, 'weld.classifier');
  });

  it('without a classifier: a failure finding that passes on, the fail-safe verdict, an error and a status that help', async () => {
    await start(await temporaryFolder());
    const shown = statuses('classify');
    send('camera', { payload: await red() });
    assert.deepEqual((await decisionAt('ng'))?.reasons, ['no-model']);
    assert.equal((await judged()).kind as string, 'failure');
    assert.match(await errorText(), /No classifier is deployed for part type weld/);
    assert.match(String((await until(() => shown.find(({ fill }) => fill === 'red'))).text), /no classifier for weld/);
  });

  it('passes pictures that cannot be read on as failures, and goes on', async () => {
    await start(await folderWithClassifier());
    const { inspections } = await openedStation();
    const pictures = [Buffer.alloc(0), Buffer.from('picture'), hugePng(10_000, 10_000)];
    for (const [place, payload] of pictures.entries()) {
      const inspection = inspections.open({ partType: 'weld', trigger: { source: 'message' }, route: TAB });
      send('classify', { payload, inspection });
      assert.equal(((await judged(place)) as unknown as FailureFinding).reason, 'picture-unreadable');
    }
    await until(() => collect('errors').length === pictures.length);
    send('camera', { payload: await green() });
    assert.equal((await decisionAt('ok'))?.verdict, 'OK');
  });

  it('refuses a model of which one byte was changed', async () => {
    const folder = await folderWithClassifier();
    const file = join(folder, 'models/weld.classifier/1/model.onnx');
    const bytes = await readFile(file);
    bytes[Math.floor(bytes.length / 2)] ^= 1;
    await writeFile(file, bytes);
    await start(folder);
    send('camera', { payload: await red() });
    assert.deepEqual((await decisionAt('ng'))?.reasons, ['model-invalid']);
  });

  it('tells the model in production, and fails each message with settings it cannot use', async () => {
    await start(await folderWithClassifier(), { partType: 'weld' });
    await until(() => collect('jobs').length === 1);
    const [{ topic, payload }] = collect('jobs');
    assert.deepEqual([topic, payload], ['model', { partType: 'weld', name: 'weld.classifier', version: '1' }]);
    await unloadFlow();
    await loadFlow(line(await temporaryFolder(), { verdicts: [{ label: 'good', verdict: 'FINE' }] }));
    assert.equal(statuses('classify').at(-1)?.fill, 'red');
  });
});
