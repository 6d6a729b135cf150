import type { DetectionResult, DetectOptions } from '../../detector';
import type { DetectorSettings, Finding, Verdict } from '../../domain';

/** How the line used a model when it looked at a part: what was set at the node in place of what the model says. */
export type LineUse =
  | { readonly kind: 'anomaly' }
  | { readonly kind: 'detections'; readonly settings: DetectorSettings }
  | { readonly kind: 'class'; readonly verdicts: Readonly<Record<string, Verdict>> };

/** How a finding came about; null where its record does not tell, which is of an earlier release or of another kind. */
export function lineUseOf(finding: Finding): LineUse | null {
  switch (finding.kind) {
    case 'anomaly':
      return { kind: 'anomaly' };
    case 'detections':
      return finding.settings ? { kind: 'detections', settings: finding.settings } : null;
    case 'class':
      return finding.verdicts ? { kind: 'class', verdicts: finding.verdicts } : null;
    default:
      return null;
  }
}

/** What a detector is told for settings of a node. Classes that it does not know are left out: versions know other ones. */
export function detectOptionsOf({ ignored: _, ...settings }: DetectorSettings): DetectOptions {
  return { ...settings, unknownClasses: 'leave-out' };
}

/** What a detector found, without the classes that the node leaves out. */
export function heeded(result: DetectionResult, { ignored = [] }: DetectorSettings): DetectionResult {
  return { ...result, detections: result.detections.filter(({ label }) => !ignored.includes(label)) };
}
