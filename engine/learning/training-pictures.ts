import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput } from '../domain';
import { SIMULATED_PRODUCTS, type SimulatedProduct, simulatePart } from '../simulator';
import type { PictureSource } from './training-messages';

export interface TrainingPictures {
  readonly count: number;
  readonly pictures: AsyncIterable<{ readonly name: string; readonly picture: Buffer }>;
}

const PICTURE_FILE = /\.(jpe?g|png)$/i;
const naturalOrder = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/**
 * The pictures of a source, read one by one as they are asked for. A folder gives its JPEG and PNG files in natural
 * order (`2.jpg` before `10.jpg`), without those of its subfolders.
 *
 * @throws {InvalidInput} when the folder cannot be read or the product is unknown
 */
export async function openPictures(source: PictureSource): Promise<TrainingPictures> {
  switch (source.kind) {
    case 'folder': {
      const names = await pictureFiles(source.folder);
      return readFiles(names.map((name) => ({ name, path: join(source.folder, name) })));
    }
    case 'files':
      return readFiles(source.files);
    case 'simulator':
      return simulate(source);
  }
}

/** The picture files of a folder, in natural order. @throws {InvalidInput} when it cannot be read */
export async function pictureFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidInput(`The picture folder ${folder} cannot be read (${error.code}). Check the path.`, { folder });
  });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && PICTURE_FILE.test(entry.name))
    .map((entry) => entry.name)
    .sort(naturalOrder.compare);
}

/** @throws {InvalidInput} when there is no such simulated product */
export function simulatedProduct(product: string): SimulatedProduct {
  const found = SIMULATED_PRODUCTS.find((known) => known === product);
  if (found) return found;
  throw new InvalidInput(
    `There is no simulated product ${JSON.stringify(product)}. Choose one of: ${SIMULATED_PRODUCTS.join(', ')}.`,
    { product },
  );
}

function readFiles(files: readonly { readonly name: string; readonly path: string }[]): TrainingPictures {
  async function* read() {
    for (const { name, path } of files) {
      // A file that is gone or unreadable counts as an empty picture: it is skipped and named like a broken one.
      const picture = await readFile(path).catch(() => Buffer.alloc(0));
      yield { name, picture };
    }
  }
  return { count: files.length, pictures: read() };
}

function simulate(source: PictureSource & { kind: 'simulator' }): TrainingPictures {
  const product = simulatedProduct(source.product);
  async function* parts() {
    for (let index = 0; index < source.count; index++) {
      const seed = source.seed + index;
      const { picture } = await simulatePart({ product, seed, defectRate: 0 });
      yield { name: `${product} ${seed}`, picture };
    }
  }
  return { count: source.count, pictures: parts() };
}
