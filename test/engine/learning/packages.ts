import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Thresholds } from '../../../engine/domain';
import { type UnsealedManifest, writePackage } from '../../../engine/packages';

/** A temporary data folder; call `remove` at the end. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'learning-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Writes a package that is sound for the registry, though its model is nothing but a few bytes. */
export async function writeVersion(
  dataFolder: string,
  name: string,
  version: string,
  more: { createdAt?: string; partType?: string; thresholds?: Thresholds } = {},
): Promise<string> {
  const folder = join(dataFolder, 'models', name, version);
  const manifest: UnsealedManifest = {
    format: 1,
    kind: 'patchcore',
    name,
    version,
    partType: more.partType ?? name,
    createdAt: more.createdAt ?? `2026-01-01T00:00:0${version}.000Z`,
    parent: null,
    dataset: { source: 'test', count: 12, skipped: 0, sha256: '0'.repeat(64) },
    preprocessing: { width: 224, height: 224, mode: 'letterbox', kernel: 'linear', fastShrinkOnLoad: false },
    backbone: { id: 'starter', sha256: '0'.repeat(64), file: null },
    bank: { pictures: 8, candidates: 100, size: 10, dimension: 4, projection: null, radius: 1, seed: 1 },
    scoring: { method: 'top-mean', share: 0.01 },
    map: { sigma: 4, zero: 0, full: 2, region: 1 },
    thresholds: more.thresholds ?? { accept: 1, reject: 2 },
    calibration: {
      pictures: 4,
      scores: [0.1, 0.2, 0.3, 0.4],
      median: 0.25,
      falseRejectRate: 0.01,
      reviewRate: 0.05,
      reject: { method: 'extrapolated', rank: null },
      accept: { rank: 4 },
      promisedAcceptRate: 0.2,
      promisedRejectRate: 0.2,
      picturesNeeded: 99,
      statement: 'made for a test',
    },
    metrics: {},
    golden: [],
    goldenTolerance: 0.005,
  };
  await writePackage(folder, manifest, { 'head.onnx': Buffer.from(`head of ${name} ${version}`) });
  return folder;
}
