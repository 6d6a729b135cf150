import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { knex } from 'knex';
import type { DeploymentRecord } from '../../../engine/domain';
import { ModelRegistry, type ModelWarning } from '../../../engine/learning';
import { openStore, type Store } from '../../../engine/store';
import { temporaryFolder, writeClassifier, writeDetector, writeVersion } from './packages';

describe('ModelRegistry', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let registry: ModelRegistry;
  let told: DeploymentRecord[];
  let warnings: ModelWarning[];

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openStore({ dataFolder: folder.path });
    registry = listening(new ModelRegistry({ store }));
  });
  afterEach(async () => {
    await store.close();
    await folder.remove();
  });

  function listening(made: ModelRegistry): ModelRegistry {
    told = [];
    warnings = [];
    made.events.on('deployment', (record) => told.push(record));
    made.events.on('warning', (warning) => warnings.push(warning));
    return made;
  }
  const versions = async (partType?: string) =>
    (await registry.list(partType)).map(({ name, version, deployed }) => `${name}/${version}${deployed ? ' *' : ''}`);

  it('lists nothing while there is no model', async () => {
    assert.deepEqual(await registry.list(), []);
    assert.equal(await registry.deployed('plate'), null);
    assert.deepEqual(await registry.history('plate'), []);
  });

  it('lists versions newest first, and marks the one in production', async () => {
    for (const version of ['1', '2', '9']) await writeVersion(folder.path, 'plate', version);
    await writeVersion(folder.path, 'plate', '10', { createdAt: '2026-01-01T00:00:09.000Z' });
    await writeVersion(folder.path, 'cable', '1', { createdAt: '2026-02-01T00:00:00.000Z' });
    await registry.deploy('plate', '2', 'ada');
    assert.deepEqual(await versions(), ['cable/1', 'plate/10', 'plate/9', 'plate/2 *', 'plate/1']);
    assert.deepEqual(await versions('cable'), ['cable/1']);
    const [version] = await registry.list('cable');
    assert.deepEqual(version, {
      name: 'cable',
      version: '1',
      kind: 'patchcore',
      partType: 'cable',
      createdAt: '2026-02-01T00:00:00.000Z',
      deployed: false,
      pictures: { bank: 8, calibration: 4 },
      thresholds: { accept: 1, reject: 2 },
      bytes: 'head of cable 1'.length,
      parent: null,
      notes: null,
      dataset: null,
      gate: null,
    });
  });

  it('leaves out a version with a broken manifest and warns once', async () => {
    const broken = await writeVersion(folder.path, 'plate', '1');
    await writeVersion(folder.path, 'plate', '2');
    await writeFile(join(broken, 'manifest.json'), '{');
    await mkdir(join(folder.path, 'models', 'plate', '3'));
    await mkdir(join(folder.path, 'models', '.hidden', '1'), { recursive: true });
    await writeFile(join(folder.path, 'models', 'notes.txt'), 'a file');
    assert.deepEqual(await versions(), ['plate/2']);
    assert.deepEqual(await versions(), ['plate/2']);
    assert.deepEqual(
      warnings.map(({ name, version }) => `${name}/${version}`),
      ['plate/1'],
    );
  });

  it('deploys, with a record of who and when, and tells it', async () => {
    const now = Date.parse('2026-03-01T12:00:00.000Z');
    registry = listening(new ModelRegistry({ store, clock: { now: () => now } }));
    await writeVersion(folder.path, 'plate', '1');
    const record = await registry.deploy('plate', '1', 'ada');
    assert.deepEqual(record, {
      partType: 'plate',
      kind: 'patchcore',
      name: 'plate',
      version: '1',
      previousVersion: null,
      action: 'deploy',
      actor: 'ada',
      at: '2026-03-01T12:00:00.000Z',
      reason: null,
    });
    assert.deepEqual(told, [record]);
    assert.deepEqual(await registry.deployed('plate'), {
      name: 'plate',
      version: '1',
      partType: 'plate',
      kind: 'patchcore',
      folder: join(folder.path, 'models', 'plate', '1'),
      thresholds: { accept: 1, reject: 2 },
    });
    const [entry] = await store.audit.list({ subject: 'plate' });
    assert.deepEqual(
      [entry.actor, entry.action, entry.before, entry.after],
      ['ada', 'model.deploy', null, { name: 'plate', version: '1' }],
    );
  });

  it('puts nothing into production that it cannot write into the audit list', async () => {
    await writeVersion(folder.path, 'plate', '1');
    const database = knex({
      client: 'sqlite3',
      connection: { filename: join(folder.path, 'inspection.sqlite') },
      useNullAsDefault: true,
    });
    await database.schema.dropTable('audit');
    await database.destroy();
    await assert.rejects(registry.deploy('plate', '1', 'ada'));
    assert.equal(await registry.deployed('plate'), null);
    assert.deepEqual(await registry.history('plate'), []);
    assert.deepEqual(told, []);
  });

  it('changes nothing when the version is in production already', async () => {
    await writeVersion(folder.path, 'plate', '1');
    const first = await registry.deploy('plate', '1', 'ada');
    assert.deepEqual(await registry.deploy('plate', '1', 'grace'), first);
    assert.equal((await registry.history('plate')).length, 1);
    assert.equal(told.length, 1);
  });

  it('refuses a version with one changed byte, and keeps the one in production', async () => {
    await writeVersion(folder.path, 'plate', '1');
    const changed = await writeVersion(folder.path, 'plate', '2');
    await registry.deploy('plate', '1', 'ada');
    const head = await readFile(join(changed, 'head.onnx'));
    head[3] ^= 1;
    await writeFile(join(changed, 'head.onnx'), head);
    await assert.rejects(registry.deploy('plate', '2', 'ada'), { code: 'model-invalid' });
    assert.equal((await registry.deployed('plate'))?.version, '1');
    assert.equal((await registry.history('plate')).length, 1);
  });

  it('refuses a version that fails its golden check, also in a roll-back', async () => {
    const failing = new Set<string>();
    registry = listening(
      new ModelRegistry({
        store,
        check: async (place) => {
          if ([...failing].some((version) => place.endsWith(version))) throw new Error('scores differ');
        },
      }),
    );
    for (const version of ['1', '2']) {
      await writeVersion(folder.path, 'plate', version);
      await registry.deploy('plate', version, 'ada');
    }
    failing.add('/1');
    await assert.rejects(registry.rollback('plate', 'ada'), /scores differ/);
    assert.equal((await registry.deployed('plate'))?.version, '2');
  });

  it('goes back at once while other models are loaded, and tells when the golden pictures come out otherwise', async () => {
    let fail: (error: Error) => void = () => {};
    let isBusy = false;
    const checking = new Promise<void>((_resolve, reject) => {
      fail = reject;
    });
    registry = listening(new ModelRegistry({ store, check: async () => (isBusy ? checking : undefined) }));
    for (const version of ['1', '2']) {
      await writeVersion(folder.path, 'plate', version);
      await registry.deploy('plate', version, 'ada');
    }
    await writeVersion(folder.path, 'other', '1');
    isBusy = true;
    const deploying = registry.deploy('other', '1', 'ada');
    assert.equal((await registry.rollback('plate', 'grace')).version, '1');
    assert.equal((await registry.deployed('plate'))?.version, '1');
    const told = new Promise<ModelWarning>((resolve) => registry.events.on('warning', resolve));
    fail(new Error('scores differ'));
    const { name, version, message } = await told;
    await assert.rejects(deploying, /scores differ/);
    assert.deepEqual([name, version], ['plate', '1']);
    assert.match(message, /before its golden pictures could be scored, which then failed: scores differ/);
  });

  it('refuses what is no version, by name or by path', async () => {
    await writeVersion(folder.path, 'plate', '1');
    for (const [name, version] of [
      ['plate', '2'],
      ['other', '1'],
      ['..', '1'],
      ['plate', '..'],
      ['plate', '../plate/1'],
      ['plate/1', '.'],
      ['', ''],
    ]) {
      await assert.rejects(registry.deploy(name, version, 'ada'), { code: 'not-found' }, `${name} ${version}`);
    }
  });

  it('goes back step by step through what was in production', async () => {
    for (const version of ['1', '2', '3', '4']) await writeVersion(folder.path, 'plate', version);
    for (const version of ['1', '2', '3']) await registry.deploy('plate', version, 'ada');
    const current = async () => (await registry.deployed('plate'))?.version;

    const back = await registry.rollback('plate', 'grace');
    assert.deepEqual([back.version, back.previousVersion, back.action, back.actor], ['2', '3', 'rollback', 'grace']);
    assert.equal(await current(), '2');
    await registry.deploy('plate', '4', 'ada');
    await registry.rollback('plate', 'ada');
    assert.equal(await current(), '2');
    await registry.rollback('plate', 'ada');
    assert.equal(await current(), '1');
    await assert.rejects(registry.rollback('plate', 'ada'), { code: 'nothing-to-roll-back', httpStatus: 409 });
    assert.equal(await current(), '1');
    assert.deepEqual(
      (await registry.history('plate')).map(({ version }) => version),
      ['1', '2', '4', '2', '3', '2', '1'],
    );
  });

  it('knows after a restart what is in production and what was before', async () => {
    for (const version of ['1', '2']) {
      await writeVersion(folder.path, 'plate', version);
      await registry.deploy('plate', version, 'ada');
    }
    await store.close();
    store = await openStore({ dataFolder: folder.path });
    registry = listening(new ModelRegistry({ store }));
    assert.equal((await registry.deployed('plate'))?.version, '2');
    assert.equal((await registry.rollback('plate', 'ada')).version, '1');
  });

  it('makes changes that come at once one after the other', async () => {
    const numbers = ['1', '2', '3', '4', '5'];
    for (const version of numbers) await writeVersion(folder.path, 'plate', version);
    await Promise.all(numbers.map((version) => registry.deploy('plate', version, 'ada')));
    const history = [...(await registry.history('plate'))].reverse();
    assert.deepEqual(
      history.map(({ previousVersion }) => previousVersion),
      [null, ...history.slice(0, -1).map(({ version }) => version)],
    );
    assert.equal((await registry.list('plate')).filter(({ deployed }) => deployed).length, 1);
  });

  it('has a model of each kind in production for one part type', async () => {
    const checked: string[] = [];
    registry = listening(new ModelRegistry({ store, check: async (_place, kind) => void checked.push(kind) }));
    await writeVersion(folder.path, 'plate', '1');
    for (const version of ['1', '2']) {
      await writeDetector(folder.path, version);
      await writeClassifier(folder.path, version);
    }
    await registry.deploy('plate', '1', 'ada');
    for (const version of ['1', '2']) {
      await registry.deploy('plate.detector', version, 'ada');
      await registry.deploy('plate.classifier', version, 'ada');
    }
    assert.deepEqual(checked, ['patchcore', 'detector', 'classifier', 'detector', 'classifier']);
    assert.equal((await registry.rollback('plate', 'ada', 'detector')).version, '1');
    await assert.rejects(registry.rollback('plate', 'ada'), { code: 'nothing-to-roll-back' });
    const place = (name: string) => join(folder.path, 'models', name);
    assert.deepEqual(await registry.deployed('plate', 'detector'), {
      kind: 'detector',
      name: 'plate.detector',
      version: '1',
      partType: 'plate',
      folder: join(place('plate.detector'), '1'),
      classes: ['stain', 'scratch'],
      thresholds: { confidence: 0.25, perClass: { scratch: 0.4 } },
      iou: 0.7,
    });
    assert.deepEqual(await registry.deployed('plate', 'classifier'), {
      kind: 'classifier',
      name: 'plate.classifier',
      version: '2',
      partType: 'plate',
      folder: join(place('plate.classifier'), '2'),
      classes: ['good', 'porosity'],
      verdicts: { good: 'OK', porosity: 'NG' },
    });
    assert.equal((await registry.deployed('plate'))?.version, '1');
    assert.equal(await registry.deployed('cable', 'detector'), null);
    assert.deepEqual(
      (await registry.history('plate', 'detector')).map(({ version, action, kind }) => [version, action, kind]),
      [
        ['1', 'rollback', 'detector'],
        ['2', 'deploy', 'detector'],
        ['1', 'deploy', 'detector'],
      ],
    );
    const listed = await registry.list('plate');
    assert.deepEqual(
      listed.filter(({ deployed }) => deployed).map(({ name, version }) => `${name} ${version}`),
      ['plate.classifier 2', 'plate 1', 'plate.detector 1'],
    );
  });

  it('lists what detectors and classifiers tell apart, and how well', async () => {
    await writeDetector(folder.path, '1');
    await writeClassifier(folder.path, '2');
    const [classifier, detector] = await registry.list('plate');
    assert.deepEqual(detector, {
      name: 'plate.detector',
      version: '1',
      kind: 'detector',
      partType: 'plate',
      createdAt: '2026-01-01T00:00:01.000Z',
      deployed: false,
      pictures: { bank: 30, calibration: 6 },
      thresholds: null,
      classes: ['stain', 'scratch'],
      figures: { map50: 0.8, map5095: 0.5, recall: 0.75 },
      accepted: true,
      bytes: 32,
      parent: null,
      notes: null,
      dataset: null,
      gate: null,
    });
    assert.deepEqual([classifier.kind, classifier.figures], ['classifier', { accuracy: 0.9 }]);
    const { summary, manifest } = await registry.describe('plate.detector', '1');
    assert.deepEqual(summary, detector);
    assert.ok(manifest.kind === 'detector' && manifest.level === 'neck');
  });

  it('puts a version into production by hand that the gate refused', async () => {
    const reasons = [{ code: 'map50-fell', message: 'mAP50 fell from 0.80 to 0.50.' }];
    await writeDetector(folder.path, '1', { gate: { accepted: false, reasons } });
    assert.equal((await registry.list('plate'))[0].accepted, false);
    assert.equal((await registry.deploy('plate.detector', '1', 'ada')).version, '1');
  });

  it('says when the model in production is damaged, until another one is deployed', async () => {
    const first = await writeVersion(folder.path, 'plate', '1');
    await writeVersion(folder.path, 'plate', '2');
    await registry.deploy('plate', '1', 'ada');
    await writeFile(join(first, 'manifest.json'), 'gone');
    await assert.rejects(registry.deployed('plate'), { code: 'model-invalid' });
    await registry.deploy('plate', '2', 'ada');
    assert.equal((await registry.deployed('plate'))?.version, '2');
  });
});
