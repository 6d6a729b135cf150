import type { Detection, Finding, Label, LabelledBox, Verdict } from '../../../../engine/domain';
import type { GatePicture } from '../../../../engine/learning/gate';
import type { Judged, Judgement } from '../../../../engine/learning/gate/judged';

export function picture(id: string, label: Label, more: Partial<GatePicture> = {}): GatePicture {
  return { id, picture: `/nowhere/${id}.jpg`, label, boxes: null, split: 'val', source: 'inspection', ...more };
}

const BASE = { node: 'gate', milliseconds: { total: 1 } };

/** A judgement by an anomaly score. */
export function scored(verdict: Verdict, score: number): Judgement {
  const thresholds = { accept: 1, reject: 2 };
  const finding: Finding = { ...BASE, kind: 'anomaly', score, normalizedScore: score, thresholds, regions: [] };
  return { verdict, score, finding };
}

/** A judgement by boxes. */
export function found(detections: readonly Detection[], counting = 0.25): Judgement {
  const counted = detections.filter(({ confidence }) => confidence >= counting);
  const thresholds = { confidence: counting, perClass: {} };
  return {
    verdict: counted.length > 0 ? 'NG' : 'OK',
    score: Math.max(0, ...detections.map(({ confidence }) => confidence)),
    detections,
    finding: { ...BASE, kind: 'detections', detections: counted, thresholds },
  };
}

/** A judgement by a class. */
export function named(label: string, verdict: Verdict): Judgement {
  const probabilities = { [label]: 1 };
  return { verdict, score: 0.5, finding: { ...BASE, kind: 'class', label, confidence: 1, verdict, probabilities } };
}

export function judged(shown: GatePicture, before: Judgement | null, after: Judgement): Judged {
  return { picture: shown, before, after };
}

export const box = (x: number, label = 'dent'): LabelledBox => ({ label, box: { x, y: 0, width: 10, height: 10 } });
