import assert from 'node:assert/strict';
import { completeIou, overlap } from '../../../../engine/detector';
import { reference } from './reference';

const near = (actual: number, expected: number, most = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= most, `${actual} is not ${expected}`);

describe('Complete IoU', () => {
  it('has the values of a numpy implementation of the paper', () => {
    for (const { predicted, truth, iou, ciou } of reference.ious) {
      near(overlap(predicted, truth), iou);
      near(completeIou(predicted, truth, new Float64Array(4)), ciou);
    }
  });

  it('is what a hand computes for boxes half over each other', () => {
    // 10 x 10 each, moved by 5: IoU 50 / 150, centres 5 apart, enclosing box 15 x 10, same aspect
    near(completeIou([0, 0, 10, 10], [5, 0, 15, 10], new Float64Array(4)), 1 / 3 - 25 / 325);
  });

  it('has the derivative that finite differences show, alpha held', () => {
    for (const { predicted, truth, alpha } of reference.ious.slice(1)) {
      const gradient = new Float64Array(4);
      completeIou(predicted, truth, gradient);
      for (let corner = 0; corner < 4; corner += 1) {
        const at = (step: number) => {
          const moved = predicted.map((value, index) => (index === corner ? value + step : value));
          return withAlpha(moved, truth, alpha);
        };
        near(gradient[corner], (at(1e-4) - at(-1e-4)) / 2e-4, 1e-7);
      }
    }
  });

  it('stays finite for boxes turned inside out', () => {
    const gradient = new Float64Array(4);
    assert.ok(Number.isFinite(completeIou([5, 5, 2, 1], [0, 0, 10, 10], gradient)));
    assert.ok(gradient.every(Number.isFinite));
    assert.equal(overlap([5, 5, 2, 1], [0, 0, 10, 10]), 0);
  });
});

/** The paper's formula in a row, for differences. */
function withAlpha(a: readonly number[], b: readonly number[], alpha: number): number {
  const shared =
    Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const [w, h, trueW, trueH] = [a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]];
  const iou = shared / (w * h + trueW * trueH - shared);
  const diagonal =
    (Math.max(a[2], b[2]) - Math.min(a[0], b[0])) ** 2 + (Math.max(a[3], b[3]) - Math.min(a[1], b[1])) ** 2;
  const apart = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2;
  const aspect = (4 / Math.PI ** 2) * (Math.atan(trueW / trueH) - Math.atan(w / h)) ** 2;
  return iou - apart / diagonal - alpha * aspect;
}
