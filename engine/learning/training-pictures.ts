import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InvalidInput, sha256Of } from '../domain';
import { picturesInFolder, type TrainingPicture } from '../patchcore';
import { SIMULATED_PRODUCTS, type SimulatedProduct, simulatePart } from '../simulator';
import type { NamedFile, PictureSource } from './training-messages';

/**
 * The pictures of a source, each read when it is asked for.
 *
 * @throws {InvalidInput} when the folder cannot be read or the product is unknown
 */
export async function openPictures(source: PictureSource): Promise<TrainingPicture[]> {
  switch (source.kind) {
    case 'folder': {
      const pictures = await picturesInFolder(source.folder);
      return pictures.map(({ name, picture }) => ({ name: basename(name), picture }));
    }
    case 'files':
      return filePictures(source.files);
    case 'simulator':
      return simulate(source);
  }
}

/** Files as pictures, each read when it is asked for, and refused when it is another one than it was. */
export function filePictures(files: readonly NamedFile[]): TrainingPicture[] {
  return files.map(({ name, path, sha256 }) => ({ name, picture: () => readUnchanged(path, sha256) }));
}

/** What is told of a picture's file that is not what a snapshot took. */
export const CHANGED = 'The file was changed since the data set was taken.';

async function readUnchanged(path: string, sha256: string): Promise<Buffer> {
  const picture = await readFile(path);
  if (sha256Of(picture) !== sha256) throw new Error(CHANGED);
  return picture;
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

function simulate({ product, count, seed }: PictureSource & { kind: 'simulator' }): TrainingPicture[] {
  const simulated = simulatedProduct(product);
  return Array.from({ length: count }, (_, index) => ({
    name: `${simulated} ${seed + index}`,
    picture: async () => (await simulatePart({ product: simulated, seed: seed + index, defectRate: 0 })).picture,
  }));
}
