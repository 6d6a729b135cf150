import assert from 'node:assert/strict';
import {
  auroc,
  averagePrecision,
  clopperPearson,
  conformalLowerRank,
  conformalRank,
  f1Max,
  fitIsotonic,
  fitPlatt,
  pixelAuroc,
  pro,
  probabilityOf,
} from '../../../engine/statistics';
import { assertClose, referenceValues } from '../../support/reference-values';

interface Metrics {
  rankings: {
    good: number[];
    defective: number[];
    auroc: number;
    averagePrecision: number;
    f1: number;
    f1Threshold: number;
  }[];
  width: number;
  height: number;
  maps: number[][];
  masks: number[][];
  pixelAuroc: number;
  pro: Record<string, number>;
}

interface Levels {
  levels: { count: number; rate: number; rank: number | null; lowerRank: number | null }[];
  intervals: { count: number; total: number; confidence: number; low: number; high: number }[];
}

interface Probability {
  cases: {
    good: number[];
    defective: number[];
    slope: number;
    intercept: number;
    scores: number[];
    isotonic: number[];
  }[];
}

/** Expected values: numpy, written out plainly (test/fixtures/reference/make_reference.py). */
describe('Statistics equal those of a second implementation', () => {
  it('in AUROC, average precision and F1-max, with and without ties', () => {
    for (const { good, defective, ...expected } of referenceValues<Metrics>('metrics').rankings) {
      const { f1, threshold } = f1Max(good, defective);
      assertClose(
        [auroc(good, defective), averagePrecision(good, defective), f1, threshold],
        [expected.auroc, expected.averagePrecision, expected.f1, expected.f1Threshold],
        'metrics',
      );
    }
  });

  it('in pixel AUROC and PRO up to several limits', () => {
    const { width, height, maps, masks, ...expected } = referenceValues<Metrics>('metrics');
    const withTruth = maps.map((map, index) => ({
      map: Float32Array.from(map),
      mask: Uint8Array.from(masks[index]),
      width,
      height,
    }));
    assertClose([pixelAuroc(withTruth)], [expected.pixelAuroc], 'pixel AUROC');
    for (const [limit, value] of Object.entries(expected.pro)) {
      assertClose([pro(withTruth, Number(limit))], [value], `PRO up to ${limit}`);
    }
  });

  it('in conformal ranks', () => {
    for (const { count, rate, rank, lowerRank } of referenceValues<Levels>('levels').levels) {
      assert.equal(conformalRank(count, rate), rank, `${count} scores, ${rate}`);
      assert.equal(conformalLowerRank(count, rate), lowerRank, `${count} scores, ${rate}`);
    }
  });

  it("in Clopper and Pearson's intervals", () => {
    for (const { count, total, confidence, low, high } of referenceValues<Levels>('levels').intervals) {
      const interval = clopperPearson(count, total, confidence);
      assertClose([interval.low, interval.high], [low, high], `${count} of ${total}`);
    }
  });

  it("in Platt's curve", () => {
    for (const { good, defective, slope, intercept } of referenceValues<Probability>('probability').cases) {
      const curve = fitPlatt(good, defective);
      assertClose([curve.slope, curve.intercept], [slope, intercept], 'Platt');
    }
  });

  it('in isotonic steps', () => {
    for (const { good, defective, scores, isotonic } of referenceValues<Probability>('probability').cases) {
      const curve = fitIsotonic(good, defective);
      assertClose(
        scores.map((score) => probabilityOf(curve, score) ?? Number.NaN),
        isotonic,
        'isotonic',
      );
    }
  });
});
