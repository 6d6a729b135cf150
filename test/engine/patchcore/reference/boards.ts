import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReferencePackageResult, trainReferencePackage } from '../../../../engine/patchcore';
import { partScene, planeOf, pngOf, withBlot } from './scenes';

/** A drawn board: no two are alike, and a part never lies quite where its golden picture has it. */
export function board(seed: number, { shift = 0, defective = false } = {}): Promise<Buffer> {
  const plane = planeOf(partScene(seed), 200, 160, (x, y) => [x + shift, y - shift / 2]);
  return pngOf(defective ? withBlot(plane, 90, 70, 14, 14, 1) : plane);
}

/** Puts golden pictures, good and defective boards and their labels into a folder, four of each kind. */
export async function writeBoards(folder: string): Promise<void> {
  for (const kind of ['golden', 'good', 'bad', 'labels', 'one']) await mkdir(join(folder, kind), { recursive: true });
  for (const seed of [1, 2, 3, 4]) {
    const golden = await board(seed);
    for (const name of [`g${seed}.png`, `b${seed}.png`]) await writeFile(join(folder, 'golden', name), golden);
    await writeFile(join(folder, 'good', `g${seed}.png`), await board(seed, { shift: 2 }));
    await writeFile(join(folder, 'bad', `b${seed}.png`), await board(seed, { shift: 1, defective: true }));
    await writeFile(join(folder, 'labels', `b${seed}.txt`), '0 0.485 0.48125 0.09 0.1\n');
  }
  await writeFile(join(folder, 'one', 'golden.png'), await board(1));
}

/** Trains on what `writeBoards` made. */
export async function trainBoards(folder: string, outFolder: string, version = '1'): Promise<ReferencePackageResult> {
  const pictures = [1, 2, 3, 4].map((seed) => ({ name: `g${seed}.png`, picture: () => board(seed, { shift: 2 }) }));
  return trainReferencePackage({
    partType: 'board',
    version,
    pictures,
    referenceFolder: join(folder, 'golden'),
    defectFolder: join(folder, 'bad'),
    labelFolder: join(folder, 'labels'),
    outFolder,
    source: 'drawn',
    threads: 1,
  });
}
