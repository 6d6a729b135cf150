import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CurvePoint } from '../../domain';

const FILE = 'results.csv';
/** Folders below the results that are looked into: trainers make some for a project and a run. */
const DEPTH = 3;

/**
 * The epochs of a results.csv: a line an epoch, columns named in the first. The loss is the sum of the columns `train/*loss`,
 * mAP50 the first column whose name holds `mAP50` and not `mAP50-95`. A line that is not finished yet is left out.
 */
export function parseResults(text: string): CurvePoint[] {
  const [header, ...lines] = text.split(/\r?\n/).map((line) => line.split(',').map((cell) => cell.trim()));
  // the last one may still be written
  const finished = lines.slice(0, -1).filter((cells) => cells.length === header.length);
  const losses = header.flatMap((name, place) => (/^train\/.*loss/i.test(name) ? [place] : []));
  const precision = header.findIndex((name) => /map[@_]?(0?\.)?50(?!-)/i.test(name));
  return finished.map((cells, index) => {
    const loss = losses.reduce((sum, place) => sum + Number(cells[place]), 0);
    const map50 = Number(cells[precision] || Number.NaN);
    return { epoch: index + 1, loss, ...(map50 >= 0 && map50 <= 1 && { map50 }) };
  });
}

/** The epochs so far; none when there is no results.csv yet. */
export async function readResults(folder: string): Promise<CurvePoint[]> {
  const file = await latestResults(folder, DEPTH);
  if (file === null) return [];
  return parseResults(await readFile(file.path, 'utf8').catch(() => '')).filter(({ loss }) => Number.isFinite(loss));
}

async function latestResults(folder: string, depth: number): Promise<{ path: string; changed: number } | null> {
  let latest: { path: string; changed: number } | null = null;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    const found =
      entry.isDirectory() && depth > 0
        ? await latestResults(path, depth - 1)
        : entry.name === FILE
          ? await stat(path).then(
              ({ mtimeMs }) => ({ path, changed: mtimeMs }),
              () => null,
            )
          : null;
    if (found !== null && (latest === null || found.changed > latest.changed)) latest = found;
  }
  return latest;
}
