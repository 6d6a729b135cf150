import { type Box, InspectionError, InvalidInput, seededRandom, sha256Of } from '../../domain';
import { type Augmentation, augment, boxToInput, drawAugmentations, PictureUnreadable } from '../../imaging';
import { defaultThreads } from '../../inference';
import type { ReferenceSettings } from '../../packages';
import { auroc, type Calibration, type CalibrationWishes, calibrate } from '../../statistics';
import { paintDefect } from '../synthetic-defects';
import { type Alignment, align } from './alignment';
import { ReferenceComparer, scoreOf } from './compare';
import { ReferenceMismatch, ReferenceUnreadable } from './errors';
import { type Layers, layersOf } from './layers';
import { LevelSearch, type LevelTrial } from './level';
import { DEFAULT_REFERENCE_SETTINGS } from './settings';

/** A picture with the golden picture it is to be compared with. */
export interface ReferencePair {
  /** For messages, for example the picture's path. */
  readonly name: string;
  /** Encoded JPEG or PNG, or how to get it. */
  readonly picture: Buffer | (() => Promise<Buffer>);
  readonly reference: Buffer | (() => Promise<Buffer>);
  /** Annotated defects, in pixels of the picture; none or missing: the part is good. */
  readonly boxes?: readonly Box[];
}

export interface ReferenceTraining {
  readonly partType: string;
  /** Pictures with their golden pictures. May be empty when there are golden pictures. */
  readonly pairs: readonly ReferencePair[];
  /** Golden pictures, for altered copies where there are fewer than two good pictures; that of the first pair unless told. */
  readonly golden?: readonly Omit<ReferencePair, 'picture' | 'boxes'>[];
  /** Settings to use as they are; `measured` (default) chooses tolerance, contrast and smoothing. */
  readonly settings?: ReferenceSettings | 'measured';
  readonly wishes?: Partial<CalibrationWishes>;
  readonly seed?: number;
  /** Threads of ONNX Runtime. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, count: number) => void;
}

/** How well one choice of settings told good pictures from known or painted defects. */
export interface ReferenceTrial {
  readonly tolerance: number;
  readonly contrast: number;
  readonly smoothing: number;
  /** 0..1 */
  readonly auroc: number;
}

export interface ReferenceTrainingResult {
  readonly settings: ReferenceSettings;
  readonly calibration: Calibration;
  /** What the settings were chosen by; empty when they were given. */
  readonly trials: readonly ReferenceTrial[];
  readonly chosenBy: 'annotated' | 'painted' | 'wished';
  /** Annotated defects found at the region level, and false regions; null without annotated defects. */
  readonly boxes: LevelTrial | null;
  readonly dataset: {
    /** Pictures used; altered copies do not count. */
    readonly count: number;
    readonly skipped: number;
    readonly defects: number;
    /** Over the SHA-256 of every picture and golden picture used, in order. */
    readonly sha256: string;
  };
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Pictures with their golden pictures and the scores they must have wherever the model runs; the first ones used. */
  readonly golden: readonly GoldenPair[];
}

export interface GoldenPair {
  readonly picture: Buffer;
  readonly reference: Buffer;
  /** Raw score. */
  readonly score: number;
}

/** From fine, for sharp and even pictures, to calm, for textured and noisy ones. */
const CANDIDATES = [
  { tolerance: 2, contrast: 0.15, smoothing: 3 },
  { tolerance: 2, contrast: 0.1, smoothing: 5 },
  { tolerance: 3, contrast: 0.08, smoothing: 9 },
] as const;
/** The next candidate must be better by this much: with few pictures small advantages are chance. */
const CLEARLY_BETTER = 0.005;
/** With fewer annotated defects the settings are chosen by painted ones. */
const FEWEST_DEFECTS = 10;
/** Painted defects a picture, and pictures that are painted on at most. */
const PAINTINGS = 2;
const MOST_PAINTED = 20;
/** Copies of a golden picture, and how they are altered. */
const COPIES = 8;
const COPY_WISHES = { flip: false, rotation: 0.5, light: 0.1, shift: 0.01 } as const;
const WISHES: CalibrationWishes = { falseRejectRate: 0.01, reviewRate: 0.05, missRate: 0.01 };
/** No difference is larger, and a wrong part must lie above every threshold. */
const LARGEST_DIFFERENCE = 1;
/** Golden pairs kept in a model. */
const GOLDEN_PAIRS = 3;
/** A region level of 0 would make everything a region. */
const LEAST_REGION = 0.02;

/**
 * Finds the settings and thresholds for comparing parts of one type with their golden pictures.
 *
 * In a defective picture with annotated defects everything outside the boxes is good, so its largest difference outside is
 * a good part's score, and the largest difference inside each box the score of a part with just this defect. With fewer than
 * two good pictures altered copies of golden pictures take their place, and nothing is promised about real parts.
 *
 * @throws {InvalidInput} when there is neither a usable pair nor a usable golden picture
 */
export async function trainReference(training: ReferenceTraining): Promise<ReferenceTrainingResult> {
  const { settings: wished = 'measured', threads = defaultThreads(), seed = 1 } = training;
  const choices = wished === 'measured' ? CANDIDATES : [wished];
  const base = wished === 'measured' ? DEFAULT_REFERENCE_SETTINGS : wished;
  const comparers: ReferenceComparer[] = [];
  try {
    for (const choice of choices) comparers.push(await ReferenceComparer.open({ ...base, ...choice }, threads));
    const gathered = comparers.map((comparer) => new Scores(comparer));
    const facts = await gather(training, gathered, seed);
    if (facts.count + facts.copies === 0) {
      const why = facts.skipped.map(({ name, reason }) => `${name}: ${reason}`).slice(0, 3);
      throw new InvalidInput(
        `None of the pictures of ${training.partType} can be compared with a golden picture. ${why.join(' ')}`.trim(),
      );
    }
    const chosenBy = wished !== 'measured' ? 'wished' : facts.boxes >= FEWEST_DEFECTS ? 'annotated' : 'painted';
    const areas = gathered.map((scores) => scores.auroc(chosenBy));
    let best = 0;
    for (const [index, area] of areas.entries()) if (area > areas[best] + CLEARLY_BETTER) best = index;
    return await resultOf(training, gathered[best], facts, {
      chosenBy,
      trials: wished !== 'measured' ? [] : CANDIDATES.map((choice, index) => ({ ...choice, auroc: areas[index] })),
    });
  } finally {
    for (const comparer of comparers) await comparer.close();
  }
}

interface Gathered {
  count: number;
  defects: number;
  boxes: number;
  copies: number;
  readonly hashes: string[];
  /** The first pairs used, encoded. */
  readonly kept: { readonly picture: Buffer; readonly reference: Buffer }[];
  readonly skipped: { readonly name: string; readonly reason: string }[];
}

async function gather(training: ReferenceTraining, gathered: readonly Scores[], seed: number): Promise<Gathered> {
  const { pairs, signal, onProgress } = training;
  const golden = training.golden ?? pairs.slice(0, 1);
  const [first] = gathered;
  const random = seededRandom(seed);
  const facts: Gathered = { count: 0, defects: 0, boxes: 0, copies: 0, hashes: [], kept: [], skipped: [] };
  let painted = 0;
  for (const [index, pair] of pairs.entries()) {
    signal?.throwIfAborted();
    await orSkip(pair.name, facts, async () => {
      const [picture, reference] = [await bytesOf(pair.picture), await bytesOf(pair.reference)];
      const [shown, known] = await first.comparer.read(picture, reference);
      const { boxes = [] } = pair;
      await addTo(gathered, align(shown, known, first.comparer.settings), boxes, index);
      facts.count += 1;
      facts.boxes += boxes.length;
      if (boxes.length > 0) facts.defects += 1;
      facts.hashes.push(sha256Of(picture), sha256Of(reference));
      if (facts.kept.length < GOLDEN_PAIRS) facts.kept.push({ picture, reference });
      if (boxes.length > 0 || gathered.length === 1 || painted >= MOST_PAINTED) return;
      painted += 1;
      await paint(gathered, shown, known, random);
    });
    onProgress?.(index + 1, pairs.length);
  }
  if (first.goodPictures >= 2) return facts;
  for (const [index, each] of golden.entries()) {
    signal?.throwIfAborted();
    await orSkip(each.name, facts, async () => {
      const reference = await bytesOf(each.reference);
      const [, known] = await first.comparer.read(reference, reference);
      for (const alteration of drawAugmentations(COPY_WISHES, COPIES, random)) {
        const copy = altered(known, alteration);
        await addTo(gathered, align(copy, known, first.comparer.settings), [], pairs.length + index);
        if (gathered.length > 1 && painted < MOST_PAINTED) await paint(gathered, copy, known, random);
        painted += 1;
        facts.copies += 1;
      }
      facts.hashes.push(sha256Of(reference));
      if (facts.kept.length === 0) facts.kept.push({ picture: reference, reference });
    });
  }
  return facts;
}

/** Pictures that cannot be used are named, the others still count. */
async function orSkip(name: string, { skipped }: Gathered, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } catch (error) {
    const isOfOnePicture =
      error instanceof PictureUnreadable || error instanceof ReferenceMismatch || error instanceof ReferenceUnreadable;
    const isFile = (error as NodeJS.ErrnoException).syscall !== undefined;
    if (!isOfOnePicture && !isFile) throw error;
    skipped.push({ name, reason: error instanceof InspectionError ? error.message : String(error) });
  }
}

async function addTo(gathered: readonly Scores[], alignment: Alignment, boxes: readonly Box[], group: number) {
  for (const scores of gathered) await scores.add(alignment, boxes, group);
}

/** The picture with defects painted on it, in the place it lies in anyway. */
async function paint(gathered: readonly Scores[], shown: Layers, known: Layers, random: () => number): Promise<void> {
  for (let painting = 0; painting < PAINTINGS; painting += 1) {
    const { data } = paintDefect(inColour(shown), null, random, null);
    const alignment = align(layersOf(data, shown.placement), known, gathered[0].comparer.settings);
    for (const scores of gathered) await scores.addPainted(alignment);
  }
}

function altered(layers: Layers, alteration: Augmentation): Layers {
  return layersOf(augment(inColour(layers), alteration), layers.placement);
}

function inColour({ data, planes, grey: { width, height } }: Layers) {
  if (planes.length === 3) return { data, width, height };
  const colour = new Float32Array(3 * data.length);
  for (let band = 0; band < 3; band += 1) colour.set(data, band * data.length);
  return { data: colour, width, height };
}

/** Scores of good pictures, of annotated and of painted defects, under one choice of settings. */
class Scores {
  readonly levels = new LevelSearch();
  readonly good: number[] = [];
  readonly groups: number[] = [];
  readonly defective: number[] = [];
  private readonly painted: number[] = [];

  constructor(readonly comparer: ReferenceComparer) {}

  get goodPictures(): number {
    return this.good.length;
  }

  async add(alignment: Alignment, boxes: readonly Box[], group: number): Promise<void> {
    const differences = await this.comparer.differences(alignment);
    const { placement } = alignment;
    this.levels.add({ differences, placement, boxes });
    const rest = boxes.length === 0 ? differences : differences.slice();
    const { tolerance, smoothing } = this.comparer.settings;
    for (const box of boxes) {
      const inInput = boxToInput(box, placement);
      this.defective.push(highestWithin(differences, inInput, placement.inputWidth, placement.inputHeight));
      clear(rest, grown(inInput, tolerance + smoothing), placement.inputWidth, placement.inputHeight);
    }
    this.good.push(scoreOf(alignment, rest));
    this.groups.push(group);
  }

  async addPainted(alignment: Alignment): Promise<void> {
    this.painted.push(scoreOf(alignment, await this.comparer.differences(alignment)));
  }

  auroc(by: 'annotated' | 'painted' | 'wished'): number {
    const against = by === 'painted' ? this.painted : this.defective;
    return against.length === 0 || this.good.length === 0 ? 0.5 : auroc(this.good, against);
  }
}

async function resultOf(
  { wishes }: ReferenceTraining,
  { comparer, levels, good, groups, defective }: Scores,
  facts: Gathered,
  choice: Pick<ReferenceTrainingResult, 'chosenBy' | 'trials'>,
): Promise<ReferenceTrainingResult> {
  const isAugmented = facts.copies > 0;
  const method = isAugmented ? 'augmented' : 'compared';
  const calibrated = calibrate({ good, groups, defective, method, folds: 0 }, { ...WISHES, ...wishes });
  const { accept, reject } = calibrated.thresholds;
  const thresholds = { accept: Math.min(accept, LARGEST_DIFFERENCE), reject: Math.min(reject, LARGEST_DIFFERENCE) };
  const calibration = { ...calibrated, thresholds };
  const boxes = levels.best();
  const region = Math.max(LEAST_REGION, boxes?.level ?? thresholds.accept);
  const golden: GoldenPair[] = [];
  for (const { picture, reference } of facts.kept) {
    const { score } = await comparer.compare(picture, reference, { map: false });
    golden.push({ picture, reference, score });
  }
  return {
    settings: { ...comparer.settings, region },
    calibration,
    ...choice,
    boxes,
    dataset: {
      count: facts.count,
      skipped: facts.skipped.length,
      defects: facts.defects,
      sha256: sha256Of(Buffer.from(facts.hashes.join('\n'))),
    },
    skipped: facts.skipped,
    golden,
  };
}

function bytesOf(picture: Buffer | (() => Promise<Buffer>)): Buffer | Promise<Buffer> {
  return typeof picture === 'function' ? picture() : picture;
}

function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

function highestWithin(values: Float32Array, box: Box, width: number, height: number): number {
  let most = 0;
  forEachWithin(box, width, height, (place) => {
    most = Math.max(most, values[place]);
  });
  return most;
}

function clear(values: Float32Array, box: Box, width: number, height: number): void {
  forEachWithin(box, width, height, (place) => {
    values[place] = 0;
  });
}

function forEachWithin(box: Box, width: number, height: number, visit: (place: number) => void): void {
  const [left, right] = [Math.max(0, Math.floor(box.x)), Math.min(width, Math.ceil(box.x + box.width))];
  const bottom = Math.min(height, Math.ceil(box.y + box.height));
  for (let y = Math.max(0, Math.floor(box.y)); y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) visit(y * width + x);
  }
}
