import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Of } from '../../../engine/domain';
import type { BankManifest, ReferenceManifest, UnsealedManifest } from '../../../engine/packages';

export const sampleFiles = {
  'head.onnx': Buffer.from('weights of the head'),
  'golden/1.png': Buffer.from('a picture'),
};

const common = {
  kind: 'patchcore',
  name: 'cable',
  version: '1',
  partType: 'cable',
  createdAt: '2026-01-01T00:00:00.000Z',
  parent: null,
  preprocessing: { width: 256, height: 256, mode: 'stretch', kernel: 'linear', fastShrinkOnLoad: false },
  map: { sigma: 4, zero: 0, full: 2, region: 1 },
  thresholds: { accept: 1, reject: 2 },
  metrics: {},
  golden: [{ picture: 'golden/1.png', score: 0.5 }],
  goldenTolerance: 0.005,
} as const;

/** A manifest as training writes it, of a model that is nothing but a few bytes. */
export const sampleManifest: UnsealedManifest<BankManifest> = {
  ...common,
  golden: [...common.golden],
  format: 2,
  method: 'bank',
  dataset: { source: 'test', count: 10, skipped: 0, sha256: 'a'.repeat(64), defects: 0 },
  viewing: { roi: null, tiles: null, mask: null },
  augmentation: null,
  backbone: { id: 'starter', sha256: 'b'.repeat(64), file: null, outputs: [{ stride: 8, name: 'stride8' }] },
  recipe: {
    moment: 'after',
    conditioning: 'none',
    dimension: 4,
    spacing: false,
    scoring: { method: 'top-mean', share: 0.01 },
    chosen: 'default',
    trials: [],
  },
  bank: {
    pictures: 7,
    candidates: 100,
    size: 10,
    radius: 1,
    seed: 1,
    storage: 'float32',
    reach: null,
    tiles: 'shared',
    heads: ['head.onnx'],
  },
  calibration: {
    method: 'cross-validated',
    folds: 3,
    pictures: 3,
    independent: 3,
    defects: 0,
    scores: [0.5, 0.7, 1],
    defectScores: [],
    median: 0.7,
    falseRejectRate: 0.01,
    reviewRate: 0.05,
    missRate: 0.01,
    reject: { method: 'extrapolated', rank: null },
    accept: { method: 'review-rate', rank: 3 },
    promisedAcceptRate: 0.25,
    promisedRejectRate: 0.25,
    promisedMissRate: null,
    picturesNeeded: 96,
    picturesRequired: 99,
    defectsNeeded: 99,
    probability: null,
    statement: 'few',
    statementParts: [],
  },
  suspects: [],
  quantisation: null,
};

/** Writes a package as releases before format 2 did: another manifest, and no seal beside it. */
export async function writeFirstFormat(folder: string): Promise<void> {
  const files = Object.entries(sampleFiles).map(([path, bytes]) => [
    path,
    { sha256: sha256Of(bytes), bytes: bytes.length },
  ]);
  const manifest = {
    format: 1,
    ...common,
    dataset: { source: 'test', count: 10, skipped: 0, sha256: 'a'.repeat(64) },
    backbone: { id: 'starter', sha256: 'b'.repeat(64), file: null },
    bank: { pictures: 7, candidates: 100, size: 10, dimension: 4, projection: null, radius: 1, seed: 1 },
    scoring: { method: 'top-mean', share: 0.01 },
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
    files: Object.fromEntries(files) as object,
  };
  const content = { ...sampleFiles, 'manifest.json': Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) };
  for (const [path, bytes] of Object.entries(content)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

export const sampleReferenceFiles = {
  'golden/1.png': Buffer.from('a part'),
  'golden/1-reference.png': Buffer.from('its golden picture'),
  'reference.png': Buffer.from('the golden picture of all'),
};

/** A manifest of a model that compares with golden pictures, as training writes it. */
export const sampleReference: UnsealedManifest<ReferenceManifest> = {
  format: 2,
  kind: 'patchcore',
  method: 'reference',
  name: 'board',
  version: '1',
  partType: 'board',
  createdAt: common.createdAt,
  parent: null,
  dataset: sampleManifest.dataset,
  map: { sigma: 0, zero: 0, region: 0.3, full: 0.6 },
  thresholds: common.thresholds,
  calibration: { ...sampleManifest.calibration, method: 'compared', folds: 0 },
  metrics: {},
  reference: {
    settings: {
      side: 512,
      reach: 0.05,
      tolerance: 2,
      contrast: 0.15,
      smoothing: 3,
      region: 0.3,
      leastSimilarity: 0.3,
    },
    picture: 'reference.png',
    golden: [{ picture: 'golden/1.png', reference: 'golden/1-reference.png', score: 0.1 }],
    chosenBy: 'painted',
    trials: [{ tolerance: 2, contrast: 0.15, smoothing: 3, auroc: 0.97 }],
    boxes: null,
  },
};
