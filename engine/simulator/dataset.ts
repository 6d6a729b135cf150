import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabelledBox } from '../domain';
import { simulatePart } from './simulate';
import { type DefectClass, SIMULATED_PRODUCTS, type SimulatedTruth, type SimulatorOptions } from './types';

/** What a detector of simulated parts tells apart; `defect` is damage that is none of the others, as a scratch. */
export const SIMULATED_CLASSES = ['defect', 'fracture', 'stain', 'misalignment'] as const;
export type SimulatedClass = (typeof SIMULATED_CLASSES)[number];

const CLASS_OF: Readonly<Record<DefectClass, SimulatedClass>> = {
  scratch: 'defect',
  fracture: 'fracture',
  stain: 'stain',
  misalignment: 'misalignment',
};

/** The class of a part without defects, where whole pictures are told apart. */
export const GOOD_CLASS = 'good';

/** The boxes of a part's defects, in whole pixels of its picture: each encloses what is visible of one defect. */
export function labelledBoxes(truth: SimulatedTruth): readonly LabelledBox[] {
  return truth.defects.map(({ label, box }) => ({ label: CLASS_OF[label], box }));
}

export interface SimulatedDatasetWish
  extends Omit<SimulatorOptions, 'product' | 'seed' | 'defectRate'>,
    Partial<Pick<SimulatorOptions, 'product' | 'defectRate'>> {
  /** Pictures; without a product they are dealt to all products in turn. */
  readonly count: number;
  /** The first picture's seed; each further picture has the next one. 1 unless told. */
  readonly seed?: number;
}

/** A picture with what there is to learn from it. */
export interface SimulatedPicture {
  /** Product and seed, for example `plate-17`. */
  readonly id: string;
  /** JPEG. */
  readonly picture: Buffer;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly LabelledBox[];
  /** `good`, or the class of the first defect. */
  readonly class: string;
  readonly truth: SimulatedTruth;
}

/**
 * Draws pictures to learn from, one after the other; half of the parts are defective unless told.
 *
 * @throws {InvalidInput} as `simulatePart`
 */
export async function* simulatedDataset(wish: SimulatedDatasetWish): AsyncGenerator<SimulatedPicture> {
  const { count, seed: first = 1, product: only, defectRate = 0.5, width = 1280, height = 720, ...options } = wish;
  for (let index = 0; index < count; index += 1) {
    const seed = first + index;
    const product = only ?? SIMULATED_PRODUCTS[index % SIMULATED_PRODUCTS.length];
    const { picture, truth } = await simulatePart({ ...options, product, seed, defectRate, width, height });
    const boxes = labelledBoxes(truth);
    yield {
      id: `${product}-${seed}`,
      picture,
      width,
      height,
      boxes,
      class: boxes.at(0)?.label ?? GOOD_CLASS,
      truth,
    };
  }
}

/** A picture of a dataset that lies in a file. */
export type SimulatedFile = Omit<SimulatedPicture, 'picture' | 'truth'> & { readonly path: string };

/**
 * Draws a dataset into a folder, `<id>.jpg` each.
 *
 * @throws {InvalidInput} as `simulatePart`
 * @throws the signal's reason when it aborts; pictures drawn before stay
 */
export async function writeSimulatedDataset(
  folder: string,
  wish: SimulatedDatasetWish,
  signal?: AbortSignal,
): Promise<readonly SimulatedFile[]> {
  await mkdir(folder, { recursive: true });
  const files: SimulatedFile[] = [];
  for await (const { picture, truth: _truth, ...facts } of simulatedDataset(wish)) {
    signal?.throwIfAborted();
    const path = join(folder, `${facts.id}.jpg`);
    await writeFile(path, picture);
    files.push({ ...facts, path });
  }
  return files;
}
