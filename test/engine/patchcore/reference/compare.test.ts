import assert from 'node:assert/strict';
import sharp from 'sharp';
import { seededRandom } from '../../../../engine/domain';
import { PictureUnreadable } from '../../../../engine/imaging';
import { Session } from '../../../../engine/inference';
import {
  compareWithReference,
  DEFAULT_REFERENCE_SETTINGS,
  ReferenceComparer,
  ReferenceMismatch,
  ReferenceUnreadable,
  WRONG_PART_SCORE,
} from '../../../../engine/patchcore';
import { type ComparisonSettings, comparisonGraph } from '../../../../engine/patchcore/reference/comparison-graph';
import { partScene, planeOf, pngOf, withBlot } from './scenes';

/** The comparison written down once more, pixel by pixel and without ONNX. */
function plainComparison(
  picture: Float32Array[],
  reference: Float32Array[],
  counts: Float32Array,
  width: number,
  height: number,
  { tolerance, contrast, smoothing }: ComparisonSettings,
): Float32Array {
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? -1 : y * width + x);
  const near = (x: number, y: number, reach: number) => {
    const places: number[] = [];
    for (let dy = -reach; dy <= reach; dy += 1)
      for (let dx = -reach; dx <= reach; dx += 1) places.push(at(x + dx, y + dy));
    return places;
  };
  const outside = (values: Float32Array, others: Float32Array, x: number, y: number) => {
    const around = near(x, y, tolerance)
      .filter((place) => place >= 0)
      .map((place) => others[place]);
    const value = values[at(x, y)];
    return Math.max(value - Math.max(...around), Math.min(...around) - value);
  };
  const map = (of: (x: number, y: number) => number) =>
    Float32Array.from({ length: width * height }, (_, place) => of(place % width, Math.floor(place / width)));
  const excess = map((x, y) => {
    const channels = picture.map((band, channel) =>
      Math.max(outside(band, reference[channel], x, y), outside(reference[channel], band, x, y)),
    );
    return Math.max(0, Math.max(...channels) - contrast) * counts[at(x, y)];
  });
  const mean = (values: Float32Array) =>
    map((x, y) => {
      const around = near(x, y, (smoothing - 1) / 2).map((place) => (place < 0 ? 0 : values[place]));
      return around.reduce((sum, value) => sum + value, 0) / around.length;
    });
  return mean(mean(excess));
}

describe('the comparison graph', () => {
  for (const settings of [
    { tolerance: 2, contrast: 0.15, smoothing: 3 },
    { tolerance: 0, contrast: 0, smoothing: 1 },
    { tolerance: 1, contrast: 0.05, smoothing: 5 },
  ]) {
    it(`does what it says with ${JSON.stringify(settings)}`, async () => {
      const [width, height] = [17, 11];
      const random = seededRandom(2);
      const plane = () => Float32Array.from({ length: width * height }, () => random());
      const [picture, reference] = [
        [plane(), plane(), plane()],
        [plane(), plane(), plane()],
      ];
      const counts = plane().map((value) => (value < 0.9 ? 1 : 0));
      const session = await Session.open(comparisonGraph(settings), 1);
      const joined = (planes: Float32Array[]) => Float32Array.from(planes.flatMap((each) => Array.from(each)));
      const dims = [1, 3, height, width];
      const { map } = await session.run(
        {
          picture: { data: joined(picture), dims },
          reference: { data: joined(reference), dims },
          counts: { data: counts, dims: [1, 1, height, width] },
        },
        ['map'],
      );
      await session.close();
      const expected = plainComparison(picture, reference, counts, width, height, settings);
      for (const [place, value] of expected.entries()) assert.ok(Math.abs(map.data[place] - value) < 1e-5);
      assert.ok(Math.max(...expected) > 0);
    });
  }

  it('refuses settings out of range', () => {
    assert.throws(() => comparisonGraph({ tolerance: 1.5, contrast: 0, smoothing: 3 }), RangeError);
    assert.throws(() => comparisonGraph({ tolerance: 1, contrast: 0, smoothing: 4 }), RangeError);
  });
});

describe('a picture compared with its golden picture', function () {
  this.timeout(180_000);
  const [width, height] = [320, 240];
  const scene = partScene(21);
  const golden = planeOf(scene, width, height);
  let reference: Buffer;
  let comparer: ReferenceComparer;

  before(async () => {
    reference = await pngOf(golden);
    comparer = await ReferenceComparer.open(undefined, 1);
  });
  after(() => comparer.close());

  it('scores 0 when both are the same', async () => {
    const { score, regions, image, similarity } = await comparer.compare(reference, reference);
    assert.deepEqual([score, regions, image, similarity > 0.9999], [0, [], { width, height }, true]);
  });

  it('finds what was added and what is missing, and nothing else, on a part that was moved, turned and lit otherwise', async () => {
    const [cos, sin] = [Math.cos(0.01), Math.sin(0.01)];
    const moved = planeOf(scene, width, height, (x, y) => [cos * x - sin * y + 5, sin * x + cos * y - 3]);
    const lit = { ...moved, data: moved.data.map((value) => 0.85 * value + 0.06) };
    const good = await comparer.compare(await pngOf(lit), reference);
    assert.deepEqual(good.regions, []);
    const bad = await comparer.compare(
      await pngOf(withBlot(withBlot(lit, 200, 100, 9, 9, 0.95), 60, 170, 9, 9, 0.02)),
      reference,
    );
    assert.ok(bad.score > 3 * good.score + 0.1, `${bad.score} and ${good.score}`);
    const middles = bad.regions.map(({ box }) => [box.x + box.width / 2, box.y + box.height / 2]);
    for (const [x, y] of [
      [204.5, 104.5],
      [64.5, 174.5],
    ]) {
      assert.ok(
        middles.some(([foundX, foundY]) => Math.hypot(foundX - x, foundY - y) < 6),
        `${x}, ${y} is not among ${JSON.stringify(bad.regions)}`,
      );
    }
    assert.equal(bad.regions.length, 2);
    assert.ok(bad.regions[0].peak >= bad.regions[1].peak);
    assert.equal(bad.score, bad.regions[0].peak);
  });

  it('gives a map over the whole picture, dark where it is like the golden picture', async () => {
    const { map } = await comparer.compare(await pngOf(withBlot(golden, 40, 40, 16, 16, 0.98)), reference);
    assert.ok(map);
    const { data, info } = await sharp(map.png).extractChannel(0).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, map.width, map.height], [320, 240, 320, 240]);
    assert.ok(data[48 * 320 + 48] > 200);
    assert.equal(data[200 * 320 + 280], 0);
    const without = await comparer.compare(reference, reference, { map: false });
    assert.equal(without.map, undefined);
  });

  it('sees a change of colour that leaves the brightness as it was', async () => {
    const dim = { ...golden, data: golden.data.map((value) => 0.2 + 0.5 * value) };
    const redder = withBlot(dim, 150, 120, 14, 14, 0.75);
    const bluer = withBlot(dim, 150, 120, 14, 14, 0.05);
    const { regions } = await comparer.compare(await pngOf(redder, dim, bluer), await pngOf(dim));
    assert.equal(regions.length, 1);
    assert.ok(Math.abs(regions[0].box.x + regions[0].box.width / 2 - 157) < 5);
  });

  it('reduces large pictures and tells places in pixels of the original', async () => {
    const enlarge = (picture: Buffer) => sharp(picture).resize(1600, 1200, { kernel: 'cubic' }).png().toBuffer();
    const bad = await pngOf(withBlot(golden, 200, 100, 10, 10, 0.98));
    const settings = { ...DEFAULT_REFERENCE_SETTINGS, side: 320 };
    const { regions, image } = await compareWithReference(await enlarge(bad), await enlarge(reference), settings);
    assert.deepEqual(image, { width: 1600, height: 1200 });
    const [{ box }] = regions;
    assert.ok(Math.hypot(box.x + box.width / 2 - 1025, box.y + box.height / 2 - 525) < 20, JSON.stringify(box));
  });

  it('takes the smallest and the most oblong pictures', async () => {
    for (const [w, h] of [
      [16, 16],
      [4000, 16],
      [16, 1500],
      [97, 31],
    ]) {
      const drawn = planeOf(scene, w, h);
      const picture = await pngOf(drawn);
      const { score, image } = await comparer.compare(picture, picture);
      assert.deepEqual([score, image], [0, { width: w, height: h }]);
      const inverse = await pngOf({ ...drawn, data: drawn.data.map((value) => 1 - value) });
      assert.ok((await comparer.compare(inverse, picture)).score > 0.2);
    }
  });

  it('takes a golden picture of another resolution, and one more grey or coloured', async () => {
    const large = await sharp(reference).resize(640, 480, { kernel: 'cubic' }).jpeg({ quality: 95 }).toBuffer();
    const grey = await sharp(reference).toColourspace('b-w').png().toBuffer();
    for (const other of [large, grey]) assert.deepEqual((await comparer.compare(reference, other)).regions, []);
  });

  it('calls an empty place and noise a wrong part, above every threshold', async () => {
    const random = seededRandom(4);
    const wrong = [planeOf(() => 0.2, width, height), planeOf(random, width, height)];
    for (const picture of wrong) {
      const { score, regions } = await comparer.compare(await pngOf(picture), reference);
      assert.equal(score, WRONG_PART_SCORE);
      assert.deepEqual(regions, [{ box: { x: 0, y: 0, width, height }, area: width * height, peak: score }]);
    }
  });

  it('finds another part of the same kind bad all over', async () => {
    const { score, regions } = await comparer.compare(await pngOf(planeOf(partScene(99), width, height)), reference);
    assert.ok(score > 0.4 && regions.length > 0, `${score}`);
  });

  it('refuses a golden picture of another shape or size, and files that are no pictures', async () => {
    const resized = (w: number, h: number) => sharp(reference).resize(w, h, { fit: 'fill' }).png().toBuffer();
    for (const [w, h] of [
      [240, 320],
      [320, 220],
      [60, 45],
    ]) {
      await assert.rejects(comparer.compare(reference, await resized(w, h)), (error: unknown) => {
        assert.ok(error instanceof ReferenceMismatch);
        assert.equal(error.reason, 'reference-mismatch');
        assert.match(error.message, new RegExp(`${w} x ${h}`));
        return true;
      });
    }
    await assert.rejects(comparer.compare(reference, Buffer.from('no picture')), ReferenceUnreadable);
    await assert.rejects(comparer.compare(reference.subarray(0, 900), reference), PictureUnreadable);
    await assert.rejects(comparer.compare(Buffer.alloc(0), reference), PictureUnreadable);
  });
});
