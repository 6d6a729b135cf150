import { type Tiles, toTensor, toViews } from '../engine/imaging';
import { simulatePart } from '../engine/simulator';
import { median } from './statistics';

const RUNS = 40;
const LAYOUTS: Readonly<Record<string, Tiles | null>> = {
  '1 view': null,
  '4 tiles': { columns: 2, rows: 2, overlap: 0.1 },
};

/** Prints the milliseconds from a 1280x720 JPEG to the inputs of one view and of four tiles, and their ratio to `toTensor`. */
export async function benchViews(side = 224): Promise<void> {
  const { picture } = await simulatePart({ product: 'plate', seed: 1, defectRate: 0 });
  const preprocessing = { width: side, height: side, mode: 'stretch', kernel: 'linear' } as const;
  const ways: Record<string, () => Promise<unknown>> = { tensor: () => toTensor(picture, preprocessing) };
  for (const [name, tiles] of Object.entries(LAYOUTS)) {
    ways[name] = () => toViews(picture, { preprocessing, roi: null, tiles });
  }
  const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let run = 0; run < RUNS; run += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const start = performance.now();
      await way();
      times.get(name)?.push(performance.now() - start);
    }
  }
  const base = median(times.get('tensor') ?? []);
  process.stdout.write(`decode 1280x720 to ${side}x${side}, ms (ratio to one tensor):\n`);
  for (const [name, values] of times) {
    const middle = median(values);
    process.stdout.write(`  ${name.padEnd(8)} ${middle.toFixed(2)} (${(middle / base).toFixed(2)})\n`);
  }
}
