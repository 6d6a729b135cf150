import type { Finding, Inspection, QueueReason } from '../domain';
import { evidenceIn, thresholdsInForce } from './queue-reasons';

/** Share of doubt in what a label would teach; the rest is newness. */
const DOUBT_SHARE = 0.7;
/** Of a picture that nothing is known about. */
const UNKNOWN_NEWNESS = 0.5;

/** How a picture compares with those that are known. */
export interface Newness {
  /** To the one most like it; null when none is known. */
  readonly distance: number | null;
  /** Up to this distance pictures look alike. */
  readonly radius: number;
  /** How many that look like it wait for a person. */
  readonly waiting: number;
}

/**
 * How much a label would teach, 0..1: doubt and newness, shared out among those that look alike and wait.
 *
 * Doubt is 1 where findings contradict each other or a person asked, else that of the least sure finding. Newness is 0 for a
 * copy and 1 from twice the radius on. Weighing doubt with how much a picture adds to those already there is the idea of
 * Settles and Craven 2008, "An analysis of active learning strategies", section 3.3, turned from density to diversity.
 *
 * @param newness null when the picture could not be compared
 */
export function informationOf(
  inspection: Pick<Inspection, 'findings' | 'decision'>,
  reasons: readonly QueueReason[],
  newness: Newness | null,
): number {
  const isOpen = reasons.includes('disagreement') || reasons.includes('flagged');
  const doubt = isOpen ? 1 : doubtOf(inspection);
  const teaches = DOUBT_SHARE * doubt + (1 - DOUBT_SHARE) * newnessOf(newness);
  return Math.round((1000 * teaches) / (1 + (newness?.waiting ?? 0))) / 1000;
}

/** Of the least sure finding, 0..1; 0 where there is none. */
export function doubtOf({ findings, decision }: Pick<Inspection, 'findings' | 'decision'>): number {
  const thresholdsOf = thresholdsInForce(findings, decision?.thresholds);
  const doubts = findings.map((finding) => {
    if (finding.kind !== 'anomaly') return doubtIn(finding);
    if (finding.probability !== undefined) return 1 - Math.abs(2 * finding.probability - 1);
    const { says, confidence } = evidenceIn(finding, thresholdsOf);
    return says === 'unsure' ? 1 : 1 - confidence;
  });
  return Math.max(0, ...doubts);
}

function doubtIn(finding: Finding): number {
  switch (finding.kind) {
    case 'class': {
      // the margin of the likeliest class over the next one
      const [first = 1, second = 0] = Object.values(finding.probabilities).sort((one, other) => other - one);
      return within(1 - (first - second));
    }
    case 'detections': {
      const { confidence, perClass } = finding.thresholds;
      const doubts = finding.detections.map((detection) => {
        const from = Object.hasOwn(perClass, detection.label) ? perClass[detection.label] : confidence;
        return from < 1 ? within(1 - (detection.confidence - from) / (1 - from)) : 0;
      });
      return Math.max(0, ...doubts);
    }
    case 'opinion':
      return finding.verdict === 'REVIEW' ? 1 : within(1 - finding.confidence);
    default:
      return 0;
  }
}

function newnessOf(newness: Newness | null): number {
  if (newness === null) return UNKNOWN_NEWNESS;
  return newness.distance === null ? 1 : within(newness.distance / (2 * newness.radius));
}

function within(value: number): number {
  return Math.min(1, Math.max(0, value));
}
