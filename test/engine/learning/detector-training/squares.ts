import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabelledBox, seededRandom, sha256Of } from '../../../../engine/domain';
import { encodeJpeg } from '../../../../engine/imaging';
import type { DetectionDataset } from '../../../../engine/learning/detector-training';
import { SIDE } from './small-detector';

const COLOURS: Readonly<Record<string, readonly [number, number, number]>> = {
  red: [220, 30, 30],
  green: [30, 210, 40],
  blue: [40, 40, 220],
};

export interface SquaresOptions {
  readonly train: number;
  readonly val: number;
  readonly classes?: readonly string[];
  readonly seed?: number;
  /** Labels that say another colour than is seen. */
  readonly wrong?: boolean;
}

/** Draws pictures of one or two coloured rectangles on noise, and tells where they are. */
export async function squares(
  folder: string,
  { train, val, classes = ['red', 'green'], seed = 1, wrong = false }: SquaresOptions,
): Promise<DetectionDataset> {
  await mkdir(folder, { recursive: true });
  const random = seededRandom(seed);
  const pictures = [];
  for (let index = 0; index < train + val; index += 1) {
    const rgb = Buffer.from(Array.from({ length: SIDE * SIDE * 3 }, () => 90 + Math.floor(40 * random())));
    const boxes: LabelledBox[] = [];
    for (let half = 0; half < 2; half += 1) {
      if (half === 1 && random() < 0.5) continue;
      const number = Math.floor(random() * classes.length);
      const width = 14 + Math.floor(10 * random());
      const height = 14 + Math.floor(10 * random());
      const x = 32 * half + Math.floor(random() * (32 - width));
      const y = Math.floor(random() * (SIDE - height));
      paint(rgb, { x, y, width, height }, COLOURS[classes[number]]);
      const label = classes[wrong ? (number + 1) % classes.length : number];
      boxes.push({ label, box: { x, y, width, height } });
    }
    const id = `${seed}-${index}.jpg`;
    const path = join(folder, id);
    await writeFile(path, await encodeJpeg(rgb, SIDE, SIDE, 95));
    pictures.push({ id, path, split: index < train ? ('train' as const) : ('val' as const), boxes });
  }
  return {
    classes,
    pictures,
    sha256: sha256Of(Buffer.from(JSON.stringify(pictures.map(({ id, boxes }) => [id, boxes])))),
  };
}

function paint(rgb: Buffer, { x, y, width, height }: LabelledBox['box'], colour: readonly number[]): void {
  for (let row = y; row < y + height; row += 1) {
    for (let column = x; column < x + width; column += 1) rgb.set(colour, (row * SIDE + column) * 3);
  }
}
