import assert from 'node:assert/strict';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from 'sqlite3';
import { type DeploymentRecord, type Job, newId } from '../../../engine/domain';
import { temporaryStore, undoAll } from './support';

const AT = '2026-01-02T03:04:05.000Z';

describe('routing settings in the store', function () {
  this.timeout(120_000);
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
  this.timeout(120_000);
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
      reason: null,
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
