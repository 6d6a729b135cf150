import type { Detection } from '../domain';
import { type DetectorManifest, ModelInvalid, readPackageFile } from '../packages';
import { levelOf } from './detect';

/**
 * Looks at the pictures that travel with a detector and compares with what it found when it was made.
 *
 * @throws {ModelInvalid} when a box is missing, new, or farther off than the manifest's tolerance
 */
export async function verifyGolden(
  folder: string,
  manifest: DetectorManifest,
  detect: (picture: Buffer) => Promise<{ readonly detections: readonly Detection[] }>,
): Promise<void> {
  for (const { picture, detections: expected } of manifest.golden) {
    const { detections: found } = await detect(await readPackageFile(folder, picture));
    const missing = unmatched(expected, found, manifest);
    const added = unmatched(found, expected, manifest);
    if (missing !== null) throw new ModelInvalid(folder, `in ${picture} it no longer finds ${described(missing)}`);
    if (added !== null) throw new ModelInvalid(folder, `in ${picture} it finds ${described(added)}, which is new`);
  }
}

/** The first that has no partner among the others; those within the tolerance of their threshold need none. */
function unmatched(
  detections: readonly Detection[],
  others: readonly Detection[],
  { thresholds, goldenTolerance }: DetectorManifest,
): Detection | null {
  const free = new Set(others);
  for (const detection of detections) {
    const partner = [...free].find((other) => isSame(detection, other, goldenTolerance));
    if (partner) free.delete(partner);
    else if (detection.confidence > levelOf(thresholds, detection.label) + goldenTolerance.confidence) return detection;
  }
  return null;
}

function isSame(a: Detection, b: Detection, tolerance: DetectorManifest['goldenTolerance']): boolean {
  if (a.label !== b.label || !(Math.abs(a.confidence - b.confidence) <= tolerance.confidence)) return false;
  const off = [
    a.box.x - b.box.x,
    a.box.y - b.box.y,
    a.box.x + a.box.width - b.box.x - b.box.width,
    a.box.y + a.box.height - b.box.y - b.box.height,
  ];
  return off.every((distance) => Math.abs(distance) <= tolerance.pixels);
}

function described({ label, confidence, box }: Detection): string {
  const { x, y, width, height } = box;
  return `${label} (${confidence.toFixed(3)}) at ${x}, ${y}, ${width} x ${height}`;
}
