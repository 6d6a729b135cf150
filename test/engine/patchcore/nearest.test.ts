import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Box, sha256Of } from '../../../engine/domain';
import { SessionCache } from '../../../engine/inference';
import { writePackage } from '../../../engine/packages';
import {
  type NearestGood,
  type PatchcoreTraining,
  readSourceCopy,
  type TrainingPicture,
} from '../../../engine/patchcore';
import { sourcePictures } from '../../../engine/patchcore/sources';
import { tasks } from '../../../engine/patchcore/task';
import { drawGood, drawPicture } from './pictures';
import { type Trained, Workbench } from './workbench';

const LEFT = { x: 24, y: 40, width: 30, height: 30 };
const RIGHT = { x: 106, y: 40, width: 30, height: 30 };

/** Good parts, of which one bears a dark mark on its left. */
async function withOneMarked(): Promise<TrainingPicture[]> {
  const marked = { name: 'marked.jpg', picture: await drawPicture({ seed: 77, defective: true, blot: LEFT }) };
  return [...(await drawGood(7, 501)), marked, ...(await drawGood(4, 521))];
}

describe('The most similar good picture', function () {
  this.timeout(180_000);
  const sessions = new SessionCache(1e9);
  let bench: Workbench;
  let model: Trained;
  let pictures: TrainingPicture[];

  const nearest = (folder: string, picture: Buffer): Promise<NearestGood | null> =>
    tasks['patchcore/nearest']({ folder, picture }, { sessions, threads: 1, signal: new AbortController().signal });
  const train = (options: Partial<PatchcoreTraining> = {}, learnt = pictures) =>
    bench.train(learnt, {
      input: { width: 160, height: 128, mode: 'stretch' },
      keepSuspects: true,
      augmentation: null,
      recipe: { scoring: { method: 'max' } },
      ...options,
    });
  const darkOn = (side: Box) => drawPicture({ seed: 640, defective: true, blot: side });

  before(async () => {
    bench = await Workbench.open();
    pictures = await withOneMarked();
    model = await train();
  });
  after(async () => {
    await sessions.clear();
    await bench.close();
  });

  it('is the one whose patch gave the score', async () => {
    for (const picture of [await drawPicture({ seed: 600 }), await darkOn(RIGHT)]) {
      const found = await nearest(model.folder, picture);
      assert.equal(found?.distance, (await model.score(picture)).score);
    }
  });

  it('shows what is most like the worst place, and where', async () => {
    // darker than the mark that was learnt, at another place
    const place = { x: 90, y: 70, width: 30, height: 30 };
    const picture = await sharp(await drawPicture({ seed: 641, defective: true, blot: place })).toBuffer();
    const found = (await nearest(model.folder, picture)) as NearestGood;
    assert.equal(found.source.name, 'marked.jpg');
    assert.deepEqual([found.source.width, found.source.height], [160, 120]);
    assert.ok(isNear(found.place, place), JSON.stringify(found));
    assert.ok(isNear(found.source.place, LEFT), JSON.stringify(found));
  });

  it('keeps small copies of the pictures that patches come from, in a file listed with its hash', async () => {
    const { picture: rows } = model.origins.banks[0] as { picture: readonly number[] };
    const file = await readFile(join(model.folder, 'sources.bin'));
    assert.equal(sha256Of(file), model.manifest.files['sources.bin'].sha256);
    for (const index of model.origins.pictures.keys()) {
      const copy = await readSourceCopy(model.folder, index);
      assert.deepEqual(
        [copy !== null, model.origins.pictures[index].shown],
        [rows.includes(index), rows.includes(index)],
      );
      if (copy === null) continue;
      const { format, width, height } = await sharp(copy).metadata();
      assert.deepEqual([format, width, height], ['jpeg', 160, 120]);
    }
    assert.equal(await readSourceCopy(model.folder, model.origins.pictures.length), null);
  });

  it('is kept with a longer side of 512 pixels at most', async () => {
    const { folder, origins } = await train({}, await drawGood(2, 551, { width: 300, height: 900 }));
    const [shown] = origins.banks[0]?.picture ?? [];
    const { width, height } = await sharp((await readSourceCopy(folder, shown)) as Buffer).metadata();
    assert.deepEqual([width, height], [170, 510]);
  });

  it('has a copy among 400 at most: those of the pictures with the most rows', async () => {
    const origins = [...Array(402).keys()].flatMap((picture) =>
      Array.from({ length: picture < 2 ? 1 : 2 }, () => ({ picture, tile: 0, patch: 0 })),
    );
    const bank = { patches: { data: new Float32Array(origins.length), rows: origins.length, columns: 1 }, origins };
    const numbering = { list: [], numberOf: (picture: number) => 1000 - picture };
    const copyOf = async (picture: number) => (picture === 7 ? null : Buffer.of(picture));
    const copies = await sourcePictures([{ ...bank, radius: 0 }, null], numbering, copyOf);
    assert.equal(copies.size, 399, 'one cannot be had any more');
    assert.deepEqual([copies.has(1000), copies.has(999), copies.get(998)], [false, false, Buffer.of(2)]);
  });

  it('is shown as it was, though a mirrored copy of it gave the patch', async () => {
    const flipped = await train({ augmentation: { flip: true, rotation: 0, light: 0, shift: 0 } });
    for (const side of [LEFT, RIGHT]) {
      const found = (await nearest(flipped.folder, await darkOn(side))) as NearestGood;
      assert.equal(found.source.name, 'marked.jpg');
      assert.ok(isNear(found.place, side));
      assert.ok(isNear(found.source.place, LEFT), JSON.stringify(found));
    }
  });

  it('is found in pixels of the whole picture, whatever part of it is looked at', async () => {
    const part = { roi: { x: 0.1, y: 0.2, width: 0.9, height: 0.7 } };
    for (const banks of ['shared', 'per-tile'] as const) {
      const tiled = await train({ ...part, tiles: { columns: 2, rows: 1, overlap: 0, banks } });
      const found = (await nearest(tiled.folder, await darkOn(LEFT))) as NearestGood;
      assert.equal(found.source.name, 'marked.jpg', banks);
      assert.ok(isNear(found.place, LEFT) && isNear(found.source.place, LEFT), JSON.stringify(found));
    }
  });

  it('is still known when pictures are added to the version', async () => {
    const added = await drawGood(3, 571);
    const next = await train({ version: '2', updateFrom: model.folder }, added);
    const found = (await nearest(next.folder, await darkOn(RIGHT))) as NearestGood;
    assert.equal(found.source.name, 'marked.jpg');
    assert.ok(found.source.shown);
    const before = model.origins.pictures.findIndex(({ name }) => name === 'marked.jpg');
    assert.deepEqual(await readSourceCopy(next.folder, found.source.index), await readSourceCopy(model.folder, before));
  });

  it('is unknown to packages of older releases, which load and score as ever', async () => {
    const { files: _, ...manifest } = model.manifest;
    const old = join(bench.folder, 'old');
    const files: Record<string, Buffer> = {};
    for (const path of Object.keys(model.manifest.files)) {
      if (path !== 'sources.bin') files[path] = await readFile(join(model.folder, path));
    }
    const origins = JSON.parse(files['bank.json'].toString()) as { pictures: { size?: object; shown?: boolean }[] };
    for (const picture of origins.pictures) {
      delete picture.size;
      delete picture.shown;
    }
    await writePackage(old, manifest, { ...files, 'bank.json': Buffer.from(JSON.stringify(origins)) });
    assert.equal(await nearest(old, await darkOn(LEFT)), null);
    const picture = await drawPicture({ seed: 600 });
    const context = { sessions, threads: 1, signal: new AbortController().signal };
    const { score } = await tasks['patchcore/score']({ folder: old, picture }, context);
    assert.equal(score, (await model.score(picture)).score);
    // and pictures can be added to them: only the new ones are shown then
    const grown = await train({ version: '2', updateFrom: old }, await drawGood(3, 571));
    assert.deepEqual(
      grown.origins.pictures.filter(({ shown }) => shown).map(({ name }) => name),
      ['good-571.jpg', 'good-572.jpg', 'good-573.jpg'],
    );
  });

  it('is unknown where a damaged picture is asked about: that is an error', async () => {
    const copy = join(bench.folder, 'copy');
    await cp(model.folder, copy, { recursive: true });
    await assert.rejects(nearest(copy, Buffer.from('no picture')), /picture/i);
  });
});

/** A patch sees about two cells beyond its own: the worst one may lie beside a mark. */
function isNear({ x, y, width, height }: Box, mark: Box): boolean {
  const reach = 20;
  return (
    x < mark.x + mark.width + reach &&
    x + width > mark.x - reach &&
    y < mark.y + mark.height + reach &&
    y + height > mark.y - reach
  );
}
