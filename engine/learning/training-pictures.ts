import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InvalidInput } from '../domain';
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

/** Files as pictures, each read when it is asked for. */
export function filePictures(files: readonly NamedFile[]): TrainingPicture[] {
  return files.map(({ name, path }) => ({ name, picture: () => readFile(path) }));
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
