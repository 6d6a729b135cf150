import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Thresholds } from '../../../engine/domain';
import { type DetectorManifest, writePackage } from '../../../engine/packages';
import { sampleClassifier, sampleDetector, sampleDetectorFiles } from '../packages/class-samples';
import { sampleManifest } from '../packages/sample';

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
  const manifest = {
    ...sampleManifest,
    name,
    version,
    partType: more.partType ?? name,
    createdAt: more.createdAt ?? `2026-01-01T00:00:0${version}.000Z`,
    bank: { ...sampleManifest.bank, pictures: 8 },
    thresholds: more.thresholds ?? { accept: 1, reject: 2 },
    calibration: { ...sampleManifest.calibration, pictures: 4, scores: [0.1, 0.2, 0.3, 0.4], median: 0.25 },
    golden: [],
  };
  await writePackage(folder, manifest, { 'head.onnx': Buffer.from(`head of ${name} ${version}`) });
  return folder;
}

/** Writes a detector of part type `plate`. */
export async function writeDetector(
  dataFolder: string,
  version: string,
  more: Partial<DetectorManifest> = {},
): Promise<string> {
  const folder = join(dataFolder, 'models', 'plate.detector', version);
  const createdAt = `2026-01-01T00:00:0${version}.000Z`;
  await writePackage(folder, { ...sampleDetector, version, createdAt, ...more }, sampleDetectorFiles);
  return folder;
}

/** Writes a classifier of part type `plate`. */
export async function writeClassifier(dataFolder: string, version: string): Promise<string> {
  const folder = join(dataFolder, 'models', 'plate.classifier', version);
  const createdAt = `2026-01-01T00:00:0${version}.500Z`;
  await writePackage(folder, { ...sampleClassifier, version, createdAt }, sampleDetectorFiles);
  return folder;
}
