import assert from 'node:assert/strict';
import { assignTargets, detectionLoss } from '../../../../engine/detector';
import { levelsOf, reference, targetsOf } from './reference';

const near = (actual: number, expected: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= 2e-5 * Math.max(1, Math.abs(expected)), `${what}: ${actual}, ${expected}`);

describe('Detection loss', () => {
  for (const one of reference.cases) {
    const { topk, alpha, beta, bins } = one;

    it(`assigns the cells that a numpy implementation of TOOD assigns: ${one.name}`, () => {
      const levels = levelsOf(one);
      const assigned = assignTargets(levels, targetsOf(one), bins, { topk, alpha, beta });
      const finest = levels[0].rows * levels[0].columns;
      const byCell = new Map(assigned.map(({ level, cell, ...rest }) => [level * finest + cell, rest]));
      assert.deepEqual([...byCell.keys()].sort(), one.assigned.map(({ cell }) => cell).sort());
      for (const { cell, target, score } of one.assigned) {
        assert.equal(byCell.get(cell)?.target, target);
        near(byCell.get(cell)?.score ?? Number.NaN, score, `score of cell ${cell}`);
      }
    });

    it(`has the parts and the derivatives of numpy's finite differences: ${one.name}`, () => {
      const loss = detectionLoss(levelsOf(one), targetsOf(one), { bins, assignment: { topk, alpha, beta } });
      near(loss.total, one.total, 'total');
      near(loss.box, one.parts.box, 'box');
      near(loss.classes, one.parts.classes, 'classes');
      near(loss.distribution, one.parts.distribution, 'distribution');
      loss.gradients.forEach((gradient, level) => {
        for (const kind of ['boxes', 'classes'] as const) {
          const expected = one.gradients[kind][level];
          assert.equal(gradient[kind].length, expected.length);
          expected.forEach((value, index) => {
            near(gradient[kind][index], value, `${kind} ${level} ${index}`);
          });
        }
      });
    });
  }

  it('gives a target without a cell centre the nearest cell of the finest level', () => {
    const level = { stride: 8, rows: 4, columns: 4, boxes: new Float32Array(4 * 16), classes: new Float32Array(16) };
    const box = { x: 21, y: 9, width: 2, height: 2 };
    const [cell, ...others] = assignTargets([level], [{ class: 0, box }], 1, { topk: 10, alpha: 0.5, beta: 6 });
    assert.deepEqual(others, []);
    assert.equal(cell.cell, 1 * 4 + 2);
  });

  it('scales with the normaliser, so that pictures of a batch can be summed', () => {
    const one = reference.cases[0];
    const { topk, alpha, beta, bins } = one;
    const options = { bins, assignment: { topk, alpha, beta } };
    const own = detectionLoss(levelsOf(one), targetsOf(one), options);
    const half = detectionLoss(levelsOf(one), targetsOf(one), { ...options, normaliser: 2 * Math.max(own.weight, 1) });
    near(half.total, own.total / 2, 'total');
    near(half.gradients[0].boxes[3], own.gradients[0].boxes[3] / 2, 'derivative');
  });

  it('says nothing about classes that a picture was not searched for', () => {
    const one = reference.cases[5];
    const { gradients, total } = detectionLoss(levelsOf(one), [], { bins: one.bins, unlabelled: [1] });
    const [{ rows, columns }] = one.levels;
    assert.ok(gradients[0].classes.subarray(0, rows * columns).every((value) => value > 0));
    assert.ok(gradients[0].classes.subarray(rows * columns).every((value) => value === 0));
    assert.ok(total > 0 && total < one.total);
  });

  it('refuses logits that do not fit the cells', () => {
    const level = { stride: 8, rows: 4, columns: 4, boxes: new Float32Array(60), classes: new Float32Array(16) };
    assert.throws(() => detectionLoss([level], [], { bins: 1 }), RangeError);
  });
});
