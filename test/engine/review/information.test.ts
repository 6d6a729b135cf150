import assert from 'node:assert/strict';
import type { Finding } from '../../../engine/domain';
import { doubtOf, informationOf } from '../../../engine/review/information';

const common = { node: 'n', milliseconds: { total: 1 } };
const score = (value: number, probability?: number): Finding => ({
  ...common,
  kind: 'anomaly',
  score: value,
  normalizedScore: value,
  ...(probability !== undefined && { probability }),
  thresholds: { accept: 1, reject: 2 },
  regions: [],
});
const classed = (...probabilities: number[]): Finding => ({
  ...common,
  kind: 'class',
  label: 'a',
  verdict: 'OK',
  confidence: probabilities[0],
  probabilities: Object.fromEntries(probabilities.map((value, index) => [String(index), value])),
});
const doubt = (...findings: Finding[]) => doubtOf({ findings });

describe('the information of a picture', () => {
  it('has full doubt between the thresholds, and less the farther a score is away', () => {
    assert.equal(doubt(score(1.5)), 1);
    assert.ok(Math.abs(doubt(score(0.75)) - 0.75) < 1e-9);
    assert.ok(Math.abs(doubt(score(2.5)) - 0.75) < 1e-9);
    assert.equal(doubt(score(4)), 0);
  });

  it('takes the probability of a defect where it is known', () => {
    assert.equal(doubt(score(1.5, 0.5)), 1);
    assert.ok(Math.abs(doubt(score(1.5, 0.9)) - 0.2) < 1e-9);
  });

  it('takes the margin between the likeliest classes, and the least sure finding', () => {
    assert.ok(Math.abs(doubt(classed(0.5, 0.4, 0.1)) - 0.9) < 1e-9);
    assert.ok(Math.abs(doubt(classed(0.9, 0.1), score(0.75)) - 0.75) < 1e-9);
  });

  it('knows of no doubt where nothing was found out', () => {
    assert.equal(doubt(), 0);
    assert.equal(doubt({ ...common, kind: 'failure', reason: 'overload', message: '' }), 0);
  });

  it('is 1 for a picture in doubt that is like none, and shared out among those that look alike', () => {
    const part = { findings: [score(1.5)] };
    assert.equal(informationOf(part, [], { distance: null, radius: 0.5, waiting: 0 }), 1);
    assert.equal(informationOf(part, [], { distance: 0, radius: 0.5, waiting: 0 }), 0.7);
    assert.equal(informationOf(part, [], { distance: 0.5, radius: 0.5, waiting: 3 }), 0.213);
    assert.equal(informationOf(part, [], null), 0.85);
  });

  it('takes what a person asked for, and what findings contradict each other about, for open', () => {
    const part = { findings: [score(0)] };
    assert.equal(informationOf(part, [], null), 0.15);
    assert.equal(informationOf(part, ['flagged'], null), 0.85);
    assert.equal(informationOf(part, ['disagreement'], null), 0.85);
  });
});
