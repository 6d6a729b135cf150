import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Rescored, rescore } from '../../../engine/learning';
import { overlapping } from '../../../engine/learning/overlapping';
import { PatchcoreModel, trainReferencePackage } from '../../../engine/patchcore';
import { clopperPearson } from '../../../engine/statistics';
import { openStore, type Store } from '../../../engine/store';
import { drawPicture } from '../patchcore/pictures';
import { board, trainBoards, writeBoards } from '../patchcore/reference/boards';
import { trainSmallModel } from '../patchcore/small-model';
import { settlePart } from './history';

describe('Re-scoring the history', function () {
  this.timeout(120_000);
  let folder: string;
  let modelFolder: string;
  let dataFolder: string;
  let store: Store;
  let open = true;
  const ids: Record<string, string> = {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rescore-'));
    modelFolder = join(folder, 'model');
    dataFolder = join(folder, 'data');
    await trainSmallModel(modelFolder, '7');
    store = await openStore({ dataFolder });
    const good = await drawPicture({ seed: 901 });
    const bad = await drawPicture({ seed: 902, defective: true });
    const at = (day: number) => `2026-03-0${day}T10:00:00.000Z`;
    ids.escape = await settlePart(store, good, {
      verdict: 'NG',
      score: 5,
      label: 'NG',
      serial: 'A,"1"',
      capturedAt: at(1),
    });
    ids.kept = await settlePart(store, good, { verdict: 'OK', score: 0.5, capturedAt: at(2) });
    ids.caught = await settlePart(store, bad, { verdict: 'OK', score: 0.5, label: 'NG', capturedAt: at(3) });
    ids.falseReject = await settlePart(store, bad, { verdict: 'OK', score: 0.6, label: 'OK', capturedAt: at(4) });
    ids.failSafe = await settlePart(store, bad, { verdict: 'REVIEW', failSafe: true, capturedAt: at(5) });
    ids.camera = await settlePart(store, null, { verdict: 'NG', failSafe: true, capturedAt: at(6) });
    ids.removed = await settlePart(store, good, { verdict: 'OK', score: 0.5, capturedAt: at(6) });
    ids.broken = await settlePart(store, good, { verdict: 'OK', score: 0.5, capturedAt: at(7) });
    ids.other = await settlePart(store, good, { verdict: 'OK', partType: 'plate', capturedAt: at(8) });
    const pathOf = async (id: string) => store.pictures.absolute((await store.inspections.get(id))?.picturePath ?? '');
    await rm(await pathOf(ids.removed));
    await writeFile(await pathOf(ids.broken), 'no picture');
  });
  after(async () => {
    if (open) await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('compares the verdicts then with those of the candidate, while the station works', async () => {
    const seen: Rescored[] = [];
    const steps: number[] = [];
    const report = await rescore({
      dataFolder,
      modelFolder,
      onResult: (result) => void seen.push(result),
      onProgress: ({ done, total }) => void steps.push(done / total),
    });
    assert.deepEqual(report.model, { name: 'weave', version: '7', partType: 'weave' });
    assert.deepEqual(
      { ...report.pictures, unreadable: report.pictures.unreadable.map(({ id }) => id) },
      { total: 8, scored: 5, missing: 2, withoutGolden: 0, unreadable: [ids.broken] },
    );
    assert.deepEqual(
      seen.map(({ id }) => id),
      [ids.escape, ids.kept, ids.caught, ids.falseReject, ids.failSafe],
      'oldest first',
    );
    assert.deepEqual(report.table, {
      OK: { OK: 1, REVIEW: 0, NG: 2 },
      REVIEW: { OK: 0, REVIEW: 0, NG: 0 },
      NG: { OK: 1, REVIEW: 0, NG: 0 },
      failSafe: { OK: 0, REVIEW: 0, NG: 1 },
    });
    assert.deepEqual(
      report.changes.map(({ id, change }) => [id, change]),
      [
        [ids.escape, 'escape'],
        [ids.falseReject, 'false-reject'],
        [ids.caught, 'other'],
      ],
    );
    assert.deepEqual(report.changes[0].before, {
      verdict: 'NG',
      failSafe: false,
      score: 5,
      model: { name: 'weave', version: '1' },
    });
    assert.deepEqual(report.changed, { count: 3, total: 4, rate: 0.75, ...clopperPearson(3, 4) });
    assert.deepEqual([report.newlyStopped?.count, report.newlyStopped?.total], [2, 3]);
    assert.deepEqual([report.newlyPassed?.count, report.newlyPassed?.total], [1, 1]);
    assert.deepEqual([report.labelled.ng, report.labelled.ok], [2, 1]);
    assert.deepEqual([report.labelled.passedBefore?.count, report.labelled.passedNow?.count], [1, 1]);
    assert.deepEqual([report.labelled.rejectedBefore?.count, report.labelled.rejectedNow?.count], [0, 1]);
    assert.deepEqual([steps.length, steps.at(-1)], [8, 1]);
  });

  it('gives each picture the score the model gives it by itself', async () => {
    const seen: Rescored[] = [];
    await rescore({ dataFolder, modelFolder, onResult: (result) => void seen.push(result) });
    const model = await PatchcoreModel.load(modelFolder, { threads: 1 });
    try {
      const { score } = await model.score(await drawPicture({ seed: 901 }));
      assert.equal(seen[0].after.score, score);
      assert.equal(seen[1].after.score, score);
    } finally {
      await model.dispose();
    }
  });

  it('looks at the last ones, at those since a moment, and at another part type, when told', async () => {
    const totals = async (filter: object) => (await rescore({ dataFolder, modelFolder, filter })).pictures.total;
    assert.equal(await totals({ last: 3 }), 3);
    assert.equal(await totals({ last: 700 }), 8);
    assert.equal(await totals({ from: '2026-03-05T00:00:00.000Z' }), 4);
    assert.equal(await totals({ partType: 'plate' }), 1);
    assert.equal(await totals({ partType: 'nothing' }), 0);
  });

  it('has no rates of nothing', async () => {
    const { changed, labelled, changes } = await rescore({ dataFolder, modelFolder, filter: { partType: 'nothing' } });
    assert.deepEqual([changed, labelled.passedNow, changes], [null, null, []]);
  });

  it('judges by other thresholds when told', async () => {
    const { table } = await rescore({ dataFolder, modelFolder, thresholds: { accept: 1e6, reject: 2e6 } });
    assert.deepEqual(table.OK, { OK: 3, REVIEW: 0, NG: 0 });
  });

  it('stops when told', async () => {
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('enough'));
    await assert.rejects(rescore({ dataFolder, modelFolder, onProgress, signal: stop.signal }), /enough/);
  });

  it('refuses a folder that is no station, and a model that is none', async () => {
    await assert.rejects(rescore({ dataFolder: folder, modelFolder }), /is no data folder of a station/);
    assert.deepEqual((await readdir(folder)).sort(), ['data', 'model']);
    await assert.rejects(rescore({ dataFolder, modelFolder: dataFolder }), { code: 'model-invalid' });
  });

  it('changes nothing, not even a file time, when no station works', async () => {
    await store.close();
    open = false;
    const before = await fingerprint(dataFolder);
    const { pictures } = await rescore({ dataFolder, modelFolder });
    assert.equal(pictures.scored, 5);
    assert.deepEqual(await fingerprint(dataFolder), before);
  });
});

describe('overlapping', () => {
  it('keeps so many under way, and the order', async () => {
    let underWay = 0;
    let most = 0;
    const work = async (item: number) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 5 - item));
      underWay -= 1;
      return item;
    };
    const results: number[] = [];
    for await (const result of overlapping([1, 2, 3, 4], work, 3)) results.push(result);
    assert.deepEqual([results, most], [[1, 2, 3, 4], 3]);
  });

  it('ends with the first failure, and leaves none unheard', async () => {
    const work = async (item: number) => {
      if (item > 1) throw new Error(`item ${item}`);
      return item;
    };
    const results: number[] = [];
    await assert.rejects(async () => {
      for await (const result of overlapping([1, 2, 3], work, 2)) results.push(result);
    }, /item 2/);
    assert.deepEqual(results, [1]);
  });
});

async function fingerprint(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.sort().map(async (file) => {
      const hash = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return `${file} ${(await stat(file)).mtimeMs} ${hash}`;
    }),
  );
}

describe('Re-scoring the history with a model that compares with golden pictures', function () {
  this.timeout(120_000);
  let folder: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  const training = { partType: 'board', version: '1', source: 'drawn', threads: 1 };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rescore-golden-'));
    await writeBoards(folder);
    const store = await openStore({ dataFolder: path('data') });
    const seen = { verdict: 'OK', score: 0.5, partType: 'board' } as const;
    await settlePart(store, await board(1, { shift: 2 }), seen);
    await settlePart(store, await board(1, { shift: 1, defective: true }), { ...seen, label: 'NG' });
    await settlePart(
      store,
      await sharp(await board(1))
        .rotate(90)
        .png()
        .toBuffer(),
      seen,
    );
    await store.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('takes the golden picture that the model brings', async () => {
    const pictures = [1, 2, 3, 4].map((shift) => ({ name: `${shift}.png`, picture: () => board(1, { shift }) }));
    const outFolder = path('shared');
    await trainReferencePackage({ ...training, pictures, referenceFolder: path('one'), outFolder });
    const report = await rescore({ dataFolder: path('data'), modelFolder: outFolder });
    const { unreadable, ...counts } = report.pictures;
    assert.deepEqual(counts, { total: 3, scored: 2, missing: 0, withoutGolden: 0 });
    assert.match(unreadable[0].reason, /cannot show the same part/);
    assert.deepEqual(
      [report.table.OK.OK, report.labelled.passedBefore?.count, report.labelled.passedNow?.count],
      [1, 1, 0],
    );
  });

  it('counts the parts whose own golden pictures are not kept', async () => {
    await trainBoards(folder, path('own'));
    const report = await rescore({ dataFolder: path('data'), modelFolder: path('own') });
    assert.deepEqual(report.pictures, { total: 3, scored: 0, missing: 0, withoutGolden: 3, unreadable: [] });
    assert.equal(report.changed, null);
  });
});
