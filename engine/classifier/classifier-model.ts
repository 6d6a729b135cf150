import { type ModelReference, roundedMilliseconds, type Verdict } from '../domain';
import { toTensor } from '../imaging';
import { defaultThreads } from '../inference';
import { type ClassifierManifest, ModelInvalid, readManifest, readPackageFile, verifyFiles } from '../packages';
import { PROBABILITIES } from './classifier-graph';
import { ClassifierSession } from './classifier-session';

export interface ClassificationResult {
  /** The most probable class. */
  readonly label: string;
  /** Its probability, 0..1, as if all classes were equally frequent. */
  readonly confidence: number;
  /** Of every class, 0..1; together 1. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** What the class means for the part. */
  readonly verdict: Verdict;
  readonly model: ModelReference;
  /** Size of the original picture. */
  readonly picture: { readonly width: number; readonly height: number };
  readonly milliseconds: { readonly decode: number; readonly session: number; readonly total: number };
}

export interface ClassifierLoadOptions {
  /** Threads of ONNX Runtime. */
  readonly threads?: number;
  /** Check hashes and golden pictures first; true unless told. */
  readonly verify?: boolean;
}

/** What classifying needs. */
export interface LoadedClassifier {
  readonly manifest: ClassifierManifest;
  readonly session: ClassifierSession;
}

/** A trained classifier, loaded. Ends with `dispose`. */
export class ClassifierModel {
  private constructor(private readonly loaded: LoadedClassifier) {}

  get manifest(): ClassifierManifest {
    return this.loaded.manifest;
  }

  /**
   * @throws {ModelInvalid} when it is no classifier, a file was changed, or a golden picture is named otherwise
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async load(folder: string, options: ClassifierLoadOptions = {}): Promise<ClassifierModel> {
    return new ClassifierModel(await openClassifier(folder, options));
  }

  /**
   * @param picture encoded JPEG or PNG
   * @throws {PictureUnreadable}
   */
  classify(picture: Buffer): Promise<ClassificationResult> {
    return classifyPicture(this.loaded, picture);
  }

  async dispose(): Promise<void> {
    await this.loaded.session.close();
  }
}

/** @throws {ModelInvalid} as `ClassifierModel.load` */
export async function openClassifier(
  folder: string,
  { threads = defaultThreads(), verify = true }: ClassifierLoadOptions = {},
): Promise<LoadedClassifier> {
  const manifest = await (verify ? verifyFiles(folder) : readManifest(folder));
  if (manifest.kind !== 'classifier') throw new ModelInvalid(folder, `it is no classifier, but a ${manifest.kind}`);
  const session = await ClassifierSession.open(await readPackageFile(folder, manifest.model), threads);
  try {
    if (verify) await verifyGolden(folder, { manifest, session });
    return { manifest, session };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Names a picture. @throws {PictureUnreadable} */
export async function classifyPicture(loaded: LoadedClassifier, picture: Buffer): Promise<ClassificationResult> {
  const { name, version, classes, verdicts } = loaded.manifest;
  const start = performance.now();
  const { data, width, height, picture: size } = await toTensor(picture, loaded.manifest.preprocessing);
  const decoded = performance.now();
  const row = await loaded.session.run(data, width, height, PROBABILITIES);
  const end = performance.now();
  const best = row.reduce((highest, value, index) => (value > row[highest] ? index : highest), 0);
  const label = classes[best];
  return {
    label,
    confidence: row[best],
    probabilities: Object.fromEntries(classes.map((each, index) => [each, row[index]])),
    verdict: verdicts[label],
    model: { name, version },
    picture: { width: size.width, height: size.height },
    milliseconds: {
      decode: roundedMilliseconds(decoded - start),
      session: roundedMilliseconds(end - decoded),
      total: roundedMilliseconds(end - start),
    },
  };
}

/**
 * Names the pictures that travel with the model and compares with what it said when it was made.
 *
 * @throws {ModelInvalid} when a probability is farther off than the manifest's tolerance
 */
export async function verifyGolden(folder: string, loaded: LoadedClassifier): Promise<void> {
  const { classes, golden, goldenTolerance } = loaded.manifest;
  for (const { picture, probabilities } of golden) {
    const { probabilities: actual } = await classifyPicture(loaded, await readPackageFile(folder, picture));
    const wrong = classes.findIndex(
      (label, index) => !(Math.abs(actual[label] - probabilities[index]) <= goldenTolerance),
    );
    if (wrong >= 0) {
      const [now, then] = [actual[classes[wrong]], probabilities[wrong]].map((value) => value.toFixed(4));
      throw new ModelInvalid(folder, `${picture} is ${classes[wrong]} with ${now} instead of ${then}`);
    }
  }
}
