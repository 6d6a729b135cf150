import type { Box, LabelledBox } from '../domain';
import type { BoxRemark } from './dataset';

/** Pixels that a box may stand over the edge by rounding. */
const ROUNDING = 1;

/** Boxes that can be used, and what became of the others. */
export function usableBoxes(
  picture: { readonly id: string; readonly width: number; readonly height: number },
  boxes: readonly LabelledBox[],
): { boxes: LabelledBox[]; remarks: BoxRemark[] } {
  const usable = new Map<string, LabelledBox>();
  const remarks: BoxRemark[] = [];
  for (const { label, box } of boxes) {
    const remark = (kind: BoxRemark['kind']) => remarks.push({ picture: picture.id, label, box, kind });
    const cut = cutTo(box, picture);
    if (!(cut.width > 0 && cut.height > 0)) {
      remark('empty');
      continue;
    }
    const overhang = Math.max(
      cut.x - box.x,
      cut.y - box.y,
      box.x + box.width - cut.x - cut.width,
      box.y + box.height - cut.y - cut.height,
    );
    if (overhang > ROUNDING) remark('outside');
    const key = JSON.stringify([label, cut.x, cut.y, cut.width, cut.height]);
    if (usable.has(key)) remark('repeated');
    else usable.set(key, { label, box: cut });
  }
  return { boxes: [...usable.values()], remarks };
}

/** What of a box lies in the picture; without width or height when nothing does. A box inside stays as it is, bit by bit. */
function cutTo(box: Box, { width, height }: { readonly width: number; readonly height: number }): Box {
  const [x, across] = cutSide(box.x, box.width, width);
  const [y, down] = cutSide(box.y, box.height, height);
  return { x, y, width: across, height: down };
}

function cutSide(start: number, length: number, side: number): [number, number] {
  if (start >= 0 && start + length <= side) return [start, length];
  const from = Math.min(Math.max(start, 0), side);
  const to = Math.min(Math.max(start + length, 0), side);
  return [from, to - from];
}
