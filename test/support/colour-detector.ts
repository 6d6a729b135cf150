import { type DetectorFacts, writeDetectorPackage } from '../../engine/detector';
import { sha256Of } from '../../engine/domain';
import { encodeJpeg } from '../../engine/imaging';
import { GraphBuilder, writeModel } from '../../engine/onnx';

const SIDE = 64;
const CELL = 32;
/** Of strides 8 and 16. */
const FINER_CELLS = 8 * 8 + 4 * 4;

export const COLOURS = ['red', 'green'] as const;
export type Colour = (typeof COLOURS)[number];

/**
 * A detector that can be checked by hand: its input of 64 x 64 pixels has four cells of stride 32, and each is found as a
 * box, with the mean of its red and of its green as the confidences of the classes "red" and "green". The cells of strides
 * 8 and 16 find nothing. Layout [1, 4 + 2, 64 + 16 + 4], with the metadata Ultralytics' exporter writes.
 */
export function colourDetector(classes: readonly string[] = COLOURS): Uint8Array {
  const graph = new GraphBuilder('colours');
  const picture = graph.input('images', [1, 3, SIDE, SIDE]);
  const means = graph.node('AveragePool', [picture], { kernel_shape: [CELL, CELL], strides: [CELL, CELL] });
  const colours = graph.node('Slice', [means, graph.integers([0]), graph.integers([2]), graph.integers([1])]);
  const scores = graph.node('Reshape', [colours, graph.integers([1, 2, 4])]);
  const centres = [CELL / 2, CELL + CELL / 2];
  const x = [centres[0], centres[1], centres[0], centres[1]];
  const y = [centres[0], centres[0], centres[1], centres[1]];
  const sides = Array<number>(8).fill(CELL);
  const boxes = graph.floats([1, 4, 4], [...x, ...y, ...sides]);
  const found = graph.node('Concat', [boxes, scores], { axis: 1 });
  const nothing = graph.floats([1, 6, FINER_CELLS], new Float32Array(6 * FINER_CELLS));
  graph.output('output0', graph.node('Concat', [nothing, found], { axis: 2 }), [1, 6, FINER_CELLS + 4]);
  const names = `{${classes.map((name, number) => `${number}: '${name}'`).join(', ')}}`;
  return writeModel(graph.build({ names, task: 'detect', stride: '32', imgsz: '[64, 64]' }));
}

/**
 * A picture of four fields, left to right and top to bottom, each black or of one colour.
 *
 * @param fields brightness 0..255 with its colour
 * @param side   pixels, even
 */
export function colouredPicture(
  fields: readonly (readonly [Colour, number] | null)[],
  side = 2 * SIDE,
): Promise<Buffer> {
  const rgb = Buffer.alloc(side * side * 3);
  for (let place = 0; place < side * side; place += 1) {
    const [row, column] = [Math.floor(place / side), place % side];
    const field = fields[(row < side / 2 ? 0 : 2) + (column < side / 2 ? 0 : 1)];
    if (field) rgb[place * 3 + COLOURS.indexOf(field[0])] = field[1];
  }
  return encodeJpeg(rgb, side, side, 100);
}

/** Writes the colour detector as a model package. */
export async function writeColourPackage(
  folder: string,
  facts: Partial<DetectorFacts> & Pick<DetectorFacts, 'partType' | 'version'>,
  classes: readonly string[] = COLOURS,
): Promise<void> {
  await writeDetectorPackage(
    folder,
    colourDetector(classes),
    {
      name: `${facts.partType}.detector`,
      parent: null,
      base: null,
      level: 'imported',
      dataset: {
        source: 'colours',
        count: 0,
        skipped: 0,
        sha256: sha256Of(new Uint8Array()),
        heldOut: 0,
        boxes: 0,
        replayed: 0,
      },
      training: null,
      evaluation: { before: null, after: null, oldClasses: null },
      gate: { accepted: true, reasons: [] },
      curve: [],
      metrics: {},
      ...facts,
    },
    { golden: [await colouredPicture([['red', 255], null, null, null])], threads: 1 },
  );
}
