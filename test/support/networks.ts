import { seededRandom } from '../../engine/domain';
import { GraphBuilder, type OnnxModel } from '../../engine/onnx';

/** How a nonlinear step is written, as exporters write it. */
export const ACTIVATIONS = {
  Relu: (graph, x) => graph.node('Relu', [x]),
  Clip: (graph, x) => graph.node('Clip', [x, graph.floats([], [0]), graph.floats([], [6])]),
  'Relu and Clip': (graph, x) => ACTIVATIONS.Clip(graph, graph.node('Relu', [x])),
  HardSwish: (graph, x) => graph.node('HardSwish', [x]),
  'HardSwish in steps': (graph, x) =>
    graph.node('Div', [
      graph.node('Mul', [x, ACTIVATIONS.Clip(graph, graph.node('Add', [x, graph.floats([], [3])]))]),
      graph.floats([], [6]),
    ]),
  SiLU: (graph, x) => graph.node('Mul', [x, graph.node('Sigmoid', [x])]),
  GELU: (graph, x) =>
    graph.node('Mul', [
      graph.node('Mul', [x, graph.node('Add', [erf(graph, x), graph.floats([], [1])])]),
      graph.floats([], [0.5]),
    ]),
} satisfies Readonly<Record<string, (graph: GraphBuilder, x: string) => string>> as Readonly<
  Record<string, (graph: GraphBuilder, x: string) => string>
>;
export type ActivationName = 'Relu' | 'Clip' | 'Relu and Clip' | 'HardSwish' | 'HardSwish in steps' | 'SiLU' | 'GELU';

function erf(graph: GraphBuilder, x: string): string {
  return graph.node('Erf', [graph.node('Div', [x, graph.floats([], [Math.SQRT2])])]);
}

/** A value on its way through a network under construction. */
interface Value {
  readonly name: string;
  readonly channels: number;
  readonly stride: number;
}

export interface Activated {
  readonly after: string;
  readonly before: string;
  readonly channels: number;
}

/** Puts networks together with small random weights, and notes the last activation at each stride as it goes. */
export class Layers {
  readonly last = new Map<number, Activated>();
  private readonly random = seededRandom(3);

  constructor(
    readonly graph: GraphBuilder,
    private readonly activation: ActivationName = 'Relu',
  ) {}

  input(dims: readonly (number | string)[]): Value {
    return { name: this.graph.input('x', dims), channels: 3, stride: 1 };
  }

  /** A convolution with bias, padded so that only the stride shrinks the picture. */
  convolution(from: Value, channels: number, options: { size?: number; stride?: number; group?: number } = {}): Value {
    const { size = 3, stride = 1, group = 1 } = options;
    const fan = (from.channels / group) * size * size;
    const scale = Math.sqrt(6 / fan);
    const weights = new Float32Array(channels * fan);
    for (let place = 0; place < weights.length; place += 1) weights[place] = (this.random() * 2 - 1) * scale;
    const bias = Float32Array.from({ length: channels }, () => this.random() - 0.5);
    const pad = (size - 1) / 2;
    const inputs = [
      from.name,
      this.graph.floats([channels, from.channels / group, size, size], weights),
      this.graph.floats([channels], bias),
    ];
    const name = this.graph.node('Conv', inputs, {
      kernel_shape: [size, size],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group,
    });
    return { name, channels, stride: from.stride * stride };
  }

  maximum(from: Value): Value {
    const name = this.graph.node('MaxPool', [from.name], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
    return { ...from, name, stride: from.stride * 2 };
  }

  /** @param within a block whose shortcut passes it by: not noted */
  activate(from: Value, { within = false } = {}): Value {
    const name = ACTIVATIONS[this.activation](this.graph, from.name);
    if (!within) this.last.set(from.stride, { after: name, before: from.name, channels: from.channels });
    return { ...from, name };
  }

  add(a: Value, b: Value): Value {
    return { ...a, name: this.graph.node('Add', [a.name, b.name]) };
  }

  /** Channel weights from pooled values: by 1x1 convolutions, or by dense layers with shapes saved for a batch of 1. */
  squeeze(from: Value, dense = false): Value {
    const { graph } = this;
    let pooled: Value = { name: graph.node('GlobalAveragePool', [from.name]), channels: from.channels, stride: 0 };
    if (dense) {
      const flat = graph.node('Reshape', [pooled.name, graph.integers([1, from.channels])]);
      const weights = Float32Array.from({ length: from.channels ** 2 }, () => this.random() - 0.5);
      const mixed = graph.node('MatMul', [flat, graph.floats([from.channels, from.channels], weights)]);
      pooled = { ...pooled, name: graph.node('Reshape', [mixed, graph.integers([1, from.channels, 1, 1])]) };
    } else {
      const inner = this.convolution(pooled, 2, { size: 1 });
      pooled = this.convolution({ ...inner, name: graph.node('Relu', [inner.name]) }, from.channels, { size: 1 });
    }
    return { ...from, name: graph.node('Mul', [from.name, graph.node('Sigmoid', [pooled.name])]) };
  }

  /** Pooling, a dense layer and softmax: what stands behind the features of a classifier. */
  classifier(from: Value, classes: number): OnnxModel {
    const { graph } = this;
    const flat = graph.node('Flatten', [graph.node('GlobalAveragePool', [from.name])]);
    const weights = Float32Array.from({ length: from.channels * classes }, () => this.random() - 0.5);
    const logits = graph.node('MatMul', [flat, graph.floats([from.channels, classes], weights)]);
    graph.output('classes', graph.node('Softmax', [logits]), ['n', classes]);
    return graph.build();
  }
}

type Build = (layers: Layers, input: Value) => Value;

/** The kinds of networks a backbone is made of; strides 2 to 32. */
export const NETWORKS: Readonly<Record<string, Build>> = {
  plain: (layers, input) => {
    let value = input;
    for (const channels of [4, 4, 6, 8, 8]) {
      value = layers.activate(layers.convolution(value, channels, { stride: 2 }));
      value = layers.activate(layers.convolution(value, channels));
    }
    return value;
  },
  residual: (layers, input) => {
    let value = layers.maximum(layers.activate(layers.convolution(input, 4, { stride: 2 })));
    for (const channels of [6, 8, 8]) {
      const inner = layers.activate(layers.convolution(value, channels), { within: true });
      const shortcut = layers.convolution(value, channels, { size: 1, stride: 2 });
      value = layers.activate(layers.add(layers.convolution(inner, channels, { stride: 2 }), shortcut));
    }
    return value;
  },
  depthwise: (layers, input) => {
    let value = input;
    for (const channels of [4, 4, 6, 8, 8]) {
      const spread = layers.convolution(value, value.channels, { stride: 2, group: value.channels });
      value = layers.activate(layers.convolution(layers.activate(spread), channels, { size: 1 }));
    }
    return value;
  },
  'squeeze-excite': (layers, input) => {
    let value = input;
    for (const [place, channels] of [4, 4, 6, 8, 8].entries()) {
      value = layers.activate(layers.convolution(value, channels, { stride: 2 }));
      value = layers.squeeze(value, place % 2 === 1);
    }
    return value;
  },
};

/** A whole classifier with its input as given, and where its last activations are. */
export function classifierOf(
  kind: string,
  activation: ActivationName,
  dims: readonly (number | string)[],
): { model: OnnxModel; last: ReadonlyMap<number, Activated> } {
  const layers = new Layers(new GraphBuilder(`${kind} with ${activation}`), activation);
  const end = NETWORKS[kind](layers, layers.input(dims));
  return { model: layers.classifier(end, 10), last: layers.last };
}
