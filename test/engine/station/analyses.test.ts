import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Inspection, timestamp } from '../../../engine/domain';
import { openStation, type Station, type StationOptions } from '../../../engine/station';
import { writeColourClassifier } from '../../support/colour-classifier';
import { colourDetector, colouredPicture, writeColourPackage } from '../../support/colour-detector';
import { waitFor } from '../../support/wait';
import { temporaryFolder, undoAfter, undoAll } from '../store/support';

const FOREVER = { days: null, bytes: null };

async function temporaryStation(options: Partial<StationOptions> = {}): Promise<Station> {
  const station = await openStation({
    id: 'station-1',
    name: 'Line 1',
    dataFolder: options.dataFolder ?? (await temporaryFolder()),
    failSafe: 'NG',
    deadlineMs: 3_600_000,
    retention: { OK: FOREVER, NG: FOREVER, REVIEW: FOREVER },
    pool: { size: 1, queueLimit: 16, queuePolicy: 'reject', memoryCapMb: 256, threads: 1 },
    ...options,
  });
  undoAfter(() => station.close());
  return station;
}

const part = (station: Station, partType = 'plate'): Inspection =>
  station.inspections.open({ partType, trigger: { source: 'message' } });
const red = () => colouredPicture([['red', 255], null, null, null]);

/** A data folder with detectors 1 and 2 and a classifier 1 of part type `plate`; none in production. */
async function folderWithModels(): Promise<string> {
  const folder = await temporaryFolder();
  const models = join(folder, 'models');
  await writeColourPackage(join(models, 'plate.detector/1'), { partType: 'plate', version: '1' });
  await writeColourPackage(join(models, 'plate.detector/2'), { partType: 'plate', version: '2' });
  await writeColourClassifier(join(models, 'plate.classifier/1'), 'plate', '1');
  return folder;
}

describe('a station with models of all kinds', function () {
  this.timeout(240_000);
  afterEach(undoAll);

  it('detects with a file, and with the detector in production where none is named', async () => {
    const folder = await folderWithModels();
    const file = join(folder, 'mine.onnx');
    await writeFile(file, colourDetector(['scratch', 'dent']));
    const station = await temporaryStation({ dataFolder: folder });
    await station.models.deploy('plate.detector', '1', 'Ada');
    const byFile = await station.detect(await red(), part(station), 'node-1', { model: file });
    assert.deepEqual([byFile.detections[0].label, byFile.model?.name], ['scratch', 'mine']);
    const deployed = await station.detect(await red(), part(station), 'node-1');
    assert.deepEqual([deployed.detections[0].label, deployed.model], ['red', { name: 'plate.detector', version: '1' }]);
    const ofAnother = await station.detect(await red(), part(station, 'other'), 'node-1', { partType: 'plate' });
    assert.deepEqual(ofAnother.model, deployed.model);
  });

  it('tells by which settings of its node a detector looked', async () => {
    const station = await temporaryStation({ dataFolder: await folderWithModels() });
    await station.models.deploy('plate.detector', '1', 'Ada');
    const settings = { confidence: 0.4, roi: { x: 0, y: 0, width: 0.5, height: 1 }, ignored: ['red'] };
    const wishes = { ...settings, tiles: null, review: ['green'] };
    const finding = await station.detect(await red(), part(station), 'node-1', wishes);
    assert.deepEqual([finding.detections, finding.review, finding.settings], [[], ['green'], settings]);
    assert.deepEqual((await station.detect(await red(), part(station), 'node-1')).settings, {});
  });

  it('detects with the starter where no detector is in production', async () => {
    const station = await temporaryStation();
    const { picture } = await station.simulate({ product: 'plate', seed: 7, defectRate: 1, defects: ['fracture'] });
    const finding = await station.detect(picture, part(station), 'node-1');
    assert.equal(finding.model?.name, 'starter-detector');
    assert.ok(finding.detections.some(({ label }) => label === 'fracture'));
  });

  it('classifies with the classifier in production, and says what to do where there is none', async () => {
    const station = await temporaryStation({ dataFolder: await folderWithModels() });
    await assert.rejects(station.classify(await red(), part(station), 'node-1'), {
      code: 'no-model',
      reason: 'no-model',
      status: 'no classifier for plate',
      message: 'No classifier is deployed for part type plate. Train one, or deploy a version, on the Train page.',
    });
    await station.models.deploy('plate.classifier', '1', 'Ada');
    const bad = await colouredPicture(Array(4).fill(['red', 255]));
    const finding = await station.classify(bad, part(station), 'node-1');
    assert.deepEqual([finding.label, finding.verdict], ['bad', 'NG']);
    const verdicts = { bad: 'REVIEW', other: 'OK' } as const;
    const wished = await station.classify(bad, part(station), 'node-1', { verdicts });
    assert.deepEqual([wished.verdict, wished.verdicts, finding.verdicts], ['REVIEW', verdicts, {}]);
  });

  it('keeps to the deadline of the inspection, and gives no finding once it closes', async () => {
    const station = await temporaryStation({ dataFolder: await folderWithModels() });
    await station.models.deploy('plate.detector', '1', 'Ada');
    const late = { ...part(station), deadlineAt: timestamp(Date.now() - 1) };
    await assert.rejects(station.detect(await red(), late, 'node-1'), { reason: 'deadline-exceeded' });
    const underWay = part(station);
    await station.close();
    await assert.rejects(station.detect(await red(), underWay, 'node-1'), { code: 'station-closed' });
    await assert.rejects(station.classify(await red(), underWay, 'node-1'), { code: 'station-closed' });
  });

  it('puts no damaged detector or classifier into production', async () => {
    const folder = await folderWithModels();
    for (const name of ['plate.detector', 'plate.classifier']) {
      const file = join(folder, 'models', name, '1', 'model.onnx');
      const bytes = await readFile(file);
      bytes[bytes.length >> 1] ^= 1;
      await writeFile(file, bytes);
    }
    const station = await temporaryStation({ dataFolder: folder });
    for (const [name, kind] of [
      ['plate.detector', 'detector'],
      ['plate.classifier', 'classifier'],
    ] as const) {
      await assert.rejects(station.models.deploy(name, '1', 'Ada'), { code: 'model-invalid' });
      assert.equal(await station.models.deployed('plate', kind), null);
    }
  });

  it('keeps thresholds set by hand when a detector goes into production', async () => {
    const station = await temporaryStation({ dataFolder: await folderWithModels() });
    const thresholds = { accept: 1, reject: 2 };
    await station.setRouting('plate', { thresholds }, 'Ada');
    await station.models.deploy('plate.detector', '1', 'Ada');
    await station.models.deploy('plate.detector', '2', 'Ada');
    assert.deepEqual((await station.routing('plate')).thresholds, thresholds);
  });

  it('loads the files its nodes use again when a process was replaced, and tells those that cannot be', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'mine.onnx');
    await writeFile(file, colourDetector());
    const station = await temporaryStation({ dataFolder: folder });
    const troubles: unknown[] = [];
    station.keepDetector(file, (error) => troubles.push(error));
    const forget = station.keepDetector(join(folder, 'none.onnx'), (error) => troubles.push(error));
    const missing = () => troubles.filter((error) => (error as { code: string }).code === 'detector-not-found').length;
    await waitFor('the missing file to be told', () => missing() === 1);
    await station.detect(await red(), part(station), 'node-1', { model: file });
    await writeFile(file, 'no longer a model');
    const [pid] = station.pool.pids;
    process.kill(pid, 'SIGKILL');
    await waitFor('both files to be tried again', () => troubles.length === 3 && missing() === 2);
    forget();
    await waitFor('the new process', () => station.pool.state === 'ready' && !station.pool.pids.includes(pid));
    await writeFile(file, colourDetector());
    assert.equal((await station.detect(await red(), part(station), 'node-1', { model: file })).detections.length, 1);
  });
});
