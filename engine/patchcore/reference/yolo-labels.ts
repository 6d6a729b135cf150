import { access, readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { type Box, InvalidInput } from '../../domain';

/** An annotated defect, in fractions 0..1 of the picture's sides. */
export interface LabelledBox {
  /** Number of its class. */
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The boxes of a picture from `<labels>/<picture's name>.txt` in YOLO's format: a line a box, class, centre and size as
 * fractions of the picture.
 *
 * @returns null when there is no such file
 * @throws {InvalidInput} naming the line that is no box
 */
export async function readYoloLabels(folder: string, picture: string): Promise<LabelledBox[] | null> {
  const file = join(folder, `${basename(picture, extname(picture))}.txt`);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new InvalidInput(`The labels ${file} cannot be read: ${error.message}.`, { file });
  });
  if (text === null) return null;
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const numbers = line.trim().split(/\s+/).map(Number);
    const [kind, x, y, width, height] = numbers;
    const isBox = numbers.length === 5 && numbers.slice(1).every((value) => value >= 0 && value <= 1);
    if (!isBox || !Number.isInteger(kind) || kind < 0) {
      throw new InvalidInput(
        `Line ${index + 1} of ${file} is no box: class, centre x, centre y, width and height, as fractions of the picture.`,
        { file, line: index + 1 },
      );
    }
    return [{ kind, x: x - width / 2, y: y - height / 2, width, height }];
  });
}

/** The box in pixels of a picture. */
export function boxOf(label: LabelledBox, picture: { readonly width: number; readonly height: number }): Box {
  return {
    x: label.x * picture.width,
    y: label.y * picture.height,
    width: label.width * picture.width,
    height: label.height * picture.height,
  };
}

/** Names of the classes by number, from the `data.yaml` of the data set one or two folders above its labels, if any. */
export async function classNames(labels: string): Promise<ReadonlyMap<number, string>> {
  const above = [dirname(resolve(labels)), dirname(dirname(resolve(labels)))];
  for (const file of above.map((folder) => join(folder, 'data.yaml'))) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (!exists) continue;
    const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
    return new Map(
      lines.flatMap((line): [number, string][] => {
        const entry = /^\s+(\d+):\s*['"]?(.+?)['"]?\s*$/.exec(line);
        return entry ? [[Number(entry[1]), entry[2]]] : [];
      }),
    );
  }
  return new Map();
}
