import type { DetectionThresholds, GateReport, ModelVersion, Thresholds } from '../domain';
import type {
  AnomalyManifest,
  BankManifest,
  ClassifierManifest,
  DetectorManifest,
  ModelManifest,
  ReferenceManifest,
} from '../packages';
import type { Calibration } from '../statistics';

/** What held-out scores said when a version was made. */
export interface CalibrationDetails extends Omit<AnomalyManifest['calibration'], keyof Stated> {
  /** The model's own. */
  readonly thresholds: Thresholds;
  /** Empty when there is only the English `statement` (packages of format 1). */
  readonly statementParts: Stated['statementParts'];
  readonly scores: Stated['scores'];
  readonly defectScores: Stated['defectScores'];
  readonly probability: Stated['probability'];
}

type Stated = Pick<Calibration, 'statementParts' | 'scores' | 'defectScores' | 'probability'>;

/** A training picture that looks defective: a person should look at it. */
export interface SuspectPicture {
  readonly name: string;
  /** Raw score it got from a bank that does not know it. */
  readonly score: number;
  /** It is in the bank all the same. */
  readonly learnt: boolean;
  /** Where its picture is served; null when the station does not keep it. */
  readonly picture: string | null;
}

/** What all kinds have in common. */
interface VersionDetails extends Omit<ModelVersion, 'dataset' | 'gate'> {
  /** What the gate found last; null when it was not asked. */
  readonly gateReport: GateReport | null;
}

interface CommonDetails extends VersionDetails, Pick<AnomalyManifest, 'metrics'> {
  readonly thresholds: Thresholds;
  readonly dataset: Omit<AnomalyManifest['dataset'], 'sha256'>;
  readonly calibration: CalibrationDetails;
}

/** A version that compares with a memory bank. */
export interface BankDetails
  extends CommonDetails,
    Pick<BankManifest, 'method' | 'augmentation' | 'recipe' | 'quantisation'> {
  readonly backbone: Pick<BankManifest['backbone'], 'id' | 'sha256' | 'outputs'>;
  readonly input: Pick<BankManifest['preprocessing'], 'width' | 'height' | 'mode'>;
  readonly viewing: Omit<BankManifest['viewing'], 'mask'> & { readonly mask: boolean };
  readonly bank: Omit<BankManifest['bank'], 'heads' | 'seed'>;
  readonly suspects: readonly SuspectPicture[];
}

/** A version that compares each part with its golden picture. */
export interface ReferenceDetails extends CommonDetails, Pick<ReferenceManifest, 'method'> {
  readonly reference: Pick<ReferenceManifest['reference'], 'settings' | 'chosenBy' | 'trials' | 'boxes'> & {
    /** A golden picture for every part travels with it; without it each part must bring its own. */
    readonly shared: boolean;
  };
}

/** A version that scores anomalies. */
export type AnomalyDetails = BankDetails | ReferenceDetails;

/** A version that finds boxes. */
export interface DetectorDetails
  extends VersionDetails,
    Pick<
      DetectorManifest,
      'method' | 'metrics' | 'input' | 'iou' | 'level' | 'training' | 'evaluation' | 'curve' | 'gate' | 'base'
    > {
  readonly kind: 'detector';
  readonly classes: readonly string[];
  readonly dataset: Omit<DetectorManifest['dataset'], 'sha256'>;
  /** Confidences from which detections count. */
  readonly detectionThresholds: DetectionThresholds;
}

/** A version that names the class of a picture. */
export interface ClassifierDetails
  extends VersionDetails,
    Pick<
      ClassifierManifest,
      | 'method'
      | 'metrics'
      | 'verdicts'
      | 'backbone'
      | 'training'
      | 'temperature'
      | 'evaluation'
      | 'curve'
      | 'gate'
      | 'base'
    > {
  readonly kind: 'classifier';
  readonly classes: readonly string[];
  readonly dataset: Omit<ClassifierManifest['dataset'], 'sha256'>;
  readonly input: Pick<ClassifierManifest['preprocessing'], 'width' | 'height' | 'mode'>;
}

/** All a person needs to know of a model version; `method` tells which it is. */
export type ModelDetails = AnomalyDetails | DetectorDetails | ClassifierDetails;

/**
 * A version as clients see it.
 *
 * @param gateReport what the gate found last
 * @param pictureOf  where the picture of a suspect is served; null when it is not kept
 */
export async function modelDetails(
  {
    summary: { dataset: _snapshot, gate: _gate, ...known },
    manifest,
  }: { summary: ModelVersion; manifest: ModelManifest },
  gateReport: GateReport | null,
  pictureOf: (name: string) => Promise<string | null>,
): Promise<ModelDetails> {
  const summary = { ...known, gateReport };
  if (manifest.kind === 'detector') return detectorDetails(summary, manifest);
  if (manifest.kind === 'classifier') return classifierDetails(summary, manifest);
  const { calibration, thresholds, metrics } = manifest;
  const { sha256: _dataset, ...dataset } = manifest.dataset;
  const common = {
    ...summary,
    thresholds,
    dataset,
    calibration: {
      ...calibration,
      thresholds,
      statementParts: calibration.statementParts as CalibrationDetails['statementParts'],
    },
    metrics,
  };
  if (manifest.method === 'reference') {
    const { settings, chosenBy, trials, boxes, picture } = manifest.reference;
    const reference = { settings, chosenBy, trials, boxes, shared: picture !== null };
    return { ...common, method: manifest.method, reference };
  }
  const { method, augmentation, recipe, quantisation, viewing } = manifest;
  const { file: _file, ...backbone } = manifest.backbone;
  const { width, height, mode } = manifest.preprocessing;
  const { heads: _heads, seed: _seed, ...bank } = manifest.bank;
  const suspects = manifest.suspects.map(async (suspect) => ({ ...suspect, picture: await pictureOf(suspect.name) }));
  return {
    ...common,
    method,
    backbone,
    input: { width, height, mode },
    viewing: { ...viewing, mask: viewing.mask !== null },
    augmentation,
    recipe,
    quantisation,
    bank,
    suspects: await Promise.all(suspects),
  };
}

function detectorDetails(summary: VersionDetails, manifest: DetectorManifest): DetectorDetails {
  const { kind, method, metrics, input, iou, level, training, evaluation, curve, gate, base, classes } = manifest;
  const { sha256: _dataset, ...dataset } = manifest.dataset;
  const made = { level, training, evaluation, curve, gate, base };
  return {
    ...summary,
    kind,
    method,
    metrics,
    classes,
    input,
    iou,
    ...made,
    dataset,
    detectionThresholds: manifest.thresholds,
  };
}

function classifierDetails(summary: VersionDetails, manifest: ClassifierManifest): ClassifierDetails {
  const { kind, method, metrics, classes, verdicts, backbone, training, temperature } = manifest;
  const { evaluation, curve, gate, base } = manifest;
  const { sha256: _dataset, ...dataset } = manifest.dataset;
  const { width, height, mode } = manifest.preprocessing;
  const made = { backbone, training, evaluation, curve, gate, base };
  return {
    ...summary,
    kind,
    method,
    metrics,
    classes,
    verdicts,
    temperature,
    ...made,
    dataset,
    input: { width, height, mode },
  };
}
