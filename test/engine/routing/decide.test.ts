import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Finding,
  type QualityReport,
  REASON_CODES,
  type ReasonCode,
  seededRandom,
  type Thresholds,
  VERDICTS,
  type Verdict,
} from '../../../engine/domain';
import { type DecisionSettings, decide, failSafeDecision } from '../../../engine/routing';

const AT = '2026-01-02T03:04:05.000Z';
const BASE = { node: 'n', milliseconds: { total: 1 } } as const;
const LEVELS: Thresholds = { accept: 10, reject: 20 };
const SETTINGS: DecisionSettings = { thresholds: null, failSafe: 'NG', auditShare: 0 };
const FAIL_SAFE_REASONS = REASON_CODES.slice(REASON_CODES.indexOf('deadline-exceeded'));
const never = () => {
  throw new Error('nobody asked for chance');
};

const score = (value: number, thresholds = LEVELS): Finding => ({
  ...BASE,
  kind: 'anomaly',
  score: value,
  normalizedScore: value / 20,
  thresholds,
  regions: [],
});
const found = (classes: Readonly<Record<string, number>>, review?: readonly string[]): Finding => ({
  ...BASE,
  kind: 'detections',
  detections: Object.entries(classes).map(([label, confidence]) => ({
    label,
    confidence,
    box: { x: 0, y: 0, width: 1, height: 1 },
  })),
  thresholds: { confidence: 0.25, perClass: {} },
  ...(review && { review }),
});
const detections = (...confidences: number[]): Finding =>
  found(Object.fromEntries(confidences.map((confidence, index) => [`scratch ${index}`, confidence])));
const classed = (verdict: Verdict, confidence = 0.9): Finding => ({
  ...BASE,
  kind: 'class',
  label: 'x',
  confidence,
  verdict,
  probabilities: { x: confidence },
});
const rule = (passed: boolean): Finding => ({ ...BASE, kind: 'rule', rule: 'holes', passed });
const opinion = (verdict: Verdict): Finding => ({ ...BASE, kind: 'opinion', verdict, confidence: 0.7, text: '' });
const failure = (reason: ReasonCode): Finding => ({ ...BASE, kind: 'failure', reason, message: '' });
const quality = (passed: boolean): QualityReport => ({ passed, brightness: 0, contrast: 0, sharpness: 0 });

describe('the verdict', () => {
  const table: readonly [
    string,
    readonly Finding[],
    Partial<DecisionSettings>,
    Verdict,
    readonly ReasonCode[],
    number,
  ][] = [
    ['passes a low score', [score(5)], {}, 'OK', ['score-below-accept'], 0.5],
    ['passes a score exactly at accept', [score(10)], {}, 'OK', ['score-below-accept'], 0],
    ['reviews a score just above accept', [score(10.5)], {}, 'REVIEW', ['score-between-thresholds'], 0.1],
    ['reviews a score in the middle', [score(15)], {}, 'REVIEW', ['score-between-thresholds'], 1],
    ['reviews a score exactly at reject', [score(20)], {}, 'REVIEW', ['score-between-thresholds'], 0],
    ['rejects a score above reject', [score(25)], {}, 'NG', ['score-above-reject'], 0.25],
    ['has full confidence from twice the reject level on', [score(1e9)], {}, 'NG', ['score-above-reject'], 1],
    [
      'uses thresholds set by hand',
      [score(15)],
      { thresholds: { accept: 16, reject: 30 } },
      'OK',
      ['score-below-accept'],
      1 / 16,
    ],
    ['rejects at a threshold of nothing', [score(1, { accept: 0, reject: 0 })], {}, 'NG', ['score-above-reject'], 1],
    ['rejects a detection', [detections(0.3, 0.8)], {}, 'NG', ['defect-detected'], 0.8],
    ['rejects a detection despite a low score', [score(1), detections(0.4)], {}, 'NG', ['defect-detected'], 0.4],
    [
      'reviews a detection of a class set to REVIEW',
      [score(1), found({ a: 0.4 }, ['a'])],
      {},
      'REVIEW',
      ['defect-detected'],
      0.4,
    ],
    [
      'rejects a detection of another class beside it',
      [score(1), found({ a: 0.9, b: 0.3 }, ['a'])],
      {},
      'NG',
      ['defect-detected'],
      0.3,
    ],
    [
      'rejects a high score beside a class set to REVIEW',
      [score(40), found({ a: 0.9 }, ['a'])],
      {},
      'NG',
      ['score-above-reject'],
      1,
    ],
    [
      'takes a class set to REVIEW that was not found for no evidence',
      [found({}, ['a'])],
      {},
      'REVIEW',
      ['no-positive-evidence'],
      0,
    ],
    ['reviews when nothing was detected', [detections()], {}, 'REVIEW', ['no-positive-evidence'], 0],
    ['passes a low score when nothing was detected', [detections(), score(5)], {}, 'OK', ['score-below-accept'], 0.5],
    ['passes a class OK', [classed('OK')], {}, 'OK', ['class-ok'], 0.9],
    ['passes a class OK of even odds', [classed('OK', 0.5)], {}, 'OK', ['class-ok'], 0.5],
    [
      'reviews a class OK that is likelier another',
      [classed('OK', 0.49)],
      {},
      'REVIEW',
      ['no-positive-evidence'],
      0.49,
    ],
    [
      'reviews a class OK of no known confidence',
      [classed('OK', Number.NaN)],
      {},
      'REVIEW',
      ['no-positive-evidence'],
      0,
    ],
    ['rejects a class NG', [classed('NG'), score(1)], {}, 'NG', ['class-ng'], 0.9],
    ['reviews a class REVIEW', [classed('REVIEW'), score(1)], {}, 'REVIEW', ['no-positive-evidence'], 0.9],
    ['passes a passed rule', [rule(true)], {}, 'OK', ['rule-passed'], 1],
    ['rejects a violated rule', [score(1), rule(false)], {}, 'NG', ['rule-violated'], 1],
    ['takes no opinion for evidence', [opinion('OK')], {}, 'REVIEW', ['no-positive-evidence'], 0],
    ['reviews when an opinion disagrees', [score(1), opinion('NG')], {}, 'REVIEW', ['opinions-disagree'], 0.7],
    ['rejects whatever an opinion says', [score(25), opinion('OK')], {}, 'NG', ['score-above-reject'], 0.25],
    ['reviews a bad picture', [score(1)], { quality: quality(false) }, 'REVIEW', ['image-quality'], 0],
    ['passes a good picture', [score(5)], { quality: quality(true) }, 'OK', ['score-below-accept'], 0.5],
    ['rejects a bad part on a bad picture', [score(40)], { quality: quality(false) }, 'NG', ['score-above-reject'], 1],
    ['reviews a part nobody looked at', [], {}, 'REVIEW', ['no-positive-evidence'], 0],
    ['fails safe on a failure', [score(1), failure('no-model')], {}, 'NG', ['no-model'], 0],
    ['fails safe as told', [failure('overload')], { failSafe: 'REVIEW' }, 'REVIEW', ['overload'], 0],
    ['fails safe on a score that is no number', [score(Number.NaN)], {}, 'NG', ['inference-failed'], 0],
    [
      'tells each failure once',
      [failure('overload'), failure('no-model'), failure('overload')],
      {},
      'NG',
      ['overload', 'no-model'],
      0,
    ],
    [
      'tells the strongest reason first',
      [detections(0.2), score(30)],
      {},
      'NG',
      ['score-above-reject', 'defect-detected'],
      0.5,
    ],
    [
      'is as sure as the weakest evidence',
      [score(5), rule(true)],
      {},
      'OK',
      ['score-below-accept', 'rule-passed'],
      0.5,
    ],
  ];
  for (const [fact, findings, settings, verdict, reasons, confidence] of table) {
    it(fact, () => {
      const decision = decide(findings, { ...SETTINGS, ...settings }, never, AT);
      assert.equal(decision.verdict, verdict);
      assert.deepEqual(decision.reasons, reasons);
      assert.ok(Math.abs(decision.confidence - confidence) < 1e-12, `confidence ${decision.confidence}`);
      assert.equal(decision.by, FAIL_SAFE_REASONS.includes(reasons[0]) ? 'failsafe' : 'model');
      assert.equal(decision.at, AT);
    });
  }

  it('names the thresholds of the score that decided', () => {
    const other = { accept: 1, reject: 2 };
    assert.deepEqual(decide([score(5), score(1.5, other)], SETTINGS, never, AT).thresholds, other);
    assert.deepEqual(decide([score(50), score(1.5, other)], SETTINGS, never, AT).thresholds, LEVELS);
    assert.equal(decide([rule(true)], SETTINGS, never, AT).thresholds, undefined);
  });

  it('marks the wished share of passed parts for audit, and lets them pass', () => {
    const random = seededRandom(7);
    const decisions = Array.from({ length: 5000 }, () =>
      decide([score(5)], { ...SETTINGS, auditShare: 0.1 }, random, AT),
    );
    const audits = decisions.filter(({ audit }) => audit);
    assert.ok(decisions.every(({ verdict }) => verdict === 'OK'));
    assert.ok(audits.every(({ reasons }) => reasons.includes('audit-sample')));
    // binomial: 500 expected, standard deviation 21
    assert.ok(audits.length > 400 && audits.length < 600, `${audits.length} of 5000`);
  });

  it('audits all at 1, none at 0, and only parts that pass', () => {
    assert.equal(decide([score(5)], { ...SETTINGS, auditShare: 1 }, () => 0.999, AT).audit, true);
    assert.equal(decide([score(5)], SETTINGS, never, AT).audit, undefined);
    assert.equal(decide([score(50)], { ...SETTINGS, auditShare: 1 }, never, AT).audit, undefined);
    assert.equal(decide([score(15)], { ...SETTINGS, auditShare: 1 }, never, AT).audit, undefined);
  });

  it('gives fail-safe verdicts with no confidence', () => {
    const decision = failSafeDecision('REVIEW', ['interrupted', 'interrupted'], AT);
    assert.deepEqual(decision, { verdict: 'REVIEW', confidence: 0, reasons: ['interrupted'], by: 'failsafe', at: AT });
  });
});

describe('any verdict', () => {
  const number = fc.oneof(fc.double({ min: 0, max: 50, noNaN: true }), fc.double());
  const verdict = fc.constantFrom(...VERDICTS);
  const finding: fc.Arbitrary<Finding> = fc.oneof(
    fc.tuple(number, number, number).map(([value, accept, reject]) => score(value, { accept, reject })),
    fc.array(number, { maxLength: 3 }).map((confidences) => detections(...confidences)),
    fc.tuple(verdict, number).map(([judged, confidence]) => classed(judged, confidence)),
    fc.boolean().map(rule),
    verdict.map(opinion),
    fc.constantFrom(...REASON_CODES).map(failure),
  );
  const settings: fc.Arbitrary<DecisionSettings> = fc.record({
    thresholds: fc.option(fc.record({ accept: number, reject: number })),
    failSafe: fc.constantFrom('NG' as const, 'REVIEW' as const),
    auditShare: fc.double({ min: 0, max: 1, noNaN: true }),
    quality: fc.option(fc.boolean().map(quality), { nil: undefined }),
  });
  const inputs = [fc.array(finding, { maxLength: 6 }), settings, fc.integer()] as const;
  const speaksFor = (one: Finding, byHand: Thresholds | null) =>
    (one.kind === 'anomaly' && one.score <= (byHand ?? one.thresholds).accept) ||
    (one.kind === 'class' && one.verdict === 'OK' && one.confidence >= 0.5) ||
    (one.kind === 'rule' && one.passed);
  const speaksAgainst = (one: Finding, byHand: Thresholds | null) =>
    (one.kind === 'anomaly' && one.score > (byHand ?? one.thresholds).reject) ||
    (one.kind === 'detections' && one.detections.length > 0) ||
    (one.kind === 'class' && one.verdict === 'NG') ||
    (one.kind === 'rule' && !one.passed);
  const check = (holds: (findings: readonly Finding[], set: DecisionSettings, seed: number) => void) =>
    fc.assert(fc.property(...inputs, holds), { numRuns: 2000 });

  it('is never OK with a failure', () => {
    check((findings, set, seed) => {
      const decision = decide([...findings, failure('overload')], set, seededRandom(seed), AT);
      assert.equal(decision.verdict, set.failSafe);
      assert.equal(decision.by, 'failsafe');
    });
  });

  it('is never OK without something that speaks for the part', () => {
    check((findings, set, seed) => {
      const { verdict: fell } = decide(findings, set, seededRandom(seed), AT);
      if (fell === 'OK') assert.ok(findings.some((one) => speaksFor(one, set.thresholds)));
    });
  });

  it('is never OK with a detection, whatever its class is set to', () => {
    fc.assert(
      fc.property(...inputs, fc.subarray(['a', 'b']), (findings, set, seed, review) => {
        const decision = decide([...findings, found({ a: 0.5 }, review)], set, seededRandom(seed), AT);
        assert.notEqual(decision.verdict, 'OK');
      }),
    );
  });

  it('is never OK with anything that speaks against the part, or on a bad picture', () => {
    check((findings, set, seed) => {
      const { verdict: fell } = decide(findings, set, seededRandom(seed), AT);
      if (findings.some((one) => speaksAgainst(one, set.thresholds))) assert.notEqual(fell, 'OK');
      if (set.quality?.passed === false) assert.notEqual(fell, 'OK');
    });
  });

  it('does not get better by more evidence against the part', () => {
    const rank = { OK: 0, REVIEW: 1, NG: 2 };
    check((findings, set, seed) => {
      if (findings.some(({ kind }) => kind === 'failure')) return;
      const before = decide(findings, set, seededRandom(seed), AT);
      const after = decide([...findings, detections(0.5)], set, seededRandom(seed), AT);
      if (before.by === 'model') assert.ok(rank[after.verdict] >= rank[before.verdict]);
    });
  });

  it('does not depend on the order of the findings', () => {
    check((findings, set, seed) => {
      const one = decide(findings, set, seededRandom(seed), AT);
      const other = decide([...findings].reverse(), set, seededRandom(seed), AT);
      assert.equal(one.verdict, other.verdict);
      assert.equal(one.confidence, other.confidence);
      assert.deepEqual([...one.reasons].sort(), [...other.reasons].sort());
    });
  });

  it('has reasons without repeats and a confidence within 0..1', () => {
    check((findings, set, seed) => {
      const { reasons, confidence } = decide(findings, set, seededRandom(seed), AT);
      assert.ok(reasons.length > 0);
      assert.equal(new Set(reasons).size, reasons.length);
      assert.ok(confidence >= 0 && confidence <= 1);
    });
  });
});
