import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Thresholds } from '../../../engine/domain';
import { writePackage } from '../../../engine/packages';
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
