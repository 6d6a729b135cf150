import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from 'sqlite3';
import { type Inspection, newId, timestamp } from '../../../engine/domain';
import { readPictureHeader } from '../../../engine/imaging';
import { openStation, type Station, type StationEvents, type StationOptions } from '../../../engine/station';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { waitFor } from '../../support/wait';
import { writeVersion } from '../learning/packages';
import { temporaryFolder, undoAfter, undoAll } from '../store/support';
import { decision, smallPicture } from './support';

const FOREVER = { days: null, bytes: null };
const LONG_MS = 3_600_000;
const PART = { partType: 'plate', trigger: { source: 'message' } } as const;

async function temporaryStation(options: Partial<StationOptions> = {}): Promise<Station> {
  const station = await openStation({
    id: 'station-1',
    name: 'Line 1',
    dataFolder: options.dataFolder ?? (await temporaryFolder()),
    failSafe: 'NG',
    deadlineMs: LONG_MS,
    retention: { OK: FOREVER, NG: FOREVER, REVIEW: FOREVER },
    pool: { size: 1, queueLimit: 16, queuePolicy: 'reject', memoryCapMb: 256, threads: 1 },
    ...options,
  });
  undoAfter(() => station.close());
  return station;
}

function record<Name extends keyof StationEvents>(station: Station, name: Name): StationEvents[Name][] {
  const seen: StationEvents[Name][] = [];
  station.events.on(name, (event) => seen.push(event));
  return seen;
}

describe('a station', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  afterEach(undoAll);

  it('looks at a picture in its child process', async () => {
    const station = await temporaryStation();
    const picture = await smallPicture();
    const sha256 = createHash('sha256').update(picture).digest('hex');
    assert.deepEqual(await station.inspectPicture(picture), {
      width: 32,
      height: 32,
      format: 'jpeg',
      bytes: picture.length,
      sha256,
    });
    await assert.rejects(station.inspectPicture(picture.subarray(0, 100)), { reason: 'picture-unreadable' });
    await assert.rejects(station.inspectPicture(Buffer.alloc(0)), { reason: 'picture-unreadable' });
  });

  it('takes a simulated part to its verdict and tells each step', async () => {
    const station = await temporaryStation();
    const opened = record(station, 'inspection-opened');
    const settled = record(station, 'inspection-settled');
    const { picture } = await station.simulate({ product: 'plate', seed: 1, defectRate: 0, width: 320, height: 240 });
    const info = await station.inspectPicture(picture);
    const part = station.inspections.attachPicture(station.inspections.open(PART), picture, info);
    const done = await station.inspections.settle(part, decision('OK'));
    assert.deepEqual([opened[0].id, settled[0]], [part.id, done]);
    const health = station.health();
    assert.deepEqual(health.inspections, { open: 0, settled: 1, failSafe: 0, unrecorded: 0 });
    assert.deepEqual([health.state, health.inference.state], ['ok', 'ready']);
  });

  it('gives thumbnails of pictures under way and on record', async () => {
    const station = await temporaryStation();
    const { picture } = await station.simulate({ product: 'plate', seed: 2, defectRate: 0, width: 320, height: 240 });
    const info = await station.inspectPicture(picture);
    const part = station.inspections.attachPicture(station.inspections.open(PART), picture, info);
    const early = await station.thumbnail(part.id, 64);
    assert.deepEqual(readPictureHeader(early).width, 64);
    await station.inspections.settle(part, decision('OK'));
    assert.equal(await station.thumbnail(part.id, 64), early, 'made once');
    const [one, two] = await Promise.all([station.thumbnail(part.id, 100), station.thumbnail(part.id, 100)]);
    assert.equal(one, two);
    await assert.rejects(station.thumbnail(newId(), 64), { code: 'not-found' });
    for (const width of [0, 15, 2049, 1.5, Number.NaN]) {
      await assert.rejects(station.thumbnail(part.id, width), { code: 'invalid-input' });
    }
  });

  it('imports labelled pictures, decoded in its inference processes, and shows them small', async () => {
    const station = await temporaryStation();
    const { picture } = await station.simulate({ product: 'plate', seed: 3, defectRate: 0, width: 320, height: 240 });
    const files = [picture, picture.subarray(0, picture.length - 50)];
    const [good, cut] = await station.imported.add(
      files.map((file, index) => ({ name: `${index}.jpg`, picture: async () => file })),
      { partType: 'plate', label: 'OK', actor: 'ada' },
    );
    assert.ok(good.outcome === 'accepted' && cut.outcome === 'refused');
    assert.deepEqual([cut.error.code, cut.error.parameters?.cause], ['picture-unreadable', 'truncated']);
    assert.equal(readPictureHeader(await station.importedThumbnail(good.id, 64)).width, 64);
    await assert.rejects(station.importedThumbnail(newId(), 64), { code: 'not-found' });
    assert.deepEqual((await station.snapshots.take('plate', 'ada')).counts.ok, 1);
  });

  it('says what to do when no model is deployed', async () => {
    const station = await temporaryStation();
    const part = station.inspections.open(PART);
    await assert.rejects(station.scoreAnomaly(await smallPicture(), part, 'node-1'), {
      code: 'no-model',
      reason: 'no-model',
      status: 'no model for plate',
      message: 'No model is deployed for part type plate. Train one, or deploy a version, on the Train page.',
    });
  });

  it('tells that versions of models are removed and restored', async () => {
    const station = await temporaryStation();
    const changes = record(station, 'version');
    await writeVersion(station.options.dataFolder, 'plate', '1');
    await station.models.remove('plate', '1', 'Ada');
    await station.models.restore('plate', '1', 'Grace');
    assert.deepEqual(changes, [
      { name: 'plate', version: '1', actor: 'Ada', change: 'removed' },
      { name: 'plate', version: '1', actor: 'Grace', change: 'restored' },
    ]);
  });

  it('trains, deploys and scores with a model, and keeps the heat maps', async () => {
    const pool = { size: 2, queueLimit: 16, queuePolicy: 'reject', memoryCapMb: 256, threads: 1 } as const;
    const station = await temporaryStation({ pool });
    const deployments = record(station, 'deployment');
    const source = { kind: 'simulator', product: 'plate', count: 12, seed: 1 } as const;
    const job = await station.jobs.submit({ partType: 'plate', source, deploy: true }, 'Ada');
    const ended = await jobEnded(station.jobs, job.id);
    assert.deepEqual([ended.state, ended.error], ['completed', null]);
    assert.deepEqual(
      deployments.map(({ partType, version, actor }) => [partType, version, actor]),
      [['plate', '1', 'Ada']],
    );
    const { picture } = await station.simulate({ product: 'plate', seed: 500, defectRate: 0 });
    const { folder } = (await station.models.deployed('plate'))!;
    await rename(join(folder, 'head.onnx'), join(folder, 'away'));
    const scores = await station.pool.runInEach('patchcore/score', { folder, picture });
    assert.equal(scores.length, 2, 'each process has loaded the model once it is deployed');
    await rename(join(folder, 'away'), join(folder, 'head.onnx'));
    const part = station.inspections.attachPicture(
      station.inspections.open(PART),
      picture,
      await station.inspectPicture(picture),
    );
    const [first, second] = [
      await station.scoreAnomaly(picture, part, 'node-1'),
      await station.scoreAnomaly(picture, part, 'node-2'),
    ];
    assert.deepEqual([first.kind, first.node, first.model], ['anomaly', 'node-1', { name: 'plate', version: '1' }]);
    assert.ok(first.score > 0 && Number.isFinite(first.normalizedScore) && first.milliseconds.total > 0);
    assert.equal(first.score, second.score);
    assert.equal(first.map?.url, `/inspection/api/inspections/${part.id}/map`);
    assert.equal(second.map?.url, `/inspection/api/inspections/${part.id}/map?index=1`);
    assert.deepEqual(JSON.parse(JSON.stringify(first)), first, 'a finding is plain JSON');
    const map = await station.store.pictures.readMap(part.id, 1);
    assert.deepEqual([readPictureHeader(map!).format, readPictureHeader(map!).width], ['png', first.map?.width]);

    const faults = record(station, 'fault');
    Object.assign(station.store.pictures, {
      saveMap: async () => {
        throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      },
    });
    const third = await station.scoreAnomaly(picture, part, 'node-3');
    assert.deepEqual([third.score, third.map], [first.score, undefined], 'the score counts without its map');
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['store-disk-full'],
    );
  });

  it('lets go of thresholds set by hand when another model version is deployed, and only then', async () => {
    const station = await temporaryStation();
    const source = { kind: 'simulator', product: 'plate', count: 12, seed: 1 } as const;
    const warnings = record(station, 'warning');
    const changed = record(station, 'routing-changed');
    for (const deploy of [true, false]) {
      const job = await station.jobs.submit({ partType: 'plate', source, deploy }, 'Ada');
      assert.equal((await jobEnded(station.jobs, job.id)).state, 'completed');
    }
    await station.setRouting('plate', { thresholds: { accept: 3, reject: 4 }, auditShare: 0.1 }, 'Ada');
    await station.setRouting('cable', { thresholds: { accept: 5, reject: 6 } }, 'Ada');
    await station.models.deploy('plate', '1', 'Bob');
    assert.deepEqual((await station.routing('plate')).thresholds, { accept: 3, reject: 4 });
    await station.models.deploy('plate', '2', 'Bob');
    await waitFor('the reset', () => warnings.length > 0);
    const reset = { partType: 'plate', thresholds: null, auditShare: 0.1 };
    assert.deepEqual(await station.routing('plate'), reset);
    assert.deepEqual(changed.at(-1), reset);
    assert.match(warnings[0].message, /accept 3, reject 4/);
    const [entry] = await station.store.audit.list({ action: 'routing.thresholds', subject: 'plate' });
    assert.deepEqual([entry.actor, entry.before, entry.after], ['Bob', { accept: 3, reject: 4 }, null]);
    assert.deepEqual((await station.routing('cable')).thresholds, { accept: 5, reject: 6 });

    await station.setRouting('plate', { thresholds: { accept: 7, reject: 8 } }, 'Ada');
    await station.models.rollback('plate', 'Kim');
    await waitFor('the second reset', () => warnings.length > 1);
    assert.equal((await station.routing('plate')).thresholds, null);
  });

  it('sends a picture from outside through the flow that takes it', async () => {
    const station = await temporaryStation();
    const picture = await smallPicture();
    await assert.rejects(station.intake.submit(picture, { source: 'api' }), { code: 'no-intake', httpStatus: 503 });
    const seen: unknown[] = [];
    const handler = (flow: string) => (submission: { partType?: string; source: 'api' | 'browser' }) => {
      seen.push([flow, submission.partType]);
      const part = station.inspections.open({
        partType: submission.partType ?? 'default',
        trigger: { source: submission.source },
      });
      setImmediate(() => void station.inspections.settle(part, decision('OK')));
      return part;
    };
    const remove = station.intake.register(handler('a'));
    const removeSecond = station.intake.register(handler('b'));
    const settled = await station.intake.submit(picture, { source: 'api', partType: 'cable' });
    assert.deepEqual([settled.decision?.verdict, settled.trigger.source], ['OK', 'api']);
    remove();
    await station.intake.submit(picture, { source: 'browser' });
    assert.deepEqual(seen, [
      ['a', 'cable'],
      ['b', undefined],
    ]);
    removeSecond();
    station.intake.register(() => {
      throw new Error('refused');
    });
    await assert.rejects(station.intake.submit(picture, { source: 'api' }), /refused/);
  });

  it('asks the browser that shows a camera for its picture', async () => {
    const { browserCameras } = await temporaryStation();
    const picture = await smallPicture();
    await assert.rejects(browserCameras.request('cam', LONG_MS), { code: 'browser-camera-no-browser' });
    const remove = browserCameras.onRequest('cam', ({ requestId }) => {
      setImmediate(() => {
        assert.equal(browserCameras.resolve(requestId, picture), true);
        assert.equal(browserCameras.resolve(requestId, picture), false, 'answered before');
      });
    });
    assert.equal(await browserCameras.request('cam', LONG_MS), picture);
    remove();
    browserCameras.onRequest('cam', ({ requestId }) => void browserCameras.refuse(requestId, 'access denied'));
    await assert.rejects(browserCameras.request('cam', LONG_MS), {
      reason: 'camera-unavailable',
      message: /access denied/,
    });
    browserCameras.onRequest('silent', () => {});
    await assert.rejects(browserCameras.request('silent', 20), { code: 'browser-camera-timeout' });
    assert.equal(browserCameras.resolve(newId(), picture), false);
  });

  it('learns from labels at once, or once a second person has approved them', async () => {
    for (const secondPerson of [false, true]) {
      const station = await temporaryStation({ secondPerson });
      const picture = await smallPicture();
      const info = await station.inspectPicture(picture);
      const part = station.inspections.attachPicture(station.inspections.open(PART), picture, info);
      const settled = await station.inspections.settle(part, decision('REVIEW'));
      await station.reviews.add(settled as Inspection);
      const learnt = async () => (await station.store.labels.labelled('plate')).length;
      await station.reviews.label(part.id, { label: 'OK', reviewer: 'Ada' }, 'ada');
      assert.equal(await learnt(), secondPerson ? 0 : 1);
      await station.reviews.approve(part.id, { reviewer: 'Bob' }, 'bob');
      assert.equal(await learnt(), 1);
    }
  });

  it('tells changed settings and review decisions', async () => {
    const station = await temporaryStation();
    const changed = record(station, 'routing-changed');
    const reviewed = record(station, 'review-changed');
    await station.setRouting('plate', { auditShare: 0.25 }, 'Ada');
    assert.deepEqual(changed, [{ partType: 'plate', thresholds: null, auditShare: 0.25 }]);
    assert.deepEqual(await station.allRouting(), changed);
    const settled = await station.inspections.settle(station.inspections.open(PART), decision('REVIEW'));
    await station.reviews.add(settled as Inspection);
    await station.reviews.label(settled!.id, { label: 'OK', reviewer: 'Ada' }, 'ada');
    assert.deepEqual(
      reviewed.map(({ id, label }) => [id, label]),
      [
        [settled!.id, null],
        [settled!.id, 'OK'],
      ],
    );
  });

  it('completes what is stored by what its routers agree on', async () => {
    const station = await temporaryStation();
    const inForce = async () => {
      const { thresholds, auditShare } = await station.routing('plate');
      return [thresholds?.accept ?? null, auditShare];
    };
    const thresholds = { accept: 1, reject: 2 };
    assert.deepEqual(await inForce(), [null, null]);
    station.registerRouter('first', { thresholds, auditShare: 0.2 });
    assert.deepEqual(await inForce(), [1, 0.2]);
    const remove = station.registerRouter('second', { thresholds: { ...thresholds }, auditShare: 0 });
    assert.deepEqual(await inForce(), [1, null]);
    const replaced = station.registerRouter('second', { thresholds: null, auditShare: 0.2 });
    remove();
    assert.deepEqual(await inForce(), [null, 0.2]);
    const set = await station.setRouting('plate', { thresholds: { accept: 3, reject: 4 } }, 'Ada');
    assert.deepEqual(set, { partType: 'plate', thresholds: { accept: 3, reject: 4 }, auditShare: 0.2 });
    replaced();
    await station.setRouting('plate', { thresholds: null }, 'Ada');
    assert.deepEqual(await inForce(), [1, 0.2]);
  });

  it('goes on with its parts when a listener throws', async () => {
    const station = await temporaryStation();
    station.events.on('inspection-settled', () => {
      throw new Error('broken listener');
    });
    assert.ok(await station.inspections.settle(station.inspections.open(PART), decision('OK')));
    assert.match(station.health().faults[0].message, /broken listener/);
  });

  it('gives every part its verdict in time while another program locks the database', async () => {
    const station = await temporaryStation({ deadlineMs: 800 });
    const faults = record(station, 'fault');
    const other = new Database(join(station.options.dataFolder, 'inspection.sqlite'));
    await promisify(other.exec.bind(other))('BEGIN IMMEDIATE');
    const parts = Array.from({ length: 5 }, () => station.inspections.open(PART));
    // it ends while the lock is held
    const settled = await Promise.all(parts.map((part) => station.inspections.settle(part, decision('OK'))));
    await promisify(other.close.bind(other))();
    assert.deepEqual(
      settled.map((part) => [part?.decision?.verdict, part?.decision?.reasons]),
      Array(5).fill(['NG', ['not-recorded']]),
    );
    assert.equal(faults[0].code, 'store-locked');
    assert.equal(station.health().state, 'degraded');
    await waitFor('the records', () => station.inspections.unrecorded === 0);
    for (const part of settled) {
      assert.deepEqual((await station.store.inspections.get(part!.id))?.decision, part?.decision);
    }
  });

  it('closes while the database is locked, and still sends each verdict once', async () => {
    const dataFolder = await temporaryFolder();
    const station = await temporaryStation({ dataFolder });
    const other = new Database(join(dataFolder, 'inspection.sqlite'));
    await promisify(other.exec.bind(other))('BEGIN IMMEDIATE');
    const picture = await smallPicture();
    const info = await station.inspectPicture(picture);
    const parts = Array.from({ length: 5 }, () =>
      station.inspections.attachPicture(station.inspections.open(PART), picture, info),
    );
    await station.close();
    await promisify(other.close.bind(other))();

    const again = await temporaryStation({ dataFolder });
    const emitted: Inspection[] = [];
    again.inspections.registerOutlet({ route: '', emit: (inspection) => emitted.push(inspection) });
    await waitFor('five verdicts', () => emitted.length === 5);
    assert.deepEqual(emitted.map(({ id }) => id).sort(), parts.map(({ id }) => id).sort());
    for (const { id } of parts) {
      const record = await again.store.inspections.get(id);
      assert.equal(record?.decision?.by, 'failsafe');
      assert.deepEqual(await again.store.pictures.read(record!.picturePath!), picture);
    }
  });

  it('refuses options that make no sense, and a folder it cannot use, without leaving anything open', async () => {
    await assert.rejects(temporaryStation({ dataFolder: 'relative' }), { code: 'invalid-input' });
    const dataFolder = await temporaryFolder();
    const pool = { size: 0, queueLimit: 1, queuePolicy: 'reject', memoryCapMb: 1 } as const;
    await assert.rejects(temporaryStation({ dataFolder, pool }), RangeError);
    const station = await temporaryStation({ dataFolder });
    await assert.rejects(temporaryStation({ dataFolder }), { code: 'store-in-use' });
    await station.close();
    await writeFile(join(dataFolder, 'inspection.sqlite'), Buffer.alloc(4096, 'x'));
    await assert.rejects(temporaryStation({ dataFolder }), { code: 'store-corrupt' });
  });

  it('interrupts what is under way when it closes, and hands it on when it is open again', async () => {
    const dataFolder = await temporaryFolder();
    const first = await temporaryStation({ dataFolder });
    const part = first.inspections.open({ ...PART, route: 'tab' });
    const waiting = first.inspections.settled(part.id);
    await Promise.all([first.close(), first.close()]);
    assert.equal((await waiting).decision?.reasons[0], 'interrupted');
    assert.equal(first.health().state, 'closed');
    await assert.rejects(first.scoreAnomaly(Buffer.alloc(0), part, 'n'), { code: 'station-closed' });
    const second = await temporaryStation({ dataFolder });
    const emitted: string[] = [];
    second.inspections.registerOutlet({ route: 'tab', emit: ({ id }) => emitted.push(id) });
    await waitFor('the interrupted part', () => emitted.length === 1);
    assert.deepEqual(emitted, [part.id]);
  });

  it('leaves no process, file or timer behind after 50 times opening and closing', async function () {
    if (process.platform !== 'linux') this.skip();
    const dataFolder = await temporaryFolder();
    const count = async () => ({
      files: (await readdir('/proc/self/fd')).length,
      children: execFileSync('ps', ['--no-headers', '--ppid', String(process.pid)])
        .toString()
        .trim()
        .split('\n').length,
      timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    });
    const cycle = async () => {
      const station = await openStation({
        id: 'station-1',
        name: 'Line 1',
        dataFolder,
        failSafe: 'NG',
        deadlineMs: 2000,
        retention: { OK: FOREVER, NG: FOREVER, REVIEW: FOREVER },
        pool: { size: 1, queueLimit: 16, queuePolicy: 'reject', memoryCapMb: 64, threads: 1 },
      });
      const part = station.inspections.open(PART);
      await station.inspections.settle(part, { ...decision('OK'), at: timestamp(Date.now()) });
      await station.close();
    };
    await cycle();
    const before = await count();
    for (let i = 0; i < 50; i++) await cycle();
    const after = await count();
    assert.ok(after.files <= before.files + 1, `${after.files} open files, ${before.files} at the start`);
    assert.ok(after.children <= before.children, `${after.children} processes, ${before.children} at the start`);
    assert.ok(after.timers <= before.timers, `${after.timers} timers, ${before.timers} at the start`);
  });
});
