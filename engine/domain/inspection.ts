import type { ReasonCode, Verdict } from './verdict';

/** A rectangle in pixels of the original picture, origin top left. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type PictureFormat = 'jpeg' | 'png';

/** Facts about an encoded picture. */
export interface PictureInfo {
  readonly width: number;
  readonly height: number;
  readonly format: PictureFormat;
  readonly bytes: number;
  /** Hex SHA-256 of the encoded bytes. */
  readonly sha256: string;
}

export interface ModelReference {
  readonly name: string;
  readonly version: string;
}

/** Score bounds: at or below `accept` a part may pass, above `reject` it is bad, between them a person looks. */
export interface Thresholds {
  readonly accept: number;
  readonly reject: number;
}

/** A connected area of the picture that stands out of the heat map: patch scores above what OK parts show (the model's region level). */
export interface Region {
  readonly box: Box;
  /** Area in pixels of the original picture. */
  readonly area: number;
  /** Highest raw score inside. */
  readonly peak: number;
}

interface FindingBase {
  /** Id of the Node-RED node (or `cli`, `api`) that made the finding. */
  readonly node: string;
  readonly model?: ModelReference;
  /** Wall-clock milliseconds per stage; `total` is always there. */
  readonly milliseconds: Readonly<Record<string, number>> & { readonly total: number };
}

export interface AnomalyFinding extends FindingBase {
  readonly kind: 'anomaly';
  /** Raw distance, unbounded, >= 0. */
  readonly score: number;
  /** Score scaled so that 0 is the calibration median of OK parts and 1 the reject level; not clamped. */
  readonly normalizedScore: number;
  /** That the part is defective, 0..1, were both kinds equally frequent; only with models that know defective pictures. */
  readonly probability?: number;
  readonly thresholds: Thresholds;
  readonly regions: readonly Region[];
  /** Where the heat map (8-bit grey PNG, aligned to the whole original picture) is served. */
  readonly map?: { readonly url: string; readonly width: number; readonly height: number };
}

export interface Detection {
  readonly label: string;
  /** 0..1 */
  readonly confidence: number;
  readonly box: Box;
}

/** A box that a person or a data set says is there. */
export interface LabelledBox {
  readonly label: string;
  /** Pixels of the original picture. */
  readonly box: Box;
}

/** Confidences, 0..1, from which detections count. */
export interface DetectionThresholds {
  readonly confidence: number;
  /** Instead of `confidence`, for the classes named. */
  readonly perClass: Readonly<Record<string, number>>;
}

/** What is set at a detector's node in place of what the model says. */
export interface DetectorSettings {
  /** From which a detection counts, 0..1; the model's confidences of single classes do not count then either. */
  readonly confidence?: number;
  /** Instead of `confidence`, for the classes named. */
  readonly perClass?: Readonly<Record<string, number>>;
  /** Boxes of one class that overlap more than this are one, 0..1. */
  readonly iou?: number;
  /** What is looked at, in fractions 0..1 of the picture's sides; all of it where it is absent. */
  readonly roi?: Box;
  /** How many tiles are looked at one by one, and the share of a side that neighbours have in common. */
  readonly tiles?: { readonly columns: number; readonly rows: number; readonly overlap: number };
  /** Classes whose detections are left out. */
  readonly ignored?: readonly string[];
}

export interface DetectionsFinding extends FindingBase {
  readonly kind: 'detections';
  readonly detections: readonly Detection[];
  /** Those in force when the picture was looked at. */
  readonly thresholds: DetectionThresholds;
  /** Classes whose detections a person shall judge; those of all others speak against the part. */
  readonly review?: readonly string[];
  /** By which the picture was looked at; absent where it is not known. */
  readonly settings?: DetectorSettings;
}

export interface ClassFinding extends FindingBase {
  readonly kind: 'class';
  readonly label: string;
  /** 0..1 */
  readonly confidence: number;
  readonly verdict: Verdict;
  /** Of every class, 0..1; together 1. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** What classes mean for a part where the node says something else than the model; absent where it is not known. */
  readonly verdicts?: Readonly<Record<string, Verdict>>;
}

export interface RuleFinding extends FindingBase {
  readonly kind: 'rule';
  readonly rule: string;
  readonly passed: boolean;
  readonly message?: string;
}

export interface OpinionFinding extends FindingBase {
  readonly kind: 'opinion';
  readonly verdict: Verdict;
  /** 0..1 */
  readonly confidence: number;
  readonly text: string;
}

/** An analysis that could not be done. The part cannot be OK. */
export interface FailureFinding extends FindingBase {
  readonly kind: 'failure';
  readonly reason: ReasonCode;
  readonly message: string;
}

export type Finding = AnomalyFinding | DetectionsFinding | ClassFinding | RuleFinding | OpinionFinding | FailureFinding;

export interface QualityReport {
  readonly passed: boolean;
  readonly brightness: number;
  readonly contrast: number;
  readonly sharpness: number;
}

export interface Decision {
  readonly verdict: Verdict;
  /** 0..1: how far the deciding score is from the nearest threshold; 0 for fail-safe verdicts. */
  readonly confidence: number;
  readonly reasons: readonly ReasonCode[];
  readonly by: 'model' | 'human' | 'failsafe';
  /** The thresholds in force when the verdict fell, where a score decided. */
  readonly thresholds?: Thresholds;
  /** True when the part passed and a person shall look at it all the same (random audit). */
  readonly audit?: boolean;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** What started the inspection. */
export interface Trigger {
  readonly source: 'message' | 'plc' | 'folder' | 'api' | 'browser' | 'simulator';
  /** The PLC's sequence number, to be echoed with the result. */
  readonly sequence?: number;
  /** Node id of the plc-trigger that saw it. */
  readonly node?: string;
}

/** The part under inspection as it travels through a flow in `msg.inspection`. Plain JSON. */
export interface Inspection {
  /** ULID. */
  readonly id: string;
  /** Node id of the inspection-station. */
  readonly station: string;
  readonly partType: string;
  readonly serial?: string;
  readonly trigger: Trigger;
  /** ISO 8601, UTC. */
  readonly capturedAt: string;
  readonly deadlineAt: string;
  /** Missing only when no picture could be taken. */
  readonly image?: PictureInfo;
  readonly quality?: QualityReport;
  /** One per analysis, in order. */
  readonly findings: readonly Finding[];
  readonly decision?: Decision;
}

/** The anomaly finding that tells most against the part; null when no analysis gave a score. */
export function worstAnomaly(findings: readonly Finding[]): AnomalyFinding | null {
  let worst: AnomalyFinding | null = null;
  for (const finding of findings) {
    if (finding.kind !== 'anomaly') continue;
    if (worst === null || finding.normalizedScore > worst.normalizedScore) worst = finding;
  }
  return worst;
}

/** At or below the accept level OK, above the reject level NG, between them a person looks. */
export function verdictOf(score: number, { accept, reject }: Thresholds): Verdict {
  if (score > reject) return 'NG';
  return score <= accept ? 'OK' : 'REVIEW';
}
