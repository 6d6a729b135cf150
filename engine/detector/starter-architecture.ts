import type { Random } from '../domain';
import { floatTensor, GraphBuilder, type OnnxModel } from '../onnx';

/** Distances a side is read from: an expectation over so many steps of a stride. */
export const STARTER_BINS = 16;
export const STARTER_STRIDES = [8, 16, 32] as const;
/** Side of the input the starter detector is meant for, in pixels. */
export const STARTER_INPUT = 448;

/** Channels at strides 2, 4, 8, 16 and 32. */
const WIDTHS = [16, 24, 48, 96, 160] as const;
/** Residual blocks at strides 4, 8, 16 and 32. */
const BLOCKS = [1, 2, 2, 1] as const;
/** Channels of the neck at strides 8, 16 and 32. */
const NECK = [48, 64, 64] as const;
/** Channels of a head's branches. */
const BRANCH = 32;
/** Share of the old running statistics that is kept at each step. */
const MOMENTUM = 0.97;
/** Share of places taken for a defect before anything is learnt. */
const PRIOR = 0.005;

/** The raw results of a detect head at one stride. */
export interface RawLevel {
  readonly stride: number;
  /** Value of [batch, 4 x bins, rows, columns]: left, top, right, bottom, each as logits of its distance. */
  readonly boxes: string;
  /** Value of [batch, classes, rows, columns]: logits. */
  readonly classes: string;
}

/** A network without what makes boxes of its raw results. */
export interface DetectorBody {
  /** Input `images` [batch, 3, height, width], RGB 0..1, sides multiples of 32. Its outputs are the raw results. */
  readonly model: OnnxModel;
  /** Finest first. */
  readonly levels: readonly RawLevel[];
}

interface Value {
  readonly name: string;
  readonly channels: number;
}

/**
 * A small single-stage, anchor-free detector with random weights, to be trained from scratch: residual blocks of 3x3
 * convolutions at strides 4 to 32, pooled context at the coarsest, a neck that goes down and up again by nearest-neighbour
 * enlargement and strided convolutions, and separate branches for boxes and classes. Each convolution but the last ones is
 * followed by BatchNormalization and Relu.
 *
 * @param classes how many, 1 or more
 * @see He et al. 2016 (residual blocks), Liu et al. 2018 (path aggregation), Tian et al. 2019 (distances to four sides),
 *   Li et al. 2020 (distances as distributions)
 */
export function starterBody(classes: number, random: Random): DetectorBody {
  if (!(Number.isInteger(classes) && classes >= 1)) throw new RangeError(`a detector cannot have ${classes} classes`);
  const layers = new Layers(new GraphBuilder('starter-detector'), random);
  const { graph } = layers;
  const picture = { name: graph.input('images', ['batch', 3, 'height', 'width']), channels: 3 };

  let value = layers.unit('stem', picture, WIDTHS[0], { stride: 2 });
  const stages: Value[] = [];
  for (const [index, blocks] of BLOCKS.entries()) {
    value = layers.unit(`stage${index + 1}.down`, value, WIDTHS[index + 1], { stride: 2 });
    for (let block = 1; block <= blocks; block += 1) value = layers.residual(`stage${index + 1}.block${block}`, value);
    stages.push(value);
  }
  const [, eighth, sixteenth] = stages;
  const context = layers.context('context', value);

  const deep = layers.unit('neck.deep', context, NECK[2], { size: 1 });
  const middle = layers.merge('neck.middle', [layers.enlarged(deep), sixteenth], NECK[1]);
  const fine = layers.merge('neck.fine', [layers.enlarged(middle), eighth], NECK[0]);
  const back = layers.merge('neck.back', [layers.unit('neck.to16', fine, NECK[1], { stride: 2 }), middle], NECK[1]);
  const last = layers.merge('neck.last', [layers.unit('neck.to32', back, NECK[2], { stride: 2 }), deep], NECK[2]);

  const levels = [fine, back, last].map((from, index): RawLevel => {
    const stride = STARTER_STRIDES[index];
    const branch = (name: string) => layers.unit(`head${stride}.${name}`, from, BRANCH);
    const boxes = layers.last(`head${stride}.boxes`, branch('side'), 4 * STARTER_BINS, 1);
    const logit = Math.log(PRIOR / (1 - PRIOR));
    return { stride, boxes, classes: layers.last(`head${stride}.classes`, branch('kind'), classes, logit) };
  });
  const rawLevels = levels.map(({ stride, boxes, classes: logits }): RawLevel => {
    const level = { stride, boxes: `boxes${stride}`, classes: `classes${stride}` };
    graph.output(level.boxes, boxes, ['batch', 4 * STARTER_BINS, `rows${stride}`, `columns${stride}`]);
    graph.output(level.classes, logits, ['batch', classes, `rows${stride}`, `columns${stride}`]);
    return level;
  });
  return { model: graph.build(), levels: rawLevels };
}

class Layers {
  constructor(
    readonly graph: GraphBuilder,
    private readonly random: Random,
  ) {}

  /** Convolution, BatchNormalization, Relu. */
  unit(name: string, from: Value, channels: number, shape: { size?: 1 | 3; stride?: 1 | 2 } = {}): Value {
    return { name: this.graph.node('Relu', [this.normalised(name, from, channels, shape)]), channels };
  }

  /** Two units of 3x3, the first of half the channels, added to what came in. */
  residual(name: string, from: Value): Value {
    const inner = this.unit(`${name}.in`, from, from.channels / 2);
    const sum = this.graph.node('Add', [from.name, this.normalised(`${name}.out`, inner, from.channels, {})]);
    return { name: this.graph.node('Relu', [sum]), channels: from.channels };
  }

  /** Maxima over 5, 9 and 13 places beside the value itself, so that a place knows what is around it. */
  context(name: string, from: Value): Value {
    const inner = this.unit(`${name}.in`, from, from.channels / 2, { size: 1 });
    const pooled = [inner.name];
    for (let step = 0; step < 3; step += 1) {
      const pads = [2, 2, 2, 2];
      pooled.push(this.graph.node('MaxPool', [pooled[step]], { kernel_shape: [5, 5], strides: [1, 1], pads }));
    }
    const joined = { name: this.graph.node('Concat', pooled, { axis: 1 }), channels: inner.channels * pooled.length };
    return this.unit(`${name}.out`, joined, from.channels, { size: 1 });
  }

  merge(name: string, from: readonly Value[], channels: number): Value {
    const joined = {
      name: this.graph.node(
        'Concat',
        from.map((value) => value.name),
        { axis: 1 },
      ),
      channels: from.reduce((sum, value) => sum + value.channels, 0),
    };
    return this.unit(`${name}.out`, this.unit(`${name}.in`, joined, channels, { size: 1 }), channels);
  }

  /** Twice as wide and high, each value four times. */
  enlarged(from: Value): Value {
    const scales = this.graph.floats([4], [1, 1, 2, 2]);
    const options = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    return { name: this.graph.node('Resize', [from.name, '', scales], options), channels: from.channels };
  }

  /** A 1x1 convolution with a bias, all of one value at first. */
  last(name: string, from: Value, channels: number, bias: number): string {
    const weight = this.weight(name, from, channels, 1, 0.1);
    const start = this.constant(`${name}.bias`, [channels], new Float32Array(channels).fill(bias));
    return this.graph.node('Conv', [from.name, weight, start], convolution(1, 1));
  }

  private normalised(
    name: string,
    from: Value,
    channels: number,
    { size = 3, stride = 1 }: { size?: 1 | 3; stride?: 1 | 2 },
  ): string {
    const convolved = this.graph.node(
      'Conv',
      [from.name, this.weight(name, from, channels, size, 1)],
      convolution(size, stride),
    );
    const filled = (part: string, value: number) =>
      this.constant(`${name}.${part}`, [channels], new Float32Array(channels).fill(value));
    const statistics = [filled('scale', 1), filled('shift', 0), filled('mean', 0), filled('variance', 1)];
    const attributes = { epsilon: { float: 1e-5 }, momentum: { float: MOMENTUM } };
    return this.graph.node('BatchNormalization', [convolved, ...statistics], attributes);
  }

  /** Normally distributed by the fan-in (He et al. 2015). */
  private weight(name: string, from: Value, channels: number, size: number, gain: number): string {
    const fan = from.channels * size * size;
    const deviation = gain * Math.sqrt(2 / fan);
    const values = Float32Array.from({ length: channels * fan }, () => deviation * normal(this.random));
    return this.constant(`${name}.weight`, [channels, from.channels, size, size], values);
  }

  private constant(name: string, dims: readonly number[], values: Float32Array): string {
    return this.graph.constant(floatTensor(name, dims, values));
  }
}

function convolution(size: number, stride: number) {
  const pad = (size - 1) / 2;
  return { kernel_shape: [size, size], strides: [stride, stride], pads: [pad, pad, pad, pad] };
}

/** Box and Muller 1958. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
