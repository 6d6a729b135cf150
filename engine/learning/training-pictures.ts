import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InvalidInput } from '../domain';
import { picturesInFolder, type TrainingPicture } from '../patchcore';
import { SIMULATED_PRODUCTS, type SimulatedProduct, simulatePart } from '../simulator';
import type { PictureSource } from './training-messages';

export interface TrainingPictures {
  readonly count: number;
  readonly pictures: Iterable<TrainingPicture> | AsyncIterable<TrainingPicture>;
}

/**
 * The pictures of a source, read one by one as they are asked for.
 *
 * @throws {InvalidInput} when the folder cannot be read or the product is unknown
 */
export async function openPictures(source: PictureSource): Promise<TrainingPictures> {
  switch (source.kind) {
    case 'folder': {
      const pictures = await picturesInFolder(source.folder);
      return {
        count: pictures.length,
        pictures: pictures.map(({ name, picture }) => ({ name: basename(name), picture })),
      };
    }
    case 'files':
      return {
        count: source.files.length,
        pictures: source.files.map(({ name, path }) => ({ name, picture: () => readFile(path) })),
      };
    case 'simulator':
      return simulate(source);
  }
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
