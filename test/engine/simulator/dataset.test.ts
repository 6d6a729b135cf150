import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Box } from '../../../engine/domain';
import {
  type DefectClass,
  GOOD_CLASS,
  labelledBoxes,
  SIMULATED_CLASSES,
  SIMULATED_PRODUCTS,
  type SimulatedProduct,
  simulatedDataset,
  simulatePart,
  writeSimulatedDataset,
} from '../../../engine/simulator';

const SMALL = { width: 640, height: 360 };

describe('pictures of simulated parts to learn from', function () {
  this.timeout(180_000);

  for (const product of SIMULATED_PRODUCTS) {
    for (const defect of ['fracture', 'scratch', 'stain'] as const) {
      it(`have boxes as tight as what changed: a ${defect} of a ${product}`, async () => {
        for (const seed of [21, 22, 23]) {
          const { box, changed } = await boxAndChange(product, defect, seed);
          assert.ok(overlap(box, changed) > 0.7, `seed ${seed}: ${JSON.stringify({ box, changed })}`);
        }
      });
    }

    it(`have the box of the displaced piece where a ${product} is misaligned`, async () => {
      for (const seed of [21, 22, 23]) {
        const { box, changed } = await boxAndChange(product, 'misalignment', seed);
        // the old place and the shadow change, too: the piece lies within what changed
        assert.ok(shared(box, changed) > 0.85 * box.width * box.height, JSON.stringify({ box, changed }));
        assert.ok(overlap(box, changed) > 0.5, `seed ${seed}: ${JSON.stringify({ box, changed })}`);
      }
    });
  }

  it('name each defect by one of the four classes', async () => {
    const names = new Set<string>();
    for await (const { truth, boxes, class: label, width, height } of simulatedDataset({
      count: 40,
      seed: 300,
      defectRate: 1,
      ...SMALL,
    })) {
      assert.deepEqual(boxes, labelledBoxes(truth));
      assert.equal(label, boxes[0].label);
      for (const { label, box } of boxes) {
        names.add(label);
        assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height);
      }
    }
    assert.deepEqual([...names].sort(), [...SIMULATED_CLASSES].sort());
  });

  it('show all products in turn, or the one asked for', async () => {
    const products = async (product?: SimulatedProduct) => {
      const found: string[] = [];
      for await (const { id } of simulatedDataset({ count: 4, seed: 7, product, ...SMALL })) found.push(id);
      return found;
    };
    assert.deepEqual(await products(), ['plate-7', 'cable-end-8', 'plate-9', 'cable-end-10']);
    assert.deepEqual(await products('plate'), ['plate-7', 'plate-8', 'plate-9', 'plate-10']);
  });

  it('are the same again with the same seed, and good where there is no box', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulated-'));
    try {
      const wish = { count: 8, seed: 50, ...SMALL };
      const files = await writeSimulatedDataset(join(folder, 'new'), wish);
      let index = 0;
      for await (const { picture, id, boxes } of simulatedDataset(wish)) {
        const file = files[index];
        index += 1;
        assert.equal(file.id, id);
        assert.deepEqual(file.boxes, boxes);
        assert.equal(file.class === GOOD_CLASS, boxes.length === 0);
        assert.ok(picture.equals(await readFile(file.path)));
      }
      assert.equal(index, 8);
      assert.ok(files.some(({ boxes }) => boxes.length === 0) && files.some(({ boxes }) => boxes.length > 0));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** The box of a defect, and the extent of what differs from the same part without it. */
async function boxAndChange(
  product: SimulatedProduct,
  defect: DefectClass,
  seed: number,
): Promise<{ box: Box; changed: Box }> {
  const part = await simulatePart({ product, seed, defectRate: 1, defects: [defect], ...SMALL });
  const twin = await simulatePart({ product, seed, defectRate: 0, ...SMALL });
  const [damaged, clean] = await Promise.all([part, twin].map(({ picture }) => sharp(picture).raw().toBuffer()));
  let [left, top, right, bottom] = [SMALL.width, SMALL.height, -1, -1];
  for (let y = 0; y < SMALL.height; y += 1) {
    for (let x = 0; x < SMALL.width; x += 1) {
      const at = (y * SMALL.width + x) * 3 + 1;
      if (Math.abs(damaged[at] - clean[at]) < 12) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  const [{ box }] = labelledBoxes(part.truth);
  return { box, changed: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 } };
}

function shared(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}

/** Intersection over union. */
function overlap(a: Box, b: Box): number {
  const both = shared(a, b);
  return both / (a.width * a.height + b.width * b.height - both);
}
