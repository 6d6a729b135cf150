import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { timestamp } from '../../../engine/domain';
import type { RetentionPolicy, Store } from '../../../engine/store';
import { decided, record, temporaryStore, undoAll } from './support';

const NOW = Date.UTC(2026, 5, 30, 12);
const FOREVER = { days: null, bytes: null };
const keepAll: RetentionPolicy = { OK: FOREVER, NG: FOREVER, REVIEW: FOREVER };
const daysAgo = (days: number) => timestamp(NOW - days * 86_400_000);

async function review(store: Store, id: string): Promise<void> {
  await store.reviews.add({
    id,
    partType: 'plate',
    reasons: [],
    queueReasons: ['audit-sample'],
    information: 0,
    similarTo: null,
    lineVerdict: 'OK',
    findings: [],
    note: null,
    createdAt: daysAgo(0),
  });
}

async function label(store: Store, id: string): Promise<void> {
  await review(store, id);
  await store.reviews.decide(id, { label: 'OK', reviewer: null, note: null }, 'ada', daysAgo(0));
}

describe('retention', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('removes the pictures and maps that are too old, by verdict, and keeps their records', async () => {
    const store = await temporaryStore();
    const [old, young, oldBad] = [
      decided('OK', { capturedAt: daysAgo(31) }),
      decided('OK', { capturedAt: daysAgo(29) }),
      decided('NG', { capturedAt: daysAgo(31) }),
    ];
    const paths = [await record(store, old), await record(store, young), await record(store, oldBad)];
    await store.pictures.saveMap(old.id, Buffer.from('map'));
    const removed = await store.applyRetention({ ...keepAll, OK: { days: 30, bytes: null } }, NOW);
    assert.equal(removed.pictures, 1);
    assert.deepEqual(
      paths.map((path) => existsSync(join(store.dataFolder, path))),
      [false, true, true],
    );
    assert.equal(await store.pictures.readMap(old.id), null);
    const kept = await store.inspections.get(old.id);
    assert.deepEqual([kept?.picturePath, kept?.decision?.verdict], [null, 'OK']);
    assert.equal(existsSync(join(store.dataFolder, 'images', ...daysAgo(31).slice(0, 10).split('-'), 'OK')), false);
  });

  it('removes the oldest pictures until the rest fits', async () => {
    const store = await temporaryStore();
    const paths: string[] = [];
    for (let i = 0; i < 10; i++) paths.push(await record(store, decided('NG'), Buffer.alloc(1000)));
    const removed = await store.applyRetention({ ...keepAll, NG: { days: null, bytes: 4500 } }, NOW);
    assert.deepEqual(removed, { pictures: 6, bytes: 6000 });
    const left = paths.map((path) => existsSync(join(store.dataFolder, path)));
    assert.deepEqual(left, [...Array(6).fill(false), ...Array(4).fill(true)]);
  });

  it('never removes a labelled picture, however old, and does not count it', async () => {
    const store = await temporaryStore();
    const labelled = decided('OK', { capturedAt: daysAgo(4000) });
    const path = await record(store, labelled, Buffer.alloc(5000));
    const other = await record(store, decided('OK'), Buffer.alloc(1000));
    await label(store, labelled.id);
    const removed = await store.applyRetention({ ...keepAll, OK: { days: 3000, bytes: 1000 } }, NOW);
    assert.equal(removed.pictures, 0);
    assert.ok(existsSync(join(store.dataFolder, path)));
    assert.ok(existsSync(join(store.dataFolder, other)));
    await store.applyRetention({ ...keepAll, OK: { days: 0, bytes: 0 } }, NOW + 1);
    assert.ok(existsSync(join(store.dataFolder, path)));
    assert.equal(existsSync(join(store.dataFolder, other)), false);
  });

  it('keeps a picture that waits for a person, and removes it once that has put it aside', async () => {
    const store = await temporaryStore();
    const waiting = decided('REVIEW', { capturedAt: daysAgo(40) });
    const path = await record(store, waiting);
    await review(store, waiting.id);
    const policy = { ...keepAll, REVIEW: { days: 30, bytes: 0 } };
    assert.equal((await store.applyRetention(policy, NOW)).pictures, 0);
    assert.ok(existsSync(join(store.dataFolder, path)));
    await store.reviews.skip(waiting.id, null, 'ada', daysAgo(0));
    assert.equal((await store.applyRetention(policy, NOW)).pictures, 1);
  });

  it('keeps a picture whose label was rejected: it waits to be labelled anew', async () => {
    const store = await temporaryStore();
    const rejected = decided('OK', { capturedAt: daysAgo(40) });
    await record(store, rejected);
    await label(store, rejected.id);
    await store.reviews.judge(rejected.id, { approved: false, reviewer: 'Bob', note: null }, 'bob', daysAgo(0));
    assert.equal((await store.applyRetention({ ...keepAll, OK: { days: 30, bytes: 0 } }, NOW)).pictures, 0);
  });

  it('removes the heat maps of parts without a picture, and the folders of days that have become empty', async () => {
    const store = await temporaryStore();
    const idOf = (days: number) => ulid(NOW - days * 86_400_000);
    const parts = {
      shown: decided('OK', { id: idOf(40), capturedAt: daysAgo(40) }),
      blind: decided('NG', { id: idOf(40), capturedAt: daysAgo(40) }),
      alone: decided('NG', { id: idOf(50), capturedAt: daysAgo(50) }),
      today: decided('NG', { id: idOf(0), capturedAt: daysAgo(0) }),
    };
    await record(store, parts.shown);
    for (const part of [parts.blind, parts.alone, parts.today]) {
      await store.inspections.settle(part, { picturePath: null, settledAt: daysAgo(0), delivered: true });
    }
    for (const part of Object.values(parts)) await store.pictures.saveMap(part.id, Buffer.from('map'));
    await store.applyRetention(keepAll, NOW);
    const left = async (part: { id: string }) => (await store.pictures.readMap(part.id)) !== null;
    assert.deepEqual(await Promise.all(Object.values(parts).map(left)), [true, false, false, true]);
    const days = [50, 40, 0].map((age) => daysAgo(age).slice(0, 10));
    assert.deepEqual(await store.pictures.mapDays(), days.slice(1));
    await store.applyRetention({ ...keepAll, OK: { days: 30, bytes: null } }, NOW);
    assert.deepEqual(await store.pictures.mapDays(), days.slice(2));
  });

  it('keeps everything without limits, and does nothing the second time', async () => {
    const store = await temporaryStore();
    await record(store, decided('OK', { capturedAt: daysAgo(9999) }));
    assert.equal((await store.applyRetention(keepAll, NOW)).pictures, 0);
    const policy = { ...keepAll, OK: { days: 1, bytes: null } };
    assert.equal((await store.applyRetention(policy, NOW)).pictures, 1);
    assert.equal((await store.applyRetention(policy, NOW)).pictures, 0);
  });

  it('finishes a removal that a crash cut off between file and record', async () => {
    const store = await temporaryStore();
    const part = decided('OK', { capturedAt: daysAgo(31) });
    await store.pictures.remove(await record(store, part));
    assert.equal((await store.applyRetention({ ...keepAll, OK: { days: 30, bytes: null } }, NOW)).pictures, 1);
    assert.equal((await store.inspections.get(part.id))?.picturePath, null);
  });

  it('works through more pictures than fit in one batch', async () => {
    const store = await temporaryStore();
    const parts = Array.from({ length: 1203 }, () => decided('OK', { capturedAt: daysAgo(31) }));
    await Promise.all(
      parts.map((part) =>
        store.inspections.settle(part, {
          picturePath: `images/2026/05/30/OK/${part.id}.jpg`,
          settledAt: daysAgo(31),
          delivered: true,
        }),
      ),
    );
    assert.equal((await store.applyRetention({ ...keepAll, OK: { days: 30, bytes: null } }, NOW)).pictures, 1203);
  });
});
