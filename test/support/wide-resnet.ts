import { GraphBuilder, type OnnxModel } from '../../engine/onnx';
import { type Activated, Layers } from './networks';

export interface ResnetShape {
  /** Blocks at strides 4, 8, 16 and 32. */
  readonly blocks: readonly [number, number, number, number];
  /** Channels of the stem; they double at each stride. */
  readonly channels: number;
  /** Bottlenecks: channels within a block and behind it, as multiples. Null for blocks of two 3x3 convolutions. */
  readonly bottleneck: { readonly inner: number; readonly outer: number } | null;
}

/** WideResNet-50-2 (Zagoruyko and Komodakis 2016): 68.9 million weights, most of them at strides 16 and 32. */
export const WIDE_RESNET_50_2: ResnetShape = { blocks: [3, 4, 6, 3], channels: 64, bottleneck: { inner: 2, outer: 4 } };
/** ResNet-18 (He et al. 2016): 11.7 million weights. */
export const RESNET_18: ResnetShape = { blocks: [2, 2, 2, 2], channels: 64, bottleneck: null };

/** An ImageNet classifier of a residual shape with random weights, batch norm folded in, input x [1, 3, 224, 224]. */
export function resnetClassifier(
  shape: ResnetShape,
  dims: readonly (number | string)[] = [1, 3, 224, 224],
): { model: OnnxModel; last: ReadonlyMap<number, Activated> } {
  const layers = new Layers(new GraphBuilder('resnet'));
  let value = layers.maximum(
    layers.activate(layers.convolution(layers.input(dims), shape.channels, { size: 7, stride: 2 })),
  );
  for (const [stage, blocks] of shape.blocks.entries()) {
    const width = shape.channels * 2 ** stage;
    const inside = width * (shape.bottleneck?.inner ?? 1);
    const outside = width * (shape.bottleneck?.outer ?? 1);
    for (let block = 0; block < blocks; block += 1) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const shortcut =
        stride > 1 || value.channels !== outside ? layers.convolution(value, outside, { size: 1, stride }) : value;
      const within = { within: true };
      const narrow = shape.bottleneck ? layers.activate(layers.convolution(value, inside, { size: 1 }), within) : value;
      const first = layers.activate(layers.convolution(narrow, inside, { stride }), within);
      const second = layers.convolution(first, outside, { size: shape.bottleneck ? 1 : 3 });
      value = layers.activate(layers.add(second, shortcut));
    }
  }
  return { model: layers.classifier(value, 1000), last: layers.last };
}
