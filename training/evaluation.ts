import type { Detection, LabelledBox } from '../engine/domain';
import { SIMULATED_CLASSES, SIMULATED_PRODUCTS, type SimulatedProduct, simulatedDataset } from '../engine/simulator';
import { type DetectionMetrics, evaluateDetections } from '../engine/statistics';

/** Seeds from here on are never learnt. */
export const HELD_OUT_SEED = 900_000;
export const HELD_OUT_PICTURES = 100;

/** What looks at a picture. */
export type Detect = (picture: Buffer) => Promise<readonly Detection[]>;

export interface HeldOutFigures {
  /** Both products together. */
  readonly all: DetectionMetrics;
  readonly products: readonly { readonly product: SimulatedProduct; readonly metrics: DetectionMetrics }[];
}

/**
 * How well simulated parts are searched that were not learnt: half of them defective, 1280 x 720 pixels, light and place as
 * the simulator has them by itself.
 *
 * @param detect gives all detections down to a low confidence
 * @param count  pictures of each product
 */
export async function measureHeldOut(detect: Detect, count = HELD_OUT_PICTURES): Promise<HeldOutFigures> {
  const judged: { product: SimulatedProduct; truth: readonly LabelledBox[]; detections: readonly Detection[] }[] = [];
  for (const product of SIMULATED_PRODUCTS) {
    for await (const { picture, boxes } of simulatedDataset({ product, count, seed: HELD_OUT_SEED })) {
      judged.push({ product, truth: boxes, detections: await detect(picture) });
    }
  }
  return {
    all: evaluateDetections(judged, SIMULATED_CLASSES),
    products: SIMULATED_PRODUCTS.map((product) => ({
      product,
      metrics: evaluateDetections(
        judged.filter((picture) => picture.product === product),
        SIMULATED_CLASSES,
      ),
    })),
  };
}

/** Rows `class | AP50 | AP50-95 | recall | precision | boxes`, the mean last. */
export function figuresTable({ perClass, map50, map5095, intervals, bestConfidence }: DetectionMetrics): string {
  const percent = (share: number) => (Number.isNaN(share) ? '-' : (100 * share).toFixed(1));
  const rows = perClass.map(
    ({ label, ap50, ap5095, recall, precision, count }) =>
      `| ${[label, percent(ap50), percent(ap5095), percent(recall), percent(precision), count].join(' | ')} |`,
  );
  const total = perClass.reduce((sum, { count }) => sum + count, 0);
  const span = `${percent(intervals.map50.low)} to ${percent(intervals.map50.high)}`;
  return [
    `| class | AP50 | AP50-95 | recall | precision | boxes |`,
    '|---|---|---|---|---|---|',
    ...rows,
    `| **mean** | **${percent(map50)}** (${span}) | **${percent(map5095)}** | | | ${total} |`,
    '',
    `Recall and precision at confidence ${bestConfidence.toFixed(2)}, where F1 is best; 95 % interval by bootstrap over the pictures.`,
  ].join('\n');
}
