import { join } from 'node:path';
import { makeFolder } from '../engine/domain';
import type { AnomalyResult } from '../engine/patchcore';
import { eachPicture } from './each-picture';
import { uniqueNames, writeMaps } from './heatmaps';
import { terminal } from './output';

/** What was made of a picture. */
export interface Inferred<Facts> {
  readonly result: Pick<AnomalyResult, 'map' | 'regions'>;
  /** For `--json`. */
  readonly facts: Facts;
  /** Stand before the file on its line. */
  readonly columns: readonly string[];
}

/**
 * Infers pictures one after the other: prints a line for each unless `json`, and writes the maps into the folder `heatmap`.
 * Those that fail are named, and left out of the results.
 */
export async function inferEach<Facts>(
  files: readonly string[],
  { heatmap, json }: { readonly heatmap?: string; readonly json?: boolean },
  infer: (picture: Buffer, file: string) => Promise<Inferred<Facts>>,
) {
  if (heatmap !== undefined) await makeFolder(heatmap);
  const names = uniqueNames(files);
  return eachPicture(files, async (picture, file, place) => {
    const { result, facts, columns } = await infer(picture, file);
    const written = heatmap === undefined ? undefined : await writeMaps(join(heatmap, names[place]), picture, result);
    const places = result.regions.map(({ box }) => `${box.x},${box.y} ${box.width}x${box.height}`).join('; ');
    if (!json) terminal.print([...columns, file, places].join('  ').trimEnd());
    return { file, ...facts, ...written };
  });
}
