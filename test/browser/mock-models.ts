/** Detectors and classifiers as the API describes them, for browser tests. The figures are made up. */
import type { ClassifierDetails, DetectorDetails } from '../../engine/api/model-details';
import type {
  ClassifierFigures,
  CurvePoint,
  DetectorFigures,
  Finding,
  GateDecision,
  TrainingReportFacts,
} from '../../engine/domain';

/** What a detector found: a scratch and a stain. */
export const DETECTED: Finding = {
  kind: 'detections',
  node: 'detect',
  model: { name: 'plate.detector', version: '2' },
  milliseconds: { decode: 8, letterbox: 4, session: 60, total: 73 },
  thresholds: { confidence: 0.25, perClass: {} },
  detections: [
    { label: 'scratch', confidence: 0.91, box: { x: 200, y: 150, width: 320, height: 120 } },
    { label: 'stain', confidence: 0.47, box: { x: 800, y: 400, width: 160, height: 160 } },
  ],
};

/** What a classifier said. */
export const NAMED: Finding = {
  kind: 'class',
  node: 'classify',
  model: { name: 'plate.classifier', version: '1' },
  milliseconds: { total: 21 },
  label: 'porosity',
  confidence: 0.83,
  verdict: 'NG',
  probabilities: { good: 0.12, porosity: 0.83, undercut: 0.05 },
};

const CLASSES = ['scratch', 'dent', 'stain'] as const;

/** @param recalls of scratch, dent and stain */
export function detectorFigures(map50: number, recalls: readonly number[], pictures = 24): DetectorFigures {
  const steps = Array.from({ length: 11 }, (_, index) => index / 10);
  return {
    map50,
    map5095: map50 * 0.62,
    recall: recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
    pictures,
    perClass: CLASSES.map((label, index) => ({
      label,
      ap50: recalls[index] * 0.96,
      ap5095: recalls[index] * 0.6,
      recall: recalls[index],
      precision: 0.9,
      f1: 0.88,
      count: 20 + 7 * index,
    })),
    intervals: { map50: { low: map50 - 0.06, high: map50 + 0.05 } },
    bestConfidence: 0.31,
    curves: CLASSES.map((label, index) => ({
      label,
      confidence: steps,
      precision: steps.map((step) => 0.7 + 0.3 * step ** 0.5),
      recall: steps.map((step) => recalls[index] * (1 - step ** 3)),
    })),
    confusion: {
      labels: [...CLASSES, 'background'],
      matrix: [
        [18, 1, 0, 1],
        [0, 24, 0, 3],
        [1, 0, 30, 3],
        [2, 1, 0, 0],
      ],
    },
  };
}

export const CURVE: readonly CurvePoint[] = Array.from({ length: 20 }, (_, index) => ({
  epoch: index + 1,
  loss: 1.1 + 3.4 * Math.exp(-index / 5),
  map50: 0.86 - 0.7 * Math.exp(-index / 4),
}));

export const REFUSED: GateDecision = {
  accepted: false,
  reasons: [
    {
      code: 'held-out-recall-fell',
      message: 'Of stain, 61.0 % instead of 88.0 % are found on the held-out pictures.',
      parameters: { label: 'stain', before: '88.0 %', after: '61.0 %', count: 34 },
    },
    { code: 'newer-than-the-texts', message: 'Something else is worse.' },
  ],
};

export function detectorReport(gate: GateDecision = { accepted: true, reasons: [] }): TrainingReportFacts {
  return {
    kind: 'detector',
    level: 'neck',
    before: detectorFigures(0.741, [0.7, 0.75, 0.88]),
    after: detectorFigures(gate.accepted ? 0.862 : 0.702, [0.9, 0.82, gate.accepted ? 0.88 : 0.61]),
    oldClasses: {
      before: detectorFigures(0.8, [0.8, 0.8, 0.8], 40),
      after: detectorFigures(0.796, [0.8, 0.79, 0.8], 40),
    },
    gate,
    curve: CURVE,
    seconds: 184,
    peakMemoryBytes: 1_310_000_000,
  };
}

export function detectorDetails(version: string, more: Partial<DetectorDetails> = {}): DetectorDetails {
  const after = detectorFigures(0.862, [0.9, 0.82, 0.88]);
  return {
    name: 'plate.detector',
    version,
    kind: 'detector',
    partType: 'plate',
    createdAt: '2026-03-12T09:30:00Z',
    deployed: false,
    pictures: { bank: 96, calibration: 24 },
    thresholds: null,
    classes: CLASSES,
    figures: { map50: after.map50, map5095: after.map5095, recall: after.recall },
    accepted: true,
    bytes: 10_600_000,
    parent: '1',
    method: 'yolo',
    metrics: {},
    input: { width: 640, height: 640 },
    iou: 0.7,
    level: 'neck',
    training: { seed: 1, epochs: 20, inputSize: 320, batch: 8, learningRate: 0.001, augmentation: 0.5 },
    evaluation: { before: detectorFigures(0.741, [0.7, 0.75, 0.88]), after, oldClasses: null },
    curve: CURVE,
    gate: { accepted: true, reasons: [] },
    gateReport: null,
    notes: null,
    base: { name: 'plate.detector 1', sha256: '0'.repeat(64) },
    dataset: { source: 'labels with boxes', count: 96, skipped: 2, heldOut: 24, boxes: 214, replayed: 48 },
    detectionThresholds: { confidence: 0.31, perClass: { stain: 0.4 } },
    ...more,
  };
}

const FIGURES: ClassifierFigures = {
  accuracy: 0.94,
  balancedAccuracy: 0.925,
  interval: { low: 0.88, high: 0.97 },
  pictures: 100,
  perClass: [
    { label: 'good', recall: 0.98, precision: 0.95, f1: 0.965, count: 50 },
    { label: 'porosity', recall: 0.9, precision: 0.93, f1: 0.915, count: 30 },
    { label: 'undercut', recall: 0.9, precision: 0.9, f1: 0.9, count: 20 },
  ],
  confusion: {
    labels: ['good', 'porosity', 'undercut'],
    matrix: [
      [49, 1, 0],
      [1, 27, 2],
      [1, 1, 18],
    ],
  },
};

export function classifierDetails(version: string, more: Partial<ClassifierDetails> = {}): ClassifierDetails {
  return {
    name: 'plate.classifier',
    version,
    kind: 'classifier',
    partType: 'plate',
    createdAt: '2026-03-13T09:30:00Z',
    deployed: false,
    pictures: { bank: 400, calibration: 100 },
    thresholds: null,
    classes: ['good', 'porosity', 'undercut'],
    figures: { accuracy: FIGURES.accuracy },
    accepted: true,
    bytes: 9_100_000,
    parent: null,
    method: 'linear',
    metrics: {},
    verdicts: { good: 'OK', porosity: 'NG', undercut: 'REVIEW' },
    backbone: { id: 'starter', sha256: '0'.repeat(64) },
    training: { seed: 1, epochs: 60, learningRate: 0.01, augmentation: 0.5 },
    temperature: 1.3,
    evaluation: { before: null, after: FIGURES },
    curve: Array.from({ length: 12 }, (_, index) => ({
      epoch: index + 1,
      loss: 1.1 * Math.exp(-index / 4),
      accuracy: 0.94 - 0.5 * Math.exp(-index / 3),
    })),
    gate: { accepted: true, reasons: [] },
    gateReport: null,
    notes: null,
    base: null,
    dataset: { source: 'welds', count: 400, skipped: 0, heldOut: 100 },
    input: { width: 224, height: 224, mode: 'letterbox' },
    ...more,
  };
}
