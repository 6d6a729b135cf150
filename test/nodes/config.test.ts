import assert from 'node:assert/strict';
import { DEFAULT_ADMISSION, InvalidInput, type ModelKind, PartTypeInvalid } from '../../engine/domain';
import * as camera from '../../nodes/camera-capture/config';
import * as router from '../../nodes/confidence-router/config';
import * as classify from '../../nodes/image-classify/config';
import * as station from '../../nodes/inspection-station/config';
import * as infer from '../../nodes/patchcore-infer/config';
import * as retrain from '../../nodes/retrain-trigger/config';
import * as review from '../../nodes/review-queue/config';
import { type ConfigSchema, migrateConfig, readTrainOrder } from '../../nodes/shared';
import * as detect from '../../nodes/yolo-detect/config';

const schemas: Record<string, ConfigSchema<unknown>> = {
  'inspection-station': station.schema,
  'camera-capture': camera.schema,
  'patchcore-infer': infer.schema,
  'yolo-detect': detect.schema,
  'image-classify': classify.schema,
  'confidence-router': router.schema,
  'review-queue': review.schema,
  'retrain-trigger': retrain.schema,
};

/** What a node of an older version keeps, where newly placed ones have another default. */
const keptFromOld: Record<string, object> = {
  // took whatever came
  'review-queue': { similarLimit: 0 },
};

describe('node configurations', () => {
  for (const [type, schema] of Object.entries(schemas)) {
    it(`brings a ${type} without a version up to today's and fills in the defaults`, () => {
      const migrated = migrateConfig(schema, { id: 'a', name: 'mine' });
      const version = schema.migrations.length;
      assert.deepEqual(migrated, { ...schema.defaults, ...keptFromOld[type], id: 'a', name: 'mine', version });
    });

    it(`leaves a ${type} of today's version as it is`, () => {
      const saved = { ...schema.defaults, name: 'mine', version: schema.migrations.length };
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

  it('learns from labels without approval where nothing else is set, as earlier releases did', () => {
    assert.equal(read({}).secondPerson, false);
    assert.equal(read({ secondPerson: true }).secondPerson, true);
  });

  it('compares new versions on 200 production pictures where nothing else is set', () => {
    assert.equal(read({}).gatePictures, 200);
    assert.equal(read({ gatePictures: '0' }).gatePictures, 0);
  });

  it('splits the command of the external trainer at blanks outside of quotes', () => {
    assert.deepEqual(read({}).externalTrainer, []);
    const { externalTrainer } = read({ externalTrainer: ' "/opt/my trainer/run"  --data={dataset} "" name="a b"' });
    assert.deepEqual(externalTrainer, ['/opt/my trainer/run', '--data={dataset}', '', 'name=a b']);
  });

  const wrong: [string, Record<string, unknown>][] = [
    ['a command with half a quote', { externalTrainer: 'train "data' }],
    ['a deadline that is no number', { deadline: 'soon' }],
    ['a deadline below 100 ms', { deadline: 50 }],
    ['an empty deadline', { deadline: '' }],
    ['negative days', { retentionNgDays: -1 }],
    ['half a process', { poolSize: 1.5 }],
    ['no room for any imported model', { importLimitMb: 0 }],
    ['more pictures for the gate than it takes', { gatePictures: 1001 }],
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

describe('yolo-detect settings', () => {
  const read = (change: Record<string, unknown>) =>
    detect.readDetectorWishes(migrateConfig(detect.schema, change) as detect.YoloDetectConfig, '/data');

  it('leaves model, part type and confidence to the station unless told', () => {
    assert.deepEqual(read({}), { review: [], ignored: [], roi: null, tiles: null });
  });

  it('starts a relative path of the model at the user folder', () => {
    assert.equal(read({ model: ' models/welds.onnx ' }).model, '/data/models/welds.onnx');
    assert.equal(read({ model: '/models/welds.onnx' }).model, '/models/welds.onnx');
  });

  it('sorts the classes by what they mean, and keeps the confidences set for some', () => {
    const wishes = read({
      confidence: '0.4',
      classes: [
        { label: 'scratch', confidence: '0.6', effect: 'REVIEW' },
        { label: ' dust ', confidence: '', effect: 'ignored' },
        { label: 'crack', confidence: 0, effect: 'NG' },
      ],
    });
    assert.equal(wishes.confidence, 0.4);
    assert.equal(read({ iou: '0.5' }).iou, 0.5);
    assert.deepEqual(wishes.perClass, { scratch: 0.6, crack: 0 });
    assert.deepEqual(wishes.review, ['scratch']);
    assert.deepEqual(wishes.ignored, ['dust']);
  });

  it('reads the region as shares of the picture, and tiles with their overlap as a share', () => {
    assert.deepEqual(read({ roi: '0.1, 0.2, 0.5,0.6' }).roi, { x: 0.1, y: 0.2, width: 0.5, height: 0.6 });
    const tiles = read({ tileColumns: '3', tileRows: 2, tileOverlap: 25 }).tiles;
    assert.deepEqual(tiles, { columns: 3, rows: 2, overlap: 0.25 });
  });

  const wrong: [string, Record<string, unknown>][] = [
    ['a confidence above 1', { confidence: 1.2 }],
    ['a confidence of a class that is no number', { classes: [{ label: 'a', confidence: 'high', effect: 'NG' }] }],
    ['a class that passes parts', { classes: [{ label: 'a', confidence: '', effect: 'OK' }] }],
    ['a class without a name', { classes: [{ label: ' ', confidence: '', effect: 'NG' }] }],
    ['a class that is no class', { classes: [null] }],
    ['classes that are no list', { classes: 'scratch' }],
    [
      'a class that is there twice',
      {
        classes: [
          { label: 'a', confidence: '', effect: 'NG' },
          { label: 'a ', confidence: '', effect: 'ignored' },
        ],
      },
    ],
    ['a region beyond the picture', { roi: '0.5, 0, 0.6, 1' }],
    ['a region of three numbers', { roi: '0.5, 0, 0.5' }],
    ['a region without a size', { roi: '0.5, 0, 0, 1' }],
    ['a region in pixels', { roi: '10, 20, 100, 200' }],
    ['half a tile', { tileColumns: 1.5 }],
    ['tiles that overlap more than by half', { tileOverlap: 60 }],
  ];
  for (const [what, change] of wrong) {
    it(`refuses ${what}`, () => assert.throws(() => read(change), InvalidInput));
  }

  it('refuses a part type with a path in it', () => {
    assert.throws(() => read({ partType: '../etc' }), PartTypeInvalid);
  });
});

describe('image-classify settings', () => {
  const read = (change: Record<string, unknown>) =>
    classify.readClassifierWishes(migrateConfig(classify.schema, change) as classify.ImageClassifyConfig);

  it('leaves part type and verdicts to part and model unless told', () => {
    assert.deepEqual(read({}), { verdicts: {} });
    const verdicts = [{ label: ' porosity', verdict: 'NG' }];
    assert.deepEqual(read({ partType: 'weld', verdicts }), { partType: 'weld', verdicts: { porosity: 'NG' } });
  });

  it('refuses an unknown verdict, a class without a name, one that is there twice, and no list', () => {
    const ok = { label: 'good', verdict: 'OK' };
    for (const verdicts of [[{ ...ok, verdict: 'FINE' }], [{ ...ok, label: '' }], [ok, ok], [null], 'good']) {
      assert.throws(() => read({ verdicts }), InvalidInput);
    }
  });
});

describe('a "train" message', () => {
  const read = (payload: unknown, partType = 'plate', kind: ModelKind = 'patchcore') =>
    readTrainOrder(payload, { kind, partType, userFolder: '/data' });

  it('trains from labelled pictures of the part type of the node and deploys, unless told', () => {
    assert.deepEqual(read(undefined), {
      request: { partType: 'plate', source: { kind: 'labelled' }, deploy: true },
      unlessDeployed: false,
    });
  });

  it('starts relative folders at the user folder', () => {
    const { request } = read({ source: { kind: 'folder', folder: 'good' } });
    assert.deepEqual(request.source, { kind: 'folder', folder: '/data/good' });
  });

  it('hands the options on, with folders that start at the user folder', () => {
    const input = { width: 384, height: 256, mode: 'letterbox' };
    const options = { input, tiles: { columns: 2, rows: 1 }, defectFolder: 'bad', mask: '/masks/plate.png' };
    const { request } = read({ options });
    assert.deepEqual(request.options, {
      input,
      tiles: { columns: 2, rows: 1, overlap: 0.1, banks: 'shared' },
      defectFolder: '/data/bad',
      mask: '/masks/plate.png',
    });
  });

  it('asks for the kind of model of its node, with the options of that kind', () => {
    const detector = { level: 'head', epochs: 5, base: 'mine.onnx', replay: 'old/data.yaml' };
    assert.deepEqual(
      read({ source: { kind: 'dataset', path: 'boards/data.yaml' }, detector }, 'board', 'detector').request,
      {
        kind: 'detector',
        partType: 'board',
        source: { kind: 'dataset', path: '/data/boards/data.yaml' },
        deploy: true,
        detector: { level: 'head', epochs: 5, base: '/data/mine.onnx', replay: '/data/old/data.yaml' },
      },
    );
    assert.deepEqual(read({ deploy: false, classifier: { fineTune: true } }, 'weld', 'classifier').request, {
      kind: 'classifier',
      partType: 'weld',
      source: { kind: 'labelled' },
      deploy: false,
      classifier: { fineTune: true },
    });
  });

  it('leaves the names of bases and backbones as they are', () => {
    const { request } = read({ detector: { base: 'starter' } }, 'board', 'detector');
    assert.equal(request.detector?.base, 'starter');
    assert.equal(
      read({ classifier: { backbone: 'starter' } }, 'x', 'classifier').request.classifier?.backbone,
      'starter',
    );
  });

  it('is refused with the options or sources of another kind, because they would have no effect', () => {
    assert.throws(() => read({ options: {} }, 'board', 'detector'), InvalidInput);
    assert.throws(() => read({ detector: {} }, 'board'), InvalidInput);
    assert.throws(() => read({ detector: {} }, 'board', 'classifier'), InvalidInput);
    assert.throws(() => read({ source: { kind: 'folder', folder: 'good' } }, 'board', 'detector'), InvalidInput);
    assert.throws(() => read({ source: { kind: 'dataset', path: 'data.yaml' } }), InvalidInput);
    assert.throws(() => read({ source: { kind: 'dataset', path: ' ' } }, 'board', 'detector'), InvalidInput);
    assert.throws(() => read({ detector: { level: 'most' } }, 'board', 'detector'), InvalidInput);
    assert.throws(() => read({ classifier: { verdicts: { good: 'FINE' } } }, 'weld', 'classifier'), InvalidInput);
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
    it(`is refused with ${what}`, () => assert.throws(() => read(payload), InvalidInput));
  }

  it('is refused when nobody names a part type', () => {
    assert.throws(() => read({}, ''), InvalidInput);
  });
});

describe('review-queue settings', () => {
  const read = (change: Record<string, unknown>) =>
    review.readAdmissionSettings(migrateConfig(review.schema, { version: 2, ...change }) as review.ReviewQueueConfig);

  it('are without limits but for pictures that look alike, unless told', () => {
    assert.deepEqual(read({}), DEFAULT_ADMISSION);
  });

  it('take everything in a node of version 1, as it did', () => {
    const old = migrateConfig(review.schema, { version: 1, partType: 'plate' });
    assert.deepEqual([old.partType, review.readAdmissionSettings(old).similarLimit], ['plate', 0]);
  });

  it('read percents and limits typed as text', () => {
    const quotas = [
      { reason: 'drift', limit: '20' },
      { reason: 'sent', limit: 0 },
      { reason: 'novel', limit: '' },
    ];
    const settings = read({
      nearThreshold: '5',
      lowConfidence: 75,
      quotaHour: '10',
      quotaDay: 40,
      quotas,
      similarLimit: '3',
    });
    assert.deepEqual(settings, {
      nearThreshold: 0.05,
      lowConfidence: 0.75,
      quotaHour: 10,
      quotaDay: 40,
      quotaPerReason: { drift: 20, sent: 0, novel: null },
      similarLimit: 3,
    });
  });

  const wrong: [string, Record<string, unknown>][] = [
    ['a share above 100 %', { nearThreshold: 101 }],
    ['no confidence', { lowConfidence: '' }],
    ['half a picture an hour', { quotaHour: 0.5 }],
    ['fewer than no pictures', { quotaDay: -1 }],
    ['a quota for what people flag', { quotas: [{ reason: 'flagged', limit: 1 }] }],
    ['quotas that are no list', { quotas: 'many' }],
    ['no number of pictures that look alike', { similarLimit: '' }],
  ];
  for (const [what, change] of wrong) {
    it(`refuse ${what}`, () => assert.throws(() => read(change), InvalidInput));
  }
});

describe('retrain-trigger settings', () => {
  const read = (change: Record<string, unknown>) =>
    retrain.readRetrainSettings(
      migrateConfig(retrain.schema, { partType: 'plate', ...change }) as retrain.RetrainTriggerConfig,
    );

  it('waits for a person and adds to the model, unless told', () => {
    const { conditions, minimumIntervalMinutes, quietHours, request, policy, timeZone } = read({});
    assert.deepEqual(conditions, { labels: 20, drift: true, schedule: null });
    assert.deepEqual([minimumIntervalMinutes, quietHours], [60, []]);
    assert.deepEqual([request, policy], [{ options: { update: true }, priority: 0 }, { kind: 'manual' }]);
    assert.equal(timeZone, Intl.DateTimeFormat().resolvedOptions().timeZone);
  });

  it('reads times, options and numbers typed as text', () => {
    const settings = read({
      kind: 'detector',
      labels: '',
      cron: ' 0 2 * * 1-5 ',
      timeZone: 'Europe/Berlin',
      quietHours: '22:00-06:00, 12:00 - 12:30',
      policy: 'automatic',
      maxWorse: '2.5',
      options: '{"epochs": 20}',
      priority: '-3',
    });
    assert.deepEqual(settings.conditions, {
      labels: null,
      drift: true,
      schedule: { cron: '0 2 * * 1-5', timeZone: 'Europe/Berlin' },
    });
    assert.deepEqual(settings.quietHours, [
      { from: '22:00', to: '06:00' },
      { from: '12:00', to: '12:30' },
    ]);
    assert.deepEqual(settings.policy, { kind: 'automatic', maxWorse: 0.025, shadow: 200 });
    assert.deepEqual(settings.request, { detector: { epochs: 20 }, priority: -3 });
  });

  it('refuses what cannot be meant, and names it', () => {
    const refused = (change: Record<string, unknown>, message: RegExp) =>
      assert.throws(() => read(change), { code: 'invalid-input', message });
    assert.throws(() => read({ partType: '' }), PartTypeInvalid);
    refused({ kind: 'oracle' }, /kind of model/);
    refused({ labels: 0 }, /new labels/);
    refused({ minimumInterval: -1 }, /minimum interval/);
    refused({ quietHours: '22:00' }, /22:00-06:00/);
    refused({ policy: 'always' }, /manual, automatic or never/);
    refused({ options: '[1]' }, /JSON object/);
    refused({ options: '{epochs: 20}' }, /JSON object/);
  });
});
