import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Detection,
  DetectorSettings,
  GateReport,
  JobProgress,
  LabelledBox,
  SnapshotItem,
  Thresholds,
} from '../../../../engine/domain';
import { ModelRegistry } from '../../../../engine/learning';
import { type GateOrder, type GatePicture, gateOrderOf, judgeCandidate } from '../../../../engine/learning/gate';
import { judge } from '../../../../engine/learning/gate/judge';
import { readManifest, writeManifest } from '../../../../engine/packages';
import { PatchcoreModel } from '../../../../engine/patchcore';
import { openStore, type Store } from '../../../../engine/store';
import { writeColourClassifier } from '../../../support/colour-classifier';
import { colouredPicture, writeColourPackage } from '../../../support/colour-detector';
import { TRAINING_LIMIT_MS } from '../../../support/jobs';
import { drawPicture } from '../../patchcore/pictures';
import { trainSmallModel } from '../../patchcore/small-model';
import { settlePart } from '../history';

const point = (figure: { before: number | null; after: number } | null | undefined) =>
  figure && [figure.before, figure.after];

describe('Judging a candidate', function () {
  this.timeout(TRAINING_LIMIT_MS);
  let folder: string;
  let dataFolder: string;
  let store: Store;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gate-'));
    dataFolder = join(folder, 'data');
    store = await openStore({ dataFolder });
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function labelled(
    id: string,
    bytes: Buffer,
    label: GatePicture['label'],
    more: Partial<GatePicture> = {},
  ): Promise<GatePicture> {
    const path = join(folder, `${id}.jpg`);
    await writeFile(path, bytes);
    return { id, picture: path, label, boxes: null, split: 'val', source: 'imported', ...more };
  }

  const orderOf = (name: string, order: Pick<GateOrder, 'kind' | 'pictures'> & Partial<GateOrder>): GateOrder => ({
    task: 'judge',
    candidate: { name, version: '2', folder: join(dataFolder, 'models', name, '2') },
    against: { name, version: '1', folder: join(dataFolder, 'models', name, '1') },
    dataset: null,
    production: { dataFolder, partType: 'weave', last: 0 },
    thresholds: { before: null, after: null },
    policy: null,
    levelledBefore: 0,
    trained: null,
    threads: 1,
    ...order,
  });
  const codes = ({ decision }: GateReport) => decision.reasons.map(({ code }) => code);

  describe('by anomaly scores', () => {
    const scores: Record<string, number> = {};
    let pictures: GatePicture[];
    const past: string[] = [];

    /** The version with other levels, so that its verdicts follow from the scores by hand. */
    async function writeLevels(version: string, thresholds: Thresholds): Promise<void> {
      const place = join(dataFolder, 'models', 'weave', version);
      await cp(join(folder, 'weave'), place, { recursive: true });
      await writeManifest(place, { ...(await readManifest(place, 'patchcore')), version, thresholds });
    }

    before(async () => {
      await trainSmallModel(join(folder, 'weave'), '1');
      const good = await Promise.all([901, 903, 905].map((seed) => drawPicture({ seed })));
      const bad = await Promise.all([902, 904].map((seed) => drawPicture({ seed, defective: true })));
      pictures = [
        await labelled('good a', good[0], 'OK'),
        await labelled('good b', good[1], 'OK'),
        await labelled('learnt', good[2], 'OK', { split: 'train' }),
        await labelled('bad a', bad[0], 'NG'),
        await labelled('bad b', bad[1], 'NG', { split: 'train' }),
        await labelled('broken', Buffer.from('no picture'), 'NG'),
        await labelled('gone', good[0], 'OK', { picture: join(folder, 'nothing.jpg') }),
      ];
      const model = await PatchcoreModel.load(join(folder, 'weave'), { threads: 1 });
      for (const [place, name] of ['good a', 'good b', 'good c'].entries()) {
        scores[name] = (await model.score(good[place], { map: false })).score;
      }
      for (const [place, name] of ['bad a', 'bad b'].entries()) {
        scores[name] = (await model.score(bad[place], { map: false })).score;
      }
      await model.dispose();
      const highestGood = Math.max(scores['good a'], scores['good b'], scores['good c']);
      const lowestBad = Math.min(scores['bad a'], scores['bad b']);
      assert.ok(highestGood < lowestBad, 'the small model tells them apart');
      // before: good parts pass, bad ones do not; after: all good and the milder bad one pass
      await writeLevels('1', { accept: (highestGood + lowestBad) / 2, reject: lowestBad - 1e-3 });
      await writeLevels('2', { accept: lowestBad + 1e-3, reject: lowestBad + 2e-3 });
      for (const bytes of [good[2], bad[0], bad[1]]) past.push(await settlePart(store, bytes, { verdict: 'OK' }));
      await rm(store.pictures.absolute((await store.inspections.get(past[0]))!.picturePath!));
    });

    it('measures on pictures held out and all that are NG, and lists what would newly pass', async () => {
      const report = await judge(orderOf('weave', { kind: 'patchcore', pictures }), () => {});
      const { holdOut, oldClasses } = report;
      assert.deepEqual([holdOut?.pictures, holdOut?.ok, holdOut?.ng], [4, 2, 2]);
      assert.ok(!('levels' in holdOut!), 'it was not trained from these labels');
      assert.deepEqual(point(holdOut?.accuracy), [1, 0.75]);
      assert.deepEqual(point(holdOut?.escapes), [0, 0.5]);
      assert.deepEqual(point(holdOut?.falseRejects), [0, 0]);
      assert.deepEqual(point(holdOut?.auroc), [1, 1]);
      assert.deepEqual(oldClasses?.perClass, [{ label: 'defect', count: 2, before: 1, after: 0.5 }]);
      assert.equal(report.labelledNgNewlyPassed, 1);
      assert.deepEqual(codes(report), [
        'gate-accuracy-fell',
        'gate-escapes-rose',
        'gate-old-classes-fell',
        'gate-ng-newly-passes',
      ]);
      assert.deepEqual(report.candidate, { name: 'weave', version: '2' });
      assert.deepEqual(report.against, { name: 'weave', version: '1' });
    });

    it('counts escapes among the NG pictures that set no level, once ten are held out, and looks at all of them', async () => {
      const dataset = { id: 'set', hash: 'hash' };
      const few = await judge(orderOf('weave', { kind: 'patchcore', pictures, dataset }), () => {});
      assert.deepEqual(few.holdOut?.levels, { ng: 3, same: true });
      const [, , , severer, milder] =
        scores['bad a'] > scores['bad b'] ? pictures : pictures.with(3, pictures[4]).with(4, pictures[3]);
      const heldOut = Array.from(
        { length: 10 },
        (_, at) => ({ ...severer, id: `held out ${at}`, split: 'val' }) as const,
      );
      const many = [...heldOut, { ...milder, split: 'train' } as const];
      const { holdOut, labelledNgNewlyPassed } = await judge(
        orderOf('weave', { kind: 'patchcore', pictures: many, dataset }),
        () => {},
      );
      assert.deepEqual([holdOut?.ng, holdOut?.levels], [10, { ng: 1, same: false }]);
      assert.deepEqual(point(holdOut?.escapes), [0, 0]);
      assert.equal(labelledNgNewlyPassed, 1, 'the one that set the levels');
    });

    it('compares the decisions on the newest production pictures, with the labels people gave them', async () => {
      const label = (id: string): GatePicture => ({ ...pictures[3], id });
      const production = { dataFolder, partType: 'weave', last: 200 };
      const steps: JobProgress[] = [];
      const order = orderOf('weave', { kind: 'patchcore', pictures: [label(past[1]), label(past[2])], production });
      const { shadow, labelledNgNewlyPassed } = await judge(order, (step) => steps.push(step));
      const milder = scores['bad a'] < scores['bad b'] ? past[1] : past[2];
      assert.deepEqual(
        { ...shadow, items: shadow?.items.map(({ scoreBefore, scoreAfter, ...item }) => item) },
        {
          pictures: 2,
          changed: 1,
          newlyPassed: 1,
          newlyStopped: 0,
          items: [{ id: milder, label: 'NG', before: 'NG', after: 'OK', picture: 'inspection' }],
          skipped: 1,
        },
      );
      const lowest = Math.min(scores['bad a'], scores['bad b']);
      assert.ok(Math.abs(shadow!.items[0].scoreAfter! - lowest) < 1e-6);
      // both NG pictures are the severer one of the two, or the milder one, under the ids of the two past parts
      assert.ok(labelledNgNewlyPassed >= 1);
      assert.deepEqual([steps.at(-1)?.stage, steps.at(-1)?.percent], ['gate', 100]);
    });

    it('judges the version in production by the levels set by hand for it', async () => {
      const thresholds = { before: { accept: 1e6, reject: 2e6 }, after: null };
      const report = await judge(orderOf('weave', { kind: 'patchcore', pictures, thresholds }), () => {});
      assert.deepEqual(point(report.holdOut?.escapes), [1, 0.5]);
      assert.equal(report.labelledNgNewlyPassed, 0);
      assert.deepEqual(codes(report), []);
    });

    it('tells what the first version achieves, and compares it with nothing', async () => {
      const order = orderOf('weave', { kind: 'patchcore', pictures, against: null });
      const report = await judge({ ...order, production: { ...order.production, last: 200 } }, () => {});
      assert.deepEqual(point(report.holdOut?.accuracy), [null, 0.75]);
      assert.deepEqual([report.oldClasses, report.shadow, report.labelledNgNewlyPassed], [null, null, 0]);
      assert.ok(report.decision.accepted);
    });
  });

  describe('by boxes', () => {
    const dent = (x: number, y: number): LabelledBox => ({ label: 'red', box: { x, y, width: 64, height: 64 } });

    it('measures average precision and what is found of the classes known before', async () => {
      const place = (version: string) => join(dataFolder, 'models', 'plate.detector', version);
      await writeColourPackage(place('1'), { partType: 'plate', version: '1' });
      const thresholds = { confidence: 0.25, perClass: { red: 0.7 } };
      await writeColourPackage(place('2'), { partType: 'plate', version: '2', thresholds });
      // fields of brightness 255 and 128: confidences 1 and 0.5
      const bright = await colouredPicture([['red', 255], null, null, null]);
      const pale = await colouredPicture([['red', 128], null, null, null]);
      const pictures = [
        await labelled('bright', bright, 'NG', { boxes: [dent(0, 0)] }),
        await labelled('pale', pale, 'NG', { boxes: [dent(0, 0)] }),
        await labelled('clean', await colouredPicture([null, null, null, null]), 'OK'),
        await labelled('learnt', pale, 'NG', { boxes: [dent(0, 0)], split: 'train' }),
      ];
      const report = await judge(orderOf('plate.detector', { kind: 'detector', pictures }), () => {});
      assert.equal(report.holdOut?.pictures, 3);
      // the candidate's boxes are the same ones; only from which confidence they count differs
      assert.deepEqual(point(report.holdOut?.map50), [1, 1]);
      assert.deepEqual(point(report.holdOut?.escapes), [0, 0.5]);
      assert.deepEqual(point(report.oldClasses?.recall), [1, 0.5]);
      assert.deepEqual(report.oldClasses?.perClass, [{ label: 'red', count: 2, before: 1, after: 0.5 }]);
      assert.equal(report.labelledNgNewlyPassed, 2, 'the learnt one, too');
    });

    it('compares decisions on production pictures by the settings of the node that looked at them', async () => {
      const place = (version: string) => join(dataFolder, 'models', 'board.detector', version);
      for (const version of ['1', '2']) await writeColourPackage(place(version), { partType: 'board', version });
      const name = 'board.detector';
      const settle = async (
        settings: DetectorSettings | undefined,
        version: string,
        detections: readonly Detection[],
      ) =>
        settlePart(store, await colouredPicture([['red', 128], null, null, null]), {
          verdict: detections.length === 0 ? 'OK' : 'NG',
          partType: 'board',
          finding: {
            ...{ kind: 'detections', node: 'd', model: { name, version }, milliseconds: { total: 1 } },
            ...{ detections, thresholds: { confidence: 0.25, perClass: {} } },
            ...(settings && { settings }),
          },
        });
      const red = { ...dent(0, 0), confidence: 0.5 };
      // nothing is found where nobody looks, below the confidence set, or of a class left out: by either version
      await settle({ roi: { x: 0.5, y: 0, width: 0.5, height: 1 } }, '1', []);
      await settle({ confidence: 0.9, perClass: { unknown: 0.1 } }, '0', []);
      await settle({ ignored: ['red'] }, '1', []);
      await settle({}, '1', [red]);
      // what the line recorded counts for the version in production, and is not looked for once more
      const missed = await settle({}, '1', []);
      // of an earlier release: both versions alone
      await settle(undefined, '1', []);
      const production = { dataFolder, partType: 'board', last: 200 };
      const { shadow } = await judge(orderOf(name, { kind: 'detector', pictures: [], production }), () => {});
      const { items, ...counts } = shadow!;
      assert.deepEqual(counts, { pictures: 6, changed: 1, newlyPassed: 0, newlyStopped: 0, skipped: 0 });
      assert.deepEqual(
        items.map(({ id, after, scoreBefore }) => ({ id, after, scoreBefore })),
        [{ id: missed, after: 'NG', scoreBefore: 0 }],
      );
    });
  });

  describe('by classes, in a process of its own', () => {
    let order: GateOrder;

    before(async () => {
      const place = (version: string) => join(dataFolder, 'models', 'plate.classifier', version);
      await writeColourClassifier(place('1'), 'plate', '1');
      await writeColourClassifier(place('2'), 'plate', '2', { bad: 'NG', good: 'OK', odd: 'OK' });
      const plain = async (r: number, g: number, b: number) => {
        const sharp = (await import('sharp')).default;
        return sharp({ create: { width: 64, height: 64, channels: 3, background: { r, g, b } } })
          .jpeg()
          .toBuffer();
      };
      const pictures = [
        await labelled('green', await plain(0, 255, 0), 'OK'),
        await labelled('blue', await plain(0, 0, 255), 'OK'),
        await labelled('red', await plain(255, 0, 0), 'NG', { boxes: [{ ...dentOf('bad') }] }),
      ];
      order = orderOf('plate.classifier', { kind: 'classifier', pictures });
    });
    const dentOf = (label: string): LabelledBox => ({ label, box: { x: 0, y: 0, width: 9, height: 9 } });

    it('measures who passes and what is named rightly', async () => {
      const report = await judgeCandidate(order, () => {}, new AbortController().signal);
      assert.deepEqual(point(report.holdOut?.accuracy), [2 / 3, 1]);
      assert.deepEqual(point(report.holdOut?.falseRejects), [0.5, 0]);
      // good parts are of class "good": blue is named "odd" by both
      assert.deepEqual(report.oldClasses?.perClass, [
        { label: 'bad', count: 1, before: 1, after: 1 },
        { label: 'good', count: 2, before: 0.5, after: 0.5 },
      ]);
      assert.deepEqual(report.decision, { accepted: true, reasons: [] });
    });

    it('ends at once when it is no longer wanted', async () => {
      const abort = new AbortController();
      const steps: number[] = [];
      const onProgress = ({ percent }: JobProgress) => {
        steps.push(percent);
        abort.abort(new Error('enough'));
      };
      await assert.rejects(judgeCandidate(order, onProgress, abort.signal), /enough/);
      assert.ok((steps.at(-1) ?? 100) < 100, `${steps}`);
      await assert.rejects(
        judgeCandidate(order, () => {}, abort.signal),
        /enough/,
      );
    });

    it('says which version cannot be used', async () => {
      const candidate = { ...order.candidate, folder: join(dataFolder, 'models', 'plate.classifier', '9') };
      const judging = judgeCandidate({ ...order, candidate }, () => {}, new AbortController().signal);
      await assert.rejects(judging, { code: 'model-invalid' });
    });

    it('needs no process when there is nothing to look at', async () => {
      const candidate = { ...order.candidate, folder: '/nowhere' };
      const judged = (more: Partial<GateOrder>) =>
        judgeCandidate({ ...order, candidate, pictures: [], ...more }, () => {}, new AbortController().signal);
      const last = { ...order.production, last: 5 };
      for (const report of [await judged({ against: null, production: last }), await judged({})]) {
        assert.deepEqual([report.holdOut, report.decision.accepted], [null, true]);
      }
      await assert.rejects(judged({ production: last }), { code: 'model-invalid' });
    });

    it('takes the pictures, levels and versions as they stand in the station', async () => {
      const models = new ModelRegistry({ store });
      await models.deploy('weave', '1', 'ada');
      const bytes = await drawPicture({ seed: 5 });
      const id = await settlePart(store, bytes, { verdict: 'OK', label: 'NG' });
      await store.settings.setRouting('weave', { thresholds: { accept: 3, reject: 4 } }, 'ada');
      const wish = { kind: 'patchcore', partType: 'weave', version: '2', dataset: null, trained: null } as const;
      const policy = { kind: 'automatic', maxWorse: 0.02, shadow: 30 } as const;
      const made = await gateOrderOf({ ...wish, policy }, { store, models });
      assert.deepEqual([made.candidate.version, made.against?.version], ['2', '1']);
      assert.deepEqual(made.thresholds, { before: { accept: 3, reject: 4 }, after: null });
      assert.deepEqual([made.production.last, made.policy], [30, policy]);
      assert.deepEqual(
        made.pictures.map((one) => [one.id, one.label, one.source]),
        [[id, 'NG', 'inspection']],
      );
      const other = await gateOrderOf(
        { ...wish, version: '1', policy: null },
        {
          ...{ store, models, gatePictures: 7 },
          routerThresholds: () => ({ accept: 5, reject: 6 }),
        },
      );
      assert.deepEqual(other.thresholds, { before: { accept: 3, reject: 4 }, after: { accept: 5, reject: 6 } });
      assert.deepEqual([other.against, other.production.last], [null, 7], 'itself in production');
    });

    it('counts the judges that have set the level of the version in production alone', async () => {
      const place = join(dataFolder, 'models', 'weave', '7');
      await cp(join(folder, 'weave'), place, { recursive: true });
      const manifest = await readManifest(place, 'patchcore');
      const hash = 'a'.repeat(64);
      await writeManifest(place, {
        ...{ ...manifest, version: '7' },
        dataset: { ...manifest.dataset, snapshot: { id: 'before', hash } },
      });
      const labelOf = (id: string, split: SnapshotItem['split']): SnapshotItem => ({
        ...{ id, split, label: 'NG', boxes: null, source: 'imported', sha256: id, picturePath: `${id}.jpg` },
        size: { width: 1, height: 1 },
      });
      const heldOut = Array.from({ length: 12 }, (_, at) => labelOf(`held out ${at}`, 'val'));
      const other = labelOf('other', 'train');
      const kept: Record<string, readonly SnapshotItem[]> = {
        before: [...heldOut.slice(0, 9), other],
        now: [...heldOut, other],
        few: heldOut.slice(0, 9),
      };
      const { inspections, labels, settings } = store;
      const pictures = { absolute: (path: string) => path } as Store['pictures'];
      const snapshots = { get: async (id: string) => ({ items: kept[id] ?? [] }) } as unknown as Store['snapshots'];
      const models = new ModelRegistry({ store });
      await models.deploy('weave', '7', 'ada');
      const counted = async (id: string) => {
        const wish = { kind: 'patchcore', partType: 'weave', version: '2', policy: null, trained: null } as const;
        const context = { store: { dataFolder, inspections, labels, pictures, settings, snapshots }, models };
        return (await gateOrderOf({ ...wish, dataset: { id, hash } }, context)).levelledBefore;
      };
      assert.equal(await counted('now'), 9, 'three came later, and one judges neither');
      assert.equal(await counted('few'), 0, 'all set the level of both');
    });
  });
});
