import type { Random } from '../../../engine/domain';
import type { Matrix } from '../../../engine/patchcore/matrix';
import type { ViewPatches } from '../../../engine/patchcore/patch-set';

export interface DrawnPatches {
  readonly rows?: number;
  readonly columns?: number;
  /** Numbers a patch. */
  readonly dimensions?: number;
  readonly tile?: number;
  readonly section?: number;
  /** 1 where a patch counts; all do without. */
  readonly counts?: readonly number[];
  /** Added to every number of a patch. */
  readonly offset?: number;
}

/** The patches of a view, drawn at random between 0 and 1. */
export function drawPatches(random: Random, drawn: DrawnPatches = {}): ViewPatches {
  const { rows = 4, columns = 5, dimensions = 6, tile = 0, section = 0, offset = 0 } = drawn;
  const count = rows * columns;
  return {
    section,
    tile,
    patches: {
      data: Float32Array.from({ length: count * dimensions }, () => offset + random()),
      rows: count,
      columns: dimensions,
    },
    gridRows: rows,
    gridColumns: columns,
    counts: Float32Array.from({ length: count }, (_, patch) => drawn.counts?.[patch] ?? 1),
  };
}

export function rowOf({ data, columns }: Matrix, row: number): number[] {
  return Array.from(data.subarray(row * columns, (row + 1) * columns));
}
