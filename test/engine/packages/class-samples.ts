import type { DetectorFigures } from '../../../engine/domain';
import {
  CLASSES_FORMAT,
  type ClassifierManifest,
  type DetectorManifest,
  GOLDEN_CLASS_TOLERANCE,
  GOLDEN_DETECTION_TOLERANCE,
  type UnsealedManifest,
} from '../../../engine/packages';

export const sampleDetectorFiles = {
  'model.onnx': Buffer.from('weights of the detector'),
  'golden/1.png': Buffer.from('a picture'),
};

export const sampleFigures: DetectorFigures = {
  map50: 0.8,
  map5095: 0.5,
  recall: 0.75,
  pictures: 6,
  perClass: [
    { label: 'stain', ap50: 0.8, ap5095: 0.5, recall: 0.75, precision: 0.9, f1: 0.82, count: 8 },
    { label: 'scratch', ap50: null, ap5095: null, recall: null, precision: null, f1: null, count: 0 },
  ],
  intervals: { map50: { low: 0.6, high: 0.95 } },
};

const common = {
  format: CLASSES_FORMAT,
  version: '1',
  partType: 'plate',
  createdAt: '2026-01-01T00:00:00.000Z',
  parent: null,
  metrics: { 'seconds.train': 12 },
  model: 'model.onnx',
  base: { name: 'starter', sha256: 'c'.repeat(64) },
  curve: [{ epoch: 1, loss: 3.5, map50: 0.4 }],
  gate: { accepted: true, reasons: [] },
} as const;

/** A manifest of a detector that is nothing but a few bytes. */
export const sampleDetector: UnsealedManifest<DetectorManifest> = {
  ...common,
  curve: [...common.curve],
  kind: 'detector',
  method: 'yolo',
  name: 'plate.detector',
  classes: ['stain', 'scratch'],
  dataset: { source: 'test', count: 30, skipped: 1, sha256: 'a'.repeat(64), heldOut: 6, boxes: 44, replayed: 10 },
  input: { width: 256, height: 192 },
  thresholds: { confidence: 0.25, perClass: { scratch: 0.4 } },
  iou: 0.7,
  level: 'neck',
  training: { seed: 1, epochs: 20, inputSize: 256, batch: 8, learningRate: 0.001, augmentation: 0.5 },
  evaluation: { before: null, after: sampleFigures, oldClasses: { before: sampleFigures, after: sampleFigures } },
  golden: [
    {
      picture: 'golden/1.png',
      detections: [{ label: 'stain', confidence: 0.9, box: { x: 1, y: 2, width: 30, height: 20 } }],
    },
  ],
  goldenTolerance: GOLDEN_DETECTION_TOLERANCE,
};

/** A manifest of a classifier that is nothing but a few bytes. */
export const sampleClassifier: UnsealedManifest<ClassifierManifest> = {
  ...common,
  curve: [{ epoch: 1, loss: 0.7, accuracy: 0.9 }],
  kind: 'classifier',
  method: 'linear',
  name: 'plate.classifier',
  classes: ['good', 'porosity'],
  verdicts: { good: 'OK', porosity: 'NG' },
  dataset: { source: 'test', count: 40, skipped: 0, sha256: 'b'.repeat(64), heldOut: 10 },
  preprocessing: { width: 224, height: 224, mode: 'stretch', kernel: 'linear', fastShrinkOnLoad: false },
  backbone: { id: 'starter', sha256: 'd'.repeat(64) },
  training: { seed: 1, epochs: 30, learningRate: 0.1, augmentation: 0 },
  temperature: 1.2,
  evaluation: {
    before: null,
    after: {
      accuracy: 0.9,
      balancedAccuracy: 0.9,
      pictures: 10,
      perClass: [
        { label: 'good', recall: 1, precision: 5 / 6, f1: 10 / 11, count: 5 },
        { label: 'porosity', recall: 0.8, precision: 1, f1: 8 / 9, count: 5 },
      ],
      confusion: {
        labels: ['good', 'porosity'],
        matrix: [
          [5, 0],
          [1, 4],
        ],
      },
    },
  },
  golden: [{ picture: 'golden/1.png', probabilities: [0.9, 0.1] }],
  goldenTolerance: GOLDEN_CLASS_TOLERANCE,
};
