import type {
  ClassFinding,
  Detection,
  DetectionsFinding,
  Finding,
  Inspection,
  Region,
  Thresholds,
  Verdict,
} from './types';

/** One inspected part as the widgets show it. */
export interface Part {
  readonly id: string;
  readonly partType: string;
  readonly serial: string | null;
  readonly verdict: Verdict | null;
  readonly by: string | null;
  readonly audit: boolean;
  readonly reasons: readonly string[];
  /** What failed, in the server's words. */
  readonly failure: string | null;
  readonly score: number | null;
  /** Of a defect, 0..1; null where the model does not tell. */
  readonly probability: number | null;
  readonly thresholds: Thresholds | null;
  readonly regions: readonly Region[];
  readonly detections: readonly Detection[];
  /** What detectors and classifiers said. */
  readonly opinions: readonly (DetectionsFinding | ClassFinding)[];
  readonly capturedAt: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly hasPicture: boolean;
  /** False when no picture could be taken in the first place. */
  readonly wasPictured: boolean;
  readonly hasMap: boolean;
  readonly milliseconds: number | null;
  readonly model: string | null;
}

/** What is common to the API's inspection, its summary in lists, and a review item. */
export interface PartSource extends Partial<Omit<Inspection, 'decision' | 'findings' | 'image'>> {
  readonly id: string;
  readonly image?: Inspection['image'] | null;
  readonly decision?: Inspection['decision'] | null;
  readonly findings?: readonly Finding[];
  readonly verdict?: Verdict | null;
  readonly lineVerdict?: Verdict;
  readonly reasons?: readonly string[];
  readonly score?: number | null;
  readonly thresholds?: Thresholds | null;
  readonly by?: string | null;
  readonly audit?: boolean;
  readonly createdAt?: string;
  readonly picture?: string | null;
  readonly width?: number | null;
  readonly height?: number | null;
  readonly picturePath?: string | null;
  readonly map?: string | null;
}

/** Reads a part from an inspection, a list's summary or a review item. */
export function partOf(source: PartSource): Part {
  const findings = source.findings ?? [];
  const anomalies = findings.filter((finding) => finding.kind === 'anomaly');
  const worst = anomalies.reduce<(typeof anomalies)[number] | null>(
    (so, finding) => (so === null || finding.normalizedScore > so.normalizedScore ? finding : so),
    null,
  );
  const failure = findings.find((finding) => finding.kind === 'failure');
  const total = findings.reduce((sum, finding) => sum + finding.milliseconds.total, 0);
  const models = findings.flatMap(({ model }) => (model ? [`${model.name} ${model.version}`] : []));
  return {
    id: source.id,
    partType: source.partType ?? '',
    serial: source.serial ?? null,
    verdict: source.decision?.verdict ?? source.verdict ?? source.lineVerdict ?? null,
    by: source.decision?.by ?? source.by ?? null,
    audit: source.decision?.audit ?? source.audit ?? false,
    reasons: source.reasons ?? source.decision?.reasons ?? [],
    failure: failure?.message ?? null,
    score: worst?.score ?? source.score ?? null,
    probability: worst?.probability ?? null,
    thresholds: source.decision?.thresholds ?? source.thresholds ?? worst?.thresholds ?? null,
    regions: anomalies.flatMap((finding) => finding.regions),
    detections: findings.flatMap((finding) => (finding.kind === 'detections' ? finding.detections : [])),
    opinions: findings.filter((finding) => finding.kind === 'detections' || finding.kind === 'class'),
    capturedAt: source.capturedAt ?? source.createdAt ?? '',
    width: source.image?.width ?? source.width ?? null,
    height: source.image?.height ?? source.height ?? null,
    hasPicture: source.picture !== null && source.picturePath !== null,
    wasPictured: Boolean(source.image || source.width) || (source.picture ?? source.picturePath ?? null) !== null,
    hasMap: source.map ? true : anomalies.some((finding) => finding.map !== undefined),
    milliseconds: findings.length > 0 ? total : null,
    model: models.length > 0 ? [...new Set(models)].join(', ') : null,
  };
}
