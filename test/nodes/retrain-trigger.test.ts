import assert from 'node:assert/strict';
import type { Job, RetrainingRun, RetrainStatus } from '../../engine/domain';
import type { InspectionMessage } from '../../nodes/shared';
import { TRAINING_LIMIT_MS } from '../support/jobs';
import {
  collect,
  type FlowNode,
  flowTab,
  goodPlate,
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

const OUTPUTS = ['progress', 'candidate', 'deployed', 'failed'];

function line(dataFolder: string, trigger: object): FlowNode[] {
  return [
    flowTab(),
    stationNode(dataFolder),
    on(TAB, {
      id: 'retrain',
      type: 'retrain-trigger',
      name: 'night trainer',
      version: 1,
      station: STATION,
      partType: 'plate',
      timeZone: 'UTC',
      learn: 'anew',
      wires: OUTPUTS.map((id) => [id]),
      ...trigger,
    }),
    ...[...OUTPUTS, 'errors'].map((id) => on(TAB, { id, type: 'sink' })),
    on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
  ];
}

async function start(trigger: object, folder?: string): Promise<string> {
  const dataFolder = folder ?? (await temporaryFolder());
  await loadFlow(line(dataFolder, trigger));
  await openedStation();
  await until(() => status());
  return dataFolder;
}

const messages = (output: string, topic: string): InspectionMessage[] =>
  collect(output).filter((message) => message.topic === topic);
const status = () => messages('progress', 'status').at(-1)?.payload as RetrainStatus | undefined;
const codes = () => status()?.reasons.map(({ code }) => code) ?? [];
const errors = () => collect('errors').map(({ error }) => (error as { message: string }).message);

async function labelParts(count: number): Promise<void> {
  const station = await openedStation();
  for (let seed = 0; seed < count; seed++) {
    const picture = await goodPlate(seed);
    const opened = station.inspections.open({ partType: 'plate', trigger: { source: 'message' }, route: TAB });
    const inspection = station.inspections.attachPicture(opened, picture, await station.inspectPicture(picture));
    const at = new Date().toISOString();
    const decision = { verdict: 'REVIEW', confidence: 0, reasons: ['no-positive-evidence'], by: 'model', at } as const;
    const settled = await station.inspections.settle(inspection, decision);
    assert.ok(settled);
    await station.reviews.add(settled);
    await station.reviews.label(settled.id, { label: 'OK', reviewer: 'Ada' }, 'ada');
  }
}

/** Two hours around now, as the node's settings have them. */
function aroundNow(): string {
  const clock = (offset: number) => new Date(Date.now() + offset).toISOString().slice(11, 16);
  return `${clock(-3_600_000)}-${clock(3_600_000)}`;
}

describe('retrain-trigger', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  useNodeRed();

  it('trains when enough labels are there, and tells of progress and deployment', async () => {
    await start({ labels: 14, policy: 'automatic' });
    const shown = statuses('retrain');
    await labelParts(14);
    const { payload } = await until(() => messages('deployed', 'deployed')[0], 'the deployment', TRAINING_LIMIT_MS);
    const run = payload as RetrainingRun;
    assert.deepEqual([run.trigger, run.actor, run.version], ['labels', 'night trainer', '1']);
    assert.deepEqual(
      run.reasons.map(({ code }) => code),
      ['labels-reached', 'deployed'],
    );
    assert.equal((await (await openedStation()).models.deployed('plate'))?.version, '1');

    assert.equal(messages('progress', 'running').length, 1);
    const jobs = messages('progress', 'progress').map((message) => message.payload as Job);
    assert.ok(jobs.some(({ state, progress }) => state === 'running' && (progress?.percent ?? 0) > 0));
    assert.deepEqual([jobs.at(-1)?.state, jobs.at(-1)?.deployment], ['completed', 'deployed']);
    const texts = shown.map(({ text }) => text ?? '');
    assert.ok(texts.includes('13 of 14 new labels') || texts.includes('training waits'), texts.join(', '));
    assert.ok(texts.some((text) => /^training \d+ %$/.test(text)));
    await until(() => status()?.newLabels === 0);
    assert.deepEqual([collect('candidate'), collect('failed'), errors()], [[], [], []]);
  });

  it('keeps a drift alarm over quiet hours and a restart', async () => {
    const quiet = { quietHours: aroundNow(), labels: '' };
    const folder = await start(quiet);
    await labelParts(1);
    send('retrain', { topic: 'drift', payload: {} });
    await until(() => status()?.state === 'waiting');
    assert.deepEqual(codes(), ['drift-waits', 'quiet-hours']);
    await unloadFlow();
    await start(quiet, folder);
    assert.deepEqual([status()?.state, status()?.waiting], ['waiting', ['drift']]);
    const shown = statuses('retrain').map(({ text }) => text);
    assert.match(shown.at(-1) ?? '', /^trains at \d{4}-\d\d-\d\d \d\d:\d\d$/);
  });

  it('answers a message that comes at the wrong time, and heeds one that insists', async () => {
    await start({ quietHours: aroundNow() });
    send('retrain', { topic: 'train', payload: {} });
    const { payload } = await until(() => messages('failed', 'not-now')[0]);
    assert.match((payload as { message: string }).message, /^Model plate is not trained now\. These are quiet hours/);
    assert.deepEqual(errors(), []);

    send('retrain', { topic: 'train', payload: { force: true } });
    const declined = await until(() => messages('failed', 'declined')[0]);
    const { reasons, actor } = declined.payload as RetrainingRun;
    assert.equal(actor, 'night trainer');
    assert.deepEqual(reasons[0].code, 'asked-for');
    await until(() => errors().length === 1, 'the error of a training without any labels');
  });

  it('ends the training by message, and tells so', async () => {
    await start({ labels: '' });
    await labelParts(14);
    send('retrain', { topic: 'train', payload: {} });
    await until(() => status()?.state === 'running');
    send('retrain', { topic: 'cancel', payload: {} });
    const { payload } = await until(() => messages('failed', 'cancelled')[0]);
    assert.equal((payload as RetrainingRun).outcome, 'cancelled');
    assert.deepEqual(errors(), []);
  });

  it('says that it does not heed an alarm', async () => {
    await start({ drift: false });
    send('retrain', { topic: 'drift', payload: {} });
    await until(() => errors().length === 1);
    assert.match(errors()[0], /does not retrain for it/);
  });

  it('says what is wrong with its settings, and which node trains the model already', async () => {
    const folder = await temporaryFolder();
    const [first, ...others] = line(folder, {});
    const more = [
      on(TAB, { id: 'twice', type: 'retrain-trigger', version: 1, station: STATION, partType: 'plate', wires: [] }),
      on(TAB, { id: 'wrong', type: 'retrain-trigger', version: 1, station: STATION, partType: 'cup', cron: 'daily' }),
    ];
    await loadFlow([first, ...others, ...more]);
    await openedStation();
    await until(() => statuses('twice').some(({ text }) => text === 'is retrained already'));
    await until(() => statuses('wrong').some(({ text }) => text === 'invalid input'));
    await until(() => errors().some((message) => /"daily" is not understood/.test(message)));
  });
});
