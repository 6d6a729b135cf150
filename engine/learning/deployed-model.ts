import type { DetectionThresholds, ModelKind, Thresholds, Verdict } from '../domain';
import { type ModelManifest, readManifest } from '../packages';

interface DeployedBase {
  readonly name: string;
  readonly version: string;
  readonly partType: string;
  /** Absolute path of the package. */
  readonly folder: string;
}

/** The model that scores anomalies of a part type. */
export interface DeployedModel extends DeployedBase {
  readonly kind: 'patchcore';
  readonly thresholds: Thresholds;
}

/** The model that finds boxes on a part type. */
export interface DeployedDetector extends DeployedBase {
  readonly kind: 'detector';
  readonly classes: readonly string[];
  readonly thresholds: DetectionThresholds;
  /** Boxes of one class that overlap more than this, 0..1, are one. */
  readonly iou: number;
}

/** The model that names the class of a picture of a part type. */
export interface DeployedClassifier extends DeployedBase {
  readonly kind: 'classifier';
  readonly classes: readonly string[];
  readonly verdicts: Readonly<Record<string, Verdict>>;
}

export type Deployed = DeployedModel | DeployedDetector | DeployedClassifier;
export type DeployedOf<Kind extends ModelKind> = Extract<Deployed, { readonly kind: Kind }>;

/** The package of a version as it serves. @throws {ModelInvalid} when its manifest is missing or damaged */
export async function readDeployed(
  place: Pick<Deployed, 'name' | 'version' | 'partType' | 'folder'>,
  kind: ModelKind,
): Promise<Deployed> {
  const manifest: ModelManifest = await readManifest(place.folder, kind);
  switch (manifest.kind) {
    case 'patchcore':
      return { ...place, kind: manifest.kind, thresholds: manifest.thresholds };
    case 'detector': {
      const { classes, thresholds, iou } = manifest;
      return { ...place, kind: manifest.kind, classes, thresholds, iou };
    }
    case 'classifier': {
      const { classes, verdicts } = manifest;
      return { ...place, kind: manifest.kind, classes, verdicts };
    }
  }
}
