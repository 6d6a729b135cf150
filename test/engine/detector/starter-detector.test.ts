import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DetectorModel, describeDetector, detectHead, STARTER_DETECTOR } from '../../../engine/detector';
import { type Box, sha256Of } from '../../../engine/domain';
import { metadataProps, readModel } from '../../../engine/onnx';
import { SIMULATED_CLASSES, SIMULATED_PRODUCTS, simulatedDataset } from '../../../engine/simulator';

/** Seeds that the training has not seen: training/evaluation.ts. */
const HELD_OUT_SEED = 900_000;

describe('the starter detector', function () {
  this.timeout(180_000);
  const bytes = readFileSync(STARTER_DETECTOR);

  it('is the file that its README describes, small, ours, and free to use', () => {
    const readme = readFileSync(join(dirname(STARTER_DETECTOR), 'README.md'), 'utf8');
    assert.ok(readme.includes(sha256Of(bytes)));
    assert.ok(bytes.length <= 6e6, `${bytes.length} bytes`);
    assert.equal(metadataProps(readModel(bytes)).license, 'Apache-2.0');
  });

  it('tells the four kinds of defects apart, and can be fine-tuned', () => {
    const model = readModel(bytes);
    const { classes, layout } = describeDetector(model);
    assert.deepEqual(classes, SIMULATED_CLASSES);
    assert.equal(layout, 'rows');
    assert.deepEqual(
      detectHead(model).levels.map(({ stride }) => stride),
      [8, 16, 32],
    );
  });

  it('finds displaced pieces and stains of parts it has not seen, and leaves most good parts alone', async () => {
    const model = await DetectorModel.open({ file: STARTER_DETECTOR }, { threads: 1 });
    let [found, wanted, falseAlarms, good] = [0, 0, 0, 0];
    try {
      for (const product of SIMULATED_PRODUCTS) {
        const wish = { product, count: 12, seed: HELD_OUT_SEED, defectRate: 0.6 };
        for await (const { picture, boxes } of simulatedDataset({ ...wish, defects: ['misalignment', 'stain'] })) {
          const { detections } = await model.detect(picture, { confidence: 0.4 });
          for (const { label, box } of boxes) {
            wanted += 1;
            if (detections.some((each) => each.label === label && overlap(each.box, box) > 0.5)) found += 1;
          }
          if (boxes.length > 0) continue;
          good += 1;
          if (detections.length > 0) falseAlarms += 1;
        }
      }
    } finally {
      await model.dispose();
    }
    assert.ok(wanted >= 8 && good >= 4, `${wanted} ${good}`);
    assert.ok(found >= 0.75 * wanted, `${found} of ${wanted}`);
    assert.ok(falseAlarms <= good / 3, `${falseAlarms} of ${good}`);
  });
});

/** Intersection over union. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, width) * Math.max(0, height);
  return both / (a.width * a.height + b.width * b.height - both);
}
