import { InvalidInput, type LabelledBox, type PictureInfo } from '../domain';

/** Boxes that one picture may have. */
export const BOXES_LIMIT = 1000;
/** What rounding may add to a side, in pixels. */
const ROUNDING = 0.01;

/**
 * Checks what a person drew on a picture.
 *
 * @throws {InvalidInput} naming the box: without a name or area, outside the picture, or one too many
 */
export function checkBoxes(
  boxes: readonly LabelledBox[],
  picture: Pick<PictureInfo, 'width' | 'height'> | undefined,
): readonly LabelledBox[] {
  if (boxes.length === 0) return [];
  if (picture === undefined) {
    throw new InvalidInput('This part has no picture that boxes could be drawn on. Label it without boxes.');
  }
  if (boxes.length > BOXES_LIMIT) {
    throw new InvalidInput(`A picture may have ${BOXES_LIMIT} boxes, not ${boxes.length}.`, { limit: BOXES_LIMIT });
  }
  return boxes.map(({ label, box: { x, y, width, height } }, index) => {
    const place = `Box ${index + 1} (${label})`;
    if (!isClassName(label)) {
      throw new InvalidInput(
        `Box ${index + 1} has no usable class: 1 to 64 characters, no control characters, no spaces around it.`,
        { box: index + 1 },
      );
    }
    if (![x, y, width, height].every(Number.isFinite) || width <= 0 || height <= 0) {
      throw new InvalidInput(`${place} has no area. Draw it again, or remove it.`, { box: index + 1 });
    }
    const inside =
      x >= -ROUNDING &&
      y >= -ROUNDING &&
      x + width <= picture.width + ROUNDING &&
      y + height <= picture.height + ROUNDING;
    if (!inside) {
      const size = `${picture.width} x ${picture.height}`;
      throw new InvalidInput(`${place} leaves the picture, which has ${size} pixels.`, { box: index + 1, size });
    }
    return { label, box: { x, y, width, height } };
  });
}

/** True for text that can name a class: also in the lists of data set formats, where a line or a key is a class. */
export function isClassName(text: string): boolean {
  return text.length >= 1 && text.length <= 64 && text.trim() === text && !/\p{Cc}/u.test(text);
}
