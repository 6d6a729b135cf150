import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  DetectorUnsupported,
  decodeOutput,
  intersectionOverUnion,
  nonMaximumSuppression,
  type RawDetection,
} from '../../../engine/detector';

const TWO = { classes: ['a', 'b'], extraMasks: 0 };
/** Both by hand: centre (10, 20), 4 x 6; centre (50, 60), 20 x 10. */
const FIRST = { left: 8, top: 17, right: 12, bottom: 23 };
const SECOND = { left: 40, top: 55, right: 60, bottom: 65 };

describe('boxes out of an output', () => {
  it('are read from rows', () => {
    const rows = [
      [10, 50, 1],
      [20, 60, 1],
      [4, 20, 1],
      [6, 10, 1],
      [0.25, 0.125, 0.0625],
      [0.5, 0.0625, 0.125],
    ];
    const found = decode('rows', rows.flat(), [1, 6, 3], [0.1, 0.1]);
    assert.deepEqual(found, [
      { classNumber: 1, confidence: 0.5, ...FIRST },
      { classNumber: 0, confidence: 0.125, ...SECOND },
      { classNumber: 1, confidence: 0.125, left: 0.5, top: 0.5, right: 1.5, bottom: 1.5 },
    ]);
  });

  it('are read from columns', () => {
    const columns = [
      [10, 20, 4, 6, 0.25, 0.5],
      [50, 60, 20, 10, 0.125, 0.0625],
    ];
    assert.deepEqual(decode('columns', columns.flat(), [1, 2, 6], [0.2, 0.2]), [
      { classNumber: 1, confidence: 0.5, ...FIRST },
    ]);
  });

  it('count by the product of objectness and class', () => {
    const columns = [
      [10, 20, 4, 6, 0.5, 0.25, 0.5],
      [50, 60, 20, 10, 1, 0.125, 0.0625],
    ];
    assert.deepEqual(decode('objectness', columns.flat(), [1, 2, 7], [0.125, 0.125]), [
      { classNumber: 1, confidence: 0.25, ...FIRST },
      { classNumber: 0, confidence: 0.125, ...SECOND },
    ]);
  });

  it('are read from a final output', () => {
    const rows = [
      [8, 17, 12, 23, 0.5, 1],
      [40, 55, 60, 65, 0.25, 0],
      [0, 0, 0, 0, 0, 0],
    ];
    assert.deepEqual(decode('end-to-end', rows.flat(), [1, 3, 6], [0.2, 0.2]), [
      { classNumber: 1, confidence: 0.5, ...FIRST },
      { classNumber: 0, confidence: 0.25, ...SECOND },
    ]);
  });

  it('have mask coefficients behind them that change nothing', () => {
    const column = [10, 20, 4, 6, 0.25, 0.5, 9, 9, 9];
    const found = decodeOutput(
      tensor(column, [1, 9, 1]),
      { layout: 'rows', classes: ['a', 'b'], extraMasks: 3 },
      [0, 0],
    );
    assert.deepEqual(found, [{ classNumber: 1, confidence: 0.5, ...FIRST }]);
    const final = [8, 17, 12, 23, 0.5, 1, 9, 9, 9];
    const description = { layout: 'end-to-end', classes: ['a', 'b'], extraMasks: 3 } as const;
    assert.deepEqual(decodeOutput(tensor(final, [1, 1, 9]), description, [0, 0]), found);
  });

  it('count from the threshold of their class', () => {
    const columns = [
      [10, 20, 4, 6, 0.25, 0.5],
      [50, 60, 20, 10, 0.5, 0.25],
    ];
    const classesOf = (thresholds: number[]) =>
      decode('columns', columns.flat(), [1, 2, 6], thresholds).map(({ classNumber }) => classNumber);
    assert.deepEqual(classesOf([0.5, 0.5]), [1, 0]);
    assert.deepEqual(classesOf([0.5, 0.75]), [0]);
    assert.deepEqual(classesOf([0.75, 0.5]), [1]);
  });

  it('are left out when they are none', () => {
    const rows = [
      [10, 20, 0, 6, 0.5],
      [10, 20, 4, -6, 0.5],
      [Number.NaN, 20, 4, 6, 0.5],
      [10, 20, Number.POSITIVE_INFINITY, 6, 0.5],
      [10, 20, 4, 6, Number.NaN],
    ];
    const description = { layout: 'columns', classes: ['a'], extraMasks: 0 } as const;
    assert.deepEqual(decodeOutput(tensor(rows.flat(), [1, 5, 5]), description, [0.1]), []);
  });

  it('are refused when the output is not what its file told', () => {
    assert.throws(() => decode('rows', new Array(14).fill(0), [1, 7, 2], [0, 0]), DetectorUnsupported);
    assert.throws(() => decode('rows', new Array(12).fill(0), [2, 6, 1], [0, 0]), DetectorUnsupported);
    assert.throws(() => decode('end-to-end', [0, 0, 1, 1, 0.9, 2], [1, 1, 6], [0.5, 0.5]), /class number 2/);
  });
});

describe('boxes that overlap', () => {
  // 10 x 10 each, moved by 2: common 80 of 120 = 2/3
  const a = detection(0, 0.9, 0, 0, 10, 10);
  const moved = detection(0, 0.8, 2, 0, 12, 10);
  const other = detection(1, 0.7, 2, 0, 12, 10);

  it('have the common share of the area they cover', () => {
    assert.equal(intersectionOverUnion(a, moved), 80 / 120);
    assert.equal(intersectionOverUnion(a, detection(0, 1, 20, 20, 30, 30)), 0);
    assert.equal(intersectionOverUnion(a, detection(0, 1, 10, 0, 20, 10)), 0);
    assert.equal(intersectionOverUnion(a, a), 1);
  });

  it('are one when they are of one class and overlap more than told', () => {
    const keep = (iou: number) => nonMaximumSuppression([moved, other, a], { iou, maxDetections: 300 });
    assert.deepEqual(keep(0.7), [a, moved, other]);
    assert.deepEqual(keep(0.6), [a, other]);
  });

  it('are the most confident ones when there are too many', () => {
    assert.deepEqual(nonMaximumSuppression([other, moved, a], { iou: 0.7, maxDetections: 2 }), [a, moved]);
  });

  it('are the same as by the definition, whatever they are', () => {
    const side = fc.integer({ min: 1, max: 20 });
    const any = fc
      .tuple(fc.nat(2), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(30), fc.nat(30), side, side)
      .map(([number, confidence, x, y, width, height]) => detection(number, confidence, x, y, x + width, y + height));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), fc.double({ min: 0.1, max: 0.9, noNaN: true }), (boxes, iou) => {
        const kept = nonMaximumSuppression(boxes, { iou, maxDetections: 300 });
        for (const [place, one] of kept.entries()) {
          assert.ok(place === 0 || kept[place - 1].confidence >= one.confidence);
          for (const before of kept.slice(0, place)) assert.ok(!isDouble(before, one, iou));
        }
        for (const box of boxes) {
          const isRival = (one: RawDetection) => one.confidence >= box.confidence && isDouble(one, box, iou);
          assert.ok(kept.includes(box) || kept.some(isRival), 'dropped without a rival');
        }
      }),
    );
  });
});

function isDouble(a: RawDetection, b: RawDetection, iou: number): boolean {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const size = (box: RawDetection) => (box.right - box.left) * (box.bottom - box.top);
  return a.classNumber === b.classNumber && (width * height) / (size(a) + size(b) - width * height) > iou;
}

function detection(
  classNumber: number,
  confidence: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): RawDetection {
  return { classNumber, confidence, left, top, right, bottom };
}

function decode(
  layout: 'rows' | 'columns' | 'end-to-end' | 'objectness',
  values: readonly number[],
  dims: readonly number[],
  thresholds: readonly number[],
): RawDetection[] {
  return decodeOutput(tensor(values, dims), { layout, ...TWO }, thresholds);
}

function tensor(values: readonly number[], dims: readonly number[]): { data: Float32Array; dims: readonly number[] } {
  return { data: Float32Array.from(values), dims };
}
