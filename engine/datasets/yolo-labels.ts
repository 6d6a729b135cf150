import type { Box, LabelledBox } from '../domain';
import type { Size } from './collect';
import { LabelFault } from './errors';

export interface YoloLabelFormat {
  /** Names by number. */
  readonly names: ReadonlyMap<number, string>;
  /** Key points follow the box: columns after the fifth are left out. */
  readonly hasKeyPoints: boolean;
}

/**
 * The boxes of a YOLO label file: a line an object, `class x y width height` (centre and size) or `class x1 y1 x2 y2 ...`
 * (a polygon, reduced to its box), as fractions of the picture.
 *
 * @throws {LabelFault} naming the line that is neither
 */
export function parseYoloLabels(
  file: string,
  text: string,
  { width, height }: Size,
  { names, hasKeyPoints }: YoloLabelFormat,
): LabelledBox[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const columns = line.trim().split(/\s+/);
    if (columns[0] === '') return [];
    const fault = (reason: string, kind?: 'unknown-class') =>
      new LabelFault(file, `Line ${index + 1} ${reason}.`, kind);
    if (columns.length < 5) {
      throw fault(`has ${columns.length} columns and needs 5: class, centre x, centre y, width, height`);
    }
    const numbers = columns.map(Number);
    const odd = numbers.findIndex((value) => !Number.isFinite(value));
    if (odd !== -1) throw fault(`holds ${JSON.stringify(columns[odd])}, which is no number`);
    const [number, ...shape] = hasKeyPoints ? numbers.slice(0, 5) : numbers;
    const label = names.get(number);
    if (label === undefined) throw fault(`names class ${columns[0]}, which is not among the names`, 'unknown-class');
    if (shape.some((value) => Math.abs(value) > FAR_OUTSIDE)) {
      throw fault(`has ${Math.max(...shape)} where a fraction of the picture is expected; are these pixels?`);
    }
    const box = shape.length === 4 ? centredBox(shape) : polygonBox(shape);
    if (box === null) throw fault(`has ${columns.length} columns: neither a box nor a polygon`);
    return [
      {
        label,
        box: { x: box.x * width, y: box.y * height, width: box.width * width, height: box.height * height },
      },
    ];
  });
}

/** Beyond this it is not a box over the edge but another unit. */
const FAR_OUTSIDE = 2;

function centredBox([x, y, width, height]: readonly number[]): Box {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function polygonBox(points: readonly number[]): Box | null {
  if (points.length < 6 || points.length % 2 === 1) return null;
  const across = points.filter((_, place) => place % 2 === 0);
  const down = points.filter((_, place) => place % 2 === 1);
  const [left, top] = [Math.min(...across), Math.min(...down)];
  return { x: left, y: top, width: Math.max(...across) - left, height: Math.max(...down) - top };
}

/** Decimals that keep a box to a millionth of a pixel in any picture that can be read. */
const DECIMALS = 12;

/** The label file of a picture; empty when there is nothing to find. */
export function yoloLabelText(boxes: readonly LabelledBox[], classes: readonly string[], size: Size): string {
  return boxes
    .map(({ label, box }) => {
      const shape = [
        (box.x + box.width / 2) / size.width,
        (box.y + box.height / 2) / size.height,
        box.width / size.width,
        box.height / size.height,
      ];
      return `${[classes.indexOf(label), ...shape.map((value) => Number(value.toFixed(DECIMALS)))].join(' ')}\n`;
    })
    .join('');
}

/** Where the labels of a picture stand: `labels` for the last folder `images`, beside the picture when there is none. */
export function labelPathOf(picture: string): string {
  return picture.replace(/^(.*[\\/]|)images([\\/])/s, '$1labels$2').replace(/\.[^.\\/]*$/, '.txt');
}
