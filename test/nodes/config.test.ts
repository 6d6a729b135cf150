import assert from 'node:assert/strict';
import { InvalidInput, PartTypeInvalid } from '../../engine/domain';
import * as camera from '../../nodes/camera-capture/config';
import * as router from '../../nodes/confidence-router/config';
import * as station from '../../nodes/inspection-station/config';
import * as infer from '../../nodes/patchcore-infer/config';
import { readTrainOrder } from '../../nodes/patchcore-infer/training-request';
import * as review from '../../nodes/review-queue/config';
import { type ConfigSchema, migrateConfig } from '../../nodes/shared';

const schemas: Record<string, ConfigSchema<unknown>> = {
  'inspection-station': station.schema,
  'camera-capture': camera.schema,
  'patchcore-infer': infer.schema,
  'confidence-router': router.schema,
  'review-queue': review.schema,
};

describe('node configurations', () => {
  for (const [type, schema] of Object.entries(schemas)) {
    it(`brings a ${type} without a version up to version 1 and fills in the defaults`, () => {
      const migrated = migrateConfig(schema, { id: 'a', name: 'mine' });
      assert.deepEqual(migrated, { ...schema.defaults, id: 'a', name: 'mine', version: 1 });
    });

    it(`leaves a ${type} of version 1 as it is`, () => {
      const saved = { ...schema.defaults, name: 'mine', version: 1 };
      assert.deepEqual(migrateConfig(schema, saved), saved);
    });

    it(`refuses a ${type} saved by a newer release`, () => {
      assert.throws(() => migrateConfig(schema, { version: 99 }), RangeError);
    });
  }
});

describe('inspection-station settings', () => {
  const read = (change: Record<string, unknown>) =>
    station.readStationSettings(migrateConfig(station.schema, change) as station.InspectionStationConfig);

  it('reads numbers typed as text', () => {
    const settings = read({ deadline: '2500', retentionOkDays: '7', retentionOkMb: '100', poolSize: '2' });
    assert.equal(settings.deadlineMs, 2500);
    assert.deepEqual(settings.retention.OK, { days: 7, bytes: 100 * 1024 * 1024 });
    assert.deepEqual(settings.retention.NG, { days: null, bytes: null });
    assert.equal(settings.pool.size, 2);
    assert.deepEqual(settings.shiftStarts, ['06:00', '14:00', '22:00']);
  });

  const wrong: [string, Record<string, unknown>][] = [
    ['a deadline that is no number', { deadline: 'soon' }],
    ['a deadline below 100 ms', { deadline: 50 }],
    ['an empty deadline', { deadline: '' }],
    ['negative days', { retentionNgDays: -1 }],
    ['half a process', { poolSize: 1.5 }],
    ['no room for any imported model', { importLimitMb: 0 }],
    ['OK as fail-safe verdict', { failSafe: 'OK' }],
    ['an unknown queue policy', { queuePolicy: 'shuffle' }],
    ['a shift start that is no time', { shiftStarts: '06:00, 25:00' }],
  ];
  for (const [what, change] of wrong) {
    it(`refuses ${what}`, () => assert.throws(() => read(change), InvalidInput));
  }
});

describe('camera-capture settings', () => {
  const read = (change: Record<string, unknown>) =>
    camera.readCaptureSettings(migrateConfig(camera.schema, change) as camera.CameraCaptureConfig);

  it('reads the defect share as a rate and the classes as a list', () => {
    const { simulator } = read({ simulatorDefectPercent: '25', simulatorDefects: 'stain, scratch' });
    assert.equal(simulator.defectRate, 0.25);
    assert.deepEqual(simulator.defects, ['stain', 'scratch']);
  });

  it('does not look at settings of sources that are not chosen', () => {
    assert.doesNotThrow(() => read({ source: 'payload', simulatorDefectPercent: 'x', url: '' }));
  });

  const wrong: [string, Record<string, unknown>][] = [
    ['an unknown source', { source: 'film' }],
    ['a folder source without folder', { source: 'folder', folder: ' ' }],
    ['an HTTP source without URL', { source: 'http' }],
    ['an unknown defect class', { simulatorDefects: 'dent' }],
    ['more than 100 % defective parts', { simulatorDefectPercent: 101 }],
    ['a negative queue', { queueLength: -1 }],
    ['a deadline of 5 ms', { deadline: 5 }],
  ];
  for (const [what, change] of wrong) {
    it(`refuses ${what}`, () => assert.throws(() => read(change), InvalidInput));
  }

  it('refuses a part type with a path in it', () => {
    assert.throws(() => read({ partType: '../etc' }), PartTypeInvalid);
  });
});

describe('confidence-router settings', () => {
  const read = (change: Record<string, unknown>) =>
    router.readRouterDefaults(migrateConfig(router.schema, change) as router.ConfidenceRouterConfig);

  it('takes thresholds from the model unless told', () => {
    assert.deepEqual(read({ auditPercent: '5' }), { thresholds: null, auditShare: 0.05 });
  });

  it('takes thresholds set by hand', () => {
    assert.deepEqual(read({ thresholdsFrom: 'manual', accept: '1', reject: '2' }).thresholds, { accept: 1, reject: 2 });
  });

  it('refuses accept above reject, not a number, negative and an impossible share', () => {
    assert.throws(() => read({ thresholdsFrom: 'manual', accept: 3, reject: 2 }), InvalidInput);
    assert.throws(() => read({ thresholdsFrom: 'manual', accept: '', reject: 2 }), InvalidInput);
    assert.throws(() => read({ thresholdsFrom: 'manual', accept: -1, reject: 2 }), InvalidInput);
    assert.throws(() => read({ auditPercent: 101 }), InvalidInput);
  });
});

describe('a "train" message', () => {
  it('trains from labelled pictures of the part type of the node and deploys, unless told', () => {
    assert.deepEqual(readTrainOrder(undefined, 'plate', '/data'), {
      request: { partType: 'plate', source: { kind: 'labelled' }, deploy: true },
      unlessDeployed: false,
    });
  });

  it('starts relative folders at the user folder', () => {
    const { request } = readTrainOrder({ source: { kind: 'folder', folder: 'good' } }, 'plate', '/data');
    assert.deepEqual(request.source, { kind: 'folder', folder: '/data/good' });
  });

  it('hands the options on, with folders that start at the user folder', () => {
    const input = { width: 384, height: 256, mode: 'letterbox' };
    const options = { input, tiles: { columns: 2, rows: 1 }, defectFolder: 'bad', mask: '/masks/plate.png' };
    const { request } = readTrainOrder({ options }, 'plate', '/data');
    assert.deepEqual(request.options, {
      input,
      tiles: { columns: 2, rows: 1, overlap: 0.1, banks: 'shared' },
      defectFolder: '/data/bad',
      mask: '/masks/plate.png',
    });
  });

  const wrong: [string, unknown][] = [
    ['an unusable part type', { partType: 'a/b' }],
    ['an unknown source', { source: { kind: 'cloud' } }],
    ['a folder source without folder', { source: { kind: 'folder' } }],
    ['an unknown product', { source: { kind: 'simulator', product: 'egg' } }],
    ['half a part', { source: { kind: 'simulator', count: 0.5 } }],
    ['no simulated part', { source: { kind: 'simulator', count: 0 } }],
    ['more simulated parts than are drawn', { source: { kind: 'simulator', count: 1001 } }],
    ['deploy that is no yes or no', { deploy: 'yes' }],
    ['an option that there is not', { options: { speed: 'fast' } }],
    ['an input side that no network takes', { options: { input: { width: 250, height: 256 } } }],
    [
      'a new input for a version that is only added to',
      { options: { update: true, roi: { x: 0, y: 0, width: 1, height: 0.5 } } },
    ],
  ];
  for (const [what, payload] of wrong) {
    it(`is refused with ${what}`, () => assert.throws(() => readTrainOrder(payload, 'plate', '/data'), InvalidInput));
  }

  it('is refused when nobody names a part type', () => {
    assert.throws(() => readTrainOrder({}, '', '/data'), InvalidInput);
  });
});
