import assert from 'node:assert/strict';
import { figuresOf } from '../../../../engine/learning/detector-training/figures';
import { evaluateDetections } from '../../../../engine/statistics';

describe('Figures of a report', () => {
  const box = { x: 0, y: 0, width: 10, height: 10 };
  const pictures = [
    { truth: [{ label: 'scratch', box }], detections: [{ label: 'scratch', confidence: 0.9, box }] },
    { truth: [], detections: [] },
  ];

  it('hold no number that JSON cannot, also for a class without held-out boxes', () => {
    const figures = figuresOf(evaluateDetections(pictures, ['scratch', 'dent'], { resamples: 20 }), pictures.length);
    assert.deepEqual(JSON.parse(JSON.stringify(figures)), figures);
    assert.equal(figures.map50, 1);
    assert.equal(figures.recall, 1);
    const [, dent] = figures.perClass;
    assert.deepEqual([dent.ap50, dent.recall, dent.count], [null, null, 0]);
  });

  it('are zero, not unknown, where nothing is held out', () => {
    const figures = figuresOf(evaluateDetections([], ['scratch'], { resamples: 0 }), 0);
    assert.deepEqual([figures.map50, figures.map5095, figures.recall, figures.pictures], [0, 0, 0, 0]);
    assert.deepEqual(JSON.parse(JSON.stringify(figures)), figures);
  });
});
