import { floatTensor, GraphBuilder } from '../../../../engine/onnx';
import { checkGradients, numbers } from './gradient-check';

interface Form {
  readonly says: string;
  readonly batch?: number;
  readonly channels?: number;
  readonly filters?: number;
  readonly size?: readonly [number, number];
  readonly kernel?: readonly [number, number];
  readonly group?: number;
  readonly attributes?: Readonly<Record<string, readonly number[] | string>>;
}

const FORMS: readonly Form[] = [
  { says: '1x1', kernel: [1, 1] },
  { says: '1x1 with stride 2', kernel: [1, 1], attributes: { strides: [2, 2] } },
  { says: '1x1 of a batch', kernel: [1, 1], batch: 3 },
  { says: '3x3 without padding' },
  { says: '3x3 padded', attributes: { pads: [1, 1, 1, 1] } },
  { says: '3x3 padded, of a batch', batch: 2, attributes: { pads: [1, 1, 1, 1] } },
  { says: '3x3 with stride 2', attributes: { pads: [1, 1, 1, 1], strides: [2, 2] } },
  { says: '3x3 with stride 2 that leaves cells over', size: [8, 7], attributes: { strides: [2, 2] } },
  { says: '3x3 padded on two sides', size: [6, 8], attributes: { pads: [0, 0, 1, 1], strides: [2, 2] } },
  { says: '3x3 padded as TensorFlow does', size: [6, 8], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } },
  { says: '3x3 with gaps', attributes: { pads: [2, 2, 2, 2], dilations: [2, 2] } },
  { says: '3x3 padded by more than its reach', attributes: { pads: [3, 3, 3, 3] } },
  { says: '5x3 with strides 2 and 1', kernel: [5, 3], attributes: { pads: [2, 1, 2, 1], strides: [2, 1] } },
  { says: '3x3 of many channels', channels: 17, attributes: { pads: [1, 1, 1, 1] } },
  { says: '3x3 from many channels to few', batch: 2, channels: 5, attributes: { pads: [1, 1, 0, 2] } },
  { says: '3x3 from many channels to less', channels: 20, filters: 18, attributes: { dilations: [2, 1] } },
  { says: 'depthwise 3x3', channels: 4, filters: 4, group: 4, attributes: { pads: [1, 1, 1, 1] } },
  {
    says: 'depthwise 3x3 of a batch with stride 2',
    batch: 2,
    channels: 4,
    filters: 4,
    group: 4,
    attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
  },
  {
    says: 'depthwise 3x3 with two filters each',
    channels: 3,
    filters: 6,
    group: 3,
    attributes: { pads: [1, 1, 1, 1] },
  },
  { says: 'grouped 3x3', batch: 2, channels: 6, filters: 4, group: 2, attributes: { pads: [1, 1, 1, 1] } },
  { says: 'grouped 1x1', channels: 6, filters: 4, group: 2, kernel: [1, 1] },
];

describe('Gradients of convolutions agree with finite differences:', () => {
  for (const form of FORMS) {
    it(form.says, async () => {
      const { batch = 1, channels = 2, filters = 3, size = [6, 7], kernel = [3, 3], group = 1, attributes = {} } = form;
      const graph = new GraphBuilder('convolution');
      const input = [batch, channels, ...size];
      graph.constant(
        floatTensor(
          'x',
          input,
          numbers(
            input.reduce((a, b) => a * b),
            1,
          ),
        ),
      );
      const weight = [filters, channels / group, ...kernel];
      graph.constant(
        floatTensor(
          'w',
          weight,
          numbers(
            weight.reduce((a, b) => a * b),
            2,
          ),
        ),
      );
      graph.constant(floatTensor('b', [filters], numbers(filters, 3)));
      graph.input('nothing', [1]);
      graph.output('y', graph.node('Conv', ['x', 'w', 'b'], { group, kernel_shape: kernel, ...attributes }), []);
      await checkGradients(graph.build(), { inputs: {} });
    });
  }
});
