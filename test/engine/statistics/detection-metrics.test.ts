import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Box, Detection } from '../../../engine/domain';
import { packageRoot } from '../../../engine/domain';
import { evaluateDetections, type JudgedPicture, type TrueBox } from '../../../engine/statistics';

type Numbers = [number, number, number, number];
type Share = number | null;

interface Case {
  classes: string[];
  pictures: {
    truth: { label: string; box: Numbers; area: number | null; crowd: boolean; ignore: boolean }[];
    detections: { label: string; confidence: number; box: Numbers }[];
  }[];
  expected: {
    map50: Share;
    map75: Share;
    map5095: Share;
    perClass: Record<'label' | 'ap50' | 'ap5095' | 'recall' | 'precision' | 'f1' | 'count', Share | string>[];
    byArea: Record<'small' | 'medium' | 'large', Share>;
    curves: { label: string; at: number[]; points: [Share, Share, Share][] }[];
    bestConfidence: Share;
    intervals?: { resamples: number; seed: number; map50: [number, number]; map5095: [number, number] };
  };
}

const FIXTURE = join(packageRoot, 'test', 'fixtures', 'detection-metrics', 'cases.json');

function boxOf([x, y, width, height]: Numbers): Box {
  return { x, y, width, height };
}

/** Numbers rounded to nine digits and NaN as null, to compare structures at once. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, entry) => (typeof entry === 'number' ? Number(entry.toFixed(9)) : entry)),
  );
}

/** Expected values: numpy, written out plainly (test/fixtures/detection-metrics/make_detection_metrics.py). */
describe('Detection metrics equal those of a second implementation of the COCO definition', () => {
  const cases = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Record<string, Case>;
  for (const [name, { classes, pictures, expected }] of Object.entries(cases)) {
    it(`for ${name}`, () => {
      const { intervals, curves, ...figures } = expected;
      const metrics = evaluateDetections(
        pictures.map(({ truth, detections }) => ({
          truth: truth.map(({ box, area, ...rest }) => ({ ...rest, box: boxOf(box), ...(area !== null && { area }) })),
          detections: detections.map(({ box, ...rest }) => ({ ...rest, box: boxOf(box) })),
        })),
        classes,
        { resamples: intervals?.resamples ?? 0, seed: intervals?.seed },
      );
      const { map50, map75, map5095, perClass, byArea, bestConfidence } = metrics;
      assert.deepEqual(plain({ map50, map75, map5095, perClass, byArea, bestConfidence }), plain(figures));
      for (const { label, at, points } of curves) {
        const curve = metrics.curves.find((other) => other.label === label)!;
        const ours = at.map((confidence) => {
          const place = curve.confidence.indexOf(confidence);
          return [curve.recall[place], curve.precision[place], curve.f1[place]];
        });
        assert.deepEqual(plain(ours), plain(points), label);
      }
      if (intervals === undefined) return;
      const { map50: half, map5095: all } = metrics.intervals;
      assert.deepEqual(
        plain([half.low, half.high, all.low, all.high]),
        plain([...intervals.map50, ...intervals.map5095]),
      );
    });
  }
});

const truth = (label: string, x: number, y: number, more: Partial<TrueBox> = {}): TrueBox => ({
  label,
  box: { x, y, width: 10, height: 10 },
  ...more,
});
const found = (label: string, x: number, y: number, confidence: number): Detection => ({
  label,
  confidence,
  box: { x, y, width: 10, height: 10 },
});
const judged = (boxes: TrueBox[], detections: Detection[]): JudgedPicture => ({ truth: boxes, detections });

/** Expected values: computed by hand from the definition. */
describe('Detection metrics of cases computed by hand', () => {
  it('are 1 when every box is found exactly and nothing else', () => {
    const { map50, map75, map5095, intervals, confusion } = evaluateDetections(
      [
        judged([truth('pit', 0, 0)], [found('pit', 0, 0, 0.9)]),
        judged([truth('pit', 50, 0)], [found('pit', 50, 0, 0.4)]),
      ],
      ['pit'],
    );
    assert.deepEqual([map50, map75, map5095], [1, 1, 1]);
    assert.deepEqual(intervals, { map50: { low: 1, high: 1 }, map5095: { low: 1, high: 1 } });
    assert.deepEqual(confusion, {
      labels: ['pit', 'background'],
      matrix: [
        [2, 0],
        [0, 0],
      ],
    });
  });

  it('read the precision at 101 recalls: one hit, one false alarm, one hit, one miss', () => {
    // Three boxes; hits at recall 1/3 (precision 1) and 2/3 (precision 2/3): 34 points (0..0.33) at 1, 33 points
    // (0.34..0.66) at 2/3, the rest at 0.
    const { map50 } = evaluateDetections(
      [
        judged(
          [truth('pit', 0, 0), truth('pit', 50, 0), truth('pit', 100, 0)],
          [found('pit', 0, 0, 0.9), found('pit', 200, 0, 0.8), found('pit', 50, 0, 0.7)],
        ),
      ],
      ['pit'],
      { resamples: 0 },
    );
    assert.ok(Math.abs(map50 - (34 + (33 * 2) / 3) / 101) < 1e-12);
  });

  it('count a box found with an overlap of 0.6 in three of the ten overlaps', () => {
    // Shifted by 2.5 of 10: 75 shared of 125 together = 0.6.
    const { map50, map75, map5095 } = evaluateDetections(
      [judged([truth('pit', 0, 0)], [found('pit', 2.5, 0, 0.9)])],
      ['pit'],
      { resamples: 0 },
    );
    assert.deepEqual([map50, map75, map5095], [1, 0, 0.3]);
  });

  it('take a second detection of the same box for a false alarm', () => {
    const metrics = evaluateDetections(
      [judged([truth('pit', 0, 0)], [found('pit', 0, 0, 0.9), found('pit', 1, 0, 0.8)])],
      ['pit'],
      { resamples: 0, confidence: 0.5 },
    );
    assert.equal(metrics.perClass[0].precision, 0.5);
    assert.equal(metrics.perClass[0].recall, 1);
    assert.deepEqual(metrics.confusion.matrix, [
      [1, 0],
      [1, 0],
    ]);
  });

  it('do not count detections in a crowd, however many', () => {
    const crowd = { label: 'pit', box: { x: 0, y: 0, width: 100, height: 100 }, crowd: true };
    const metrics = evaluateDetections(
      [
        judged(
          [crowd, truth('pit', 200, 0)],
          [found('pit', 10, 10, 0.9), found('pit', 30, 30, 0.8), found('pit', 200, 0, 0.7)],
        ),
      ],
      ['pit'],
      { resamples: 0 },
    );
    assert.equal(metrics.map5095, 1);
    assert.equal(metrics.perClass[0].count, 1);
    assert.deepEqual(metrics.confusion.matrix, [
      [1, 0],
      [0, 0],
    ]);
  });

  it('sort by area: 32 and 96 pixels a side stand on both sides of their border', () => {
    const square = (side: number, x: number): TrueBox => ({
      label: 'pit',
      box: { x, y: 0, width: side, height: side },
    });
    const { byArea } = evaluateDetections([judged([square(32, 0), square(33, 100)], [])], ['pit'], { resamples: 0 });
    assert.deepEqual(byArea, { small: 0, medium: 0, large: Number.NaN });
    const found: Detection = { label: 'pit', confidence: 0.9, box: { x: 100, y: 0, width: 33, height: 33 } };
    const half = evaluateDetections([judged([square(32, 0), square(33, 100)], [found])], ['pit'], { resamples: 0 });
    // 32 x 32 belongs to both: not found as a small one; of the two medium ones one is found, 51 of 101 points.
    assert.deepEqual([half.byArea.small, half.byArea.medium.toFixed(12)], [0, (51 / 101).toFixed(12)]);
  });

  it('choose the confidence with the best F1, the highest of equals, and take the operating point there', () => {
    const metrics = evaluateDetections(
      [
        judged(
          [truth('pit', 0, 0), truth('pit', 50, 0)],
          [found('pit', 0, 0, 0.9), found('pit', 50, 0, 0.6), found('pit', 200, 0, 0.5), found('pit', 300, 0, 0.3)],
        ),
      ],
      ['pit'],
      { resamples: 0 },
    );
    assert.equal(metrics.bestConfidence, 0.6);
    assert.deepEqual(
      metrics.perClass.map(({ recall, precision, f1 }) => [recall, precision, f1]),
      [[1, 1, 1]],
    );
    const [{ confidence, precision, recall }] = metrics.curves;
    assert.equal(confidence.length, 101);
    assert.deepEqual([precision[50], recall[50], precision[61], recall[61]], [2 / 3, 1, 1, 0.5]);
  });

  it('name what was taken for what, what was missed and what was found where nothing is', () => {
    const { confusion } = evaluateDetections(
      [
        judged(
          [truth('pit', 0, 0), truth('pit', 50, 0), truth('stain', 100, 0), truth('stain', 150, 0)],
          [
            found('pit', 0, 0, 0.9),
            found('stain', 0, 1, 0.95),
            found('stain', 50, 1, 0.8),
            found('pit', 300, 0, 0.7),
            found('stain', 150, 0, 0.2),
          ],
        ),
      ],
      ['pit', 'stain'],
      { resamples: 0, confidence: 0.5 },
    );
    assert.deepEqual(confusion, {
      labels: ['pit', 'stain', 'background'],
      matrix: [
        [1, 1, 0],
        [0, 0, 2],
        [1, 1, 0],
      ],
    });
  });

  it('take what is found in a picture without boxes for false alarms', () => {
    const good = judged([], [found('pit', 0, 0, 0.95)]);
    const { map50 } = evaluateDetections([good, judged([truth('pit', 0, 0)], [found('pit', 0, 0, 0.9)])], ['pit'], {
      resamples: 0,
    });
    assert.equal(map50, 0.5);
  });

  it('leave labels out that are not asked for', () => {
    const { map50, confusion } = evaluateDetections(
      [judged([truth('pit', 0, 0), truth('dent', 50, 0)], [found('pit', 0, 0, 0.9), found('dent', 90, 0, 0.9)])],
      ['pit'],
      { resamples: 0 },
    );
    assert.equal(map50, 1);
    assert.deepEqual(confusion.matrix, [
      [1, 0],
      [0, 0],
    ]);
  });

  it('are NaN without pictures, and refuse numbers that are not finite', () => {
    const { map50, map5095, bestConfidence, intervals } = evaluateDetections([], ['pit']);
    assert.deepEqual([map50, map5095, bestConfidence, intervals.map50.low], Array(4).fill(Number.NaN));
    assert.throws(() => evaluateDetections([judged([truth('pit', Number.NaN, 0)], [])], ['pit']), RangeError);
    assert.throws(() => evaluateDetections([judged([], [found('pit', 0, 0, Number.NaN)])], ['pit']), RangeError);
    assert.throws(() => evaluateDetections([], ['pit'], { resamples: 1 }), RangeError);
  });
});
