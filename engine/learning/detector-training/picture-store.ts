import { readFile } from 'node:fs/promises';
import { type DetectionTarget, letterbox } from '../../detector';
import type { LabelledBox, SkippedPicture } from '../../domain';
import { boxToInput, PictureUnreadable } from '../../imaging';
import type { Labelled } from './dataset';
import type { PictureFrame } from './draw-window';
import type { SourcePicture } from './window';

/** Size of the detector's input. */
export interface InputSize {
  readonly width: number;
  readonly height: number;
}

/** A picture that can be learnt from. */
interface Kept {
  readonly path: string;
  readonly targets: readonly DetectionTarget[];
  pixels: Uint8Array | null;
}

/** A box narrower than this in the detector's input cannot be learnt, in pixels. */
const LEAST_SIDE = 1;

/**
 * The pictures learnt from, as the detector sees them. As many as fit into the memory allowed are kept decoded, the others are
 * read anew each time.
 */
export class PictureStore {
  private constructor(
    private readonly pictures: readonly Kept[],
    private readonly size: InputSize,
  ) {}

  /**
   * Reads every picture once. Those that cannot be read, and boxes that lie outside or have a class that is not asked for, are left
   * out and told.
   *
   * @param cacheBytes memory that decoded pictures may take
   * @param onPicture  called after each picture
   */
  static async open(
    pictures: readonly Labelled[],
    classes: readonly string[],
    size: InputSize,
    { cacheBytes, onPicture }: { readonly cacheBytes: number; readonly onPicture?: (done: number) => void },
  ): Promise<{ store: PictureStore; kept: readonly Labelled[]; skipped: readonly SkippedPicture[] }> {
    const skipped: SkippedPicture[] = [];
    const kept: Labelled[] = [];
    const entries: Kept[] = [];
    let free = cacheBytes;
    for (const [index, picture] of pictures.entries()) {
      try {
        const { pixels, targets, faults } = await readLabelled(picture, classes, size);
        for (const fault of faults) skipped.push({ name: picture.id, reason: fault });
        const isCached = pixels.length <= free;
        if (isCached) free -= pixels.length;
        entries.push({ path: picture.path, targets, pixels: isCached ? pixels : null });
        kept.push(picture);
      } catch (error) {
        if (!(error instanceof PictureUnreadable || isFileError(error))) throw error;
        skipped.push({ name: picture.id, reason: error.message });
      }
      onPicture?.(index + 1);
    }
    return { store: new PictureStore(entries, size), kept, skipped };
  }

  /** Memory that the pictures kept decoded take. */
  get keptBytes(): number {
    return this.pictures.reduce((sum, { pixels }) => sum + (pixels?.length ?? 0), 0);
  }

  /** Numbers of all pictures, in their order. */
  get numbers(): readonly number[] {
    return [...this.pictures.keys()];
  }

  frame(index: number): PictureFrame {
    return { ...this.size, targets: this.pictures[index].targets };
  }

  /** @throws {PictureUnreadable} when the file has become unreadable meanwhile */
  async read(index: number): Promise<SourcePicture> {
    const { path, targets, pixels } = this.pictures[index];
    return { ...this.size, targets, pixels: pixels ?? (await readPixelsOf(path, this.size)).pixels };
  }
}

async function readLabelled(picture: Labelled, classes: readonly string[], size: InputSize) {
  const { pixels, toTarget } = await readPixelsOf(picture.path, size);
  const targets: DetectionTarget[] = [];
  const faults: string[] = [];
  for (const labelledBox of picture.boxes) {
    const number = classes.indexOf(labelledBox.label);
    const target = toTarget(number, labelledBox);
    if (number < 0) faults.push(`a box of the class ${labelledBox.label}, which is not learnt, is left out`);
    else if (target === null)
      faults.push(`a box of the class ${labelledBox.label} lies outside of the picture, or is empty`);
    else targets.push(target);
  }
  return { pixels, targets, faults };
}

async function readPixelsOf(path: string, size: InputSize) {
  const { data, placement } = await letterbox(await readFile(path), size);
  const pixels = Uint8Array.from(data, (value) => Math.round(value * 255));
  const toTarget = (number: number, { box }: LabelledBox): DetectionTarget | null => {
    if (![box.x, box.y, box.width, box.height].every(Number.isFinite)) return null;
    const placed = boxToInput(box, placement);
    const x = Math.max(0, placed.x);
    const y = Math.max(0, placed.y);
    const width = Math.min(size.width, placed.x + placed.width) - x;
    const height = Math.min(size.height, placed.y + placed.height) - y;
    return width >= LEAST_SIDE && height >= LEAST_SIDE ? { class: number, box: { x, y, width, height } } : null;
  };
  return { pixels, toTarget };
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
