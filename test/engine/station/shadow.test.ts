import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  type ClassFinding,
  type DetectorSettings,
  type Finding,
  type Inspection,
  newId,
  packageRoot,
  type ShadowRun,
  systemClock,
  type Verdict,
} from '../../../engine/domain';
import { ModelRegistry } from '../../../engine/learning';
import { Shadows } from '../../../engine/station/shadow';
import { openStore, type Store } from '../../../engine/store';
import { writeColourClassifier } from '../../support/colour-classifier';
import { colouredPicture, writeColourPackage } from '../../support/colour-detector';
import { TRAINING_LIMIT_MS } from '../../support/jobs';
import { waitFor } from '../../support/wait';

const NAME = 'plate.classifier';

describe('A candidate beside the version in production', function () {
  this.timeout(TRAINING_LIMIT_MS + 60_000);
  let dataFolder: string;
  let store: Store;
  let models: ModelRegistry;
  let shadows: Shadows;
  const line = { queued: 0 };
  const faults: unknown[] = [];
  const pictures = new Map<string, Buffer>();

  const open = () =>
    Shadows.open({
      store,
      models,
      line,
      taskModules: ['classifier', 'detector'].map((room) => join(packageRoot, 'engine', room, 'task')),
      pictureOf: async (id) => pictures.get(id) as Buffer,
      routerThresholds: () => null,
      clock: systemClock,
      onFault: (error) => faults.push(error),
    });

  before(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'shadow-'));
    store = await openStore({ dataFolder });
    models = new ModelRegistry({ store });
    await writeColourClassifier(models.folderOf(NAME, '1'), 'plate', '1');
    await writeColourClassifier(models.folderOf(NAME, '2'), 'plate', '2', { bad: 'NG', good: 'OK', odd: 'OK' });
    await models.deploy(NAME, '1', 'ada');
    shadows = await open();
  });
  after(async () => {
    await shadows.close();
    await store.close();
    await rm(dataFolder, { recursive: true, force: true });
  });
  afterEach(async () => {
    line.queued = 0;
    await shadows.stop(NAME).catch(() => {});
    assert.deepEqual(faults, []);
  });

  /** A part of one colour as the line settled it. */
  async function part(colour: 'red' | 'green' | 'blue', more: Partial<Inspection> = {}): Promise<Inspection> {
    const id = newId();
    const background = { r: 0, g: 0, b: 0, [colour[0]]: 255 };
    pictures.set(
      id,
      await sharp({ create: { width: 64, height: 64, channels: 3, background } })
        .png()
        .toBuffer(),
    );
    const labels = { red: 'bad', green: 'good', blue: 'odd' };
    const verdicts: Record<typeof colour, Verdict> = { red: 'NG', green: 'OK', blue: 'REVIEW' };
    const verdict = verdicts[colour];
    const finding: Finding = {
      kind: 'class',
      node: 'classify',
      model: { name: NAME, version: '1' },
      label: labels[colour],
      confidence: 1,
      verdict,
      probabilities: { bad: 0, good: 0, odd: 0, [labels[colour]]: 1 },
      milliseconds: { total: 1 },
    };
    const at = new Date().toISOString();
    return {
      id,
      station: 'line',
      partType: 'plate',
      trigger: { source: 'api' },
      capturedAt: at,
      deadlineAt: at,
      findings: [finding],
      decision: { verdict, confidence: 1, reasons: [], by: 'model', at },
      ...more,
    };
  }

  it('looks at the parts of its type until it has seen as many as wished, and lists what it decides otherwise', async () => {
    const told: ShadowRun[] = [];
    const remove = shadows.events.on('shadow', (run) => told.push(run));
    const started = await shadows.start({ name: NAME, version: '2', parts: 3 }, 'ada');
    assert.deepEqual([started.state, started.against, started.actor], ['running', '1', 'ada']);
    const blue = await part('blue');
    for (const seen of [await part('red'), await part('green', { partType: 'cable' }), blue, await part('green')]) {
      await shadows.see(seen);
    }
    await waitFor('the end of the run', () => told.at(-1)?.state === 'completed', TRAINING_LIMIT_MS);
    const run = (await store.shadows.last(NAME)) as ShadowRun;
    assert.deepEqual(await shadows.of(NAME), run);
    const { items, ...counts } = run.report;
    assert.deepEqual(counts, { pictures: 3, changed: 1, newlyPassed: 1, newlyStopped: 0, skipped: 0 });
    const [{ scoreAfter, ...item }] = items;
    assert.deepEqual(item, {
      id: blue.id,
      label: null,
      before: 'REVIEW',
      after: 'OK',
      scoreBefore: 1,
      picture: 'inspection',
    });
    assert.ok(scoreAfter !== null && scoreAfter < 0.01);
    assert.deepEqual([run.seen, run.skipped, run.endedAt !== null], [3, 0, true]);
    assert.equal(told[0].state, 'running');
    remove();
  });

  it('lets parts go by that it must not or cannot judge', async () => {
    await shadows.start({ name: NAME, version: '2', parts: 10 }, 'ada');
    line.queued = 1;
    await shadows.see(await part('red'));
    line.queued = 0;
    await shadows.see(await part('red', { findings: [] }));
    const failSafe = { verdict: 'NG', confidence: 0, reasons: ['deadline-exceeded'], by: 'failsafe', at: '' } as const;
    await shadows.see(await part('red', { decision: failSafe }));
    const broken = await part('red');
    pictures.set(broken.id, Buffer.from('no picture'));
    await shadows.see(broken);
    const run = await shadows.of(NAME);
    assert.deepEqual([run?.seen, run?.skipped, run?.report.skipped, run?.state], [0, 4, 4, 'running']);
  });

  it('is one for a model, of a version that is not in production', async () => {
    await assert.rejects(shadows.start({ name: NAME, version: '1', parts: 5 }, 'ada'), { code: 'shadow-deployed' });
    await assert.rejects(shadows.start({ name: NAME, version: '9', parts: 5 }, 'ada'), { code: 'not-found' });
    await assert.rejects(shadows.start({ name: NAME, version: '2', parts: 0 }, 'ada'), { code: 'invalid-input' });
    await assert.rejects(shadows.stop(NAME), { code: 'shadow-not-running' });
    await shadows.start({ name: NAME, version: '2', parts: 5 }, 'ada');
    await assert.rejects(shadows.start({ name: NAME, version: '2', parts: 5 }, 'ada'), { code: 'shadow-running' });
    assert.equal((await shadows.stop(NAME)).state, 'stopped');
  });

  it('finds boxes, too, and leaves out those that do not count for it', async () => {
    const name = 'plate.detector';
    const thresholds = { confidence: 0.9, perClass: {} };
    await writeColourPackage(models.folderOf(name, '1'), { partType: 'plate', version: '1' });
    await writeColourPackage(models.folderOf(name, '2'), { partType: 'plate', version: '2', thresholds });
    await models.deploy(name, '1', 'ada');
    await shadows.start({ name, version: '2', parts: 1 }, 'ada');
    const box = { x: 0, y: 0, width: 64, height: 64 };
    const pale = await part('green', {
      findings: [
        { kind: 'rule', node: 'r', rule: 'length', passed: true, milliseconds: { total: 1 } },
        {
          ...{ kind: 'detections', node: 'd', model: { name, version: '1' }, milliseconds: { total: 1 } },
          detections: [{ label: 'red', confidence: 0.5, box }],
          thresholds: { confidence: 0.25, perClass: {} },
        },
      ],
    });
    pictures.set(pale.id, await colouredPicture([['red', 128], null, null, null]));
    await shadows.see(pale);
    const run = await shadows.of(name);
    const [item] = run?.report.items ?? [];
    assert.deepEqual([run?.state, item.before, item.after, item.scoreBefore], ['completed', 'NG', 'OK', 0.5]);
  });

  it('uses a version as the line used the one in production: region, confidences, classes and what these mean', async () => {
    const name = 'plate.detector';
    await writeColourPackage(models.folderOf(name, '3'), { partType: 'plate', version: '3' });
    await shadows.start({ name, version: '3', parts: 3 }, 'ada');
    const made = { node: 'd', model: { name, version: '1' }, milliseconds: { total: 1 } };
    const seen = async (settings: DetectorSettings) => {
      const passed = await part('green', {
        findings: [
          { kind: 'rule', node: 'r', rule: 'length', passed: true, milliseconds: { total: 1 } },
          { ...made, kind: 'detections', detections: [], thresholds: { confidence: 0.25, perClass: {} }, settings },
        ],
      });
      pictures.set(passed.id, await colouredPicture([['red', 128], null, null, null]));
      await shadows.see(passed);
    };
    await seen({ roi: { x: 0.5, y: 0, width: 0.5, height: 1 } });
    await seen({ confidence: 0.9, perClass: { unknown: 0.1 } });
    await seen({ ignored: ['red'] });
    const detector = await shadows.of(name);
    assert.deepEqual([detector?.state, detector?.report.pictures, detector?.report.changed], ['completed', 3, 0]);

    await shadows.start({ name: NAME, version: '2', parts: 1 }, 'ada');
    const blue = await part('blue');
    const [finding] = blue.findings as ClassFinding[];
    await shadows.see({ ...blue, findings: [{ ...finding!, verdict: 'NG', verdicts: { odd: 'NG' } }] });
    const classifier = await shadows.of(NAME);
    assert.deepEqual([classifier?.state, classifier?.report.pictures, classifier?.report.changed], ['completed', 1, 0]);
  });

  it('needs a version in production', async () => {
    await writeColourClassifier(models.folderOf('cable.classifier', '1'), 'cable', '1');
    const wish = { name: 'cable.classifier', version: '1', parts: 5 };
    await assert.rejects(shadows.start(wish, 'ada'), { code: 'shadow-no-deployed' });
    assert.equal(await shadows.of('cable.classifier'), null);
  });

  it('goes on after a restart, and ends with a deployment', async () => {
    await shadows.start({ name: NAME, version: '2', parts: 10 }, 'ada');
    await shadows.see(await part('red'));
    await shadows.close();
    assert.equal((await store.shadows.last(NAME))?.seen, 1);
    shadows = await open();
    await shadows.see(await part('green'));
    assert.deepEqual([(await shadows.of(NAME))?.seen, (await shadows.of(NAME))?.state], [2, 'running']);
    await models.deploy(NAME, '2', 'ada');
    await waitFor('the stop', async () => (await store.shadows.last(NAME))?.state === 'stopped');
    await models.rollback('plate', 'ada', 'classifier');
  });

  it('is one, when two people start it at once', async () => {
    const wish = { name: NAME, version: '2', parts: 5 };
    const starts = await Promise.allSettled([shadows.start(wish, 'ada'), shadows.start(wish, 'grace')]);
    assert.deepEqual(
      starts.map((start) => (start.status === 'fulfilled' ? start.value.actor : start.reason.code)),
      ['ada', 'shadow-running'],
    );
    assert.equal((await store.shadows.running()).length, 1);
  });

  it('is one after a restart, the newest, whatever an earlier release left', async () => {
    const first = await shadows.start({ name: NAME, version: '2', parts: 5 }, 'ada');
    await shadows.stop(NAME);
    const second = await shadows.start({ name: NAME, version: '2', parts: 5 }, 'ada');
    await shadows.close();
    await store.shadows.put(first);
    shadows = await open();
    assert.deepEqual(
      (await store.shadows.running()).map(({ id }) => id),
      [second.id],
    );
    assert.equal((await shadows.of(NAME))?.id, second.id);
  });

  it('ends when another version goes into production while it begins', async () => {
    await writeColourClassifier(models.folderOf(NAME, '4'), 'plate', '4');
    const describe = models.describe.bind(models);
    let looks = 0;
    models.describe = async (...given) => {
      looks += 1;
      // the second look is that of the run which begins
      if (looks === 2) await models.deploy(NAME, '4', 'grace');
      return describe(...given);
    };
    const run = await shadows.start({ name: NAME, version: '2', parts: 5 }, 'ada');
    models.describe = describe;
    await models.deploy(NAME, '1', 'ada');
    assert.deepEqual([run.state, run.against], ['stopped', '1']);
    await waitFor('its end', async () => (await store.shadows.running()).length === 0);
  });

  it('ends when its version is removed', async () => {
    await shadows.start({ name: NAME, version: '2', parts: 10 }, 'ada');
    await models.remove(NAME, '2', 'ada');
    assert.equal((await shadows.of(NAME))?.state, 'stopped');
    await models.restore(NAME, '2', 'ada');
  });
});
