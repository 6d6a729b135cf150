import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnomalyFinding, Inspection, Job } from '../../engine/domain';
import type { InspectionMessage } from '../../nodes/shared';
import { TRAINING_LIMIT_MS } from '../support/jobs';
import {
  badPlate,
  collect,
  type FlowNode,
  flowTab,
  folderWithPlateModel,
  goodPlate,
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
} from './support';

function line(dataFolder: string, infer: object = {}): FlowNode[] {
  return [
    flowTab(),
    stationNode(dataFolder),
    on(TAB, {
      id: 'camera',
      type: 'camera-capture',
      version: 1,
      station: STATION,
      source: 'payload',
      partType: 'plate',
      wires: [['infer']],
    }),
    on(TAB, {
      id: 'infer',
      type: 'patchcore-infer',
      version: 1,
      station: STATION,
      wires: [['judged', 'router'], ['jobs']],
      ...infer,
    }),
    on(TAB, { id: 'router', type: 'confidence-router', version: 1, station: STATION, wires: [['ok'], ['ng'], ['rv']] }),
    ...['judged', 'jobs', 'ok', 'ng', 'rv', 'errors'].map((id) => on(TAB, { id, type: 'sink' })),
    on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
  ];
}

async function start(dataFolder: string, infer: object = {}): Promise<void> {
  await loadFlow(line(dataFolder, infer));
  await openedStation();
}

const findingIn = (message: InspectionMessage) => (message.inspection as Inspection).findings.at(-1);
const told = (wished: string) =>
  collect('jobs')
    .filter(({ topic }) => topic === wished)
    .map(({ payload }) => payload);
const jobsSeen = () => told('training') as Job[];

describe('patchcore-infer', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  useNodeRed();

  it('adds the finding of the deployed model and leaves the incoming message alone', async () => {
    await start(await folderWithPlateModel());
    const station = await openedStation();
    const picture = await goodPlate();
    const inspection = station.inspections.attachPicture(
      station.inspections.open({ partType: 'plate', trigger: { source: 'message' }, route: TAB }),
      picture,
      await station.inspectPicture(picture),
    );
    const message: InspectionMessage = { _msgid: 'm', payload: picture, inspection };
    send('infer', message);
    const finding = findingIn(await until(() => collect('judged')[0])) as AnomalyFinding;
    assert.equal(finding.kind, 'anomaly');
    assert.equal(finding.node, 'infer');
    assert.deepEqual(finding.model, { name: 'plate', version: '1' });
    assert.ok(finding.score >= 0);
    assert.ok(finding.thresholds.accept <= finding.thresholds.reject);
    assert.ok(finding.milliseconds.total > 0);
    assert.match(String(finding.map?.url), /^\/inspection\/api\/inspections\/[0-9A-Z]{26}\/map/);
    assert.deepEqual(inspection.findings, []);
    assert.equal(message.inspection, inspection);
  });

  it('the chain tells broken parts from good ones', async () => {
    await start(await folderWithPlateModel());
    send('camera', { payload: await badPlate(), serial: 'bad' });
    const ng = await until(() => collect('ng')[0]);
    assert.equal((ng.inspection as Inspection).serial, 'bad');
    const bad = findingIn(ng) as AnomalyFinding;
    assert.ok(bad.normalizedScore > 1);
    assert.ok(bad.regions.length > 0);
    send('camera', { payload: await goodPlate(), serial: 'good' });
    const passed = await until(() => collect('ok')[0] ?? collect('rv')[0]);
    const good = findingIn(passed) as AnomalyFinding;
    assert.ok(good.normalizedScore < 1);
    assert.ok(good.score < bad.score);
    const station = await openedStation();
    const record = await station.store.inspections.get((ng.inspection as Inspection).id);
    assert.equal(record?.decision?.verdict, 'NG');
    assert.ok((await station.store.pictures.read(String(record?.picturePath))).equals(ng.payload as Buffer));
  });

  it('without a model: a failure finding that passes on, the fail-safe verdict, an error and a status that help', async () => {
    await start(await temporaryFolder());
    const shown = statuses('infer');
    send('camera', { payload: await goodPlate() });
    const ng = await until(() => collect('ng')[0]);
    const finding = findingIn(ng);
    assert.equal(finding?.kind, 'failure');
    assert.equal(finding?.kind === 'failure' && finding.reason, 'no-model');
    assert.deepEqual((ng.inspection as Inspection).decision?.reasons, ['no-model']);
    const { error } = await until(() => collect('errors')[0]);
    assert.match((error as Error).message, /No model is deployed for part type plate/);
    assert.match(String((await until(() => shown.find(({ fill }) => fill === 'red'))).text), /no model for plate/);
  });

  it('trains when told, tells the progress, deploys, and uses the new version and the old one again without a restart', async () => {
    const folder = await folderWithPlateModel();
    await start(folder);
    send('infer', {
      topic: 'train',
      payload: { partType: 'plate', source: { kind: 'simulator', product: 'plate', count: 16, seed: 7 } },
    });
    const done = await until(() => jobsSeen().find(({ state }) => state === 'completed'), 'the end', TRAINING_LIMIT_MS);
    assert.equal(done.version, '2');
    const percents = jobsSeen()
      .filter(({ state }) => state === 'running')
      .map(({ progress }) => progress?.percent ?? 0);
    assert.ok(percents.length > 1);
    assert.deepEqual(
      percents,
      [...percents].sort((a, b) => a - b),
    );

    const { models } = await openedStation();
    send('camera', { payload: await goodPlate() });
    assert.equal(findingIn(await until(() => collect('judged')[0]))?.model?.version, '2');
    await models.rollback('plate', 'test');
    send('camera', { payload: await goodPlate() });
    assert.equal(findingIn(await until(() => collect('judged')[1]))?.model?.version, '1');
    const versions = told('model').map((model) => (model as { version: string }).version);
    assert.deepEqual(versions.slice(-2), ['2', '1']);
  });

  it('cancels the training it started', async () => {
    await start(await temporaryFolder(), { partType: 'plate' });
    send('infer', { topic: 'train', payload: { source: { kind: 'simulator', product: 'plate', count: 400 } } });
    await until(() => jobsSeen().some(({ state }) => state === 'running'));
    send('infer', { topic: 'cancel' });
    await until(() => jobsSeen().some(({ state }) => state === 'cancelled'));
    const station = await openedStation();
    assert.equal(await station.models.deployed('plate'), null);
  });

  it('does nothing on "unlessDeployed" when the part type has a model', async () => {
    await start(await folderWithPlateModel(), { partType: 'plate' });
    const shown = statuses('infer');
    send('infer', {
      topic: 'train',
      payload: { unlessDeployed: true, source: { kind: 'simulator', product: 'plate' } },
    });
    await until(() => shown.some(({ text }) => text?.includes('plate version 1')));
    const station = await openedStation();
    assert.deepEqual(
      (await station.jobs.list()).filter(({ state }) => state !== 'completed'),
      [],
    );
    assert.deepEqual(jobsSeen(), []);
  });

  it('says why a training cannot begin or has failed', async () => {
    await start(await temporaryFolder());
    send('infer', { topic: 'train', payload: { source: { kind: 'labelled' } } });
    assert.match(((await until(() => collect('errors')[0])).error as Error).message, /Which part type/);
    send('infer', { topic: 'train', payload: { partType: 'plate' } });
    const { error } = await until(() => collect('errors')[1]);
    assert.match((error as Error).message, /at least \d+ different readable picture/);
    send('infer', { topic: 'cancel', payload: {} });
    await until(() => collect('errors').length === 3);
  });

  it('survives the death of the inference process in the middle of a run', async () => {
    await start(await folderWithPlateModel());
    send('camera', { payload: await goodPlate() });
    await until(() => collect('judged').length === 1);
    const picture = await goodPlate();
    for (let part = 0; part < 6; part++) send('camera', { payload: picture, serial: part });
    const [child] = packProcesses();
    process.kill(child, 'SIGKILL');
    const verdicts = () => [...collect('ok'), ...collect('ng'), ...collect('rv')];
    await until(() => verdicts().length === 7, 'a verdict for each part');
    assert.equal(new Set(verdicts().map(({ inspection }) => (inspection as Inspection).id)).size, 7);
    send('camera', { payload: picture });
    await until(() => verdicts().length === 8);
    const last = verdicts().find(({ serial }) => serial === undefined);
    assert.ok(last);
    assert.notDeepEqual(packProcesses(), [child]);
    const judged = collect('judged').at(-1) as InspectionMessage;
    assert.equal(findingIn(judged)?.kind, 'anomaly');
  });

  it('refuses a model of which one byte was changed', async () => {
    const folder = await folderWithPlateModel();
    const model = join(folder, 'models', 'plate', '1');
    const file = join(model, String(readdirSync(model).find((name) => name.endsWith('.onnx'))));
    const bytes = await readFile(file);
    bytes[Math.floor(bytes.length / 2)] ^= 1;
    await writeFile(file, bytes);
    await start(folder);
    send('camera', { payload: await goodPlate() });
    const ng = await until(() => collect('ng')[0]);
    assert.deepEqual((ng.inspection as Inspection).decision?.reasons, ['model-invalid']);
  });

  it('passes a wrong payload on as a failure', async () => {
    await start(await folderWithPlateModel());
    const station = await openedStation();
    const inspection = station.inspections.open({ partType: 'plate', trigger: { source: 'message' }, route: TAB });
    send('infer', { payload: 'text', inspection });
    assert.equal(findingIn(await until(() => collect('judged')[0]))?.kind, 'failure');
    await until(() => collect('ng').length === 1);
    send('infer', { payload: 'text' });
    const { error } = await until(() => collect('errors')[1]);
    assert.match((error as Error).message, /carries no inspection/);
  });
});
