import { DetectorModel, STARTER_DETECTOR } from '../engine/detector';
import { figuresTable, HELD_OUT_PICTURES, HELD_OUT_SEED, measureHeldOut } from '../training/evaluation';

/** Down to which detections count for average precision. */
const LEAST_CONFIDENCE = 0.001;

/** How well the embedded detector finds the defects of simulated parts that it has not learnt, as a part of docs/results.md. */
export async function starterDetectorSection(): Promise<string> {
  const model = await DetectorModel.open({ file: STARTER_DETECTOR }, { threads: 1 });
  try {
    const { all, products } = await measureHeldOut(
      async (picture) => (await model.detect(picture, { confidence: LEAST_CONFIDENCE })).detections,
    );
    const sections = products.map(({ product, metrics }) => `### ${product}\n\n${figuresTable(metrics)}`);
    return `## Starter detector

The embedded detector on ${2 * HELD_OUT_PICTURES} simulated parts that it has not learnt (seeds from ${HELD_OUT_SEED}, half of them defective). How it was
made: models/starter-detector/README.md.

${figuresTable(all)}

${sections.join('\n\n')}`;
  } finally {
    await model.dispose();
  }
}

if (require.main === module) {
  starterDetectorSection().then(
    (text) => process.stdout.write(`${text}\n`),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exitCode = 1;
    },
  );
}
