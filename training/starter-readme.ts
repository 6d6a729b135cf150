import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { DetectorModel } from '../engine/detector';
import { sha256Of } from '../engine/domain';
import { figuresTable, HELD_OUT_PICTURES, HELD_OUT_SEED, measureHeldOut } from './evaluation';

export interface StarterFacts {
  readonly steps: number;
  /** From which step on how many steps were planned. */
  readonly plans: readonly { readonly from: number; readonly steps: number }[];
  readonly batch: number;
  readonly pictures: number;
  readonly rate: number;
  readonly seed: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly losses: readonly number[];
  /** Folder of the model. */
  readonly model: string;
}

/** Confidence down to which detections count for average precision. */
const LEAST_CONFIDENCE = 0.001;

/** What stands beside the model: what it is, how it was made, what it achieves. */
export async function readmeOf(facts: StarterFacts): Promise<string> {
  const { steps, plans, batch, pictures, rate, seed, bytes, seconds, losses } = facts;
  const file = join(facts.model, 'model.onnx');
  const model = await DetectorModel.open({ file }, { threads: 1 });
  try {
    const spent: number[] = [];
    const figures = await measureHeldOut(async (picture) => {
      const { detections, milliseconds } = await model.detect(picture, { confidence: LEAST_CONFIDENCE });
      spent.push(milliseconds.session);
      return detections;
    });
    const sorted = [...spent].sort((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)];
    const rows = [0, 0.25, 0.5, 0.75, 1].map((share) => losses[Math.round(share * (losses.length - 1))]);
    const sections = figures.products.map(({ product, metrics }) => `### ${product}\n\n${figuresTable(metrics)}`);
    return `# Starter detector

\`model.onnx\`, ${(bytes / 1e6).toFixed(1)} MB, Apache-2.0, SHA-256 \`${sha256Of(await readFile(file))}\`: a single-stage, anchor-free detector
of our own architecture (\`engine/detector/starter-architecture.ts\`), 1.05 million weights. Input \`images\` [batch, 3, height,
width], RGB 0..1, sides multiples of 32, meant for 448 pixels; output \`output0\` [batch, 4 + 4, cells]: centre, size and four
probabilities. Classes: \`defect\` (scratches and other damage), \`fracture\`, \`stain\`, \`misalignment\`.

It was trained on drawn pictures only, without third-party weights or pictures: parts of the line simulator (plate and
cable end, at three camera sizes, light and place varied more than on the line) and surfaces of no product with drawn cracks,
scratches and stains. It is a place to start from: on other parts it finds some of what it knows, and learns the rest by
fine-tuning.

## How it was made

\`node --import tsx training/starter-detector.ts --steps ${steps} --batch ${batch} --pictures ${pictures} --rate ${rate} --seed ${seed}\`, ${Math.round(seconds / 60)} minutes
on ${cpus().length} cores that had other work to do: ${(steps * batch).toLocaleString('en')} views of ${pictures.toLocaleString('en')} pictures, scaled, moved, mirrored and lit by chance,
448 x 256 pixels each; task-aligned assignment, CIoU and distribution focal loss, AdamW with warm-up and cosine, averaged
weights. Loss at the start, after each quarter and at the end: ${rows.join(', ')}.${changesOf(plans)}

## What it achieves

On ${2 * HELD_OUT_PICTURES} simulated parts that were not learnt (seeds from ${HELD_OUT_SEED}, 1280 x 720, half of them defective; \`npm run results --
detector-starter\` measures it again). The network takes ${middle.toFixed(0)} ms a picture with one thread.

${figuresTable(figures.all)}

${sections.join('\n\n')}
`;
  } finally {
    await model.dispose();
  }
}

function changesOf(plans: StarterFacts['plans']): string {
  return plans
    .slice(1)
    .map(({ from, steps }, index) => {
      const { steps: before } = plans[index];
      return ` The run was planned with ${before} steps, broken off at ${from}, and went on with ${steps} for the whole.`;
    })
    .join('');
}
