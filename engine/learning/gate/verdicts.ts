import type { Finding, ModelReference, Thresholds, Verdict } from '../../domain';
import { decide } from '../../routing';

/** Thresholds of anomaly scores set by hand; null: those of the models. */
type ByHand = Thresholds | null;

/**
 * What a model alone makes of a part. A detector that finds nothing lets it pass here: on the line another analysis would
 * have to speak for the part, and here only the detector is judged.
 */
export function verdictAlone(finding: Finding, byHand: ByHand): Verdict {
  if (finding.kind === 'detections' && finding.detections.length === 0) return 'OK';
  return verdictOf([finding], byHand);
}

/** What the line makes of a part when a model says something else of it than what was recorded. */
export function verdictWith(
  finding: Finding & { readonly model?: ModelReference },
  recorded: readonly Finding[],
  byHand: ByHand,
): Verdict {
  const own = recorded.find((other) => isSame(other, finding));
  const others = recorded.filter((other) => other.kind !== 'failure' && !isSame(other, finding));
  // which classes a person shall judge is set at the node
  const review = own?.kind === 'detections' ? own.review : undefined;
  const complete = finding.kind === 'detections' && review !== undefined ? { ...finding, review } : finding;
  return verdictOf([...others, complete], byHand);
}

/** Whether two findings are of one model, whatever their versions. */
function isSame(finding: Finding, other: Finding): boolean {
  return finding.kind === other.kind && finding.model?.name === other.model?.name;
}

function verdictOf(findings: readonly Finding[], thresholds: ByHand): Verdict {
  const settings = { thresholds, failSafe: 'NG', auditShare: 0 } as const;
  return decide(findings, settings, () => 1, '').verdict;
}
