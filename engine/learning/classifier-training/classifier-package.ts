import { createHash } from 'node:crypto';
import { ClassifierModel, ClassifierSession, PROBABILITIES } from '../../classifier';
import { assertWritable, modelNameOf, type SnapshotReference, type TrainingReportFacts } from '../../domain';
import { thumbnail, toTensor } from '../../imaging';
import {
  assertFree,
  CLASSES_FORMAT,
  type ClassifierManifest,
  GOLDEN_CLASS_TOLERANCE,
  type UnsealedManifest,
  writePackage,
} from '../../packages';
import { fileOf } from './extract';
import { type ClassifierTraining, type TrainedClassifier, trainClassifier } from './train-classifier';

export interface ClassifierPackaging extends Omit<ClassifierTraining, 'before'> {
  readonly partType: string;
  /** Model name, by default that of the part type's classifiers. */
  readonly name?: string;
  readonly version: string;
  /** Version in production; null: there is none. */
  readonly parent?: string | null;
  /** Its package folder. */
  readonly parentFolder?: string | null;
  /** Final package folder: must not exist, or be empty. */
  readonly outFolder: string;
  /** Text for the manifest: where the pictures came from. */
  readonly source: string;
  /** For the manifest: the data set of labelled pictures that they are from. */
  readonly snapshot?: SnapshotReference;
}

export interface PackagedClassifier {
  readonly manifest: ClassifierManifest;
  readonly trained: TrainedClassifier;
  readonly report: TrainingReportFacts & { readonly kind: 'classifier' };
}

const MODEL_FILE = 'model.onnx';
const GOLDEN_PICTURES = 2;
/** Larger golden pictures are stored as a smaller JPEG, with what the model says of that. */
const GOLDEN_BYTES = 1024 * 1024;
const GOLDEN_WIDTH = 1024;

/**
 * Trains a classifier (`trainClassifier`) and writes the model package; it appears at `outFolder` in one step, after its
 * golden pictures have been named from it. The package is written also when the gate refuses the candidate: a person may see
 * it otherwise.
 *
 * @throws {ModelExists} when something is at `outFolder`
 * @throws {InvalidInput} when nothing can be written there
 * @throws as `trainClassifier`; nothing stays behind then
 */
export async function trainClassifierPackage(packaging: ClassifierPackaging): Promise<PackagedClassifier> {
  const { outFolder, partType, version, source, snapshot, threads = 1 } = packaging;
  await assertFree(outFolder);
  await assertWritable(outFolder);
  const trained = await trainClassifier({ ...packaging, before: packaging.parentFolder ?? null });
  const { golden, files } = await goldenOf(trained, threads);
  const { backbone, method, classes, verdicts, preprocessing, temperature, training, curve, evaluation, gate } =
    trained;
  const unsealed: UnsealedManifest<ClassifierManifest> = {
    format: CLASSES_FORMAT,
    kind: 'classifier',
    method,
    name: packaging.name ?? modelNameOf(partType, 'classifier'),
    version,
    partType,
    createdAt: new Date().toISOString(),
    parent: packaging.parent ?? null,
    dataset: {
      source,
      count: trained.learnt.length,
      skipped: trained.skipped.length,
      sha256: datasetHash(trained),
      heldOut: trained.heldOut.length,
      ...(snapshot && { snapshot }),
    },
    classes: [...classes],
    model: MODEL_FILE,
    base: { name: backbone.id, sha256: backbone.sha256 },
    curve: curve.map(({ epoch, loss, accuracy }) => ({ epoch, loss, accuracy })),
    gate: { accepted: gate.accepted, reasons: gate.reasons.map((reason) => ({ ...reason })) },
    verdicts: { ...verdicts },
    preprocessing,
    backbone,
    training,
    temperature,
    evaluation,
    golden,
    goldenTolerance: GOLDEN_CLASS_TOLERANCE,
    metrics: { ...trained.metrics },
  };
  const verify = async (folder: string) => (await ClassifierModel.load(folder, { threads })).dispose();
  const manifest = await writePackage(outFolder, unsealed, { [MODEL_FILE]: trained.model, ...files }, verify);
  const { seconds } = trained;
  const { maxRSS } = process.resourceUsage();
  const report = {
    kind: 'classifier',
    method,
    ...evaluation,
    gate,
    curve,
    seconds,
    peakMemoryBytes: maxRSS * 1024,
  } as const;
  return { manifest, trained, report };
}

/** What the finished model says of a few pictures, those held out first. */
async function goldenOf({ model, preprocessing, heldOut, learnt }: TrainedClassifier, threads: number) {
  const session = await ClassifierSession.open(model, threads);
  try {
    const golden: { picture: string; probabilities: number[] }[] = [];
    const files: Record<string, Uint8Array> = {};
    for (const [index, { source }] of [...heldOut, ...learnt].slice(0, GOLDEN_PICTURES).entries()) {
      const file = await fileOf(source.picture);
      const kept = file.length > GOLDEN_BYTES ? await thumbnail(file, GOLDEN_WIDTH) : file;
      const { data, width, height, picture } = await toTensor(kept, preprocessing);
      const name = `golden/${index + 1}.${picture.format === 'png' ? 'png' : 'jpg'}`;
      files[name] = kept;
      golden.push({ picture: name, probabilities: [...(await session.run(data, width, height, PROBABILITIES))] });
    }
    return { golden, files };
  } finally {
    await session.close();
  }
}

/** Over the SHA-256 and class of every picture used, in order. */
function datasetHash({ learnt, heldOut }: TrainedClassifier): string {
  const hash = createHash('sha256');
  for (const { sha256, source } of [...learnt, ...heldOut]) hash.update(`${sha256} ${source.label}\n`);
  return hash.digest('hex');
}
