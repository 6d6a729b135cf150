import { ClassifierModel } from '../../classifier';
import { DetectorModel } from '../../detector';
import type { DetectionThresholds, ModelKind, ModelReference, Thresholds, Verdict } from '../../domain';
import { loadAnomalyModel } from '../../patchcore';
import { detectOptionsOf, heeded, type LineUse } from './line-use';
import { type Look, lookOfAnomaly, lookOfClass, lookOfDetections } from './looks';

/** A version of a model of any kind, loaded. Ends with `dispose`. */
export interface Looker {
  readonly model: ModelReference;
  /** What a detector or classifier tells apart; empty for anomaly scores. */
  readonly classes: readonly string[];
  /** Null for kinds that give no anomaly score. */
  readonly thresholds: Thresholds | null;
  /** Confidences from which detections count; null for other kinds. */
  readonly confidences: DetectionThresholds | null;
  /** What each class means for a part; empty for other kinds than classifiers. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /**
   * @param use how the line uses it; null: the model alone. Boxes that do not count are given only then
   * @throws {PictureUnreadable} @throws {ReferenceMissing} @throws {ReferenceMismatch}
   */
  look(picture: Buffer, use: LineUse | null): Promise<Look>;
  dispose(): Promise<void>;
}

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
    verdicts: {},
    look: async (picture) => lookOfAnomaly(await model.score(picture, { map: false })),
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
    verdicts: {},
    look: async (picture, use) => {
      if (use?.kind !== 'detections') {
        return lookOfDetections(await detector.detect(picture, { confidence: LEAST_CONFIDENCE }), thresholds);
      }
      const found = heeded(await detector.detect(picture, detectOptionsOf(use.settings)), use.settings);
      return lookOfDetections(found, found.thresholds);
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
    verdicts,
    look: async (picture, use) => {
      const byHand = use?.kind === 'class' ? use.verdicts : {};
      return lookOfClass(await classifier.classify(picture), { ...verdicts, ...byHand });
    },
    dispose: () => classifier.dispose(),
  };
}
