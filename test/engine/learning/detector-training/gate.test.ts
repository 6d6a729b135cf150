import assert from 'node:assert/strict';
import type { DetectorFigures } from '../../../../engine/domain';
import { gate } from '../../../../engine/learning/detector-training/gate';

const figures = (map50: number, recalls: Record<string, [recall: number, count: number]>): DetectorFigures => ({
  map50,
  map5095: map50 / 2,
  recall: 0,
  pictures: 20,
  perClass: Object.entries(recalls).map(([label, [recall, count]]) => ({
    label,
    ap50: recall,
    ap5095: recall,
    recall,
    precision: 1,
    f1: recall,
    count,
  })),
});
const codes = (decision: ReturnType<typeof gate>) => decision.reasons.map(({ code }) => code);
const tolerance = { tolerance: 0.01 };

describe('Gate of a fine-tuned detector', () => {
  const good = figures(0.9, { scratch: [0.9, 100], dent: [0.8, 5] });

  it('accepts what is better, or as good within the tolerance', () => {
    assert.deepEqual(gate({ before: good, after: figures(0.95, {}) }, null, tolerance), {
      accepted: true,
      reasons: [],
    });
    assert.ok(gate({ before: good, after: figures(0.895, {}) }, null, tolerance).accepted);
  });

  it('accepts what finds new classes, where the model before knew none of them', () => {
    assert.ok(gate({ before: null, after: figures(0.3, {}) }, null, tolerance).accepted);
  });

  it('refuses what is worse on held-out pictures, and says by how much', () => {
    const [reason] = gate({ before: good, after: figures(0.7, {}) }, null, tolerance).reasons;
    assert.equal(reason.code, 'held-out-map50-fell');
    assert.deepEqual(reason.parameters, { before: '90.0 %', after: '70.0 %', tolerance: '1.0 %' });
  });

  it('refuses what misses more of a class, but not for one box', () => {
    const worse = figures(0.95, { scratch: [0.8, 100], dent: [0.6, 5] });
    const decision = gate({ before: good, after: worse }, null, tolerance);
    assert.deepEqual(codes(decision), ['held-out-recall-fell']);
    assert.equal(decision.reasons[0].parameters?.label, 'scratch');
  });

  it('refuses what has forgotten the old pictures', () => {
    const old = { before: good, after: figures(0.5, { scratch: [0.5, 100] }) };
    assert.deepEqual(codes(gate({ before: null, after: good }, old, tolerance)), ['old-map50-fell', 'old-recall-fell']);
  });

  it('refuses what is as good as blind, and what nobody can measure', () => {
    assert.deepEqual(codes(gate({ before: null, after: figures(0, {}) }, null, tolerance)), ['finds-too-little']);
    assert.deepEqual(codes(gate({ before: null, after: figures(0.05, {}) }, null, tolerance)), ['finds-too-little']);
    const empty = figures(0, { scratch: [0, 0] });
    assert.deepEqual(codes(gate({ before: null, after: empty }, null, tolerance)), ['nothing-to-measure-with']);
    const unmeasured = { ...figures(0, {}), pictures: 0 };
    assert.deepEqual(codes(gate({ before: null, after: unmeasured }, null, tolerance)), ['nothing-to-measure-with']);
  });
});
