import assert from 'node:assert/strict';
import { ulid } from 'ulid';
import { newId, timestamp } from '../../../engine/domain';
import { openStore } from '../../../engine/store';
import { idBound } from '../../../engine/store/inspection-table';
import { decided, inspection, record, temporaryFolder, temporaryStore, undoAll } from './support';

const settled = { picturePath: null, settledAt: '2026-01-02T03:04:05.000Z', delivered: true } as const;

describe('inspections in the store', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('gives back what it was given', async () => {
    const { inspections } = await temporaryStore();
    const full = decided('REVIEW', {
      serial: 'S-17',
      trigger: { source: 'plc', sequence: 9, node: 'n1' },
      quality: { passed: true, brightness: 0.5, contrast: 0.2, sharpness: 3 },
      findings: [{ kind: 'rule', rule: 'holes', passed: true, node: 'n2', milliseconds: { total: 1.5 } }],
    });
    assert.equal(await inspections.settle(full, settled), true);
    const expected = { ...full, state: 'settled', picturePath: null, settledAt: settled.settledAt };
    assert.deepEqual(await inspections.get(full.id), expected);
  });

  it('lists an open inspection until it is settled, then never again', async () => {
    const { inspections } = await temporaryStore();
    const part = inspection();
    await inspections.insertOpen(part, 'images/2026/01/02/open/x.jpg', 'tab-1');
    assert.deepEqual(
      (await inspections.open()).map(({ id, state, route }) => ({ id, state, route })),
      [{ id: part.id, state: 'open', route: 'tab-1' }],
    );
    await inspections.settle({ ...part, decision: decided('OK').decision }, settled);
    assert.deepEqual(await inspections.open(), []);
  });

  it('keeps the first verdict of two', async () => {
    const { inspections } = await temporaryStore();
    const first = decided('NG');
    assert.equal(await inspections.settle(first, settled), true);
    assert.equal(await inspections.settle({ ...first, decision: decided('OK').decision }, settled), false);
    assert.equal((await inspections.get(first.id))?.decision?.verdict, 'NG');
  });

  it('lets one of many settling at once win', async () => {
    const { inspections } = await temporaryStore();
    const part = inspection();
    await inspections.insertOpen(part, null);
    const tries = ['OK', 'NG', 'REVIEW', 'NG'] as const;
    const results = await Promise.all(
      tries.map((verdict) => inspections.settle({ ...part, decision: decided(verdict).decision }, settled)),
    );
    assert.deepEqual(results, [true, false, false, false]);
    assert.equal((await inspections.get(part.id))?.decision?.verdict, 'OK');
  });

  it('does not open again what is settled', async () => {
    const { inspections } = await temporaryStore();
    const part = decided('OK');
    await inspections.settle(part, settled);
    await inspections.insertOpen({ ...part, decision: undefined }, null);
    assert.equal((await inspections.get(part.id))?.state, 'settled');
  });

  it('replaces a verdict when told to', async () => {
    const { inspections } = await temporaryStore();
    const part = decided('OK');
    await inspections.settle(part, settled);
    const sent = { ...part, decision: { ...part.decision!, verdict: 'NG', by: 'failsafe' } as const };
    assert.equal(await inspections.settle(sent, { ...settled, overwrite: true }), true);
    assert.equal((await inspections.get(part.id))?.decision?.verdict, 'NG');
    assert.equal((await inspections.counters('2000')).ok, 0);
  });

  it('commits nothing once the verdict is withdrawn', async () => {
    const { inspections } = await temporaryStore();
    const part = inspection();
    await inspections.insertOpen(part, null);
    const control = new AbortController();
    const settling = inspections.settle(
      { ...part, decision: decided('OK').decision },
      { ...settled, signal: control.signal },
    );
    control.abort(new Error('too late'));
    await assert.rejects(settling, /too late/);
    assert.equal((await inspections.get(part.id))?.state, 'open');
  });

  it('pages through all of them, newest first, without gaps or repeats', async () => {
    const { inspections } = await temporaryStore();
    const ids: string[] = [];
    for (let i = 0; i < 25; i++) {
      const part = decided('OK');
      ids.unshift(part.id);
      await inspections.settle(part, settled);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await inspections.list({ limit: 7, cursor });
      seen.push(...page.items.map(({ id }) => id));
      await inspections.settle(decided('OK'), settled); // what comes in meanwhile moves no page
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    assert.deepEqual(seen, ids);
  });

  it('filters by part type, serial, verdict, time, state and fail-safe', async () => {
    const { inspections } = await temporaryStore();
    const early = decided('OK', { partType: 'a', serial: '1', capturedAt: '2026-01-01T00:00:00.000Z' });
    const late = decided('NG', { partType: 'b', serial: '2', capturedAt: '2026-02-01T00:00:00.000Z' });
    const failed = decided('NG', {
      partType: 'c',
      capturedAt: '2026-03-01T00:00:00.000Z',
      decision: { ...late.decision!, by: 'failsafe' },
    });
    const open = inspection({ partType: 'd', capturedAt: '2026-04-01T00:00:00.000Z' });
    for (const part of [early, late, failed]) await inspections.settle(part, settled);
    await inspections.insertOpen(open, null);
    const found = async (filter: Parameters<typeof inspections.list>[0]) =>
      (await inspections.list(filter)).items.map(({ partType }) => partType).join('');
    assert.equal(await found({}), 'dcba');
    assert.equal(await found({ partType: 'a' }), 'a');
    assert.equal(await found({ serial: '2' }), 'b');
    assert.equal(await found({ verdict: 'NG' }), 'cb');
    assert.equal(await found({ from: late.capturedAt }), 'dcb');
    assert.equal(await found({ to: late.capturedAt }), 'a');
    assert.equal(await found({ state: 'open' }), 'd');
    assert.equal(await found({ failSafe: true }), 'c');
  });

  it('reads a span of time off the ids, with a day of room for a clock that was set', async () => {
    const moment = '2026-03-01T00:00:00.000Z';
    // second source: an id of that moment, made by the library
    assert.equal(idBound(moment, 0).slice(0, 10), ulid(Date.parse(moment)).slice(0, 10));
    assert.ok(idBound(moment, 0) <= ulid(Date.parse(moment)) && ulid(Date.parse(moment) - 1) < idBound(moment, 0));
    assert.equal(idBound('0001-01-01T00:00:00.000Z', 0), '0'.repeat(26));
    assert.ok(idBound('9999-12-31T00:00:00.000Z', 1e15) <= `7${'Z'.repeat(25)}`);
    const { inspections } = await temporaryStore();
    const set = decided('OK', { id: ulid(Date.parse(moment) + 23 * 3600_000), capturedAt: moment });
    await inspections.settle(set, settled);
    const { items } = await inspections.list({ from: moment, to: '2026-03-01T00:00:00.001Z' });
    assert.deepEqual(
      items.map(({ id }) => id),
      [set.id],
    );
  });

  it('tells which of some inspections have a picture', async () => {
    const store = await temporaryStore();
    const [seen, blind] = [decided('OK'), decided('NG')];
    await record(store, seen);
    await store.inspections.settle(blind, settled);
    assert.deepEqual([...(await store.inspections.withPicture([seen.id, blind.id, newId()]))], [seen.id]);
  });

  it('refuses a page of no, broken or too many entries', async () => {
    const { inspections } = await temporaryStore();
    for (const limit of [0, -1, 1.5, 501, Number.NaN]) {
      await assert.rejects(inspections.list({ limit }), { code: 'invalid-input' });
    }
  });

  it('counts verdicts since a time, and by part type', async () => {
    const { inspections } = await temporaryStore();
    const at = (day: number) => timestamp(Date.UTC(2026, 0, day));
    const verdicts = ['OK', 'OK', 'OK', 'NG', 'REVIEW'] as const;
    for (const [i, verdict] of verdicts.entries()) {
      await inspections.settle(decided(verdict, { capturedAt: at(i + 1), partType: i < 3 ? 'a' : 'b' }), settled);
    }
    const failed = decided('NG', { capturedAt: at(9), partType: 'b' });
    await inspections.settle({ ...failed, decision: { ...failed.decision!, by: 'failsafe' } }, settled);
    await inspections.insertOpen(inspection({ capturedAt: at(10) }), null);
    const all = await inspections.counters(at(1));
    assert.deepEqual(all, { since: at(1), ok: 3, ng: 2, review: 1, failSafe: 1, total: 6, yield: 0.5 });
    assert.equal((await inspections.counters(at(3))).total, 4);
    assert.equal((await inspections.counters(at(1), 'b')).ok, 0);
    assert.equal((await inspections.counters(at(30))).yield, null);
    assert.deepEqual(await inspections.partTypes(), ['a', 'b', 'plate']);
  });

  it('remembers which verdicts nobody has sent on, and lets one claim each', async () => {
    const { inspections } = await temporaryStore();
    const [sent, unsent] = [decided('NG'), decided('NG')];
    await inspections.settle(sent, { ...settled, delivered: true });
    await inspections.settle(unsent, { ...settled, delivered: false, route: 'tab-2' });
    assert.deepEqual(
      (await inspections.undelivered()).map(({ id, route }) => [id, route]),
      [[unsent.id, 'tab-2']],
    );
    const claims = [inspections.setDelivered(unsent.id, true), inspections.setDelivered(unsent.id, true)];
    assert.deepEqual(await Promise.all(claims), [true, false]);
    assert.deepEqual(await inspections.undelivered(), []);
  });

  it('has everything again after closing and opening', async () => {
    const dataFolder = await temporaryFolder();
    const first = await openStore({ dataFolder });
    const part = decided('OK');
    const path = await record(first, part);
    await first.close();
    const second = await temporaryStore({ dataFolder });
    assert.equal((await second.inspections.get(part.id))?.picturePath, path);
    assert.ok((await second.pictures.read(path)).length > 0);
  });
});
