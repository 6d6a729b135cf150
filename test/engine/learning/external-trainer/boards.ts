import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDataset, type Dataset } from '../../../../engine/datasets';
import { packageRoot } from '../../../../engine/domain';
import { COLOURS, colouredPicture } from '../../../support/colour-detector';

const SIDE = 128;
const SPLITS = ['train', 'train', 'val', 'val'] as const;

/** Four pictures, each with a red field top left and a green one bottom right, and their boxes. */
export async function boards(folder: string): Promise<Dataset> {
  const picture = await colouredPicture([['red', 255], null, null, ['green', 255]], SIDE);
  const half = SIDE / 2;
  return collectDataset({
    kind: 'detection',
    format: 'yolo',
    classes: [...COLOURS],
    hasHoldOut: true,
    entries: SPLITS.map((split, index) => {
      const path = join(folder, `${index}.jpg`);
      writeFileSync(path, picture);
      return {
        path,
        id: `${index}.jpg`,
        split,
        labels: () => ({
          boxes: [
            { label: 'red', box: { x: 0, y: 0, width: half, height: half } },
            { label: 'green', box: { x: half, y: half, width: half, height: half } },
          ],
        }),
      };
    }),
  });
}

const STAND_IN = join(packageRoot, 'test', 'fixtures', 'external-trainer', 'stand-in.mjs');

/** The command of the stand-in program. */
export function standIn(mode: string, more: readonly string[] = []): string[] {
  const places = ['--data', '{data}', '--out', '{out}', '--results', '{results}'];
  return [process.execPath, STAND_IN, mode, ...places, '--epochs', '{epochs}', '--model', '{base}', ...more];
}
