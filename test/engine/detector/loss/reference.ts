import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DetectionTarget, HeadLevel } from '../../../../engine/detector';
import { packageRoot } from '../../../../engine/domain';

export interface ReferenceCase {
  readonly name: string;
  readonly bins: number;
  readonly classes: number;
  readonly topk: number;
  readonly alpha: number;
  readonly beta: number;
  readonly scale: number;
  readonly offset: number;
  readonly levels: readonly { readonly stride: number; readonly rows: number; readonly columns: number }[];
  readonly targets: readonly { readonly label: number; readonly corners: readonly number[] }[];
  readonly assigned: readonly { readonly cell: number; readonly target: number; readonly score: number }[];
  readonly total: number;
  readonly parts: { readonly box: number; readonly classes: number; readonly distribution: number };
  readonly gradients: { readonly boxes: readonly number[][]; readonly classes: readonly number[][] };
}

export interface ReferenceOverlap {
  readonly predicted: [number, number, number, number];
  readonly truth: [number, number, number, number];
  readonly iou: number;
  readonly ciou: number;
  readonly alpha: number;
}

/** Values made by test/fixtures/detection-loss/reference.py, a second implementation in numpy. */
export const reference = JSON.parse(
  readFileSync(join(packageRoot, 'test', 'fixtures', 'detection-loss', 'expected.json'), 'utf8'),
) as { readonly ious: readonly ReferenceOverlap[]; readonly cases: readonly ReferenceCase[] };

const wave = (count: number, scale: number, phase: number, offset = 0) =>
  Float32Array.from({ length: count }, (_, index) => Math.fround(scale * Math.sin(index * 12.9898 + phase)) + offset);

/** The logits the script computed with. */
export function levelsOf({ levels, bins, classes, scale, offset }: ReferenceCase): HeadLevel[] {
  return levels.map(({ stride, rows, columns }, index) => ({
    stride,
    rows,
    columns,
    boxes: wave(4 * bins * rows * columns, scale, 0.3 + index, offset),
    classes: wave(classes * rows * columns, 2, 0.9 + index),
  }));
}

export function targetsOf({ targets }: ReferenceCase): DetectionTarget[] {
  return targets.map(({ label, corners: [left, top, right, bottom] }) => ({
    class: label,
    box: { x: left, y: top, width: right - left, height: bottom - top },
  }));
}
