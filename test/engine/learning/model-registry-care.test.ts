import assert from 'node:assert/strict';
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeploymentRecord, GateReport } from '../../../engine/domain';
import { ModelRegistry } from '../../../engine/learning';
import { earlierDeployments } from '../../../engine/learning/deployment-history';
import { nextVersion } from '../../../engine/packages';
import { openStore, type Store } from '../../../engine/store';
import { temporaryFolder, writeVersion } from './packages';

const DAY_MS = 86_400_000;

describe('Caring for model versions', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let registry: ModelRegistry;
  let now = Date.parse('2026-03-01T12:00:00.000Z');

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openStore({ dataFolder: folder.path });
    registry = new ModelRegistry({ store, clock: { now: () => now } });
    for (const version of ['1', '2', '3']) await writeVersion(folder.path, 'plate', version);
  });
  afterEach(async () => {
    await store.close();
    await folder.remove();
  });

  const versions = async () => (await registry.list()).map(({ version }) => version);
  const modelsFolder = () => join(folder.path, 'models');

  it('removes a version and restores it with what was noted', async () => {
    const told: string[] = [];
    registry.events.on('removed', ({ version }) => told.push(version));
    await registry.setNotes('plate', '3', '  after the new lamp  ', 'ada');
    const removed = await registry.remove('plate', '3', 'ben');
    assert.deepEqual(removed, {
      name: 'plate',
      version: '3',
      actor: 'ben',
      removedAt: '2026-03-01T12:00:00.000Z',
      until: '2026-03-31T12:00:00.000Z',
    });
    assert.deepEqual(told, ['3']);
    assert.deepEqual(await versions(), ['2', '1']);
    assert.deepEqual(await registry.removed('plate'), [removed]);
    await assert.rejects(registry.describe('plate', '3'), { code: 'not-found' });
    await assert.rejects(registry.deploy('plate', '3', 'ada'), { code: 'not-found' });

    registry.events.on('restored', ({ version, actor }) => told.push(`${actor} ${version}`));
    const restored = await registry.restore('plate', '3', 'cy');
    assert.deepEqual(told, ['3', 'cy 3']);
    assert.equal(restored.notes, 'after the new lamp');
    assert.deepEqual(await versions(), ['3', '2', '1']);
    assert.deepEqual(await registry.removed(), []);
    assert.equal((await registry.deploy('plate', '3', 'ada')).version, '3');
    await assert.rejects(registry.restore('plate', '3', 'cy'), { code: 'not-found' });
    const actions = (await store.audit.list({ subject: 'plate/3' })).map(({ actor, action }) => `${actor} ${action}`);
    assert.deepEqual(actions, ['cy model.restore', 'ben model.remove', 'ada model.notes']);
  });

  it('does not remove the version in production', async () => {
    await registry.deploy('plate', '2', 'ada');
    await assert.rejects(registry.remove('plate', '2', 'ada'), {
      code: 'model-active',
      httpStatus: 409,
      parameters: { name: 'plate', version: '2' },
    });
    await registry.deploy('plate', '3', 'ada');
    assert.equal((await registry.remove('plate', '2', 'ada')).version, '2');
    await assert.rejects(registry.remove('plate', '2', 'ada'), { code: 'not-found' });
  });

  it('never gives the number of a removed version again, not even when it is gone for good', async () => {
    await registry.remove('plate', '3', 'ada');
    assert.equal(await nextVersion(modelsFolder(), 'plate'), '4');
    now += 29 * DAY_MS;
    assert.equal(await registry.purge(), 0);
    now += 2 * DAY_MS;
    assert.deepEqual(await registry.removed(), []);
    await assert.rejects(registry.restore('plate', '3', 'ada'), { code: 'not-found' });
    assert.equal(await registry.purge(), 1);
    assert.deepEqual(await readdir(join(folder.path, 'deleted-models', 'plate')), []);
    assert.equal(await nextVersion(modelsFolder(), 'plate'), '4');
    assert.equal(await registry.purge(), 0);
  });

  it('has a version twice in no case: what stands in the place of a removed one stays', async () => {
    await registry.remove('plate', '3', 'ada');
    await writeFile(join(modelsFolder(), 'plate', '3', 'a file'), 'of somebody');
    await assert.rejects(registry.restore('plate', '3', 'ada'), { code: 'model-exists' });
    await access(join(folder.path, 'deleted-models', 'plate', '3', 'manifest.json'));
  });

  it('lists a version as it lies on the disk when the process died between record and move', async () => {
    await store.removedModels.add({ name: 'plate', version: '3', actor: 'ada', removedAt: '2026-03-01T12:00:00.000Z' });
    assert.deepEqual(await versions(), ['3', '2', '1']);
    assert.deepEqual(await registry.removed(), []);
    assert.equal(await registry.purge(), 0);
    await registry.remove('plate', '3', 'ada');
    assert.deepEqual(await versions(), ['2', '1']);
  });

  it('rolls back past a removed version, and knows afterwards where it is', async () => {
    for (const version of ['1', '2', '3']) await registry.deploy('plate', version, 'ada');
    await registry.remove('plate', '2', 'ada');
    assert.deepEqual(await registry.rollbackTarget('plate'), { name: 'plate', version: '1' });
    assert.equal((await registry.rollback('plate', 'ada')).version, '1');
    await assert.rejects(registry.rollback('plate', 'ada'), { code: 'nothing-to-roll-back' });
    assert.equal(await registry.rollbackTarget('plate'), null);
    await registry.restore('plate', '2', 'ada');
    await assert.rejects(registry.rollback('plate', 'ada'), { code: 'nothing-to-roll-back' });
  });

  it('keeps why a version was deployed or taken back', async () => {
    await registry.deploy('plate', '1', 'ada', ' the first ');
    await registry.deploy('plate', '2', 'ada');
    await registry.rollback('plate', 'ben', 'patchcore', 'too many false rejects');
    const history = await registry.history('plate');
    assert.deepEqual(
      history.map(({ version, action, actor, reason }) => [version, action, actor, reason]),
      [
        ['1', 'rollback', 'ben', 'too many false rejects'],
        ['2', 'deploy', 'ada', null],
        ['1', 'deploy', 'ada', 'the first'],
      ],
    );
    const [entry] = await store.audit.list({ subject: 'plate' });
    assert.deepEqual(entry.after, { name: 'plate', version: '1', reason: 'too many false rejects' });
    await assert.rejects(registry.deploy('plate', '3', 'ada', 'x'.repeat(501)), { code: 'invalid-input' });
    assert.equal((await registry.deployed('plate'))?.version, '1');
  });

  it('notes something about a version, or nothing any more', async () => {
    assert.equal((await registry.setNotes('plate', '1', 'dusty lens', 'ada')).notes, 'dusty lens');
    assert.equal((await registry.setNotes('plate', '1', ' ', 'ada')).notes, null);
    assert.equal((await registry.describe('plate', '1')).summary.notes, null);
    await assert.rejects(registry.setNotes('plate', '9', 'x', 'ada'), { code: 'not-found' });
    await assert.rejects(registry.setNotes('plate', '1', 'x'.repeat(4001), 'ada'), { code: 'invalid-input' });
  });

  it('tells what the gate found last', async () => {
    const report = (accepted: boolean, at: string): GateReport => ({
      candidate: { name: 'plate', version: '2' },
      against: null,
      dataset: null,
      holdOut: null,
      oldClasses: null,
      shadow: null,
      labelledNgNewlyPassed: 0,
      decision: { accepted, reasons: [] },
      at,
      seconds: 1,
    });
    await store.gateReports.add(report(true, '2026-03-01T10:00:00.000Z'));
    await store.gateReports.add(report(false, '2026-03-01T11:00:00.000Z'));
    const gates = (await registry.list()).map(({ version, gate }) => [version, gate]);
    assert.deepEqual(gates, [
      ['3', null],
      ['2', { accepted: false, at: '2026-03-01T11:00:00.000Z' }],
      ['1', null],
    ]);
    assert.equal((await store.gateReports.get({ name: 'plate', version: '2' }))?.decision.accepted, false);
    assert.equal(await store.gateReports.get({ name: 'plate', version: '3' }), null);
  });

  it('refuses names that are paths', async () => {
    await mkdir(join(folder.path, 'deleted-models', 'x'), { recursive: true });
    for (const [name, version] of [
      ['..', '1'],
      ['plate', '../1'],
    ]) {
      await assert.rejects(registry.remove(name, version, 'ada'), { code: 'not-found' });
      await assert.rejects(registry.restore(name, version, 'ada'), { code: 'not-found' });
    }
  });
});

describe('What was in production before', () => {
  const record = (action: DeploymentRecord['action'], version: string): DeploymentRecord => ({
    partType: 'a',
    kind: 'patchcore',
    name: 'a',
    version,
    previousVersion: null,
    action,
    actor: 'x',
    at: '',
    reason: null,
  });
  const earlier = (...oldestFirst: DeploymentRecord[]) =>
    earlierDeployments(oldestFirst.toReversed()).map(({ version }) => version);
  const [deploy, back] = [(v: string) => record('deploy', v), (v: string) => record('rollback', v)];

  it('is what stands below the current version', () => {
    assert.deepEqual(earlier(), []);
    assert.deepEqual(earlier(deploy('1')), []);
    assert.deepEqual(earlier(deploy('1'), deploy('2'), deploy('3')), ['2', '1']);
    assert.deepEqual(earlier(deploy('1'), deploy('2'), back('1')), []);
    assert.deepEqual(earlier(deploy('1'), deploy('2'), deploy('3'), back('2')), ['1']);
    assert.deepEqual(earlier(deploy('1'), deploy('2'), back('1'), deploy('4')), ['1']);
  });

  it('leaves out what a roll-back went past', () => {
    assert.deepEqual(earlier(deploy('1'), deploy('2'), deploy('3'), back('1')), []);
    assert.deepEqual(earlier(deploy('1'), deploy('2'), deploy('3'), back('1'), deploy('5')), ['1']);
  });
});
