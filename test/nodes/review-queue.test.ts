import assert from 'node:assert/strict';
import type { Inspection, ReviewItem } from '../../engine/domain';
import type { InspectionMessage } from '../../nodes/shared';
import {
  collect,
  deploy,
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
} from './support';

function line(dataFolder: string, queue: object = {}): FlowNode[] {
  return [
    flowTab(),
    stationNode(dataFolder),
    on(TAB, {
      id: 'queue',
      type: 'review-queue',
      version: 1,
      station: STATION,
      wires: [['decisions'], ['changes']],
      ...queue,
    }),
    ...['decisions', 'changes', 'errors'].map((id) => on(TAB, { id, type: 'sink' })),
    on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
  ];
}

async function start(queue: object = {}): Promise<string> {
  const folder = await temporaryFolder();
  await loadFlow(line(folder, queue));
  await openedStation();
  return folder;
}

/** A part as a confidence-router sends it to REVIEW. */
async function reviewed(partType = 'plate'): Promise<InspectionMessage> {
  const station = await openedStation();
  const picture = await goodPlate();
  const opened = station.inspections.open({ partType, serial: 'S-1', trigger: { source: 'message' }, route: TAB });
  const inspection = station.inspections.attachPicture(opened, picture, await station.inspectPicture(picture));
  const settled = await station.inspections.settle(inspection, {
    verdict: 'REVIEW',
    confidence: 0.2,
    reasons: ['score-between-thresholds'],
    by: 'model',
    at: new Date().toISOString(),
  });
  assert.ok(settled);
  return { topic: 'REVIEW', payload: picture, inspection: settled };
}

const pending = () => (collect('changes').at(-1)?.payload as { pending: number } | undefined)?.pending;
const idOf = (message: InspectionMessage) => (message.inspection as Inspection).id;

describe('review-queue', () => {
  useNodeRed();

  it('keeps an item with its reasons, once, and tells how many wait', async () => {
    await start();
    await until(() => pending() === 0);
    const shown = statuses('queue');
    const message = await reviewed();
    send('queue', message);
    send('queue', { ...message });
    await until(() => pending() === 1);
    await until(() => shown.some(({ text }) => text === '1 to review'));
    const { reviews } = await openedStation();
    const { items } = await reviews.list({});
    assert.equal(items.length, 1);
    assert.deepEqual(items[0].reasons, ['score-between-thresholds']);
    assert.equal(items[0].lineVerdict, 'REVIEW');
  });

  it('emits the decision when a person decides by message', async () => {
    await start();
    const message = await reviewed();
    send('queue', message);
    await until(() => pending() === 1);
    send('queue', { topic: 'label', payload: { id: idOf(message), label: 'NG', reviewer: 'Kim', note: 'crack' } });
    const decision = await until(() => collect('decisions')[0]);
    const payload = decision.payload as Record<string, unknown>;
    assert.equal(decision.topic, 'label');
    assert.equal(payload.label, 'NG');
    assert.equal(payload.reviewer, 'Kim');
    assert.equal(payload.note, 'crack');
    assert.equal(payload.lineVerdict, 'REVIEW');
    assert.equal(payload.serial, 'S-1');
    const inspection = decision.inspection as Inspection;
    assert.equal(inspection.id, idOf(message));
    assert.deepEqual(
      { ...inspection.decision, at: '' },
      { verdict: 'NG', confidence: 1, reasons: ['human-decision'], by: 'human', at: '' },
    );
    assert.ok(!('state' in inspection));
    await until(() => pending() === 0);
  });

  it('takes the boxes a person drew, and sends them on with the decision', async () => {
    await start();
    const [first, second] = [await reviewed(), await reviewed()];
    send('queue', first);
    send('queue', second);
    await until(() => pending() === 2);
    const boxes = [{ label: 'crack', box: { x: 2, y: 3, width: 20, height: 10 } }];
    const decide = (message: InspectionMessage, drawn: unknown) =>
      send('queue', { topic: 'label', payload: { id: idOf(message), label: 'NG', boxes: drawn } });
    decide(first, boxes);
    await until(() => collect('decisions').length === 1);
    decide(second, undefined);
    await until(() => collect('decisions').length === 2);
    assert.deepEqual(
      collect('decisions').map(({ payload }) => (payload as ReviewItem).boxes),
      [boxes, null],
    );
    for (const wrong of ['crack', [{ label: 'crack' }], [{ ...boxes[0], label: 7 }], [null]]) decide(first, wrong);
    await until(() => collect('errors').length === 4);
    decide(first, [{ label: 'crack', box: { x: -5, y: 0, width: 4, height: 4 } }]);
    await until(() => collect('errors').length === 5);
  });

  it('emits the decision when a person decides by the API', async () => {
    await start();
    const message = await reviewed();
    send('queue', message);
    await until(() => pending() === 1);
    const server = await serveHttpNode();
    try {
      const response = await fetch(`${server.url}/inspection/api/labeling-queue/${idOf(message)}/label`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ label: 'OK', reviewer: 'Robin' }),
      });
      assert.equal(response.status, 200);
    } finally {
      await server.close();
    }
    assert.equal(((await until(() => collect('decisions')[0])).payload as { label: string }).label, 'OK');
  });

  it('skips, and takes the last decision back', async () => {
    await start();
    const [first, second] = [await reviewed(), await reviewed()];
    send('queue', first);
    send('queue', second);
    await until(() => pending() === 2);
    send('queue', { topic: 'skip', payload: { id: idOf(first) } });
    await until(() => pending() === 1);
    send('queue', { topic: 'label', payload: { id: idOf(second), label: 'OK' } });
    await until(() => pending() === 0);
    send('queue', { topic: 'undo' });
    await until(() => pending() === 1);
    const { reviews } = await openedStation();
    const item = await reviews.get(idOf(second));
    assert.equal(item.state, 'pending');
    assert.equal(item.label, null);
  });

  it('tells the flow when a decision is taken back, and says nothing of a skip', async () => {
    await start();
    const [first, second] = [await reviewed(), await reviewed()];
    send('queue', first);
    send('queue', second);
    await until(() => pending() === 2);
    send('queue', { topic: 'label', payload: { id: idOf(second), label: 'OK' } });
    await until(() => collect('decisions').length === 1);
    send('queue', { topic: 'skip', payload: { id: idOf(first) } });
    await until(() => pending() === 0);
    send('queue', { topic: 'undo' });
    await until(() => pending() === 1);
    send('queue', { topic: 'undo' });
    const taken = await until(() => collect('decisions')[1]);
    assert.equal(taken.topic, 'undo');
    assert.deepEqual(taken.payload, {
      id: idOf(second),
      label: 'OK',
      partType: 'plate',
      serial: 'S-1',
      lineVerdict: 'REVIEW',
    });
    send('queue', { topic: 'label', payload: { id: idOf(second), label: 'NG' } });
    await until(() => collect('decisions').length === 3);
    assert.equal((collect('decisions')[2].payload as { label: string }).label, 'NG');
  });

  it('lets of several nodes on a station only the one that took an item in tell of it, or another when it is gone', async () => {
    const folder = await temporaryFolder();
    const other = on(TAB, { id: 'other', type: 'review-queue', version: 1, station: STATION, wires: [['others'], []] });
    const two = [...line(folder), other, on(TAB, { id: 'others', type: 'sink' })];
    await loadFlow(two);
    await openedStation();
    const messages = [await reviewed(), await reviewed(), await reviewed()];
    send('queue', messages[0]);
    send('other', messages[1]);
    send('other', messages[2]);
    await until(() => pending() === 3);
    for (const message of messages.slice(0, 2)) {
      send('queue', { topic: 'label', payload: { id: idOf(message), label: 'OK' } });
    }
    await until(() => pending() === 1);
    const told = (sink: string) => collect(sink).map(({ payload }) => (payload as { id: string }).id);
    await until(() => told('decisions').length + told('others').length >= 2);
    assert.deepEqual([told('decisions'), told('others')], [[idOf(messages[0])], [idOf(messages[1])]]);
    await deploy(line(folder));
    await openedStation();
    send('queue', { topic: 'label', payload: { id: idOf(messages[2]), label: 'NG' } });
    await until(() => told('decisions').includes(idOf(messages[2])));
  });

  it('tells what a second person says about a label', async () => {
    await start();
    const message = await reviewed();
    const id = idOf(message);
    send('queue', message);
    await until(() => pending() === 1);
    send('queue', { topic: 'label', payload: { id, label: 'NG', reviewer: 'Kim', modelMistake: true } });
    const { payload } = await until(() => collect('decisions')[0]);
    assert.equal((payload as ReviewItem).modelMistake, true);
    send('queue', { topic: 'reject', payload: { id, reviewer: 'Robin', note: 'dust' } });
    const judged = await until(() => collect('decisions')[1]);
    assert.equal(judged.topic, 'reject');
    assert.deepEqual(judged.payload, {
      id,
      label: 'NG',
      reviewer: 'Kim',
      approver: 'Robin',
      note: 'dust',
      partType: 'plate',
      serial: 'S-1',
      lineVerdict: 'REVIEW',
    });
    send('queue', { topic: 'label', payload: { id, label: 'OK', reviewer: 'Kim' } });
    await until(() => collect('decisions').length === 3);
    send('queue', { topic: 'approve', payload: { id, reviewer: 'Kim' } });
    assert.match(((await until(() => collect('errors')[0])).error as Error).message, /Kim/);
    send('queue', { topic: 'approve', payload: { id, reviewer: 'Robin' } });
    await until(() => collect('decisions').length === 4);
    assert.equal(collect('decisions')[3].topic, 'approve');
  });

  it('takes what a drift alarm sends for that reason', async () => {
    await start();
    const message = await reviewed();
    send('queue', { ...message, topic: 'drift' });
    await until(() => pending() === 1);
    const { reviews } = await openedStation();
    assert.deepEqual((await reviews.get(idOf(message))).queueReasons, ['drift']);
  });

  it('takes no more than its quotas allow, and tells of each picture that it did not take', async () => {
    await start({ version: 2, quotaHour: 1 });
    await until(() => pending() === 0);
    const shown = statuses('queue');
    const [first, second] = [await reviewed(), await reviewed()];
    send('queue', first);
    await until(() => pending() === 1);
    send('queue', second);
    const told = await until(() => collect('changes').find(({ topic }) => topic === 'declined'));
    const { at: _, ...payload } = told.payload as Record<string, unknown>;
    assert.deepEqual(payload, {
      id: idOf(second),
      partType: 'plate',
      cause: 'quota-hour',
      queueReasons: ['sent'],
    });
    const counts = await until(() => {
      const last = collect('changes').at(-1);
      return last?.topic === 'queue' ? (last.payload as { declined: Record<string, number> }) : undefined;
    });
    assert.equal(counts.declined['quota-hour'], 1);
    await until(() => shown.some(({ text }) => text === '1 to review · 1 not taken today'));
  });

  it('puts any part before a person that is flagged by message, whatever the quotas', async () => {
    await start({ version: 2, quotaHour: 0 });
    const message = await reviewed();
    send('queue', message);
    await until(() => collect('changes').some(({ topic }) => topic === 'declined'));
    send('queue', { topic: 'flag', payload: { id: idOf(message), reviewer: 'Kim', note: 'a dent' } });
    await until(() => pending() === 1);
    const { reviews } = await openedStation();
    const item = await reviews.get(idOf(message));
    assert.deepEqual([item.queueReasons, item.note], [['flagged'], 'Kim: a dent']);
  });

  it('survives a restart', async () => {
    const folder = await start();
    const message = await reviewed();
    send('queue', message);
    await until(() => pending() === 1);
    await deploy(line(folder));
    await unloadFlow();
    await loadFlow(line(folder));
    await until(() => pending() === 1);
    send('queue', { topic: 'label', payload: { id: idOf(message), label: 'OK' } });
    await until(() => collect('decisions').length === 1);
  });

  it('sends only the decisions on its part type', async () => {
    await start({ partType: 'plate' });
    const [plate, cable] = [await reviewed('plate'), await reviewed('cable')];
    send('queue', plate);
    send('queue', cable);
    const { reviews } = await openedStation();
    await until(async () => (await reviews.stats()).pending === 2);
    send('queue', { topic: 'label', payload: { id: idOf(cable), label: 'OK' } });
    send('queue', { topic: 'label', payload: { id: idOf(plate), label: 'OK' } });
    await until(() => collect('decisions').length === 1);
    assert.equal((collect('decisions')[0].payload as { partType: string }).partType, 'plate');
  });

  const wrong: [string, InspectionMessage, RegExp][] = [
    [
      'a label that is none',
      { topic: 'label', payload: { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', label: 'maybe' } },
      /"OK" or "NG"/,
    ],
    ['a label without id', { topic: 'label', payload: { label: 'OK' } }, /needs the item's id/],
    ['an unknown item', { topic: 'skip', payload: { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' } }, /no review item/i],
    ['an undo with nothing done', { topic: 'undo' }, /no decision/],
    ['a note that is no text', { topic: 'label', payload: { id: 'a', label: 'OK', note: 5 } }, /"note" must be a text/],
    ['a message without inspection', { payload: 'hello' }, /carries no inspection/],
    [
      'an inspection that lost its findings',
      { inspection: { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' } } as unknown as InspectionMessage,
      /has no list of findings/,
    ],
  ];
  for (const [what, message, text] of wrong) {
    it(`refuses ${what}`, async () => {
      await start();
      send('queue', message);
      const { error } = await until(() => collect('errors')[0]);
      assert.match((error as Error).message, text);
    });
  }

  it('refuses an inspection without verdict', async () => {
    await start();
    const { inspection, ...rest } = await reviewed();
    const { decision: _, ...open } = inspection as Inspection;
    send('queue', { ...rest, inspection: open });
    const { error } = await until(() => collect('errors')[0]);
    assert.match((error as Error).message, /no verdict yet/);
  });
});
