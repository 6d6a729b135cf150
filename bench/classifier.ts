import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClassifierFigures, packageRoot } from '../engine/domain';
import { type ClassPicture, classifierFigures, type NamedPicture, trainClassifier } from '../engine/learning';
import { SIMULATED_PRODUCTS, type SimulatedProduct, writeSimulatedDataset } from '../engine/simulator';

const SHARED = process.env.OPTI_QUALITY_SHARED ?? join(packageRoot, '..', 'shared');
const MOBILENET = join(SHARED, 'models', 'mobilenet_v1_imagenet_features.onnx');
const SIDE = 224;
const FOLDS = 5;
const SIMULATED = { learnt: 240, heldOut: 160, defectRate: 0.8 };

interface Backbone {
  readonly name: string;
  readonly file: string | undefined;
}

/**
 * How well classifiers name solar cells (each cell named by one of five models that did not learn it) and simulated parts, as a part
 * of docs/results.md.
 */
export async function classifierSection(): Promise<string> {
  const backbones: Backbone[] = [
    { name: 'starter', file: undefined },
    ...(existsSync(MOBILENET) ? [{ name: 'MobileNetV1', file: MOBILENET }] : []),
  ];
  const rows: string[] = [];
  const add = (name: string, backbone: Backbone, { figures, seconds }: Measured) => {
    const recalls = figures.perClass.map(({ label, recall }) => `${label} ${percent(recall)}`).join(', ');
    const { low, high } = figures.interval ?? { low: 0, high: 1 };
    rows.push(
      `| ${name} | ${backbone.name} | ${percent(figures.accuracy)} (${percent(low)}–${percent(high)}) of ${figures.pictures} | ` +
        `${percent(figures.balancedAccuracy)} | ${recalls} | ${seconds.toFixed(0)} |`,
    );
    process.stdout.write(`${rows.at(-1)}\n`);
  };
  const folder = await mkdtemp(join(tmpdir(), 'classifier-'));
  try {
    const cells = await solarCells();
    for (const backbone of backbones) {
      if (cells !== null) add('solar cells (elpv-poly)', backbone, await crossValidated(cells, backbone));
    }
    for (const product of SIMULATED_PRODUCTS) {
      const parts = await simulated(product, folder);
      for (const backbone of backbones) add(`simulated ${product}`, backbone, await measured(parts, backbone));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return `## Classifier

A linear layer on features of a frozen backbone at ${SIDE} px, defaults otherwise. Solar cells: good against defective, each cell named by
one of ${FOLDS} models that did not learn it. Simulated parts: good and four kinds of defects, ${SIMULATED.learnt} learnt, ${SIMULATED.heldOut} held out;
${percent(SIMULATED.defectRate)} % defective. 95 % intervals by Clopper-Pearson; seconds are those of one training.

| pictures | backbone | accuracy | mean recall | recall by class | training s |
|---|---|---|---|---|---|
${rows.join('\n')}`;
}

interface Measured {
  readonly figures: ClassifierFigures;
  readonly seconds: number;
}

async function measured(pictures: readonly ClassPicture[], { file }: Backbone): Promise<Measured> {
  const options = { pictures, backbone: file, inputSize: SIDE, threads: availableParallelism() };
  const { evaluation, seconds } = await trainClassifier(options);
  return { figures: evaluation.after, seconds };
}

/** Each picture is held out once. */
async function crossValidated(pictures: readonly ClassPicture[], backbone: Backbone): Promise<Measured> {
  const named: NamedPicture[] = [];
  let seconds = 0;
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const part = pictures.map((picture, index) => ({ ...picture, heldOut: index % FOLDS === fold }));
    const { figures, seconds: spent } = await measured(part, backbone);
    const { labels, matrix } = figures.confusion;
    for (const [row, counts] of matrix.entries()) {
      for (const [column, count] of counts.entries()) {
        for (let at = 0; at < count; at += 1) named.push({ truth: labels[row], named: labels[column] });
      }
    }
    seconds += spent / FOLDS;
  }
  const classes = [...new Set(named.map(({ truth }) => truth))].sort();
  return { figures: classifierFigures(named, classes), seconds };
}

/** Null where the pictures are not there. */
async function solarCells(): Promise<ClassPicture[] | null> {
  const cells = join(SHARED, 'data', 'elpv-poly');
  if (!existsSync(cells)) return null;
  const pictures: ClassPicture[] = [];
  for (const [folder, label] of [
    ['train/good', 'good'],
    ['test/good', 'good'],
    ['test/defective', 'defective'],
  ]) {
    for (const name of (await readdir(join(cells, folder))).sort()) {
      const path = join(cells, folder, name);
      pictures.push({ name: path, picture: () => readFile(path), label, heldOut: false });
    }
  }
  return pictures;
}

async function simulated(product: SimulatedProduct, folder: string): Promise<ClassPicture[]> {
  const { learnt, heldOut, defectRate } = SIMULATED;
  const draw = async (count: number, seed: number, isHeldOut: boolean): Promise<ClassPicture[]> => {
    const files = await writeSimulatedDataset(join(folder, product), {
      product,
      count,
      seed,
      defectRate,
      width: 640,
      height: 360,
    });
    return files.map(({ id, path, class: label }) => ({
      name: id,
      picture: () => readFile(path),
      label,
      heldOut: isHeldOut,
    }));
  };
  return [...(await draw(learnt, 1, false)), ...(await draw(heldOut, 50_000, true))];
}

function percent(share: number | null): string {
  return share === null ? '-' : (100 * share).toFixed(1);
}

if (require.main === module) {
  classifierSection().then(
    (text) => process.stdout.write(`${text}\n`),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exitCode = 1;
    },
  );
}
