import type { Box } from '../domain';
import { boxToSource, type Placement, toViews, viewFrames } from '../imaging';
import { headFeeds, type LoadedParts } from './model';
import { readOrigins } from './package-files';

/** Cells beside a patch whose features it averages: what it describes is that much larger. */
const AROUND = 1;

/** The good picture that shows what is most like the worst place of a picture. */
export interface NearestGood {
  /** Of the worst patch to its nearest bank row, in the unit of the model's scores. */
  readonly distance: number;
  /** The worst patch, in pixels of the picture. */
  readonly place: Box;
  readonly source: {
    /** Number of the picture in the package. */
    readonly index: number;
    /** What it was called when it was learnt. */
    readonly name: string;
    /** Pixels of the picture as it was learnt. */
    readonly width: number;
    readonly height: number;
    /** The bank row, in pixels of the picture as it was learnt. */
    readonly place: Box;
    /** A small copy lies in the package. */
    readonly shown: boolean;
  };
}

/**
 * Finds what the model compared the worst patch of a picture with: where the score is the highest distance, that distance.
 *
 * @param picture encoded JPEG or PNG
 * @returns null when nothing counts, or the package does not tell where its rows come from (older releases)
 * @throws {PictureUnreadable}
 */
export async function nearestGood(folder: string, parts: LoadedParts, picture: Buffer): Promise<NearestGood | null> {
  const worst = await worstPatch(parts, picture);
  if (worst === null) return null;
  const { preprocessing, viewing, bank, backbone } = parts.manifest;
  const { pictures, banks } = await readOrigins(folder).catch(() => ({ pictures: [], banks: [] }));
  const rows = banks[bank.heads.length === 1 ? 0 : worst.tile] ?? null;
  const source = rows === null ? undefined : pictures[rows.picture[worst.row]];
  if (rows === null || !source?.size) return null;
  const { name, size, shown } = source;
  const frames = viewFrames(size.width, size.height, { preprocessing, roi: viewing.roi, tiles: viewing.tiles });
  const { placement } = frames[rows.tile[worst.row]];
  const [{ stride }] = backbone.outputs;
  const shows = (rows.shows ?? rows.patch)[worst.row];
  return {
    distance: worst.distance,
    place: placeOf(worst.patch, stride, worst.placement),
    source: {
      index: rows.picture[worst.row],
      name,
      ...size,
      place: placeOf(shows, stride, placement),
      shown,
    },
  };
}

interface WorstPatch {
  readonly tile: number;
  readonly placement: Placement;
  readonly patch: number;
  readonly distance: number;
  /** Of the tile's bank. */
  readonly row: number;
}

async function worstPatch(parts: LoadedParts, picture: Buffer): Promise<WorstPatch | null> {
  const { preprocessing, viewing } = parts.manifest;
  const { views } = await toViews(picture, { preprocessing, roi: viewing.roi, tiles: viewing.tiles });
  let worst: WorstPatch | null = null;
  for (const view of views) {
    const fed = await headFeeds(parts, view);
    if (!fed?.head.outputs.includes('worst')) continue;
    const { distances, worst: pair } = await fed.head.run(fed.feeds, ['distances', 'worst']);
    const [patch, row] = pair.data;
    const distance = distances.data[patch];
    if (fed.counts[patch] === 0 || distance <= (worst?.distance ?? -1)) continue;
    worst = { tile: view.tile, placement: view.placement, patch, distance, row };
  }
  return worst;
}

function placeOf(patch: number, stride: number, placement: Placement): Box {
  const columns = Math.ceil(placement.inputWidth / stride);
  const side = (2 * AROUND + 1) * stride;
  const x = ((patch % columns) - AROUND) * stride;
  const y = (Math.floor(patch / columns) - AROUND) * stride;
  return boxToSource({ x, y, width: side, height: side }, placement);
}
