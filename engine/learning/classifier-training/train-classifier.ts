import {
  ClassifierModel,
  ClassifierSession,
  type FeatureNetwork,
  featureNetwork,
  type Head,
  PROBABILITIES,
  TEMPERATURE,
  withHead,
} from '../../classifier';
import type {
  ClassifierFigures,
  ClassifierTrainingOptions,
  CurvePoint,
  GateDecision,
  JobProgress,
  SkippedPicture,
  Verdict,
} from '../../domain';
import { InvalidInput, seededRandom } from '../../domain';
import { type Preprocessing, toTensor } from '../../imaging';
import { defaultThreads } from '../../inference';
import { type Normalisation, type OnnxModel, writeModel } from '../../onnx';
import { type FoundBackbone, findBackbone } from '../../patchcore';
import { UntrainableOperator, withWeights } from '../trainer';
import { type ChosenLayer, chooseLayer, rowsWithout } from './choose-layer';
import type { ClassPicture } from './class-pictures';
import { stratifiedFolds } from './class-weights';
import { TooFewClasses, TooFewPerClass } from './errors';
import { type Extracted, extractFeatures, fileOf, type UsedPicture } from './extract';
import { classifierFigures } from './figures';
import { fineTune } from './fine-tune';
import { classifierGate } from './gate';
import { ClassifierProgress } from './progress';
import { type ClassifierSettings, linearSettings, settingsOf, verdictsOf } from './settings';

/** Readable pictures to learn from that each class needs. */
export const LEAST_PER_CLASS = 4;
/** One in so many pictures is left out where the backbone is trained. */
const LEFT_OUT_IN = 5;

export interface ClassifierTraining extends ClassifierTrainingOptions {
  readonly pictures: readonly ClassPicture[];
  /** In the order of the model's outputs; those of the pictures, sorted, unless told. */
  readonly classes?: readonly string[];
  /** Package folder of the version in production, measured on the same held-out pictures; null: there is none. */
  readonly before?: string | null;
  /** What a backbone given by its path wants its input to be shifted and scaled by, when its graph does not do it. */
  readonly normalisation?: Normalisation;
  readonly threads?: number;
  readonly onProgress?: (progress: JobProgress) => void;
  readonly signal?: AbortSignal;
}

export interface TrainedClassifier {
  /** An ONNX file: RGB picture 0..1 in, `logits` and `probabilities` [batch, classes] out. */
  readonly model: Uint8Array;
  readonly classes: readonly string[];
  readonly verdicts: Readonly<Record<string, Verdict>>;
  readonly method: 'linear' | 'fine-tuned';
  readonly preprocessing: Preprocessing & { readonly fastShrinkOnLoad: false };
  readonly backbone: Pick<FoundBackbone, 'id' | 'sha256'>;
  readonly temperature: number;
  readonly training: Pick<ClassifierSettings, 'seed' | 'learningRate' | 'augmentation'> & { readonly epochs: number };
  /** Loss and accuracy of pictures left out while learning. */
  readonly curve: readonly CurvePoint[];
  /** On the held-out pictures; `before` is null when nothing is in production. */
  readonly evaluation: { readonly before: ClassifierFigures | null; readonly after: ClassifierFigures };
  readonly gate: GateDecision;
  readonly learnt: readonly UsedPicture[];
  readonly heldOut: readonly UsedPicture[];
  readonly skipped: readonly SkippedPicture[];
  /** What went otherwise than wished. */
  readonly notes: readonly string[];
  /** Seconds a stage took, and other figures. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/**
 * Learns to name the class of whole pictures.
 *
 * 1. The backbone's features of each picture (and of altered copies) are pooled over the picture: mean and deviation.
 * 2. A linear layer is learnt on them (`chooseLayer`); all classes count alike.
 * 3. With `fineTune` the backbone is trained, too, on the mean of its coarsest features. A backbone that cannot be is left
 *    frozen, and the notes say so.
 * 4. The finished model, and the version in production, name the held-out pictures; a gate compares.
 *
 * The same pictures in the same order with the same seed give the same model.
 *
 * @throws {TooFewClasses | TooFewPerClass} when there is too little to learn from
 * @throws {BackboneNotFound | OnnxInvalid} when the backbone cannot be used
 * @throws {InvalidInput} for an option out of range
 * @throws the signal's reason when it aborts
 */
export async function trainClassifier(training: ClassifierTraining): Promise<TrainedClassifier> {
  const settings = settingsOf(training);
  const { pictures, threads = defaultThreads(), signal } = training;
  const classes = training.classes ?? [...new Set(pictures.map(({ label }) => label))].sort();
  const strange = pictures.find(({ label }) => !classes.includes(label));
  if (strange)
    throw new InvalidInput(`${strange.name} is of class ${strange.label}, which is none of ${classes.join(', ')}.`);
  if (classes.length < 2) throw new TooFewClasses(classes);
  const verdicts = verdictsOf(classes, training.verdicts);
  const backbone = await findBackbone(training.backbone, { normalisation: training.normalisation });
  const progress = new ClassifierProgress(pictures.length, settings.fineTune, training.onProgress);
  const work = { settings, classes, backbone, threads, signal, progress, pictures };

  const notes: string[] = [];
  const tuned = settings.fineTune ? await tryFineTuning(work, notes) : null;
  const frozen = settings.fineTune ? linearSettings(settings) : settings;
  const made = tuned ?? (await linearClassifier({ ...work, settings: frozen }));
  const { learningRate } = tuned ? settings : frozen;
  const { extracted, preprocessing, temperature, epochs, curve } = made;
  const model = writeModel(made.model);

  progress.at('evaluate', 0);
  const { heldOut } = extracted;
  const after = await figuresOf(model, preprocessing, classes, heldOut, threads, signal);
  progress.at('evaluate', 0.6);
  const before = training.before ? await figuresBefore(training.before, classes, heldOut, threads, signal) : null;
  progress.at('gate', 0);
  const { seed, augmentation } = settings;
  return {
    model,
    classes,
    verdicts,
    method: tuned ? 'fine-tuned' : 'linear',
    preprocessing,
    backbone: { id: backbone.id, sha256: backbone.sha256 },
    temperature,
    training: { seed, epochs, learningRate, augmentation },
    curve,
    evaluation: { before, after },
    gate: classifierGate(before, after),
    learnt: extracted.learnt,
    heldOut,
    skipped: extracted.skipped,
    notes,
    metrics: { ...progress.secondsPerStage(), ...made.metrics },
    seconds: progress.seconds,
  };
}

interface Work {
  readonly settings: ClassifierSettings;
  readonly classes: readonly string[];
  readonly backbone: FoundBackbone;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  readonly progress: ClassifierProgress;
  readonly pictures: readonly ClassPicture[];
}

interface Made {
  readonly model: OnnxModel;
  readonly extracted: Extracted;
  readonly preprocessing: Preprocessing & { readonly fastShrinkOnLoad: false };
  readonly temperature: number;
  readonly epochs: number;
  readonly curve: readonly CurvePoint[];
  readonly metrics: Readonly<Record<string, number>>;
}

async function linearClassifier(work: Work): Promise<Made> {
  const { backbone, classes } = work;
  const network = featureNetwork(backbone.bytes, 'average-and-deviation', backbone);
  const { extracted, preprocessing, chosen } = await learnLayer(work, network);
  const { temperature, epochs, curve, penalty } = chosen;
  const model = withHead(network, headOf(chosen), temperature, classes);
  return { model, extracted, preprocessing, temperature, epochs, curve, metrics: { penalty } };
}

/** @returns null when the backbone cannot be trained; the notes say why */
async function tryFineTuning(work: Work, notes: string[]): Promise<Made | null> {
  const { backbone, classes, settings, threads, signal, progress } = work;
  const network = featureNetwork(backbone.bytes, 'average', { ...backbone, deepest: true });
  const first = { ...work, settings: linearSettings(settings) };
  const { extracted, preprocessing, chosen, leftOut } = await learnLayer(first, network, true);
  try {
    const { model, temperature, epochs, curve } = await fineTune(network, headOf(chosen), {
      pictures: extracted.learnt,
      labels: Array.from(extracted.rows.labels),
      leftOut,
      classes,
      preprocessing,
      settings,
      threads,
      signal,
      onEpoch: (points, memoryBytes) => progress.tuned(points, settings.epochs, memoryBytes),
    });
    const cooled = withWeights(model, new Map([[TEMPERATURE, Float32Array.of(temperature)]]));
    return { model: cooled, extracted, preprocessing, temperature, epochs, curve, metrics: {} };
  } catch (error) {
    if (!(error instanceof UntrainableOperator)) throw error;
    notes.push(`Only the layer on top of the backbone was trained: ${error.message}`);
    return null;
  }
}

/**
 * Extracts features and learns a linear layer on them.
 *
 * @param leavesOut do not learn some of the pictures, for a training that goes on from the layer
 * @throws {TooFewPerClass}
 */
async function learnLayer(
  { settings, classes, threads, signal, progress, pictures }: Work,
  network: FeatureNetwork,
  leavesOut = false,
): Promise<{
  extracted: Extracted;
  preprocessing: Made['preprocessing'];
  chosen: ChosenLayer;
  leftOut: ReadonlySet<number>;
}> {
  const { width, height } = network.fixed ?? { width: settings.inputSize, height: settings.inputSize };
  const preprocessing = { width, height, mode: 'stretch', kernel: 'linear', fastShrinkOnLoad: false } as const;
  const { augmentation, seed, epochs, learningRate } = settings;
  for (const label of classes) {
    const wanted = pictures.filter((picture) => picture.label === label && !picture.heldOut);
    refuseTooFew(label, wanted.length);
  }
  const extracted = await extractFeatures(network, pictures, {
    preprocessing,
    classes,
    augmentation,
    seed,
    threads,
    signal,
    onPicture: (done) => progress.at('extract', done / pictures.length),
  });
  const { rows, learnt } = extracted;
  for (const label of classes) refuseTooFew(label, learnt.filter(({ source }) => source.label === label).length);
  const folds = stratifiedFolds(rows.labels, LEFT_OUT_IN, seededRandom(seed));
  const leftOut = new Set(learnt.flatMap((_, at) => (leavesOut && folds[at] === 0 ? [at] : [])));
  const chosen = await chooseLayer(leavesOut ? rowsWithout(rows, leftOut) : rows, {
    epochs,
    learningRate,
    seed,
    signal,
    onEpoch: (epoch, curve, share) => progress.learning(share, epoch, epochs, curve),
  });
  return { extracted, preprocessing, chosen, leftOut };
}

/** @throws {TooFewPerClass} */
function refuseTooFew(label: string, count: number): void {
  if (count < LEAST_PER_CLASS) throw new TooFewPerClass(label, count, LEAST_PER_CLASS);
}

/** The layer's numbers as the network stores them. */
function headOf({ layer }: ChosenLayer): Head {
  return { weights: Float32Array.from(layer.weights), bias: Float32Array.from(layer.bias) };
}

/** How the finished file names pictures. */
async function figuresOf(
  model: Uint8Array,
  preprocessing: Preprocessing,
  classes: readonly string[],
  pictures: readonly UsedPicture[],
  threads: number,
  signal?: AbortSignal,
): Promise<ClassifierFigures> {
  const session = await ClassifierSession.open(model, threads);
  try {
    const named = [];
    for (const { source } of pictures) {
      signal?.throwIfAborted();
      const { data, width, height } = await toTensor(await fileOf(source.picture), preprocessing);
      const row = await session.run(data, width, height, PROBABILITIES);
      named.push({ truth: source.label, named: classes[row.indexOf(Math.max(...row))] });
    }
    return classifierFigures(named, classes);
  } finally {
    await session.close();
  }
}

/** How the version in production names the same pictures; null when it knows none of the classes. */
async function figuresBefore(
  folder: string,
  classes: readonly string[],
  pictures: readonly UsedPicture[],
  threads: number,
  signal?: AbortSignal,
): Promise<ClassifierFigures | null> {
  const model = await ClassifierModel.load(folder, { threads });
  try {
    if (!classes.some((label) => model.manifest.classes.includes(label))) return null;
    const named = [];
    for (const { source } of pictures) {
      signal?.throwIfAborted();
      named.push({ truth: source.label, named: (await model.classify(await fileOf(source.picture))).label });
    }
    return classifierFigures(named, classes);
  } finally {
    await model.dispose();
  }
}
