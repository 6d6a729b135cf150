import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type Dataset, readDataset } from '../../../../engine/datasets';
import { describeDetector } from '../../../../engine/detector';
import { finetuneDetector } from '../../../../engine/learning/detector-training';
import { readModel } from '../../../../engine/onnx';
import { needShared } from '../../../support/shared-data';

describe('Fine-tuning of YOLO11n on real boards', function () {
  this.timeout(300_000);
  let base: Uint8Array;
  let dataset: Dataset;

  before(async function () {
    base = await readFile(needShared(this, 'models/yolo11n-synthetic/model.onnx'));
    const all = await readDataset(needShared(this, 'data/deeppcb/detect'));
    const some = ['train', 'val'].flatMap((split) => all.pictures.filter((one) => one.split === split).slice(0, 8));
    dataset = { ...all, pictures: some };
  });

  for (const level of ['head', 'full'] as const) {
    it(`lowers the loss at the level ${level} and gives a detector of the six defects`, async () => {
      const wishes = { level, epochs: 3, inputSize: 256, batch: 2, augmentation: 0.3, threads: 2 };
      const { model, report, memoryBytes } = await finetuneDetector({ base, dataset, ...wishes });
      const [first, , last] = report.curve;
      assert.ok(last.loss < first.loss, `${first.loss} -> ${last.loss}`);
      assert.ok(memoryBytes > 0 && (report.peakMemoryBytes ?? 0) > 0);
      const { classes, layout } = describeDetector(readModel(model));
      assert.deepEqual(classes, ['open', 'short', 'mousebite', 'spur', 'copper', 'pin-hole']);
      assert.equal(layout, 'rows');
    });
  }
});
