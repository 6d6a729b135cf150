import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Inspection, type InspectionError, newId } from '../../../engine/domain';
import { InspectionLedger } from '../../../engine/station';
import { openStore, type Store, StoreUnavailable } from '../../../engine/store';
import { waitFor } from '../../support/wait';
import { temporaryFolder, temporaryStore, undoAll } from '../store/support';
import { decision, IMAGE, openLedger, smallPicture } from './support';

const PART = { partType: 'plate', trigger: { source: 'message' } } as const;

/** A store whose `settle` does what the test says. */
function storeWith(
  store: Store,
  settle: (real: Store['inspections']['settle']) => Store['inspections']['settle'],
): Store {
  const inspections = Object.create(store.inspections, {
    settle: { value: settle(store.inspections.settle.bind(store.inspections)) },
  }) as Store['inspections'];
  return { ...store, inspections };
}

const full = () => new StoreUnavailable('disk-full', 'The disk is full.');

/** Waits until verdicts stand in the journal, each in a line of its own. */
async function inJournal(dataFolder: string, ids: readonly string[]): Promise<void> {
  const entryIn = (line: string): string | undefined => {
    try {
      return (JSON.parse(line) as { inspection: Inspection }).inspection.id;
    } catch {
      return undefined;
    }
  };
  await waitFor('the journal', async () => {
    const lines = (await readFile(join(dataFolder, 'unrecorded.journal'), 'utf8')).split('\n');
    const kept = new Set(lines.map(entryIn));
    return ids.every((id) => kept.has(id));
  });
}

describe('the ledger', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('has picture and record on the disk before the verdict is sent', async () => {
    const store = await temporaryStore();
    const { ledger, seen } = await openLedger(store);
    const picture = await smallPicture();
    const opened = ledger.open({ ...PART, serial: 'S1' });
    const part = ledger.attachPicture(opened, picture, IMAGE);
    const settled = await ledger.settle({ ...part, findings: [] }, decision('OK'));
    assert.equal(settled?.decision?.verdict, 'OK');
    const record = await store.inspections.get(opened.id);
    assert.equal(record?.state, 'settled');
    assert.match(record?.picturePath ?? '', /\/OK\//);
    assert.deepEqual(await store.pictures.read(record!.picturePath!), picture);
    assert.deepEqual(seen.opened, [opened]);
    assert.deepEqual(seen.settled, [settled]);
    assert.equal(ledger.size, 0);
  });

  it('gives one verdict only, however often it is asked', async () => {
    const { ledger, seen } = await openLedger(await temporaryStore());
    const part = ledger.open(PART);
    const results = await Promise.all([
      ledger.settle(part, decision('OK')),
      ledger.settle(part, decision('NG')),
      ledger.fail(part, 'overload', ''),
    ]);
    assert.deepEqual(
      results.map((result) => result?.decision?.verdict ?? null),
      ['OK', null, null],
    );
    assert.equal(await ledger.settle(part, decision('NG')), null);
    assert.equal(seen.settled.length, 1);
  });

  it('knows a duplicate long after, also of before a restart', async () => {
    const store = await temporaryStore();
    const first = await openLedger(store);
    const part = first.ledger.open(PART);
    await first.ledger.settle(part, decision('OK'));
    await first.ledger.close();
    const second = await openLedger(store);
    assert.equal(await second.ledger.settle(part, decision('OK')), null);
  });

  it('refuses an inspection it never opened', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const forged = { ...ledger.open(PART), id: newId() };
    await assert.rejects(ledger.settle(forged, decision('OK')), { code: 'unknown-inspection' });
    await assert.rejects(ledger.fail(forged, 'overload', ''), { code: 'unknown-inspection' });
    await assert.rejects(ledger.settled(forged.id), { code: 'not-found' });
  });

  it('keeps to what it knows itself when the message says otherwise', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const part = ledger.open({ ...PART, trigger: { source: 'plc', sequence: 7 } });
    const changed: Inspection = { ...part, station: 'other', trigger: { source: 'api' }, deadlineAt: part.capturedAt };
    const settled = await ledger.settle({ ...changed, serial: 'read later' }, decision('OK'));
    assert.deepEqual(
      [settled?.station, settled?.trigger, settled?.deadlineAt, settled?.serial],
      [part.station, part.trigger, part.deadlineAt, 'read later'],
    );
  });

  it('gives the fail-safe verdict before the deadline and hands it to the outlet of its route', async () => {
    const store = await temporaryStore();
    const { ledger } = await openLedger(store, { deadlineMs: 1500, failSafe: 'REVIEW' });
    const emitted: [string, Inspection, Buffer | undefined][] = [];
    ledger.registerOutlet({ route: 'a', emit: (inspection, picture) => emitted.push(['a', inspection, picture]) });
    ledger.registerOutlet({ route: 'b', emit: (inspection, picture) => emitted.push(['b', inspection, picture]) });
    const picture = await smallPicture();
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
    const part = ledger.attachPicture(ledger.open({ ...PART, route: 'b' }), picture, IMAGE);
    const settling = ledger.settled(part.id);
    mock.timers.tick(1499);
    mock.timers.reset();
    const settled = await settling;
    assert.deepEqual(emitted, [['b', settled, picture]]);
    assert.deepEqual(
      [settled.decision?.verdict, settled.decision?.by, settled.decision?.reasons[0], settled.findings[0].kind],
      ['REVIEW', 'failsafe', 'deadline-exceeded', 'failure'],
    );
    assert.ok(settled.decision!.at <= part.deadlineAt);
    assert.equal(await ledger.settle(part, decision('OK')), null, 'too late');
    await waitFor('the record, on a slow disk', () => ledger.unrecorded === 0);
    assert.equal((await store.inspections.get(part.id))?.decision?.verdict, 'REVIEW');
    assert.match((await store.inspections.get(part.id))?.picturePath ?? '', /\/REVIEW\//);
  });

  it('hands verdicts of a route without an outlet to the only one there is', async () => {
    const { ledger, seen } = await openLedger(await temporaryStore());
    const emitted: [string, boolean][] = [];
    ledger.registerOutlet({ route: 'a', emit: ({ id }, _picture, late) => emitted.push([id, late]) });
    const stray = ledger.open({ ...PART, route: 'elsewhere' });
    await ledger.fail(stray, 'overload', '');
    assert.deepEqual(emitted, [[stray.id, false]]);
    assert.deepEqual(seen.faults, []);
  });

  it('keeps verdicts of a route without an outlet rather than give them to one of several others, and says so', async () => {
    const store = await temporaryStore();
    const { ledger, seen } = await openLedger(store);
    const emitted: [string, string, boolean][] = [];
    const outlet = (route: string) => ({
      route,
      emit: ({ id }: Inspection, _picture: Buffer | undefined, late: boolean) => emitted.push([route, id, late]),
    });
    ledger.registerOutlet(outlet('a'));
    ledger.registerOutlet(outlet('b'));
    const strays = [ledger.open({ ...PART, route: 'c' }), ledger.open({ ...PART, route: 'c' })];
    for (const stray of strays) await ledger.fail(stray, 'overload', '');
    await waitFor('the fault', () => seen.faults.length > 0);
    assert.deepEqual(
      (await store.inspections.undelivered()).map(({ id }) => id).sort(),
      strays.map(({ id }) => id).sort(),
    );
    const other = ledger.open({ ...PART, route: 'b' });
    await ledger.fail(other, 'overload', '');
    assert.deepEqual(emitted, [['b', other.id, false]]);
    ledger.registerOutlet(outlet('c'));
    await waitFor('the kept verdicts', () => emitted.length === 3);
    assert.deepEqual(
      emitted.slice(1),
      strays.map(({ id }) => ['c', id, true]),
    );
    assert.deepEqual(
      seen.faults.map((fault) => (fault as { code: string }).code),
      ['no-outlet'],
    );
  });

  it('gives a line whose router is just being deployed no other', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const emitted: string[] = [];
    const remove = ledger.registerOutlet({ route: 'a', emit: () => emitted.push('a') });
    ledger.registerOutlet({ route: 'b', emit: () => emitted.push('b') });
    remove();
    await ledger.fail(ledger.open({ ...PART, route: 'a' }), 'overload', '');
    await sleep(50);
    assert.equal(emitted.length, 0);
    ledger.registerOutlet({ route: 'a', emit: () => emitted.push('a again') });
    await waitFor('the kept verdict', () => emitted.length === 1);
    assert.deepEqual(emitted, ['a again']);
  });

  it('tries again to hand over what the store did not let it claim', async () => {
    const store = await temporaryStore();
    let failures = 2;
    const inspections = Object.create(store.inspections, {
      setDelivered: {
        value: async (id: string, delivered: boolean) => {
          if (delivered && failures-- > 0) throw new StoreUnavailable('locked', 'The database is locked.');
          return store.inspections.setDelivered(id, delivered);
        },
      },
    }) as Store['inspections'];
    const { ledger, seen } = await openLedger({ ...store, inspections });
    const parts = [ledger.open(PART), ledger.open(PART)];
    for (const part of parts) await ledger.fail(part, 'overload', '');
    const emitted: string[] = [];
    ledger.registerOutlet({ route: '', emit: ({ id }) => emitted.push(id) });
    await waitFor('both verdicts', () => emitted.length === 2);
    assert.deepEqual(
      emitted,
      parts.map(({ id }) => id),
    );
    assert.equal(seen.faults.length, 2);
  });

  for (const gone of ['before', 'while'] as const) {
    it(`hands on the verdict of a caller that is gone ${gone} it is recorded`, async () => {
      const store = await temporaryStore();
      const caller = new AbortController();
      const late = storeWith(store, (settle) => async (...settling) => {
        const isFirst = await settle(...settling);
        caller.abort();
        return isFirst;
      });
      const { ledger } = await openLedger(late);
      if (gone === 'before') caller.abort();
      const part = ledger.attachPicture(ledger.open(PART), await smallPicture(), IMAGE);
      assert.equal(await ledger.settle(part, decision('OK'), caller.signal), null);
      assert.deepEqual(
        (await store.inspections.undelivered()).map(({ id, decision: sent }) => [id, sent?.verdict]),
        [[part.id, 'OK']],
      );
      const emitted: [string, string | undefined, boolean, boolean][] = [];
      ledger.registerOutlet({
        route: '',
        emit: ({ id, decision: sent }, picture, isLate) =>
          emitted.push([id, sent?.verdict, picture !== undefined, isLate]),
      });
      await waitFor('the verdict', () => emitted.length > 0);
      await sleep(30);
      assert.deepEqual(emitted, [[part.id, 'OK', true, true]]);
      assert.deepEqual(await store.inspections.undelivered(), []);
    });
  }

  it('hands on the verdict of a caller that is gone when the store fails too', async () => {
    const store = await temporaryStore();
    const caller = new AbortController();
    let broken = true;
    const failing = storeWith(store, (settle) => async (...settling) => {
      if (!broken) return settle(...settling);
      caller.abort();
      throw full();
    });
    const { ledger } = await openLedger(failing);
    const part = ledger.open(PART);
    assert.equal(await ledger.settle(part, decision('OK'), caller.signal), null);
    broken = false;
    const emitted: (string | undefined)[] = [];
    ledger.registerOutlet({ route: '', emit: ({ decision: sent }) => emitted.push(sent?.verdict) });
    await waitFor('the verdict', () => emitted.length > 0);
    await waitFor('its record', () => ledger.unrecorded === 0);
    await sleep(30);
    assert.deepEqual(emitted, ['NG']);
    assert.deepEqual(await store.inspections.undelivered(), []);
  });

  it('ends an inspection that failed and tells why', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const emitted: Inspection[] = [];
    ledger.registerOutlet({ route: '', emit: (inspection) => emitted.push(inspection) });
    const part = ledger.open(PART);
    const failed = await ledger.fail(part, 'camera-unavailable', 'The camera does not answer.');
    assert.deepEqual(emitted, [failed]);
    assert.deepEqual(failed?.decision?.reasons, ['camera-unavailable']);
    const [finding] = failed!.findings;
    assert.ok(finding.kind === 'failure' && finding.message === 'The camera does not answer.');
    assert.equal(failed?.image, undefined);
  });

  it('keeps verdicts until an outlet takes them, with their pictures', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const picture = await smallPicture();
    const part = ledger.attachPicture(ledger.open({ ...PART, route: 'b' }), picture, IMAGE);
    await ledger.fail(part, 'overload', '');
    const emitted: [string, Inspection, Buffer | undefined][] = [];
    for (const route of ['a', 'b']) {
      ledger.registerOutlet({ route, emit: (inspection, taken) => emitted.push([route, inspection, taken]) });
    }
    await waitFor('the kept verdict', () => emitted.length > 0);
    assert.deepEqual([emitted[0][0], emitted[0][1].id, emitted[0][2]], ['b', part.id, picture]);
    await sleep(50);
    assert.equal(emitted.length, 1);
  });

  it('hands over to no outlet that was removed', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const remove = ledger.registerOutlet({ route: '', emit: () => assert.fail('removed') });
    remove();
    await ledger.fail(ledger.open(PART), 'overload', '');
  });

  it('survives an outlet and a listener that throw', async () => {
    const store = await temporaryStore();
    const { ledger, seen } = await openLedger(store);
    ledger.registerOutlet({
      route: '',
      emit: () => {
        throw new Error('broken outlet');
      },
    });
    const part = ledger.open(PART);
    assert.ok(await ledger.fail(part, 'overload', ''));
    assert.match(String(seen.faults[0]), /broken outlet/);
  });

  it('refuses inspections without part type or with a senseless deadline', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    assert.throws(() => ledger.open({ ...PART, partType: '' }), { code: 'invalid-input' });
    for (const deadlineMs of [0, -1, Number.NaN, 49, 1e12]) {
      assert.throws(() => ledger.open({ ...PART, deadlineMs }), { code: 'invalid-input' });
    }
    assert.equal(ledger.size, 0);
  });

  it('refuses a second picture', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const part = ledger.attachPicture(ledger.open(PART), await smallPicture(), IMAGE);
    assert.throws(() => ledger.attachPicture(part, Buffer.alloc(1), IMAGE), { code: 'invalid-input' });
  });

  it('records a trigger whose picture is long in coming', async () => {
    const store = await temporaryStore();
    const { ledger } = await openLedger(store);
    const part = ledger.open(PART);
    await waitFor('the open row', async () => (await store.inspections.open()).some(({ id }) => id === part.id));
  });

  it('closes with a verdict for every open inspection, which is sent when it is open again', async () => {
    const store = await temporaryStore();
    const first = await openLedger(store);
    first.ledger.registerOutlet({ route: 'a', emit: () => assert.fail('the flow is going down') });
    const picture = await smallPicture();
    const part = first.ledger.attachPicture(first.ledger.open({ ...PART, route: 'a' }), picture, IMAGE);
    const waiting = first.ledger.settled(part.id);
    await first.ledger.close();
    assert.equal((await waiting).decision?.reasons[0], 'interrupted');
    assert.throws(() => first.ledger.open(PART), { code: 'station-closed' });
    assert.equal(await first.ledger.settle(part, decision('OK')), null);

    const second = await openLedger(store);
    const emitted: [Inspection, Buffer | undefined][] = [];
    second.ledger.registerOutlet({ route: 'a', emit: (inspection, taken) => emitted.push([inspection, taken]) });
    await waitFor('the interrupted verdict', () => emitted.length > 0);
    assert.deepEqual([emitted[0][0].id, emitted[0][1]], [part.id, picture]);
    await second.ledger.close();

    const third = await openLedger(store);
    third.ledger.registerOutlet({ route: 'a', emit: () => assert.fail('sent before') });
    await sleep(50);
  });

  it('gives what a crash left open its verdict once, with its picture', async () => {
    const dataFolder = await temporaryFolder();
    const crashed = await openStore({ dataFolder });
    const { ledger } = await openLedger(crashed);
    const picture = await smallPicture();
    const withPicture = ledger.attachPicture(ledger.open(PART), picture, IMAGE);
    const without = ledger.open(PART);
    await waitFor('two open rows', async () => (await crashed.inspections.open()).length === 2);
    await crashed.close(); // the ledger is not closed: this is what a crash leaves

    const store = await temporaryStore({ dataFolder });
    const { ledger: again, seen } = await openLedger(store);
    assert.deepEqual(
      seen.settled.map(({ id, decision: fell }) => [id, fell?.reasons]),
      [
        [withPicture.id, ['interrupted']],
        [without.id, ['interrupted', 'no-picture']],
      ],
    );
    const record = await store.inspections.get(withPicture.id);
    assert.deepEqual(await store.pictures.read(record!.picturePath!), picture);
    const emitted: string[] = [];
    again.registerOutlet({ route: '', emit: ({ id }) => emitted.push(id) });
    await waitFor('both', () => emitted.length === 2);
    await again.close();
    const { seen: later } = await openLedger(store);
    assert.deepEqual(later.settled, []);
  });

  it('opens although a crash left a picture that cannot be read, and says so', async () => {
    const dataFolder = await temporaryFolder();
    const crashed = await openStore({ dataFolder });
    const { ledger } = await openLedger(crashed);
    const parts = [ledger.open(PART), ledger.open(PART)];
    await waitFor('the open rows', async () => (await crashed.inspections.open()).length === 2);
    await crashed.pictures.save(parts[0].id, parts[0].capturedAt, Buffer.from('torn'), 'jpeg');
    await crashed.close();

    const { seen } = await openLedger(await temporaryStore({ dataFolder }));
    assert.deepEqual(
      seen.settled.map(({ id, image, decision: fell }) => [id, image, fell?.verdict]),
      parts.map(({ id }) => [id, undefined, 'NG']),
    );
    assert.deepEqual(
      seen.faults.map((fault) => (fault as InspectionError).code),
      ['picture-unreadable'],
    );
  });

  it('numbers heat maps while the inspection is under way only', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    const part = ledger.open(PART);
    assert.deepEqual([ledger.nextMap(part.id), ledger.nextMap(part.id)], [0, 1]);
    await ledger.settle(part, decision('OK'));
    assert.equal(ledger.nextMap(part.id), null);
  });

  for (const [verdict, sent] of [
    ['OK', 'REVIEW'],
    ['REVIEW', 'REVIEW'],
    ['NG', 'NG'],
  ] as const) {
    it(`sends ${sent} where ${verdict} could not be recorded, and records it as soon as that works`, async () => {
      const real = await temporaryStore();
      let broken = true;
      const store = storeWith(real, (settle) => async (...args) => {
        if (broken) throw full();
        return settle(...args);
      });
      const { ledger, seen } = await openLedger(store, { failSafe: 'REVIEW' });
      const part = ledger.attachPicture(ledger.open(PART), await smallPicture(), IMAGE);
      const settled = await ledger.settle(part, decision(verdict));
      assert.deepEqual(
        [settled?.decision?.verdict, settled?.decision?.by, settled?.decision?.reasons],
        [sent, 'failsafe', ['not-recorded']],
      );
      assert.equal((seen.faults[0] as StoreUnavailable).code, 'store-disk-full');
      assert.equal(ledger.unrecorded, 1);
      assert.equal(await ledger.settle(part, decision('OK')), null);
      assert.deepEqual(await ledger.settled(part.id), settled);
      broken = false;
      await waitFor('the record', () => ledger.unrecorded === 0);
      const record = await real.inspections.get(part.id);
      assert.deepEqual([record?.state, record?.decision], ['settled', settled?.decision]);
      assert.match(record?.picturePath ?? '', new RegExp(`/${sent}/`));
      assert.ok(existsSync(join(real.dataFolder, record!.picturePath!)));
    });
  }

  it('keeps a picture that could not be written until it can', async () => {
    const real = await temporaryStore();
    let broken = true;
    const pictures = Object.create(real.pictures, {
      save: {
        value: async (...args: Parameters<typeof real.pictures.save>) => {
          if (broken) throw full();
          return real.pictures.save(...args);
        },
      },
    });
    const { ledger } = await openLedger({ ...real, pictures });
    const picture = await smallPicture();
    const part = ledger.attachPicture(ledger.open(PART), picture, IMAGE);
    assert.deepEqual((await ledger.settle(part, decision('OK')))?.decision?.reasons, ['not-recorded']);
    broken = false;
    await waitFor('the record', () => ledger.unrecorded === 0);
    const record = await real.inspections.get(part.id);
    assert.deepEqual(await real.pictures.read(record!.picturePath!), picture);
  });

  it('does not wait past the deadline for a store that hangs, and withdraws the verdict', async () => {
    const real = await temporaryStore();
    let release: () => void = () => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first: Promise<boolean> | undefined;
    const store = storeWith(real, (settle) => (...args) => {
      if (first) return settle(...args);
      first = stuck.then(() => settle(...args));
      return first;
    });
    const { ledger } = await openLedger(store, { deadlineMs: 300 });
    const part = ledger.open(PART);
    const settled = await ledger.settle(part, decision('OK'));
    assert.deepEqual([settled?.decision?.verdict, settled?.decision?.reasons], ['NG', ['not-recorded']]);
    release();
    await assert.rejects(first as Promise<boolean>, { code: 'store-locked' });
    await waitFor('the record', () => ledger.unrecorded === 0);
    assert.equal((await real.inspections.get(part.id))?.decision?.verdict, 'NG', 'the OK was never committed');
  });

  it('neither loses nor repeats a verdict that was sent unrecorded before a crash', async () => {
    const dataFolder = await temporaryFolder();
    const crashed = await openStore({ dataFolder });
    const broken = storeWith(crashed, () => async () => {
      throw full();
    });
    const { ledger } = await openLedger(broken, { firstRetryMs: 3_600_000 });
    const picture = await smallPicture();
    const part = ledger.attachPicture(ledger.open(PART), picture, IMAGE);
    await waitFor('the open row', async () => (await crashed.inspections.open()).length === 1);
    const settled = await ledger.settle(part, decision('OK'));
    await inJournal(dataFolder, [part.id]);
    await crashed.close();

    const store = await temporaryStore({ dataFolder });
    const { ledger: again, seen } = await openLedger(store);
    again.registerOutlet({ route: '', emit: () => assert.fail('sent before the crash') });
    assert.deepEqual(seen.settled, []);
    assert.equal(again.unrecorded, 0);
    const record = await store.inspections.get(part.id);
    assert.deepEqual([record?.state, record?.decision], ['settled', settled?.decision]);
    assert.deepEqual(await store.pictures.read(record!.picturePath!), picture);
    await sleep(50);
  });

  it('records the other verdicts while one cannot be', async () => {
    const real = await temporaryStore();
    let locked = true;
    let poisoned = '';
    const store = storeWith(real, (settle) => async (...args) => {
      if (locked) throw full();
      if (args[0].id === poisoned) throw new TypeError('cannot be bound');
      return settle(...args);
    });
    const { ledger, seen } = await openLedger(store);
    const parts = [ledger.open(PART), ledger.open(PART), ledger.open(PART)];
    poisoned = parts[0].id;
    for (const part of parts) await ledger.settle(part, decision('NG'));
    locked = false;
    await waitFor('the records', () => ledger.unrecorded === 1);
    for (const { id } of parts.slice(1)) assert.equal((await real.inspections.get(id))?.state, 'settled');
    await waitFor('its fault', () => seen.faults.some((fault) => /cannot be bound/.test(String(fault))));
    await sleep(150);
    assert.equal(seen.faults.filter((fault) => /cannot be bound/.test(String(fault))).length, 1);
  });

  it('records what a flow has added as far as it is plain data', async () => {
    const store = await temporaryStore();
    const { ledger } = await openLedger(store);
    const rule = { kind: 'rule', node: 'n', rule: 'r', passed: true, milliseconds: { total: 1 } } as const;
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const part = ledger.open({ ...PART, serial: 'A-1' });
    const odd = { ...rule, raw: 1n, circle, note: 'kept' };
    const changed = { ...part, partType: 7, serial: { read: 'B' }, quality: circle, findings: [rule, odd, null] };
    const settled = await ledger.settle(changed as unknown as Inspection, decision('OK'));
    assert.deepEqual(settled?.decision?.reasons, ['score-below-accept']);
    const record = await store.inspections.get(part.id);
    assert.deepEqual(record?.findings, [rule, { ...rule, note: 'kept' }]);
    assert.deepEqual([record?.partType, record?.serial], ['plate', 'A-1']);
  });

  it('repeats none of many verdicts with long findings after a crash', async () => {
    const dataFolder = await temporaryFolder();
    const crashed = await openStore({ dataFolder });
    const broken = storeWith(crashed, () => async () => {
      throw full();
    });
    const { ledger } = await openLedger(broken, { firstRetryMs: 3_600_000 });
    const region = { box: { x: 100, y: 100, width: 20, height: 20 }, area: 300, peak: 1.23456 };
    const finding = {
      kind: 'anomaly',
      node: 'n',
      score: 1,
      normalizedScore: 1,
      thresholds: { accept: 1, reject: 2 },
      regions: Array(32).fill(region),
      milliseconds: { total: 1 },
    } as const;
    const parts = Array.from({ length: 150 }, () => ledger.open(PART));
    await waitFor('the open rows', async () => (await crashed.inspections.open()).length === 150);
    for (const part of parts) assert.ok(await ledger.settle({ ...part, findings: [finding] }, decision('NG')));
    await inJournal(
      dataFolder,
      parts.map(({ id }) => id),
    );
    // one was recorded in the last moment, with everything
    const last = { ...parts[149], findings: [finding], image: IMAGE, decision: decision('NG') };
    await crashed.inspections.settle(last, { picturePath: null, settledAt: last.capturedAt, delivered: true });
    await crashed.close();

    const store = await temporaryStore({ dataFolder });
    const { ledger: again, seen } = await openLedger(store);
    again.registerOutlet({ route: '', emit: () => assert.fail('sent before the crash') });
    assert.deepEqual([seen.settled, seen.faults, again.unrecorded], [[], [], 0]);
    for (const { id } of parts) assert.equal((await store.inspections.get(id))?.decision?.verdict, 'NG');
    const record = await store.inspections.get(last.id);
    assert.deepEqual([record?.findings, record?.image], [[finding], IMAGE]);
    await sleep(50);
  });

  it('says when its journal cannot hold all verdicts, and keeps those it can', async () => {
    const dataFolder = await temporaryFolder();
    const crashed = await openStore({ dataFolder });
    const broken = storeWith(crashed, () => async () => {
      throw full();
    });
    const { ledger, seen } = await openLedger(broken, { firstRetryMs: 3_600_000 });
    const codes = (faults: readonly unknown[]) => faults.map((fault) => (fault as InspectionError).code);
    for (const partType of ['a', 'b', 'c']) {
      await ledger.settle(ledger.open({ ...PART, partType: partType.repeat(200_000) }), decision('NG'));
    }
    const small = await ledger.settle(ledger.open(PART), decision('NG'));
    await waitFor('the fault', () => codes(seen.faults).includes('journal-full'));
    await inJournal(dataFolder, [small!.id]);
    await crashed.close();

    const store = await temporaryStore({ dataFolder });
    await openLedger(store);
    assert.deepEqual((await store.inspections.get(small!.id))?.decision, small?.decision);
  });

  it('goes on without a journal that it cannot open, and says so', async () => {
    const store = await temporaryStore();
    await mkdir(join(store.dataFolder, 'unrecorded.journal'));
    const { ledger, seen } = await openLedger(store);
    assert.match(String(seen.faults[0]), /EISDIR/);
    assert.ok(await ledger.settle(ledger.open(PART), decision('OK')));
  });

  it('can be closed twice and while it settles', async () => {
    const store = await temporaryStore();
    const { ledger, seen } = await openLedger(store);
    const settling = ledger.settle(ledger.open(PART), decision('OK'));
    await Promise.all([ledger.close(), ledger.close()]);
    assert.equal((await settling)?.decision?.verdict, 'OK');
    assert.equal(seen.settled.length, 1);
  });

  it('keeps no memory of what is settled', async () => {
    const { ledger } = await openLedger(await temporaryStore());
    for (let i = 0; i < 300; i++) await ledger.settle(ledger.open(PART), decision('OK'));
    assert.equal(ledger.size, 0);
    assert.equal(ledger.settledCount, 300);
    assert.ok(ledger instanceof InspectionLedger);
  });
});
