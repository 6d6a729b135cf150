/**
 * Makes models/starter-detector: draws the pictures, trains the network from random weights with the project's own training
 * engine, and writes model and README.
 *
 *     node --import tsx training/starter-detector.ts [--steps N] [--pictures N] [--batch N] [--rate R] [--seed N] [--out DIR]
 *
 * The same options give the same model on the same machine. A run that was broken off goes on from its last checkpoint
 * (`--checkpoint DIR`), when it is called with the same options; only the number of steps may be another one, and the
 * learning rate follows that from there.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type DetectorBody,
  detectionLoss,
  type HeadLevel,
  STARTER_BINS,
  STARTER_INPUT,
  starterBody,
  withTail,
} from '../engine/detector';
import { packageRoot, seededRandom } from '../engine/domain';
import {
  AdamW,
  learningRateAt,
  readCheckpoint,
  saveCheckpoint,
  type Tensor,
  TrainingSession,
  WeightAverage,
  withWeights,
} from '../engine/learning/trainer';
import { foldBatchNormalization, GraphBuilder, type OnnxModel, writeModel } from '../engine/onnx';
import { SIMULATED_CLASSES } from '../engine/simulator';
import { drawPictures, type Sample, type StoredPicture, sampleOf } from './samples';
import { readmeOf } from './starter-readme';

/** The network sees as much of a wide picture as at its full input, and no more. */
const SIZE = { width: STARTER_INPUT, height: 256 };
/** Share of the pictures that show simulated parts. */
const SIMULATED_SHARE = 0.7;
const WARM_UP = 100;
const CHECKPOINT_EVERY = 100;
const REPORT_EVERY = 25;

interface Recipe {
  readonly steps: number;
  readonly batch: number;
  readonly pictures: number;
  readonly rate: number;
  readonly seed: number;
}

/** From which step on how many steps were planned. */
export interface Plan {
  readonly from: number;
  readonly steps: number;
}

interface Progress {
  readonly recipe: Recipe;
  /** One, unless the run went on with another number of steps. */
  readonly plans: readonly Plan[];
  readonly step: number;
  readonly optimiserSteps: number;
  readonly averageUpdates: number;
  readonly losses: readonly number[];
  readonly seconds: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '2400' },
      batch: { type: 'string', default: '8' },
      pictures: { type: 'string', default: '2400' },
      rate: { type: 'string', default: '0.002' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: String(availableParallelism()) },
      out: { type: 'string', default: join(packageRoot, 'models', 'starter-detector') },
      checkpoint: { type: 'string', default: join(tmpdir(), 'starter-detector-checkpoint') },
    },
  });
  const numbers = { steps: values.steps, batch: values.batch, pictures: values.pictures, rate: values.rate };
  const recipe = Object.fromEntries(
    Object.entries({ ...numbers, seed: values.seed }).map(([name, text]) => [name, Number(text)]),
  ) as unknown as Recipe;
  const { model, losses, seconds, plans } = await train(recipe, Number(values.threads), values.checkpoint);
  await mkdir(values.out, { recursive: true });
  const bytes = writeModel(model);
  await writeFile(join(values.out, 'model.onnx'), bytes);
  const readme = await readmeOf({ ...recipe, plans, bytes: bytes.length, seconds, losses, model: values.out });
  await writeFile(join(values.out, 'README.md'), readme);
  process.stdout.write(readme);
}

/** Trains and gives the finished model. */
async function train(recipe: Recipe, threads: number, folder: string) {
  const { steps, batch, rate, seed } = recipe;
  const body = starterBody(SIMULATED_CLASSES.length, seededRandom(seed));
  const simulated = Math.round(recipe.pictures * SIMULATED_SHARE);
  const pictures = await drawPictures(simulated, recipe.pictures - simulated, 1);
  process.stdout.write(`${pictures.length} pictures drawn\n`);
  const dims = [batch, 3, SIZE.height, SIZE.width];
  const session = await TrainingSession.open(body.model, {
    inputs: { images: dims },
    outputs: body.levels.flatMap(({ boxes, classes }) => [boxes, classes]),
    trainable: (name) => /\.(weight|bias|scale|shift)$/.test(name),
    threads,
  });
  process.stdout.write(`${Math.round(session.memoryBytes / 1e6)} MB to train in\n`);
  const optimiser = new AdamW(session.parameters, { weightDecay: 0.02, clipNorm: 10 });
  const average = new WeightAverage(session.values, { decay: 0.998, ramp: 300 });
  const state = { session, optimiser, average };
  const before = await restored(folder, recipe, state);
  const plans = [...(before?.plans ?? [])];
  if (plans.at(-1)?.steps !== steps) plans.push({ from: before?.step ?? 0, steps });
  const losses = [...(before?.losses ?? [])];
  const start = performance.now();
  const secondsNow = () => (before?.seconds ?? 0) + (performance.now() - start) / 1000;
  let sum = 0;
  for (let step = before?.step ?? 0; step < steps; step += 1) {
    const samples = await Promise.all(
      batchOf(pictures, step, batch, seed).map((picture, place) =>
        sampleOf(picture, SIZE, seed + step * batch + place),
      ),
    );
    const data = new Float32Array(batch * 3 * SIZE.width * SIZE.height);
    for (const [place, sample] of samples.entries()) data.set(sample.data, place * sample.data.length);
    const { loss, gradients } = batchLoss(body, await session.forward({ images: { data, dims } }), samples);
    await session.backward(gradients);
    optimiser.step(learningRateAt({ step, steps, warmUp: WARM_UP, peak: rate, floor: rate / 50 }));
    average.update();
    sum += loss;
    if ((step + 1) % REPORT_EVERY === 0) {
      losses.push(Math.round((sum / REPORT_EVERY) * 1000) / 1000);
      process.stdout.write(`step ${step + 1} loss ${losses.at(-1)} ${secondsNow().toFixed(0)} s\n`);
      sum = 0;
    }
    if ((step + 1) % CHECKPOINT_EVERY === 0)
      await save(folder, { recipe, plans, step: step + 1, losses, seconds: secondsNow() }, state);
  }
  const trained = finished(withWeights(body.model, average.weights), body);
  await session.close();
  return { model: trained, losses, plans, seconds: Math.round(secondsNow()) };
}

/** The pictures of a step: all in turn, in another order each time around. */
function batchOf(pictures: readonly StoredPicture[], step: number, batch: number, seed: number): StoredPicture[] {
  return Array.from({ length: batch }, (_, place) => {
    const drawn = step * batch + place;
    const round = Math.floor(drawn / pictures.length);
    return pictures[orderOf(pictures.length, seed * 1000 + round)[drawn % pictures.length]];
  });
}

const orders = new Map<number, Int32Array>();

function orderOf(count: number, seed: number): Int32Array {
  const known = orders.get(seed);
  if (known) return known;
  const random = seededRandom(seed);
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  orders.set(seed, order);
  return order;
}

/** The loss of all pictures over the sum of their scores, and how to change the logits. */
function batchLoss({ levels }: DetectorBody, outputs: Readonly<Record<string, Tensor>>, samples: readonly Sample[]) {
  const gradients: Record<string, { data: Float32Array; dims: readonly number[] }> = {};
  for (const [name, { data, dims }] of Object.entries(outputs)) {
    gradients[name] = { data: new Float32Array(data.length), dims };
  }
  const part = (name: string, place: number) => {
    const { data, dims } = outputs[name];
    const length = data.length / dims[0];
    return data.subarray(place * length, (place + 1) * length);
  };
  let [loss, weight] = [0, 0];
  for (const [place, { targets }] of samples.entries()) {
    const heads = levels.map(({ stride, boxes, classes }): HeadLevel => {
      const [, , rows, columns] = outputs[boxes].dims;
      return { stride, rows, columns, boxes: part(boxes, place), classes: part(classes, place) };
    });
    const result = detectionLoss(heads, targets, { bins: STARTER_BINS, normaliser: 1 });
    loss += result.total;
    weight += result.weight;
    for (const [index, { boxes, classes }] of levels.entries()) {
      const { boxes: box, classes: kind } = result.gradients[index];
      gradients[boxes].data.set(box, place * box.length);
      gradients[classes].data.set(kind, place * kind.length);
    }
  }
  const scale = 1 / Math.max(weight, 1);
  for (const { data } of Object.values(gradients)) for (let at = 0; at < data.length; at += 1) data[at] *= scale;
  return { loss: loss * scale, gradients };
}

/** Normalisation drawn in, boxes decoded, and what a reader of the file must know. */
function finished(model: OnnxModel, { levels }: DetectorBody): OnnxModel {
  const { metadataProps } = new GraphBuilder('').build({
    description: 'Starter detector of Opti-Quality: defects of simulated parts',
    author: 'Opti-Quality',
    license: 'Apache-2.0',
    version: '1',
    imgsz: `[${STARTER_INPUT}, ${STARTER_INPUT}]`,
  });
  const folded = foldBatchNormalization(model);
  return withTail({ ...folded, metadataProps }, levels, { classes: SIMULATED_CLASSES, bins: STARTER_BINS });
}

interface State {
  readonly session: TrainingSession;
  readonly optimiser: AdamW;
  readonly average: WeightAverage;
}

async function save(
  folder: string,
  progress: Omit<Progress, 'optimiserSteps' | 'averageUpdates'>,
  { session, optimiser, average }: State,
): Promise<void> {
  const { steps, means, squares } = optimiser.state();
  const { updates, averages } = average.state();
  const facts: Progress = { ...progress, optimiserSteps: steps, averageUpdates: updates };
  const lists = { value: session.values.map(({ data }) => data), mean: means, square: squares, average: averages };
  const arrays = Object.entries(lists).flatMap(([name, list]) =>
    list.map((data, at) => [`${name} ${at}`, data] as const),
  );
  await saveCheckpoint(folder, { facts, arrays: Object.fromEntries(arrays) });
}

/** Goes on where a run with the same recipe stopped. */
async function restored(
  folder: string,
  recipe: Recipe,
  { session, optimiser, average }: State,
): Promise<Progress | null> {
  const checkpoint = await readCheckpoint<Progress>(folder);
  if (checkpoint === null) return null;
  const alike = { ...checkpoint.facts.recipe, steps: recipe.steps };
  if (JSON.stringify(alike) !== JSON.stringify(recipe)) return null;
  const { facts, arrays } = checkpoint;
  const list = (name: string, count: number) => Array.from({ length: count }, (_, at) => arrays[`${name} ${at}`]);
  const { values, parameters } = session;
  for (const [at, data] of list('value', values.length).entries()) values[at].data.set(data);
  optimiser.restore({
    steps: facts.optimiserSteps,
    means: list('mean', parameters.length),
    squares: list('square', parameters.length),
  });
  average.restore({ updates: facts.averageUpdates, averages: list('average', values.length) });
  process.stdout.write(`goes on at step ${facts.step}\n`);
  return { ...facts, plans: facts.plans ?? [{ from: 0, steps: facts.recipe.steps }] };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
});
