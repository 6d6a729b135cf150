import { readFileSync } from 'node:fs';
import { resized } from '../../../../engine/learning/trainer';
import { type OnnxModel, readModel } from '../../../../engine/onnx';
import { needShared } from '../../../support/shared-data';
import { checkGradients } from './gradient-check';

/** The convolutions that end the detect head. */
const LOGITS = ['cv2', 'cv3'].flatMap((branch) =>
  [0, 1, 2].map((level) => `/model.23/${branch}.${level}/${branch}.${level}.2/Conv_output_0`),
);

describe('The body of YOLO11n', function () {
  this.timeout(20_000);
  let model: OnnxModel;
  before(function () {
    model = readModel(readFileSync(needShared(this, 'models/yolo11n-synthetic/model.onnx')));
  });

  it('has gradients that agree with finite differences, from the first weights to the last', async () => {
    const chosen = [
      'model.0.conv.weight',
      'model.2.m.0.cv1.conv.weight',
      'model.5.conv.weight',
      'model.9.cv1.conv.weight',
      'model.10.m.0.attn.qkv.conv.weight',
      'model.13.cv1.conv.bias',
      'model.23.cv2.1.0.conv.weight',
      'model.23.cv3.0.0.0.conv.weight',
      'model.23.cv3.2.2.bias',
    ];
    await checkGradients(resized(model, { width: 64, height: 96, batch: 2 }), {
      inputs: { images: [2, 3, 96, 64] },
      outputs: LOGITS,
      trained: chosen,
      whole: true,
      step: 0.0005,
      tolerance: 0.03,
    });
  });
});
