import type { UnsealedManifest } from '../../../engine/packages';

/** A manifest as training writes it, of a model that is nothing but a few bytes. */
export const sampleManifest: UnsealedManifest = {
  format: 1,
  kind: 'patchcore',
  name: 'cable',
  version: '1',
  partType: 'cable',
  createdAt: '2026-01-01T00:00:00.000Z',
  parent: null,
  dataset: { source: 'test', count: 10, skipped: 0, sha256: 'a'.repeat(64) },
  preprocessing: { width: 256, height: 256, mode: 'stretch', kernel: 'linear', fastShrinkOnLoad: false },
  backbone: { id: 'starter', sha256: 'b'.repeat(64), file: null },
  bank: { pictures: 7, candidates: 100, size: 10, dimension: 4, projection: null, radius: 1, seed: 1 },
  scoring: { method: 'top-mean', share: 0.01 },
  map: { sigma: 4, zero: 0, full: 2, region: 1 },
  thresholds: { accept: 1, reject: 2 },
  calibration: {
    pictures: 3,
    scores: [0.5, 0.7, 1],
    median: 0.7,
    falseRejectRate: 0.01,
    reviewRate: 0.05,
    reject: { method: 'extrapolated', rank: null },
    accept: { rank: 3 },
    promisedAcceptRate: 0.25,
    promisedRejectRate: 0.25,
    picturesNeeded: 99,
    statement: 'few',
  },
  metrics: {},
  golden: [{ picture: 'golden/1.png', score: 0.5 }],
  goldenTolerance: 0.005,
};

export const sampleFiles = {
  'head.onnx': Buffer.from('weights of the head'),
  'golden/1.png': Buffer.from('a picture'),
};
