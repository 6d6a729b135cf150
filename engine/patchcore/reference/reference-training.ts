import type { TrainingOptions } from '../../domain';
import { assertFree, MANIFEST_FORMAT, type ReferenceManifest, writePackage } from '../../packages';
import type { SkippedPicture } from '../picture-reader';
import { picturesInFolder, readablePicturesInFolder, type TrainingPicture } from '../pictures';
import { ProgressReport, type TrainingProgress } from '../progress';
import { wishesOf } from '../training-settings';
import { pairWithReferences } from './pairs';
import { packReference, ReferenceModel } from './reference-model';
import { trainReference } from './training';

export interface ReferencePackageTraining
  extends Pick<TrainingOptions, 'falseRejectRate' | 'reviewRate' | 'missRate' | 'defectFolder' | 'labelFolder'> {
  readonly partType: string;
  /** Name of the model; the part type unless told. */
  readonly name?: string;
  readonly version: string;
  readonly parent?: string | null;
  /** Of good parts; may be none: then altered copies of the golden pictures take their place, and nothing is promised. */
  readonly pictures: readonly TrainingPicture[];
  /** Folder with golden pictures, named like the pictures; a single one that is named like none is that of every part. */
  readonly referenceFolder: string;
  /** Final place of the package; must not exist, or be empty. */
  readonly outFolder: string;
  /** Text for the manifest: where the pictures came from. */
  readonly source: string;
  readonly seed?: number;
  /** Threads of ONNX Runtime. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface ReferencePackageResult {
  readonly manifest: ReferenceManifest;
  readonly skipped: readonly SkippedPicture[];
}

/**
 * Learns how far good parts may differ from their golden pictures, and writes the model package.
 *
 * @throws {ModelExists} when something is at `outFolder`
 * @throws {InvalidInput} when a folder or label file cannot be used, no picture can be compared, or a rate is out of range
 */
export async function trainReferencePackage(training: ReferencePackageTraining): Promise<ReferencePackageResult> {
  const { partType, outFolder, defectFolder, threads, signal } = training;
  const wishes = wishesOf(training);
  await assertFree(outFolder);
  const references = await readablePicturesInFolder(training.referenceFolder);
  const { pairs, shared, skipped } = await pairWithReferences({
    references,
    good: training.pictures,
    defective: defectFolder === undefined ? [] : await picturesInFolder(defectFolder),
    labelFolder: training.labelFolder,
  });
  const progress = new ProgressReport(pairs.length, training.onProgress);
  const result = await trainReference({
    partType,
    pairs,
    golden: references.map(({ name, picture }) => ({ name, reference: picture })),
    wishes,
    seed: training.seed,
    threads,
    signal,
    onProgress: (done) => progress.picture(done, skipped.length),
  });
  progress.at('package', 0);
  const { section, files } = packReference(result, shared);
  const { calibration, dataset } = result;
  const { region } = section.settings;
  const left = [...skipped, ...result.skipped];
  const manifest = await writePackage(
    outFolder,
    {
      format: MANIFEST_FORMAT,
      kind: 'patchcore',
      method: 'reference',
      name: training.name ?? partType,
      version: training.version,
      partType,
      createdAt: new Date().toISOString(),
      parent: training.parent ?? null,
      dataset: { ...dataset, source: training.source, skipped: left.length },
      map: { sigma: 0, zero: 0, region, full: 2 * region },
      thresholds: calibration.thresholds,
      calibration,
      metrics: progress.secondsPerStage(),
      reference: section,
    },
    files,
    async (folder) => {
      progress.at('verify', 0);
      signal?.throwIfAborted();
      const model = await ReferenceModel.load(folder, { threads });
      await model.dispose();
      signal?.throwIfAborted();
    },
  );
  progress.at('verify', 1);
  return { manifest, skipped: left };
}
