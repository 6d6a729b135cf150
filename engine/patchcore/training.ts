import { InspectionError, type JobProgress } from '../domain';
import type { ModelManifest } from '../packages';

/** Fewer readable pictures than this train no model. */
export const MINIMUM_PICTURES = 8;

export interface TrainingPicture {
  /** For messages, for example the file's path. */
  readonly name: string;
  /** Encoded JPEG or PNG. */
  readonly picture: Buffer;
}

export interface SkippedPicture {
  readonly name: string;
  readonly reason: string;
}

export interface TrainingProgress extends JobProgress {
  /** Pictures read so far, skipped ones included. */
  readonly pictures: number;
  readonly count: number;
  readonly skipped: number;
}

/** The model's input: how a picture becomes pixels of the backbone. */
export interface InputSize {
  readonly width: number;
  readonly height: number;
  readonly mode: 'letterbox' | 'crop' | 'stretch';
}

export interface PatchcoreTraining {
  readonly partType: string;
  /** Pictures of good parts only. */
  readonly pictures: AsyncIterable<TrainingPicture> | Iterable<TrainingPicture>;
  /** How many pictures `pictures` will give. */
  readonly count: number;
  /** Final package folder: must not exist, or be empty. */
  readonly outFolder: string;
  readonly version: string;
  /** Model name, by default the part type. */
  readonly name?: string;
  readonly parent?: string | null;
  /** Text for the manifest: where the pictures came from. */
  readonly source: string;
  /** `starter`, or the path of an ONNX file. */
  readonly backbone?: string;
  readonly input?: Partial<InputSize>;
  /** Patches kept in the bank, at most. */
  readonly coresetSize?: number;
  /** Share of good parts that may be rejected, 0..0.5; 0.01 unless told. */
  readonly falseRejectRate?: number;
  /** Share of good parts that may go to a person, 0..0.5; 0.05 unless told. */
  readonly reviewRate?: number;
  readonly seed?: number;
  /** Threads of ONNX Runtime; its own choice unless told. */
  readonly threads?: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  readonly manifest: ModelManifest;
  readonly skipped: readonly SkippedPicture[];
}

/** Too few readable pictures to learn from. */
export class TooFewPictures extends InspectionError {
  constructor(readable: number, skipped: number, needed = MINIMUM_PICTURES) {
    super({
      code: 'too-few-pictures',
      status: `needs ${needed} pictures`,
      message:
        `Training needs at least ${needed} readable pictures of good parts and got ${readable}` +
        `${skipped > 0 ? ` (${skipped} more could not be read)` : ''}. Add ${needed - readable} or more.`,
      parameters: { readable, skipped, needed },
      httpStatus: 422,
    });
  }
}

/**
 * Learns a part type from pictures of good parts and writes the model package.
 *
 * Pictures that cannot be read are left out and named in the result. About a quarter to a third of the rest is held out
 * of the bank, for the thresholds. The package appears at `outFolder` in one step, after its golden pictures have been
 * scored from it. The same pictures in the same order with the same seed give the same bank.
 *
 * @throws {TooFewPictures} with fewer than `MINIMUM_PICTURES` readable pictures
 * @throws the signal's reason when it aborts; nothing stays behind then
 */
export async function trainPatchcore(_training: PatchcoreTraining): Promise<TrainingResult> {
  throw new Error('not yet');
}
