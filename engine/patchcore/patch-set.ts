import type { Random } from '../domain';
import type { Matrix } from './matrix';

/** The patches of one view of a picture, conditioned. */
export interface ViewPatches {
  /** Which bank they are compared with: 0, or the tile where each tile has its own. */
  readonly section: number;
  readonly tile: number;
  /** One row a patch of the grid, row-major. */
  readonly patches: Matrix;
  readonly gridRows: number;
  readonly gridColumns: number;
  /** 1 where a patch counts. */
  readonly counts: Float32Array;
  /** Of an altered copy: the patch of the picture as it was that shows the same place. */
  readonly shows?: Int32Array;
}

/** Where a patch came from. */
export interface PatchOrigin {
  /** Place in the list of training pictures. */
  readonly picture: number;
  readonly tile: number;
  /** Place in the view's grid, row-major. */
  readonly patch: number;
  /** The patch that shows the same place in the picture as it was, where this one is of an altered copy. */
  readonly shows?: number;
}

/** Patches with their origins, for choosing a bank. */
export interface PatchSet {
  readonly patches: Matrix;
  readonly origins: readonly PatchOrigin[];
}

/** The counted patches of a view. */
export function countedPatches({ patches, counts, tile, shows }: ViewPatches, picture: number): PatchSet {
  const { data, columns } = patches;
  const origins: PatchOrigin[] = [];
  for (let patch = 0; patch < counts.length; patch += 1) {
    if (counts[patch] > 0) origins.push({ picture, tile, patch, ...(shows && { shows: shows[patch] }) });
  }
  if (origins.length === counts.length) return { patches, origins };
  const kept = new Float32Array(origins.length * columns);
  for (const [row, { patch }] of origins.entries()) {
    kept.set(data.subarray(patch * columns, (patch + 1) * columns), row * columns);
  }
  return { patches: { data: kept, rows: origins.length, columns }, origins };
}

/** All rows of several sets, one after the other. */
export function joined(sets: readonly PatchSet[], columns: number): PatchSet {
  const rows = sets.reduce((sum, { patches }) => sum + patches.rows, 0);
  const data = new Float32Array(rows * columns);
  let from = 0;
  for (const { patches } of sets) {
    data.set(patches.data.subarray(0, patches.rows * columns), from);
    from += patches.rows * columns;
  }
  return { patches: { data, rows, columns }, origins: sets.flatMap(({ origins }) => origins) };
}

/** The rows with the given indices, in their order. */
export function chosenRows({ patches, origins }: PatchSet, indices: ArrayLike<number>): PatchSet {
  const { data, columns } = patches;
  const kept = new Float32Array(indices.length * columns);
  const from: PatchOrigin[] = [];
  for (let row = 0; row < indices.length; row += 1) {
    const index = indices[row];
    kept.set(data.subarray(index * columns, (index + 1) * columns), row * columns);
    from.push(origins[index]);
  }
  return { patches: { data: kept, rows: indices.length, columns }, origins: from };
}

/** At most `count` rows, one of each stretch of equal length: spread over the pictures. */
export function someRows(set: PatchSet, count: number, random: Random): PatchSet {
  const { patches, origins } = set;
  if (patches.rows <= count) return set;
  const { columns } = patches;
  const data = new Float32Array(count * columns);
  const kept = [];
  for (let row = 0; row < count; row += 1) {
    const from = Math.floor(((row + random()) * patches.rows) / count);
    data.set(patches.data.subarray(from * columns, (from + 1) * columns), row * columns);
    kept.push(origins[from]);
  }
  return { patches: { data, rows: count, columns }, origins: kept };
}
