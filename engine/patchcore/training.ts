import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import {
  InspectionError,
  InvalidInput,
  type JobProgress,
  type Random,
  seededRandom,
  sha256Of,
  type TrainingStage,
} from '../domain';
import { type PictureTensor, PictureUnreadable, type Preprocessing, thumbnail, toTensor } from '../imaging';
import {
  assertFree,
  GOLDEN_TOLERANCE,
  type GoldenPicture,
  type ModelManifest,
  type UnsealedManifest,
  writePackage,
} from '../packages';
import { BACKBONE_FILE, type Backbone, BackboneNotFound, resolveBackbone } from './backbone';
import { type Calibration, calibrate } from './calibration';
import { CandidatePatches } from './candidates';
import { greedyCoreset } from './coreset';
import { type Channels, headGraph, neckGraph, projectionGraph } from './graphs';
import { holdOut } from './hold-out';
import { type Matrix, rowsBetween, takeRows } from './matrix';
import { extractFeatures, type Features, HEAD_FILE, measurePicture, PatchcoreModel } from './model';
import type { TrainingPicture } from './pictures';
import { imageScore, type Scoring } from './scoring';
import { Session } from './session';

/** Fewer readable pictures than this train no model. */
export const MINIMUM_PICTURES = 8;

const DEFAULT_CORESET = 2000;
/** Channels the choice of the bank looks at: random projections keep distances (Johnson-Lindenstrauss). */
const PROJECTED_CHANNELS = 128;
/** As in the paper: 4 pixels at an input of 224. */
const MAP_SIGMA = 4 / 224;
/** Beat the maximum on solar cells by 1 to 2 points of AUROC at every input and bank size. */
const SCORING: Scoring = { method: 'top-mean', share: 0.01 };
/**
 * Measured on simulated 1280x720 parts and on solar cells: a stretched square found more than a letterbox and no less than a
 * 16:9 input of the same area; from 224 to 288 fewer scratches are missed, beyond that the time grows faster than the gain.
 */
const DEFAULT_INPUT: ModelInput = { width: 288, height: 288, mode: 'stretch' };
const GOLDEN_PICTURES = 2;
/** Larger golden pictures are stored as a smaller JPEG, with its own score. */
const GOLDEN_BYTES = 1024 * 1024;
const GOLDEN_WIDTH = 1024;
/** Every how many map pixels one goes into the median. */
const MAP_STEP = 37;

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

/** The model's input: how a picture becomes pixels for the backbone. */
export interface ModelInput {
  /** Sides in pixels, multiples of 32 within 64..1024. */
  readonly width: number;
  readonly height: number;
  /** `stretch` shows more of a wide picture than `letterbox`, and found more defects on 1280x720 pictures. */
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
  readonly input?: Partial<ModelInput>;
  /** Patches kept in the bank, at most. */
  readonly coresetSize?: number;
  /** Share of good parts that may be rejected, above 0 and at most 0.5; 0.01 unless told. */
  readonly falseRejectRate?: number;
  /** Share of good parts that may go to a person; 0.05 unless told. */
  readonly reviewRate?: number;
  readonly seed?: number;
  /** Threads of ONNX Runtime; all cores unless told. */
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
        `Training needs at least ${needed} different readable pictures of good parts and got ${readable}` +
        `${skipped > 0 ? ` (${skipped} more could not be read or were there twice)` : ''}. Add ${needed - readable} or more.`,
      parameters: { readable, skipped, needed },
      httpStatus: 422,
    });
  }
}

/**
 * Learns a part type from pictures of good parts and writes the model package.
 *
 * Pictures that cannot be read, and all but the first of those that are the same to the byte, are left out and named in
 * the result. A third to a quarter of the rest is held out of the bank, for the thresholds. The package appears at
 * `outFolder` in one step, after its golden pictures have been scored from it. The same pictures in the same order with the same seed give the same bank.
 *
 * @throws {TooFewPictures} with fewer than `MINIMUM_PICTURES` readable pictures
 * @throws {ModelExists} when something is at `outFolder`
 * @throws {BackboneNotFound | OnnxInvalid} when the backbone cannot be used
 * @throws the signal's reason when it aborts; nothing stays behind then
 */
export async function trainPatchcore(training: PatchcoreTraining): Promise<TrainingResult> {
  const settings = settingsOf(training);
  await assertFree(training.outFolder);
  const progress = new ProgressReport(training);
  const backbone = await resolveBackbone(training.backbone);
  const sessions: Session[] = [];
  const open = async (bytes: Uint8Array): Promise<Session> => {
    const session = await Session.open(bytes, settings.threads);
    sessions.push(session);
    return session;
  };
  try {
    const extractor = await open(backbone.bytes);
    const collected = await collect(training, settings, backbone, extractor, open, progress);
    const bank = await chooseBank(collected.candidates, settings, open, progress, training.signal);
    const headBytes = headGraph(collected.channels, bank.patches, settings.sigma);
    const head = await open(headBytes);
    const levels = await calibrateHead(head, collected.heldOut, settings, progress, training.signal);
    progress.at('package', 0);
    const manifest: UnsealedManifest = {
      format: 1,
      kind: 'patchcore',
      name: training.name ?? training.partType,
      version: training.version,
      partType: training.partType,
      createdAt: new Date().toISOString(),
      parent: training.parent ?? null,
      dataset: {
        source: training.source,
        count: collected.used,
        skipped: collected.skipped.length,
        sha256: collected.sha256,
      },
      preprocessing: settings.preprocessing,
      backbone: { id: backbone.id, sha256: backbone.sha256, file: backbone.embedded ? null : BACKBONE_FILE },
      bank: { pictures: collected.used - collected.heldOut.length, seed: settings.seed, ...bank.facts },
      scoring: SCORING,
      map: { sigma: settings.sigma, ...levels.map },
      thresholds: levels.calibration.thresholds,
      calibration: levels.calibration,
      metrics: progress.secondsPerStage(),
      golden: [],
      goldenTolerance: GOLDEN_TOLERANCE,
    };
    const parts = { manifest: { ...manifest, files: {} }, backbone: extractor, head };
    const golden: GoldenPicture[] = [];
    const goldenFiles: Record<string, Uint8Array> = {};
    for (const [index, picture] of collected.golden.entries()) {
      const path = `golden/${index + 1}.${picture[0] === 0x89 ? 'png' : 'jpg'}`;
      goldenFiles[path] = picture;
      golden.push({ picture: path, score: imageScore((await measurePicture(parts, picture)).distances, SCORING) });
    }
    const files = {
      [HEAD_FILE]: headBytes,
      ...(backbone.embedded ? {} : { [BACKBONE_FILE]: backbone.bytes }),
      ...goldenFiles,
    };
    const sealed = await writePackage(training.outFolder, { ...manifest, golden }, files, async (folder) => {
      progress.at('verify', 0);
      training.signal?.throwIfAborted();
      const model = await PatchcoreModel.load(folder, { threads: settings.threads });
      await model.dispose();
      training.signal?.throwIfAborted();
    });
    progress.at('verify', 1);
    return { manifest: sealed, skipped: collected.skipped };
  } finally {
    for (const session of sessions) await session.close();
  }
}

interface Settings {
  readonly preprocessing: ModelManifest['preprocessing'];
  readonly coresetSize: number;
  readonly falseRejectRate: number;
  readonly reviewRate: number;
  readonly sigma: number;
  readonly seed: number;
  readonly threads: number;
}

function settingsOf(training: PatchcoreTraining): Settings {
  const input = { ...DEFAULT_INPUT, ...training.input };
  for (const side of [input.width, input.height]) {
    if (!(Number.isInteger(side) && side >= 64 && side <= 1024 && side % 32 === 0)) {
      throw new InvalidInput(`The input side ${side} is no multiple of 32 within 64..1024.`, { side });
    }
  }
  const coresetSize = training.coresetSize ?? DEFAULT_CORESET;
  if (!(Number.isInteger(coresetSize) && coresetSize >= 1))
    throw new InvalidInput(`A bank cannot have ${coresetSize} patches; it takes a whole number from 1.`);
  const falseRejectRate = training.falseRejectRate ?? 0.01;
  return {
    preprocessing: { ...input, kernel: 'linear', fastShrinkOnLoad: false },
    coresetSize,
    falseRejectRate,
    reviewRate: training.reviewRate ?? Math.max(0.05, falseRejectRate),
    sigma: MAP_SIGMA * Math.sqrt(input.width * input.height),
    seed: training.seed ?? 1,
    threads: training.threads ?? availableParallelism(),
  };
}

interface Collected {
  readonly candidates: Matrix;
  readonly channels: Channels;
  readonly heldOut: readonly Features[];
  readonly golden: readonly Buffer[];
  readonly skipped: readonly SkippedPicture[];
  /** Readable pictures. */
  readonly used: number;
  readonly sha256: string;
}

type Read =
  | { readonly name: string; readonly picture: Buffer; readonly tensor: PictureTensor }
  | { readonly name: string; readonly reason: string };

async function collect(
  training: PatchcoreTraining,
  settings: Settings,
  backbone: Backbone,
  extractor: Session,
  open: (bytes: Uint8Array) => Promise<Session>,
  progress: ProgressReport,
): Promise<Collected> {
  const { count, signal } = training;
  const random = seededRandom(settings.seed);
  const dealing = holdOut(count, Math.ceil(1 / settings.falseRejectRate) - 1, random);
  const candidates = new CandidatePatches(Math.max(1, dealing.mostInBank), random);
  const heldOut: Features[] = [];
  const golden: Buffer[] = [];
  const skipped: SkippedPicture[] = [];
  const hash = createHash('sha256');
  let channels: Channels | null = null;
  let neck: Session | null = null;
  const names = new Map<string, string>();
  let used = 0;
  progress.at('extract', 0);
  for await (const read of readAhead(training.pictures, settings.preprocessing)) {
    signal?.throwIfAborted();
    if ('reason' in read) {
      skipped.push(read);
      progress.picture(used + skipped.length, skipped.length);
      continue;
    }
    const digest = sha256Of(read.picture);
    const twin = names.get(digest);
    if (twin !== undefined) {
      // in the bank and among the held-out pictures it would make the thresholds too tight
      skipped.push({ name: read.name, reason: `It is the same picture as ${twin}.` });
      progress.picture(used + skipped.length, skipped.length);
      continue;
    }
    names.set(digest, read.name);
    const features = await extract(extractor, read.tensor, backbone);
    channels ??= { stride8: features.stride8.dims[1], stride16: features.stride16.dims[1] };
    neck ??= await open(neckGraph(channels));
    hash.update(Buffer.from(digest, 'hex'));
    used += 1;
    if (dealing.next()) {
      heldOut.push(features);
      if (golden.length < GOLDEN_PICTURES) golden.push(await goldenOf(read.picture));
    } else {
      const { patches } = await neck.run(features, ['patches']);
      candidates.add({ data: patches.data, rows: patches.dims[0], columns: patches.dims[1] });
    }
    progress.picture(used + skipped.length, skipped.length);
  }
  signal?.throwIfAborted();
  if (used < MINIMUM_PICTURES || channels === null) throw new TooFewPictures(used, skipped.length);
  return { candidates: candidates.matrix, channels, heldOut, golden, skipped, used, sha256: hash.digest('hex') };
}

async function extract(extractor: Session, tensor: PictureTensor, backbone: Backbone): Promise<Features> {
  const { data, width, height } = tensor;
  let features: Features;
  try {
    features = await extractFeatures(extractor, { data, dims: [1, 3, height, width] });
  } catch (error) {
    throw new BackboneNotFound(
      backbone.id,
      `it does not run on ${width} x ${height} pixels (${(error as Error).message})`,
    );
  }
  for (const [name, stride] of [
    ['stride8', 8],
    ['stride16', 16],
  ] as const) {
    const dims = features[name].dims;
    if (dims.length !== 4 || dims[2] !== height / stride || dims[3] !== width / stride) {
      throw new BackboneNotFound(backbone.id, `its output ${name} is [${dims}] for ${width} x ${height} pixels`);
    }
  }
  return features;
}

/** Decodes the next picture while the caller works on the one before. */
async function* readAhead(
  pictures: AsyncIterable<TrainingPicture> | Iterable<TrainingPicture>,
  preprocessing: Preprocessing,
): AsyncGenerator<Read> {
  const iterator = Symbol.asyncIterator in pictures ? pictures[Symbol.asyncIterator]() : pictures[Symbol.iterator]();
  const advance = (): Promise<Read | null> => {
    const next = readNext(iterator, preprocessing);
    next.catch(() => undefined);
    return next;
  };
  let next = advance();
  try {
    for (let current = await next; current !== null; current = await next) {
      next = advance();
      yield current;
    }
  } finally {
    await next.catch(() => undefined);
    await iterator.return?.();
  }
}

async function readNext(
  iterator: AsyncIterator<TrainingPicture> | Iterator<TrainingPicture>,
  preprocessing: Preprocessing,
): Promise<Read | null> {
  const result = await iterator.next();
  if (result.done) return null;
  const { name } = result.value;
  let picture: Buffer;
  try {
    picture = typeof result.value.picture === 'function' ? await result.value.picture() : result.value.picture;
  } catch (error) {
    return { name, reason: (error as Error).message };
  }
  try {
    return { name, picture, tensor: await toTensor(picture, preprocessing) };
  } catch (error) {
    if (error instanceof PictureUnreadable) return { name, reason: error.message };
    throw error;
  }
}

async function goldenOf(picture: Buffer): Promise<Buffer> {
  return picture.length > GOLDEN_BYTES ? thumbnail(picture, GOLDEN_WIDTH) : picture;
}

interface Bank {
  readonly patches: Matrix;
  readonly facts: Omit<ModelManifest['bank'], 'pictures' | 'seed'>;
}

async function chooseBank(
  candidates: Matrix,
  settings: Settings,
  open: (bytes: Uint8Array) => Promise<Session>,
  progress: ProgressReport,
  signal?: AbortSignal,
): Promise<Bank> {
  const random = seededRandom(settings.seed + 1);
  const projection = candidates.columns > PROJECTED_CHANNELS ? PROJECTED_CHANNELS : null;
  progress.at('condition', 0);
  const projected = projection === null ? candidates : await project(candidates, projection, random, open, signal);
  progress.at('coreset', 0);
  const size = Math.min(settings.coresetSize, candidates.rows);
  const { indices, radius } = await greedyCoreset(projected, size, random, {
    threads: settings.threads,
    signal,
    onProgress: (chosen) => progress.at('coreset', chosen / size),
  });
  const patches = takeRows(candidates, indices);
  const { rows, columns } = patches;
  return { patches, facts: { candidates: candidates.rows, size: rows, dimension: columns, projection, radius } };
}

/** Random gaussian projection, scaled so that distances are kept on average. */
async function project(
  patches: Matrix,
  columns: number,
  random: Random,
  open: (bytes: Uint8Array) => Promise<Session>,
  signal?: AbortSignal,
): Promise<Matrix> {
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const weights = Float32Array.from({ length: patches.columns * columns }, () => gaussian() / Math.sqrt(columns));
  const session = await open(projectionGraph({ data: weights, rows: patches.columns, columns }));
  const data = new Float32Array(patches.rows * columns);
  const chunk = 8192;
  for (let from = 0; from < patches.rows; from += chunk) {
    signal?.throwIfAborted();
    const to = Math.min(from + chunk, patches.rows);
    const a = { data: rowsBetween(patches, from, to), dims: [to - from, patches.columns] };
    data.set((await session.run({ a }, ['projected'])).projected.data, from * columns);
  }
  return { data, rows: patches.rows, columns };
}

interface Levels {
  readonly calibration: Calibration;
  readonly map: { readonly zero: number; readonly full: number; readonly region: number };
}

async function calibrateHead(
  head: Session,
  heldOut: readonly Features[],
  settings: Settings,
  progress: ProgressReport,
  signal?: AbortSignal,
): Promise<Levels> {
  const scores: number[] = [];
  const peaks: number[] = [];
  const pixels: number[] = [];
  for (const [index, features] of heldOut.entries()) {
    signal?.throwIfAborted();
    const { distances, map } = await head.run(features, ['distances', 'map']);
    scores.push(imageScore(distances.data, SCORING));
    peaks.push(map.data.reduce((most, value) => Math.max(most, value), 0));
    for (let place = index % MAP_STEP; place < map.data.length; place += MAP_STEP) pixels.push(map.data[place]);
    progress.at('calibrate', (index + 1) / heldOut.length);
  }
  const calibration = calibrate(scores, settings);
  const zero = Float64Array.from(pixels).sort()[Math.floor(pixels.length / 2)];
  const region = Math.max(calibrate(peaks, settings).thresholds.accept, zero + 1e-6);
  return { calibration, map: { zero, region, full: zero + 2 * (region - zero) } };
}

/** Where each stage begins and ends on the way from 0 to 100 percent. */
const STAGES: Readonly<Partial<Record<TrainingStage, readonly [from: number, to: number]>>> = {
  read: [0, 0],
  extract: [0, 70],
  condition: [70, 72],
  coreset: [72, 90],
  calibrate: [90, 96],
  package: [96, 98],
  verify: [98, 100],
};

/** Tells how far the training is, at most ten times a second. */
class ProgressReport {
  private readonly started = performance.now();
  private readonly stages: { readonly stage: TrainingStage; readonly since: number }[] = [];
  private pictures = 0;
  private skipped = 0;
  private last = 0;

  constructor(private readonly training: Pick<PatchcoreTraining, 'count' | 'onProgress'>) {
    this.at('read', 0);
  }

  picture(pictures: number, skipped: number): void {
    this.pictures = pictures;
    this.skipped = skipped;
    this.at('extract', Math.min(1, pictures / Math.max(1, this.training.count)));
  }

  /** @param share of the stage that is done, 0..1 */
  at(stage: TrainingStage, share: number): void {
    const now = performance.now();
    const isNew = this.stages.at(-1)?.stage !== stage;
    if (isNew) this.stages.push({ stage, since: now });
    const [from, to] = STAGES[stage] as readonly [number, number];
    const percent = from + (to - from) * share;
    if (!isNew && percent < 100 && now - this.last < 100) return;
    this.last = now;
    const elapsed = (now - this.started) / 1000;
    const remaining = percent < 3 ? null : Math.ceil((elapsed * (100 - percent)) / percent);
    this.training.onProgress?.({
      stage,
      percent: Math.round(percent * 10) / 10,
      remainingSeconds: remaining,
      pictures: this.pictures,
      count: this.training.count,
      skipped: this.skipped,
    });
  }

  /** Seconds spent in each stage that is over, as `seconds.<stage>`. */
  secondsPerStage(): Record<string, number> {
    const pairs = this.stages.slice(0, -1).map(({ stage, since }, index) => {
      const seconds = (this.stages[index + 1].since - since) / 1000;
      return [`seconds.${stage}`, Math.round(seconds * 1000) / 1000];
    });
    return Object.fromEntries(pairs);
  }
}
