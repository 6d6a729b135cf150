import type { ModelVersion } from '../domain';
import { type ClassifierManifest, type DetectorManifest, folderBytes, type ModelManifest } from '../packages';

/** What is known of a version besides its package. */
export type VersionFacts = Pick<ModelVersion, 'deployed' | 'notes' | 'gate'>;

/** A version as the registry lists it. */
export function summaryOf(
  name: string,
  version: string,
  manifest: ModelManifest,
  { deployed, notes, gate }: VersionFacts,
): ModelVersion {
  const { origin } = manifest;
  return {
    name,
    version,
    kind: manifest.kind,
    partType: manifest.partType,
    createdAt: manifest.createdAt,
    deployed,
    ...judging(manifest),
    bytes: folderBytes(manifest),
    parent: manifest.parent,
    ...(origin && { origin: { name: origin.name, version: origin.version } }),
    notes,
    dataset: manifest.dataset.snapshot ?? null,
    gate,
  };
}

type Judging = Pick<ModelVersion, 'pictures' | 'thresholds' | 'classes' | 'figures' | 'accepted'>;

/** What depends on the kind. */
function judging(manifest: ModelManifest): Judging {
  if (manifest.kind === 'patchcore') {
    const bank = manifest.method === 'bank' ? manifest.bank.pictures : 0;
    return { pictures: { bank, calibration: manifest.calibration.pictures }, thresholds: manifest.thresholds };
  }
  const { classes, dataset } = manifest;
  return {
    pictures: { bank: dataset.count, calibration: dataset.heldOut },
    thresholds: null,
    classes,
    figures: figuresOf(manifest),
    accepted: manifest.gate.accepted,
  };
}

function figuresOf(manifest: DetectorManifest | ClassifierManifest): Readonly<Record<string, number>> {
  if (manifest.kind === 'classifier') {
    const { after } = manifest.evaluation;
    return after === null ? {} : { accuracy: after.accuracy };
  }
  const { after } = manifest.evaluation;
  return after === null ? {} : { map50: after.map50, map5095: after.map5095, recall: after.recall };
}
