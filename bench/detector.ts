import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { DetectorModel, STARTER_DETECTOR } from '../engine/detector';
import { seededRandom } from '../engine/domain';
import { defaultThreads } from '../engine/inference';
import { median } from './statistics';
import { heading, row } from './table';

const RUNS = 30;
const STAGES = ['decode', 'letterbox', 'session', 'boxes'] as const;
/** Sides of the pictures: as large as a usual input, a full-HD camera's, and one that fits no whole number of times. */
const PICTURES: readonly (readonly [number, number])[] = [
  [640, 640],
  [1920, 1080],
  [1600, 1200],
];

/**
 * How long each stage of a detection takes, and how much of it the network is. `--model FILE|DIR` takes another one than
 * the embedded detector, `--confidence C` another threshold: the lower, the more boxes are read and compared.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { model: { type: 'string' }, confidence: { type: 'string' }, threads: { type: 'string' } },
  });
  const path = values.model ?? STARTER_DETECTOR;
  const threads = values.threads === undefined ? defaultThreads() : Number(values.threads);
  const source = path.endsWith('.onnx') ? { file: path } : { folder: path };
  const model = await DetectorModel.open(source, { threads });
  const { width, height } = model.inputSize;
  const { layout, classes } = model.description;
  heading(`detector ${model.model.name}: ${width} x ${height}, ${layout}, ${classes.length} classes`);
  row('threads, of cores', `${threads}, of ${availableParallelism()}`);
  row(
    'ms, median (and best)',
    ['decode', 'letterbox', 'session', 'boxes', 'total'].map((name) => name.padStart(14)).join(''),
  );
  const confidence = values.confidence === undefined ? undefined : Number(values.confidence);
  for (const [pictureWidth, pictureHeight] of PICTURES) {
    const picture = await drawn(pictureWidth, pictureHeight);
    const times = new Map<string, number[]>([...STAGES, 'total'].map((stage) => [stage, []]));
    let found = 0;
    for (let run = -3; run < RUNS; run += 1) {
      const { milliseconds, detections } = await model.detect(picture, { confidence });
      found = detections.length;
      if (run >= 0) for (const [stage, spent] of Object.entries(milliseconds)) times.get(stage)?.push(spent);
    }
    const middle = (stage: string) => median(times.get(stage) ?? []);
    const columns = [...times].map(([, spent]) => `${median(spent).toFixed(1)} (${Math.min(...spent).toFixed(1)})`);
    row(`JPEG ${pictureWidth} x ${pictureHeight}, ${found} boxes`, columns.map((text) => text.padStart(14)).join(''));
    const ours = middle('letterbox') + middle('boxes');
    const share = ours / (ours + middle('session'));
    row('  all but the session, of all after decoding', `${(100 * share).toFixed(1)} % (goal: below 10 %)`);
  }
  await model.dispose();
}

/** Blots on a grainy ground, the same each time. */
async function drawn(width: number, height: number): Promise<Buffer> {
  const random = seededRandom(7);
  const pixels = Buffer.alloc(width * height * 3);
  for (let place = 0; place < pixels.length; place += 1) pixels[place] = 120 + 16 * random();
  const blots = Array.from({ length: 40 }, () => {
    const [x, y, radius] = [random() * width, random() * height, 4 + random() * 40];
    const colour = `rgb(${Math.floor(random() * 255)},${Math.floor(random() * 255)},${Math.floor(random() * 255)})`;
    return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour}"/>`;
  });
  const overlay = Buffer.from(`<svg width="${width}" height="${height}">${blots.join('')}</svg>`);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .composite([{ input: overlay }])
    .jpeg({ quality: 90 })
    .toBuffer();
}

void main();
