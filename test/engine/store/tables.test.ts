import assert from 'node:assert/strict';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from 'sqlite3';
import { type DeploymentRecord, type Job, newId, type ReviewItem } from '../../../engine/domain';
import { decided, record, temporaryStore, undoAll } from './support';

const AT = '2026-01-02T03:04:05.000Z';

function item(changes: Partial<ReviewItem> = {}): ReviewItem {
  return {
    id: newId(),
    state: 'pending',
    partType: 'plate',
    reasons: ['score-between-thresholds'],
    lineVerdict: 'REVIEW',
    findings: [],
    label: null,
    boxes: null,
    reviewer: null,
    note: null,
    createdAt: AT,
    decidedAt: null,
    ...changes,
  };
}

describe('review items in the store', function () {
  this.timeout(20_000);
  afterEach(undoAll);

  it('takes each picture once', async () => {
    const { reviews } = await temporaryStore();
    const first = item();
    assert.deepEqual(await reviews.add(first), { item: first, added: true });
    assert.deepEqual(await reviews.add({ ...first, reasons: ['audit-sample'] }), { item: first, added: false });
    assert.deepEqual(await reviews.get(first.id), first);
  });

  it('labels an item, keeps label and audit entry, and takes all of it back', async () => {
    const { reviews, audit, labels } = await temporaryStore();
    const { id } = (await reviews.add(item({ serial: 'S1' }))).item;
    const labelled = await reviews.decide(id, { label: 'OK', reviewer: 'Ada', note: 'a reflection' }, 'ada', AT);
    assert.deepEqual(
      [labelled.state, labelled.label, labelled.reviewer, labelled.note, labelled.decidedAt],
      ['labelled', 'OK', 'Ada', 'a reflection', AT],
    );
    assert.deepEqual((await labels.counts()).get('plate'), { ok: 1, ng: 0, boxed: 0 });
    const [entry] = await audit.list({ subject: id });
    assert.deepEqual([entry.action, entry.actor], ['review.label', 'ada']);
    assert.deepEqual(entry.after, { state: 'labelled', label: 'OK', reviewer: 'Ada', note: 'a reflection' });

    const undone = await reviews.undo({}, 'ada', AT);
    assert.deepEqual([undone?.id, undone?.state, undone?.label, undone?.decidedAt], [id, 'pending', null, null]);
    assert.equal((await labels.counts()).size, 0);
    assert.equal((await audit.list({ subject: id })).length, 2);
  });

  it('refuses a second label and an unknown item', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item())).item;
    const decision = { label: 'NG', reviewer: null, note: null } as const;
    await reviews.decide(id, decision, 'ada', AT);
    await assert.rejects(reviews.decide(id, decision, 'ada', AT), { code: 'already-decided', httpStatus: 409 });
    await assert.rejects(reviews.skip(id, null, 'ada', AT), { code: 'already-decided' });
    await assert.rejects(reviews.decide(newId(), decision, 'ada', AT), { code: 'not-found' });
  });

  it('lets one of two reviewers win', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item())).item;
    const results = await Promise.allSettled([
      reviews.decide(id, { label: 'OK', reviewer: 'Ada', note: null }, 'ada', AT),
      reviews.decide(id, { label: 'NG', reviewer: 'Bob', note: null }, 'ada', AT),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    assert.equal((await reviews.get(id))?.reviewer, 'Ada');
  });

  it('labels a skipped item after all', async () => {
    const { reviews } = await temporaryStore();
    const { id } = (await reviews.add(item())).item;
    assert.equal((await reviews.skip(id, 'Ada', 'ada', AT)).state, 'skipped');
    assert.equal((await reviews.decide(id, { label: 'NG', reviewer: 'Bob', note: null }, 'ada', AT)).state, 'labelled');
    assert.deepEqual(await reviews.stats(), { pending: 0, labelled: 1, skipped: 0 });
  });

  it('undoes one decision after the other, the last first, even within one millisecond', async () => {
    const { reviews } = await temporaryStore();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await reviews.add(item())).item.id);
    const order = [ids[1], ids[2], ids[0]];
    for (const id of order) await reviews.decide(id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    const undone: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) undone.push((await reviews.undo({}, 'ada', AT))?.id);
    assert.deepEqual(undone, [...order].reverse());
    assert.equal(await reviews.undo({}, 'ada', AT), null);
  });

  it("undoes a reviewer's own last decision, not another's", async () => {
    const { reviews, audit } = await temporaryStore();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await reviews.add(item())).item.id);
    for (const [i, reviewer] of ['Ada', 'Ada', 'Bob'].entries()) {
      await reviews.decide(ids[i], { label: 'OK', reviewer, note: null }, 'ada', AT);
    }
    assert.equal((await reviews.undo({ reviewer: 'Ada' }, 'ada', AT))?.id, ids[1]);
    assert.equal((await reviews.undo({ id: ids[0] }, 'ada', AT))?.id, ids[0]);
    assert.equal(await reviews.undo({ reviewer: 'Ada' }, 'ada', AT), null);
    assert.equal((await reviews.get(ids[2]))?.label, 'OK');
    assert.equal((await audit.list({ action: 'review.undo' })).length, 2);
  });

  it('lists what waits oldest first and what is labelled by decision, newest first', async () => {
    const { reviews } = await temporaryStore();
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push((await reviews.add(item({ partType: i < 3 ? 'a' : 'b' }))).item.id);
    for (const id of [ids[4], ids[1], ids[2]]) {
      await reviews.decide(id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    }
    const all = async (filter: Parameters<typeof reviews.list>[0]) => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await reviews.list({ ...filter, limit: 2, cursor });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      return seen;
    };
    assert.deepEqual(await all({ state: 'pending' }), [ids[0], ids[3], ids[5]]);
    assert.deepEqual(await all({ state: 'labelled' }), [ids[2], ids[1], ids[4]]);
    assert.deepEqual(await all({}), [...ids].reverse());
    assert.deepEqual(await all({ state: 'pending', partType: 'b' }), [ids[3], ids[5]]);
    assert.deepEqual(await reviews.stats('a'), { pending: 1, labelled: 2, skipped: 0 });
  });

  it('gives the labelled pictures of a part type for training', async () => {
    const store = await temporaryStore();
    const [good, bad, other] = [decided('REVIEW'), decided('NG'), decided('OK', { partType: 'cable' })];
    const paths = [await record(store, good), await record(store, bad), await record(store, other)];
    for (const part of [good, bad, other]) await store.reviews.add(item({ id: part.id, partType: part.partType }));
    await store.reviews.decide(good.id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    await store.reviews.decide(bad.id, { label: 'NG', reviewer: null, note: null }, 'ada', AT);
    await store.reviews.decide(other.id, { label: 'OK', reviewer: null, note: null }, 'ada', AT);
    assert.deepEqual(await store.labels.labelledPictures('plate', 'OK'), [{ id: good.id, picturePath: paths[0] }]);
    assert.deepEqual(await store.labels.labelledPictures('plate', 'NG'), [{ id: bad.id, picturePath: paths[1] }]);
  });
});

describe('routing settings in the store', function () {
  this.timeout(20_000);
  afterEach(undoAll);

  it('has nothing until something is set', async () => {
    const { settings } = await temporaryStore();
    assert.deepEqual(await settings.routing('plate'), { partType: 'plate', thresholds: null, auditShare: null });
    assert.deepEqual(await settings.allRouting(), []);
  });

  it('stores only what was set', async () => {
    const { settings } = await temporaryStore();
    const thresholds = { accept: 1, reject: 2 };
    await settings.setRouting('plate', { thresholds }, 'Ada');
    assert.deepEqual(await settings.routing('plate'), { partType: 'plate', thresholds, auditShare: null });
    await settings.setRouting('cable', { auditShare: 0 }, 'Ada');
    assert.deepEqual(await settings.routing('cable'), { partType: 'cable', thresholds: null, auditShare: 0 });
  });

  it('keeps the settings of a database that knew no unset audit share', async () => {
    const { dataFolder, settings, close } = await temporaryStore();
    const last = await settings.setRouting('plate', { thresholds: { accept: 1, reject: 2 }, auditShare: 0.1 }, 'Ada');
    await close();
    const database = new Database(join(dataFolder, 'inspection.sqlite'));
    await promisify(database.exec.bind(database))(
      "DELETE FROM migrations WHERE name = '0002-audit-share-unset'; " +
        'ALTER TABLE routing_settings RENAME TO newer; ' +
        'CREATE TABLE routing_settings (part_type varchar(255) PRIMARY KEY, thresholds text, audit_share float NOT NULL); ' +
        'INSERT INTO routing_settings SELECT * FROM newer; DROP TABLE newer;',
    );
    await promisify(database.close.bind(database))();
    const again = await temporaryStore({ dataFolder });
    assert.deepEqual(await again.settings.allRouting(), [last]);
    const cable = await again.settings.setRouting('cable', { thresholds: { accept: 1, reject: 2 } }, 'Ada');
    assert.equal(cable.auditShare, null);
  });

  it('records each change with the old and the new value', async () => {
    const { settings, audit } = await temporaryStore();
    const thresholds = { accept: 1, reject: 2 };
    await settings.setRouting('plate', { thresholds }, 'Ada');
    await settings.setRouting('plate', { auditShare: 0.1 }, 'Bob');
    const last = await settings.setRouting('plate', { thresholds: null }, 'Ada');
    assert.deepEqual(last, { partType: 'plate', thresholds: null, auditShare: 0.1 });
    assert.deepEqual(await settings.routing('plate'), last);
    assert.deepEqual(await settings.allRouting(), [last]);
    const told = (await audit.list({ subject: 'plate' })).map(({ actor, action, before, after }) => [
      actor,
      action,
      before,
      after,
    ]);
    assert.deepEqual(told, [
      ['Ada', 'routing.thresholds', thresholds, null],
      ['Bob', 'routing.audit-share', null, 0.1],
      ['Ada', 'routing.thresholds', null, thresholds],
    ]);
  });

  it('writes no audit entry when nothing changes', async () => {
    const { settings, audit } = await temporaryStore();
    await settings.setRouting('plate', { auditShare: 0.5 }, 'Ada');
    await settings.setRouting('plate', { auditShare: 0.5 }, 'Ada');
    assert.equal((await audit.list()).length, 1);
  });

  it('refuses thresholds and shares that make no sense', async () => {
    const { settings } = await temporaryStore();
    for (const thresholds of [
      { accept: 2, reject: 1 },
      { accept: -1, reject: 1 },
      { accept: Number.NaN, reject: 1 },
      { accept: 0, reject: Number.POSITIVE_INFINITY },
    ]) {
      await assert.rejects(settings.setRouting('plate', { thresholds }, 'Ada'), { code: 'invalid-input' });
    }
    for (const auditShare of [-0.1, 1.1, Number.NaN]) {
      await assert.rejects(settings.setRouting('plate', { auditShare }, 'Ada'), { code: 'invalid-input' });
    }
    assert.deepEqual(await settings.allRouting(), []);
  });
});

describe('jobs and deployments in the store', function () {
  this.timeout(20_000);
  afterEach(undoAll);

  const job = (changes: Partial<Job> = {}): Job => ({
    id: newId(),
    request: { partType: 'plate', source: { kind: 'labelled' }, deploy: true },
    state: 'queued',
    progress: null,
    version: null,
    error: null,
    actor: 'Ada',
    createdAt: AT,
    startedAt: null,
    endedAt: null,
    ...changes,
  });

  it('keeps jobs and finds them by state', async () => {
    const { jobs } = await temporaryStore();
    const [first, second] = [job(), job()];
    await jobs.insert(first);
    await jobs.insert(second);
    const running: Job = { ...first, state: 'running', startedAt: AT };
    await jobs.update(running);
    assert.deepEqual(await jobs.get(first.id), running);
    assert.deepEqual(await jobs.list(), [second, running]);
    assert.deepEqual(await jobs.list({ state: 'running' }), [running]);
    assert.equal(await jobs.get(newId()), null);
    await assert.rejects(jobs.update(job()), { code: 'not-found' });
  });

  it('keeps the deployments and labels of a database that knew neither kinds nor boxes', async () => {
    const { dataFolder, deployments, reviews, close } = await temporaryStore();
    const before = { partType: 'a', kind: 'patchcore', name: 'a', version: '1', previousVersion: null } as const;
    await deployments.add({ ...before, action: 'deploy', actor: 'Ada', at: AT });
    const { id } = (await reviews.add(item())).item;
    const labelled = await reviews.decide(id, { label: 'OK', reviewer: null, note: 'dust' }, 'ada', AT);
    await close();
    const database = new Database(join(dataFolder, 'inspection.sqlite'));
    await promisify(database.exec.bind(database))(
      "DELETE FROM migrations WHERE name IN ('0004-model-kinds', '0005-label-boxes'); " +
        'DROP INDEX deployments_part_type_kind_id_index; ALTER TABLE deployments DROP COLUMN kind; ' +
        'ALTER TABLE review_items DROP COLUMN boxes; ALTER TABLE labels DROP COLUMN boxes;',
    );
    await promisify(database.close.bind(database))();
    const again = await temporaryStore({ dataFolder });
    assert.deepEqual(await again.deployments.current('a'), { ...before, action: 'deploy', actor: 'Ada', at: AT });
    assert.deepEqual(await again.reviews.get(id), labelled);
    const detector = { ...before, kind: 'detector', name: 'a.detector' } as const;
    await again.deployments.add({ ...detector, action: 'deploy', actor: 'Ada', at: AT });
    assert.deepEqual(
      (await again.deployments.allCurrent()).map(({ kind, name }) => [kind, name]),
      [
        ['detector', 'a.detector'],
        ['patchcore', 'a'],
      ],
    );
    assert.equal((await again.deployments.history('a')).length, 1);
  });

  it('knows the model in production of each part type and how it came there', async () => {
    const { audit, deployments } = await temporaryStore();
    const deployment = (partType: string, version: string, previousVersion: string | null): DeploymentRecord => ({
      partType,
      kind: 'patchcore',
      name: partType,
      version,
      previousVersion,
      action: 'deploy',
      actor: 'Ada',
      at: AT,
    });
    const [a1, b1, a2] = [deployment('a', '1', null), deployment('b', '1', null), deployment('a', '2', '1')];
    for (const record of [a1, b1, a2]) await deployments.add(record);
    assert.deepEqual(await deployments.current('a'), a2);
    assert.equal(await deployments.current('c'), null);
    assert.deepEqual(await deployments.history('a'), [a2, a1]);
    assert.deepEqual(await deployments.allCurrent(), [a2, b1]);
    const [entry] = await audit.list({ subject: 'a' });
    assert.deepEqual(
      [entry.actor, entry.action, entry.before, entry.after],
      ['Ada', 'model.deploy', { name: 'a', version: '1' }, { name: 'a', version: '2' }],
    );
  });
});
