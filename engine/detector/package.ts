import type { DetectionThresholds } from '../domain';
import { readPictureHeader } from '../imaging';
import { defaultThreads } from '../inference';
import {
  CLASSES_FORMAT,
  type DetectorManifest,
  GOLDEN_DETECTION_TOLERANCE,
  readPackageFile,
  verifyFiles,
  writePackage,
} from '../packages';
import { PLAIN_DEFAULTS } from './detect';
import { DetectorModel } from './detector-model';

/** What a detector's package says of it, but for what the network itself tells. */
export interface DetectorFacts
  extends Pick<
    DetectorManifest,
    | 'name'
    | 'version'
    | 'partType'
    | 'parent'
    | 'base'
    | 'level'
    | 'dataset'
    | 'training'
    | 'evaluation'
    | 'gate'
    | 'curve'
    | 'metrics'
  > {
  /** From which detections count; confidence 0.25 for all classes unless told. */
  readonly thresholds?: DetectionThresholds;
  /** Boxes of one class that overlap more than this are one; 0.7 unless told. */
  readonly iou?: number;
}

export interface DetectorPackageOptions {
  /** Pictures (encoded JPEG or PNG) that prove on loading that the detector finds what it found when it was made. */
  readonly golden: readonly Buffer[];
  /** Threads of ONNX Runtime to look at them with. */
  readonly threads?: number;
  readonly now?: () => Date;
}

const MODEL_FILE = 'model.onnx';

/**
 * Writes a detector's package; it is loaded and checked before it takes its place.
 *
 * @param folder final place; it must not exist, or be an empty folder
 * @param bytes  the network, an ONNX file
 * @returns the manifest as written
 * @throws {DetectorUnsupported} when the network is no detector known here
 * @throws {PictureUnreadable} for a golden picture
 * @throws {ModelExists} when something is at `folder`
 * @throws {NoRoom} when the disk is full
 */
export async function writeDetectorPackage(
  folder: string,
  bytes: Uint8Array,
  facts: DetectorFacts,
  options: DetectorPackageOptions,
): Promise<DetectorManifest> {
  const { thresholds = PLAIN_DEFAULTS.thresholds, iou = PLAIN_DEFAULTS.iou, ...told } = facts;
  const { threads = defaultThreads(), now = () => new Date() } = options;
  const model = await DetectorModel.open({ bytes, name: facts.name }, { threads });
  const files: Record<string, Uint8Array> = { [MODEL_FILE]: bytes };
  const golden: DetectorManifest['golden'][number][] = [];
  try {
    for (const [place, picture] of options.golden.entries()) {
      const { format } = readPictureHeader(picture);
      const path = `golden/${place + 1}.${format === 'jpeg' ? 'jpg' : 'png'}`;
      const { detections } = await model.detect(picture, { ...thresholds, iou });
      files[path] = picture;
      golden.push({ picture: path, detections });
    }
  } finally {
    await model.dispose();
  }
  const manifest: Omit<DetectorManifest, 'files'> = {
    format: CLASSES_FORMAT,
    kind: 'detector',
    method: 'yolo',
    createdAt: now().toISOString(),
    ...told,
    classes: [...model.description.classes],
    model: MODEL_FILE,
    input: model.inputSize,
    thresholds,
    iou,
    golden,
    goldenTolerance: GOLDEN_DETECTION_TOLERANCE,
  };
  return writePackage(folder, manifest, files, async (written) => {
    const checked = await DetectorModel.open({ folder: written }, { threads });
    await checked.dispose();
  });
}

/**
 * A detector's manifest and network, e.g. to train on from.
 *
 * @throws {ModelInvalid} when it is no detector, or a file was changed
 */
export async function readDetectorPackage(folder: string): Promise<{
  readonly manifest: DetectorManifest;
  readonly bytes: Uint8Array;
}> {
  const manifest = await verifyFiles(folder, 'detector');
  return { manifest, bytes: await readPackageFile(folder, manifest.model) };
}
