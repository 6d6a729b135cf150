import { writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { renderOverlay } from '../engine/imaging';
import type { AnomalyResult } from '../engine/patchcore';

/** Writes the map, and the picture with it. */
export async function writeMaps(
  stem: string,
  picture: Buffer,
  { map }: Pick<AnomalyResult, 'map'>,
): Promise<{ heatmap: string; map: string } | undefined> {
  if (map === undefined) return undefined;
  const paths = { heatmap: `${stem}.heatmap.jpg`, map: `${stem}.map.png` };
  await writeFile(paths.heatmap, await renderOverlay(picture, map.png));
  await writeFile(paths.map, map.png);
  return paths;
}

/** File names without extension; pictures of the same name in several folders get a number. */
export function uniqueNames(files: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return files.map((file) => {
    const stem = basename(file, extname(file));
    const times = (seen.get(stem) ?? 0) + 1;
    seen.set(stem, times);
    return times === 1 ? stem : `${stem}-${times}`;
  });
}
