import assert from 'node:assert/strict';
import type { Decision, Detection, Finding, QueueReason, ReasonCode, Verdict } from '../../../engine/domain';
import { DEFAULT_ADMISSION } from '../../../engine/domain';
import { inOrder, queueReasonsOf } from '../../../engine/review/queue-reasons';

const common = { node: 'n', milliseconds: { total: 1 } };
const score = (value: number, accept = 1, reject = 2): Finding => ({
  ...common,
  kind: 'anomaly',
  score: value,
  normalizedScore: value,
  thresholds: { accept, reject },
  regions: [],
});
const detections = (found: readonly [string, number][], review?: readonly string[]): Finding => ({
  ...common,
  kind: 'detections',
  detections: found.map(
    ([label, confidence]): Detection => ({ label, confidence, box: { x: 0, y: 0, width: 1, height: 1 } }),
  ),
  thresholds: { confidence: 0.25, perClass: {} },
  ...(review && { review }),
});
const classed = (verdict: Verdict, confidence: number): Finding => ({
  ...common,
  kind: 'class',
  label: verdict,
  verdict,
  confidence,
  probabilities: { [verdict]: confidence, other: 1 - confidence },
});
const failure: Finding = { ...common, kind: 'failure', reason: 'inference-failed', message: 'no' };
const opinion = (verdict: Verdict): Finding => ({ ...common, kind: 'opinion', verdict, confidence: 0.9, text: 'hm' });

function reasonsOf(
  findings: readonly Finding[],
  decision: Partial<Decision> & { readonly reasons?: readonly ReasonCode[] } = {},
): readonly QueueReason[] {
  const complete: Decision = {
    verdict: 'REVIEW',
    confidence: 0,
    reasons: [],
    by: 'model',
    at: '2026-01-02T00:00:00.000Z',
    ...decision,
  };
  return queueReasonsOf({ findings, decision: complete }, DEFAULT_ADMISSION);
}

describe('the reasons for which a part comes into the review queue', () => {
  const cases: [string, readonly Finding[], readonly QueueReason[], Partial<Decision>?][] = [
    ['a score between its thresholds is near them', [score(1.5)], ['near-threshold']],
    ['a passed score within a tenth below the accept level is near it', [score(0.91)], ['near-threshold']],
    ['a rejected score within a tenth above the reject level is near it', [score(2.19)], ['near-threshold']],
    ['a passed score farther below is not', [score(0.89)], []],
    ['nor is a rejected one farther above', [score(2.21)], []],
    [
      'thresholds set by hand count instead of those of the model',
      [score(0.5)],
      ['near-threshold'],
      { thresholds: { accept: 0.52, reject: 0.9 } },
    ],
    ['a class the model is not sure of', [classed('NG', 0.55)], ['low-confidence']],
    [
      'a detection the model is not sure of',
      [
        detections([
          ['scratch', 0.9],
          ['stain', 0.4],
        ]),
      ],
      ['low-confidence'],
    ],
    ['nothing that speaks for the part', [detections([])], ['low-confidence'], { reasons: ['no-positive-evidence'] }],
    [
      'a good score and a detection contradict each other',
      [score(0.2), detections([['scratch', 0.9]])],
      ['disagreement'],
    ],
    [
      'so do a good score and a detection that a person shall judge',
      [score(0.2), detections([['scratch', 0.9]], ['scratch'])],
      ['disagreement'],
    ],
    ['so do a good score and an opinion', [score(0.2), opinion('NG')], ['disagreement']],
    ['so do a good class and a bad score', [classed('OK', 0.9), score(3)], ['disagreement']],
    ['a good class and a score in between do not', [classed('OK', 0.9), score(1.5)], ['near-threshold']],
    ['an analysis that could not be done', [failure], ['failure']],
    ['a fail-safe verdict', [score(0.2)], ['failure'], { by: 'failsafe', reasons: ['deadline-exceeded'] }],
    ['a passed part drawn by chance', [score(0.2)], ['audit-sample'], { verdict: 'OK', audit: true }],
    ['several, most telling first', [score(0.95), failure], ['failure', 'near-threshold']],
    ['none for a clear case', [score(5)], [], { verdict: 'NG' }],
  ];
  for (const [what, findings, reasons, decision] of cases) {
    it(`tell: ${what}`, () => assert.deepEqual(reasonsOf(findings, decision), reasons));
  }

  it('stand once each, most telling first, and "sent" only alone', () => {
    assert.deepEqual(inOrder(['sent', 'low-confidence', 'flagged', 'drift', 'flagged']), [
      'flagged',
      'drift',
      'low-confidence',
    ]);
    assert.deepEqual(inOrder(['sent']), ['sent']);
  });
});
