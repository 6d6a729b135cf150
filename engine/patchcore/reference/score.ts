import type { ReferenceManifest } from '../../packages';
import { probabilityOf } from '../../statistics';
import type { AnomalyResult } from '../model';
import type { ReferenceComparer } from './compare';

/**
 * Judges a part by its golden picture, with the thresholds of a model. The shape is that of a memory bank's result: of the
 * milliseconds `extract` is the registration and `search` the comparison.
 *
 * @param comparer with the settings of the model
 * @throws as {@link ReferenceComparer.compare}
 */
export async function scoreAgainstReference(
  comparer: ReferenceComparer,
  { name, version, thresholds, calibration }: ReferenceManifest,
  picture: Buffer,
  reference: Buffer,
  options: { readonly map?: boolean } = {},
): Promise<AnomalyResult> {
  const { score, regions, map, image, milliseconds } = await comparer.compare(picture, reference, options);
  const { median } = calibration;
  const probability = probabilityOf(calibration.probability, score);
  return {
    score,
    normalizedScore: (score - median) / (thresholds.reject - median),
    ...(probability !== null && { probability }),
    thresholds,
    regions,
    ...(map && { map }),
    image,
    milliseconds: {
      decode: milliseconds.decode,
      extract: milliseconds.register,
      search: milliseconds.compare,
      map: milliseconds.map,
      total: milliseconds.total,
    },
    model: { name, version },
  };
}
