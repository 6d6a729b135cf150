/**
 * Milliseconds of PatchCore by stage, with the embedded backbone on simulated 1280x720 pictures: `npm run bench:patchcore`.
 * Environment: PICTURES (200), RUNS (5).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../engine/domain';
import { greedyCoreset, PatchcoreModel, trainPatchcore } from '../engine/patchcore';
import { simulatePart } from '../engine/simulator';
import { median } from './statistics';

const PICTURES = Number(process.env.PICTURES ?? 200);
const RUNS = Number(process.env.RUNS ?? 5);
const SCORED = 60;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-patchcore-'));
  const threads = availableParallelism();
  try {
    process.stdout.write(`${threads} threads; drawing ${PICTURES + SCORED} pictures of 1280x720 ...\n`);
    const draw = (seed: number, defectRate: number) => simulatePart({ product: 'plate', seed, defectRate });
    const good: { name: string; picture: Buffer }[] = [];
    for (let seed = 1; seed <= PICTURES; seed += 1)
      good.push({ name: `${seed}`, picture: (await draw(seed, 0)).picture });
    const parts: Buffer[] = [];
    for (let seed = 1; seed <= SCORED; seed += 1) parts.push((await draw(10_000 + seed, 0.5)).picture);

    const training: Record<string, number[]> = {};
    for (let run = 0; run < RUNS; run += 1) {
      const start = performance.now();
      const { manifest } = await trainPatchcore({
        partType: 'plate',
        pictures: good,
        count: good.length,
        outFolder: join(folder, String(run)),
        version: '1',
        source: 'simulator',
        threads,
      });
      record(training, 'total', performance.now() - start);
      for (const [name, seconds] of Object.entries(manifest.metrics))
        record(training, name.replace('seconds.', ''), seconds * 1000);
      if (run === 0) {
        const { bank, calibration, preprocessing } = manifest;
        const input = `input ${preprocessing.width}x${preprocessing.height}`;
        process.stdout.write(
          `${input}, ${bank.pictures} pictures in the bank: ${bank.size} of ${bank.candidates} patches, ${bank.dimension} channels ` +
            `(${bank.projection} for choosing), ${calibration.pictures} held out\n`,
        );
      }
    }
    print(`training from ${PICTURES} pictures`, training, ['extract', 'condition', 'coreset', 'calibrate', 'total']);

    for (const count of [1, threads]) {
      const model = await PatchcoreModel.load(join(folder, '0'), { threads: count });
      for (const part of parts.slice(0, 10)) await model.score(part);
      const scoring: Record<string, number[]> = {};
      for (const part of parts) {
        const { milliseconds } = await model.score(part);
        for (const [name, value] of Object.entries(milliseconds)) record(scoring, name, value);
      }
      await model.dispose();
      print(`one picture, ${count} thread${count > 1 ? 's' : ''}`, scoring, [
        'decode',
        'extract',
        'search',
        'map',
        'total',
      ]);
    }

    const random = seededRandom(1);
    const coreset: Record<string, number[]> = {};
    for (const rows of [25_000, 50_000, 100_000]) {
      const data = Float32Array.from({ length: rows * 128 }, () => random() + random() - 1);
      for (let run = 0; run < RUNS; run += 1) {
        const start = performance.now();
        await greedyCoreset({ data, rows, columns: 128 }, 2000, seededRandom(run), { threads });
        record(coreset, `${rows}`, performance.now() - start);
      }
    }
    print('coreset of 2,000 from random patches of 128 channels', coreset, Object.keys(coreset));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function record(table: Record<string, number[]>, name: string, value: number): void {
  table[name] ??= [];
  table[name].push(value);
}

function print(title: string, table: Record<string, number[]>, names: readonly string[]): void {
  process.stdout.write(`\n${title} (milliseconds: median, lowest, highest)\n`);
  for (const name of names) {
    const values = table[name];
    const columns = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
      value.toFixed(1).padStart(10),
    );
    process.stdout.write(`  ${name.padEnd(10)}${columns.join('')}\n`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
