import { ClassifierModel } from '../../classifier';
import { DetectorModel, levelOf } from '../../detector';
import type { Detection, DetectionThresholds, Finding, ModelKind, ModelReference, Thresholds } from '../../domain';
import { loadAnomalyModel } from '../../patchcore';

/** What a model says of a picture. */
export interface Look {
  readonly finding: Finding;
  /** The anomaly score, the highest confidence of a detection, or the probability that the part is not OK. */
  readonly score: number;
  /** Of a detector: also those that do not count, for the precision over the recall. */
  readonly detections?: readonly Detection[];
}

/** A version of a model of any kind, loaded. Ends with `dispose`. */
export interface Looker {
  readonly model: ModelReference;
  /** What a detector or classifier tells apart; empty for anomaly scores. */
  readonly classes: readonly string[];
  /** Null for kinds that give no anomaly score. */
  readonly thresholds: Thresholds | null;
  /** Confidences from which detections count; null for other kinds. */
  readonly confidences: DetectionThresholds | null;
  /** @throws {PictureUnreadable} @throws {ReferenceMissing} @throws {ReferenceMismatch} */
  look(picture: Buffer): Promise<Look>;
  dispose(): Promise<void>;
}

/** Who looks, in a finding. */
const NODE = 'gate';
/** All boxes count for the precision over the recall, however improbable. */
const LEAST_CONFIDENCE = 0.001;

/**
 * Loads a version, of whatever kind it is.
 *
 * @throws {ModelInvalid} when a file was changed or a golden picture gives something else
 * @throws {RuntimeMissing} without ONNX Runtime
 */
export async function openLooker(kind: ModelKind, folder: string, threads: number): Promise<Looker> {
  switch (kind) {
    case 'patchcore':
      return anomalyLooker(folder, threads);
    case 'detector':
      return detectorLooker(folder, threads);
    case 'classifier':
      return classifierLooker(folder, threads);
  }
}

async function anomalyLooker(folder: string, threads: number): Promise<Looker> {
  const model = await loadAnomalyModel(folder, { threads });
  const { name, version, thresholds } = model.manifest;
  return {
    model: { name, version },
    classes: [],
    thresholds,
    confidences: null,
    async look(picture) {
      const { score, normalizedScore, regions, milliseconds } = await model.score(picture, { map: false });
      const reference = { name, version };
      const common = { node: NODE, model: reference, milliseconds };
      return { score, finding: { kind: 'anomaly', ...common, score, normalizedScore, thresholds, regions } };
    },
    dispose: () => model.dispose(),
  };
}

async function detectorLooker(folder: string, threads: number): Promise<Looker> {
  const detector = await DetectorModel.open({ folder }, { threads });
  const { thresholds } = detector.defaults;
  return {
    model: detector.model,
    classes: detector.description.classes,
    thresholds: null,
    confidences: thresholds,
    async look(picture) {
      const { detections, model, milliseconds } = await detector.detect(picture, { confidence: LEAST_CONFIDENCE });
      const counting = detections.filter(({ label, confidence }) => confidence >= levelOf(thresholds, label));
      return {
        score: detections.at(0)?.confidence ?? 0,
        detections,
        finding: { kind: 'detections', node: NODE, model, detections: counting, thresholds, milliseconds },
      };
    },
    dispose: () => detector.dispose(),
  };
}

async function classifierLooker(folder: string, threads: number): Promise<Looker> {
  const classifier = await ClassifierModel.load(folder, { threads });
  const { name, version, classes, verdicts } = classifier.manifest;
  return {
    model: { name, version },
    classes,
    thresholds: null,
    confidences: null,
    async look(picture) {
      const { label, confidence, probabilities, verdict, model, milliseconds } = await classifier.classify(picture);
      const ok = classes.reduce((sum, each) => sum + (verdicts[each] === 'OK' ? probabilities[each] : 0), 0);
      const common = { node: NODE, model, milliseconds };
      return {
        score: 1 - ok,
        finding: { kind: 'class', ...common, label, confidence, verdict, probabilities },
      };
    },
    dispose: () => classifier.dispose(),
  };
}
