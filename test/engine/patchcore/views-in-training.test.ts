import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput, seededRandom, type TilingWish } from '../../../engine/domain';
import { encodeGreyPng, encodeJpeg } from '../../../engine/imaging';
import type { TrainingPicture } from '../../../engine/patchcore';
import { drawGood, drawPicture } from './pictures';
import { type Trained, Workbench } from './workbench';

type Place = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

describe('What of a picture is looked at', function () {
  this.timeout(180_000);
  let bench: Workbench;
  let good: TrainingPicture[];
  before(async () => {
    bench = await Workbench.open();
    good = await drawGood(12);
  });
  after(() => bench.close());

  const blotAt = (x: number, y: number) => ({ x, y, width: 24, height: 24 });
  const drawn = (blot: Place | null) =>
    drawPicture(blot === null ? { seed: 900 } : { seed: 900, defective: true, blot });

  /** A mask of which the pixels count that `counts` says. */
  async function maskOf(name: string, width: number, height: number, counts: (x: number, y: number) => boolean) {
    const path = join(bench.folder, `${name}.png`);
    const greys = Uint8Array.from({ length: width * height }, (_, place) =>
      counts(place % width, Math.floor(place / width)) ? 255 : 0,
    );
    await writeFile(path, await encodeGreyPng(greys, width, height));
    return path;
  }

  describe('with a region of interest', () => {
    let trained: Trained;
    before(async () => {
      trained = await bench.train(good, { roi: { x: 0, y: 0, width: 0.5, height: 1 } });
    });

    it('a defect outside changes neither the score nor the regions', async () => {
      const clean = await trained.score(await drawn(null));
      const outside = await trained.score(await drawn(blotAt(112, 48)));
      assert.deepEqual([outside.score, outside.regions], [clean.score, clean.regions]);
      assert.ok(clean.score < clean.thresholds.reject);
    });

    it('a defect inside is found, and its region lies on it in pixels of the whole picture', async () => {
      const blot = blotAt(20, 48);
      const { score, thresholds, regions, image } = await trained.score(await drawn(blot));
      assert.ok(score > thresholds.reject);
      assert.ok(isOn(regions[0].box, blot), JSON.stringify(regions[0]));
      assert.ok(regions.every(({ box }) => box.x + box.width <= 80));
      assert.deepEqual(image, { width: 160, height: 120 });
    });
  });

  describe('with a mask', () => {
    let trained: Trained;
    before(async () => {
      const mask = await maskOf('left', 80, 60, (x) => x < 40);
      const input = { width: 128, height: 96, mode: 'stretch' } as const;
      trained = await bench.train(good, { mask, input, augmentation: null });
    });

    it('a defect where it is black changes neither the score nor the regions', async () => {
      const clean = await trained.score(await drawn(null));
      const outside = await trained.score(await drawn(blotAt(134, 48)));
      assert.ok(Math.abs(outside.score - clean.score) < 0.02 * clean.score, `${outside.score} ${clean.score}`);
      assert.deepEqual(outside.regions, clean.regions);
      const inside = await trained.score(await drawn(blotAt(20, 48)));
      assert.ok(inside.score > inside.thresholds.reject);
      assert.ok(isOn(inside.regions[0].box, blotAt(20, 48)));
      // the map is cut at the mask, whatever the width of its gaussian
      assert.ok(inside.regions.every(({ box }) => box.x + box.width <= 81));
    });

    it('only what counts is learnt', () => {
      const [bank] = trained.origins.banks;
      assert.equal(trained.manifest.bank.candidates, 12 * 12 * 8);
      assert.ok(bank?.patch.every((patch) => patch % 16 < 8));
      assert.equal(trained.manifest.viewing.mask, 'mask.png');
    });

    it('nothing of it and of the region of interest together is an error with advice, and nothing is written', async () => {
      const mask = join(bench.folder, 'left.png');
      const roi = { x: 0.5, y: 0, width: 0.5, height: 1 };
      const before = await readdir(bench.folder);
      for (const recipe of ['measured', {}] as const) {
        for (const banks of ['shared', 'per-tile'] as const) {
          const tiles = { columns: 2, rows: 2, overlap: 0, banks };
          await assert.rejects(bench.train(good, { mask, roi, tiles, recipe }), (error: Error) => {
            return (
              error instanceof InvalidInput && /Nothing of the pictures counts: the mask leaves/.test(error.message)
            );
          });
        }
      }
      assert.deepEqual(await readdir(bench.folder), before);
    });

    it('goes along with mirrored copies', async () => {
      const mask = join(bench.folder, 'left.png');
      const augmentation = { flip: true, rotation: 0, light: 0, shift: 0 };
      const { origins, manifest } = await bench.train(good.slice(0, 4), { mask, augmentation });
      assert.equal(manifest.bank.candidates, 4 * 4 * 8 * 4);
      const columns = new Set(origins.banks[0]?.patch.map((patch) => patch % 8));
      assert.deepEqual([...columns].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
    });
  });

  describe('with tiles', () => {
    const size = { width: 480, height: 320 };
    const dot = { x: 300, y: 100, width: 10, height: 10 };
    let wide: TrainingPicture[];
    before(async () => {
      wide = await drawGood(8, 1, size);
    });
    const wideDrawn = (blot: Place | null) =>
      drawPicture({ seed: 900, ...size, ...(blot && { defective: true, blot }) });

    it('a defect too small for one view of the whole is found, and its region lies on it', async () => {
      const whole = await bench.train(wide);
      const missed = await whole.score(await wideDrawn(dot));
      assert.ok(missed.score < missed.thresholds.accept, 'too small without tiles');
      for (const banks of ['shared', 'per-tile'] as const) {
        const tiles: TilingWish = { columns: 3, rows: 2, overlap: 0.1, banks };
        const trained = await bench.train(wide, { tiles });
        const found = await trained.score(await wideDrawn(dot));
        assert.ok(found.score > found.thresholds.reject, `${banks}: ${found.score} ${found.thresholds.reject}`);
        assert.ok(isOn(found.regions[0].box, dot), `${banks}: ${JSON.stringify(found.regions[0])}`);
        assert.ok(found.regions[0].box.width <= 120 && found.regions[0].box.height <= 120);
        const clean = await trained.score(await wideDrawn(null));
        assert.ok(clean.score < clean.thresholds.reject, banks);
        const heads = banks === 'shared' ? ['head.onnx'] : [1, 2, 3, 4, 5, 6].map((tile) => `head-${tile}.onnx`);
        assert.deepEqual(trained.manifest.bank.heads, heads);
      }
    });

    it('one of which nothing counts has no bank, and is not looked at', async () => {
      const mask = await maskOf('first-tile', 30, 20, (x) => x < 15);
      const tiles: TilingWish = { columns: 2, rows: 1, overlap: 0, banks: 'per-tile' };
      const trained = await bench.train(wide, { tiles, mask });
      assert.deepEqual(trained.manifest.bank.heads, ['head-1.onnx', null]);
      const [clean, outside] = [await trained.score(await wideDrawn(null)), await trained.score(await wideDrawn(dot))];
      assert.deepEqual([outside.score, outside.regions], [clean.score, clean.regions]);
      const inside = await trained.score(await wideDrawn({ x: 80, y: 140, width: 50, height: 50 }));
      assert.ok(inside.score > inside.thresholds.reject);
    });
  });

  describe('by its place', () => {
    const [width, height] = [256, 128];

    /** Upright stripes on the left, lying ones on the right; or upright ones all over. */
    function striped(seed: number, isUprightAllOver = false): Promise<Buffer> {
      const random = seededRandom(seed);
      const pixels = new Uint8Array(width * height * 3);
      const phase = random() * 6;
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          const along = isUprightAllOver || x < width / 2 ? x : y;
          const value = 128 + 60 * Math.sin(along / 1.5 + phase) + 16 * (random() - 0.5);
          pixels.fill(value, (y * width + x) * 3, (y * width + x) * 3 + 3);
        }
      }
      return encodeJpeg(pixels, width, height, 92);
    }

    it('a texture that is normal elsewhere is found where places matter, and not where they do not', async () => {
      const pictures = await Promise.all(
        Array.from({ length: 10 }, async (_, seed) => ({ name: `${seed}.jpg`, picture: await striped(seed) })),
      );
      const options = { input: { width, height, mode: 'stretch' }, augmentation: null } as const;
      const anywhere = await bench.train(pictures, options);
      const placed = await bench.train(pictures, { ...options, position: { reach: 0.125 } });
      const [clean, wrong] = [await striped(900), await striped(900, true)];
      // far from the edge and from where the lying stripes would begin
      const strangest = async ({ model, manifest }: Trained) => {
        const [{ distances }] = (await model.measure(wrong)).views;
        const within = distances.filter((_, patch) => patch % 32 >= 20 && patch % 32 < 26);
        return Math.max(...within) / manifest.thresholds.reject;
      };
      const [known, misplaced] = [await strangest(anywhere), await strangest(placed)];
      assert.ok(known < 1, `${known}: the texture is known`);
      assert.ok(misplaced > 3, `${misplaced}: but not at this place`);
      const [good, stray] = [await placed.score(clean), await placed.score(wrong)];
      assert.ok(good.score < good.thresholds.reject && stray.score > stray.thresholds.reject);
      // an eighth of 256 pixels, in cells of 8
      assert.equal(placed.manifest.bank.reach, 4);
    });

    it('each tile has its own bank', async () => {
      const tiles: TilingWish = { columns: 2, rows: 1, overlap: 0, banks: 'shared' };
      const { manifest } = await bench.train(good, { tiles, position: { reach: 0.1 } });
      assert.deepEqual([manifest.bank.tiles, manifest.bank.heads], ['per-tile', ['head-1.onnx', 'head-2.onnx']]);
      // a tenth of both tiles together
      assert.ok(Math.abs((manifest.bank.reach ?? 0) - (0.1 * 128) / 8) < 1e-9);
    });
  });

  describe('at the size of the input', () => {
    for (const side of [128, 1024]) {
      it(`${side} finds the defect`, async () => {
        const options = { input: { width: side, height: side, mode: 'stretch' }, augmentation: null } as const;
        const trained = await bench.train(good.slice(0, 2), { ...options, coresetSize: 50 });
        const blot = blotAt(70, 40);
        const { score, thresholds, regions } = await trained.score(await drawn(blot));
        assert.ok(score > thresholds.accept);
        assert.ok(isOn(regions[0].box, blot));
        assert.equal(trained.manifest.bank.candidates, 2 * (side / 8) ** 2);
      });
    }

    it('outside 64 to 1024, or no multiple of 32, is refused', async () => {
      for (const side of [32, 100, 1056]) {
        const input = { width: side, height: 128, mode: 'stretch' } as const;
        await assert.rejects(bench.train(good, { input }), InvalidInput, `${side}`);
      }
    });

    it('padding of a letterbox never counts, neither in pictures nor in their altered copies', async () => {
      const flat = await drawGood(3, 1, { width: 160, height: 80 });
      const trained = await bench.train(flat, { input: { width: 64, height: 64, mode: 'letterbox' } });
      const { augmentation, bank } = trained.manifest;
      assert.ok(augmentation);
      // 4 of 8 rows of patches show the picture
      assert.equal(bank.candidates, 3 * (1 + augmentation.copies) * 8 * 4);
      const rows = new Set(trained.origins.banks[0]?.patch.map((patch) => Math.floor(patch / 8)));
      assert.deepEqual([...rows].sort(), [2, 3, 4, 5]);
      const { views } = await trained.model.measure(await drawPicture({ seed: 900, width: 160, height: 80 }));
      const [{ distances, counts }] = views;
      for (let patch = 0; patch < 64; patch += 1) {
        const isShown = patch >= 16 && patch < 48;
        assert.equal(counts[patch], isShown ? 1 : 0);
        if (!isShown) assert.equal(distances[patch], 0);
      }
    });
  });
});

/** Does the middle of the defect lie in the box? */
function isOn(box: Place, defect: Place): boolean {
  const [x, y] = [defect.x + defect.width / 2, defect.y + defect.height / 2];
  return x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
}
