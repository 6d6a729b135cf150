import { type Dimension, GraphBuilder, type OnnxModel } from '../../engine/onnx';

/** The colours that the networks below know: class 0 is red, 1 green, 2 blue. */
export const COLOURS = ['red', 'green', 'blue'] as const;

/** Cells' distances to their box's sides, in strides: left, top, right, bottom. All different, so that a mix-up shows. */
export const DISTANCES = [0.5, 1, 1.5, 2] as const;

export const STRIDES = [8, 16, 32] as const;

/** Confidence of a cell of pure colour: its logit is 4. */
export const SURE = 1 / (1 + Math.exp(-4));

export interface ColourDetectorOptions {
  /** Side of the square input in pixels, a multiple of 32; null: open. */
  readonly side?: number | null;
  readonly classes?: readonly string[];
  /** Values each distance is spread over. */
  readonly bins?: 1 | 16;
  readonly layout?: 'rows' | 'columns' | 'end-to-end' | 'objectness';
  /** Mask coefficients behind the classes, and the output of what masks are made of. */
  readonly masks?: number;
  /** Lay boxes and classes of a grid into one value before they are decoded, as older exporters do. */
  readonly joined?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Values at which the network is cut. */
export interface ColourDetectorCuts {
  readonly backbone: readonly string[];
  readonly head: readonly string[];
  readonly boxes: readonly string[];
  readonly classes: readonly string[];
}

/**
 * A detector of the YOLO family's form that needs no training: it sees a box where a cell of 8 pixels is red, green or
 * blue. Backbone (average pooling), neck (enlarging and laying side by side) and head (1x1 convolutions) at strides 8, 16
 * and 32, of which the last two never find anything.
 */
export function colourDetector(options: ColourDetectorOptions = {}): { model: OnnxModel; cuts: ColourDetectorCuts } {
  const { side = 64, classes = COLOURS, bins = 1, layout = 'rows', masks = 0, joined = false } = options;
  const graph = new GraphBuilder('colours');
  const open: Dimension[] = ['batch', 3, 'height', 'width'];
  const picture = graph.input('images', side === null ? open : [1, 3, side, side]);
  const pooled = (value: string, by: number) =>
    graph.node('AveragePool', [value], { kernel_shape: [by, by], strides: [by, by] });
  const f8 = pooled(picture, 8);
  const f16 = pooled(f8, 2);
  const f32 = pooled(f16, 2);
  const enlarged = (value: string) => graph.node('Resize', [value, '', graph.floats([4], [1, 1, 2, 2])]);
  const n16 = graph.node('Concat', [f16, enlarged(f32)], { axis: 1 });
  const n8 = graph.node('Concat', [f8, enlarged(n16)], { axis: 1 });
  const features = [
    { name: n8, channels: 9 },
    { name: n16, channels: 6 },
    { name: f32, channels: 3 },
  ];
  const convolution = ({ name, channels }: (typeof features)[number], weights: number[][], biases: number[]) => {
    const values = weights.flatMap((row) => Array.from({ length: channels }, (_, channel) => row[channel] ?? 0));
    return graph.node('Conv', [
      name,
      graph.floats([weights.length, channels, 1, 1], values),
      graph.floats([weights.length], biases),
    ]);
  };
  const boxes = features.map((feature) => {
    const biases = bins === 1 ? [...DISTANCES] : DISTANCES.flatMap((distance) => spread(distance, bins));
    return convolution(
      feature,
      biases.map(() => []),
      biases,
    );
  });
  const logits = features.map((feature, level) =>
    convolution(
      feature,
      classes.map((_, number) => [0, 1, 2].map((channel) => (channel === number ? 8 : -8))),
      classes.map(() => (level === 0 ? -4 : -30)),
    ),
  );
  const coefficients = features.map((feature) =>
    convolution(
      feature,
      Array.from({ length: masks }, () => []),
      Array.from({ length: masks }, () => 0.5),
    ),
  );
  const flat = (value: string, channels: number) => graph.node('Reshape', [value, graph.integers([1, channels, -1])]);
  const together = (values: readonly string[], channels: number) =>
    graph.node(
      'Concat',
      values.map((value) => flat(value, channels)),
      { axis: 2 },
    );
  let distances: string;
  let scores: string;
  if (joined) {
    const channels = 4 * bins + classes.length;
    const both = boxes.map((value, level) => graph.node('Concat', [value, logits[level]], { axis: 1 }));
    const parts = [4 * bins, classes.length];
    const split = graph.nodes('Split', [together(both, channels), graph.integers(parts)], 2, { axis: 1 });
    [distances, scores] = [split[0], graph.node('Sigmoid', [split[1]])];
  } else {
    distances = together(boxes, 4 * bins);
    scores = graph.node('Sigmoid', [together(logits, classes.length)]);
  }
  if (bins > 1) {
    const shaped = graph.node('Reshape', [distances, graph.integers([1, 4, bins, -1])]);
    const shares = graph.node('Softmax', [graph.node('Transpose', [shaped], { perm: [0, 2, 1, 3] })], { axis: 1 });
    const values = graph.floats(
      [1, bins, 1, 1],
      Float32Array.from({ length: bins }, (_, bin) => bin),
    );
    distances = graph.node('Reshape', [graph.node('Conv', [shares, values]), graph.integers([1, 4, -1])]);
  }
  const [near, far] = graph.nodes('Split', [distances, graph.integers([2, 2])], 2, { axis: 1 });
  const { cells, centres, strides } = grid(side ?? 64);
  const middle = graph.floats([1, 2, cells], centres);
  const scale = graph.floats([1, 1, cells], strides);
  const start = graph.node('Mul', [graph.node('Sub', [middle, near]), scale]);
  const end = graph.node('Mul', [graph.node('Add', [middle, far]), scale]);
  const size = graph.node('Sub', [end, start]);
  const centre = graph.node('Mul', [graph.node('Add', [start, end]), graph.floats([], [0.5])]);
  const extra = masks > 0 ? [together(coefficients, masks)] : [];
  const turned = (value: string) => graph.node('Transpose', [value], { perm: [0, 2, 1] });
  const count = side === null ? 'cells' : cells;
  const channels = 4 + classes.length + masks;
  if (layout === 'end-to-end') {
    const best = graph.node('ReduceMax', [scores], { axes: [1] });
    const number = graph.node('Cast', [graph.node('ArgMax', [scores], { axis: 1 })], { to: 1 });
    const rows = graph.node('Concat', [start, end, best, number, ...extra], { axis: 1 });
    graph.output('output0', turned(rows), [1, count, 6 + masks]);
  } else if (layout === 'objectness') {
    const shapes = [0.25, 1, 0.5].map((objectness) => {
      const sure = graph.floats([1, 1, cells], new Float32Array(cells).fill(objectness));
      return graph.node('Concat', [centre, size, sure, scores, ...extra], { axis: 1 });
    });
    const rows = graph.node('Concat', shapes, { axis: 2 });
    graph.output('output0', turned(rows), [1, side === null ? 'cells' : 3 * cells, channels + 1]);
  } else {
    const rows = graph.node('Concat', [centre, size, scores, ...extra], { axis: 1 });
    if (layout === 'rows') graph.output('output0', rows, [1, channels, count]);
    else graph.output('output0', turned(rows), [1, count, channels]);
  }
  if (masks > 0) {
    const prototypes = graph.node(
      'Concat',
      Array.from({ length: masks }, () => graph.node('ReduceMean', [f8], { axes: [1] })),
      { axis: 1 },
    );
    graph.output('output1', prototypes, [1, masks, (side ?? 64) / 8, (side ?? 64) / 8]);
  }
  const model = graph.build(options.metadata ?? metadataOf(classes, side ?? 64, layout === 'end-to-end', masks > 0));
  const cuts = { backbone: [f8, f16, f32], head: features.map(({ name }) => name), boxes, classes: logits };
  return { model, cuts };
}

/** As the usual exporter writes it. */
export function metadataOf(
  classes: readonly string[],
  side: number,
  endToEnd = false,
  isSegmenting = false,
): Record<string, string> {
  return {
    stride: '32',
    task: isSegmenting ? 'segment' : 'detect',
    batch: '1',
    imgsz: `[${side}, ${side}]`,
    names: `{${classes.map((name, number) => `${number}: '${name}'`).join(', ')}}`,
    args: "{'batch': 1, 'half': False, 'dynamic': False, 'simplify': True, 'opset': None, 'nms': False}",
    end2end: endToEnd ? 'True' : 'False',
  };
}

/** Logits whose distribution over the bins has the wanted mean. */
function spread(mean: number, bins: number): number[] {
  const low = Math.floor(mean);
  const share = mean - low;
  return Array.from({ length: bins }, (_, bin) => {
    const weight = bin === low ? 1 - share : bin === low + 1 ? share : 0;
    return weight > 0 ? Math.log(weight) + 40 : 0;
  });
}

/** Centres of all cells in strides, x of all before y of all, and their strides. */
function grid(side: number): { cells: number; centres: Float32Array; strides: Float32Array } {
  const places = STRIDES.flatMap((stride) => {
    const count = side / stride;
    return Array.from({ length: count * count }, (_, cell) => ({
      stride,
      x: (cell % count) + 0.5,
      y: Math.floor(cell / count) + 0.5,
    }));
  });
  const centres = Float32Array.from([...places.map(({ x }) => x), ...places.map(({ y }) => y)]);
  return { cells: places.length, centres, strides: Float32Array.from(places, ({ stride }) => stride) };
}
