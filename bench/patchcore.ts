/**
 * What PatchCore costs on this machine: `npm run bench:patchcore`.
 *
 * Search against a plain matrix product, growth with the bank, choice of the bank, training time by number of pictures, and a
 * picture stage by stage against the backbone's session run alone: with the embedded backbone, with MobileNetV1 when the
 * shared models are there, and with a WideResNet-50-2 of random weights.
 *
 * Environment: PICTURES (50,200) numbers of training pictures; PARTS (60) pictures scored; MODELS
 * (starter,mobilenet,wide-resnet) which to run.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '../engine/onnx';
import { simulatePart } from '../engine/simulator';
import { sharedFolder } from '../test/support/shared-data';
import { resnetClassifier, WIDE_RESNET_50_2 } from '../test/support/wide-resnet';
import { benchModel, type ModelCase } from './model';
import { benchCoreset, benchSearch } from './search';
import { benchViews } from './views';

const PICTURES = (process.env.PICTURES ?? '50,200').split(',').map(Number);
const PARTS = Number(process.env.PARTS ?? 60);
const MODELS = (process.env.MODELS ?? 'starter,mobilenet,wide-resnet').split(',');
/** Enough for a bank of full size. */
const FEW_PICTURES = 30;

async function main(): Promise<void> {
  const threads = availableParallelism();
  process.stdout.write(`${cpus()[0]?.model}, ${threads} threads, Node ${process.version}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'bench-patchcore-'));
  try {
    await benchSearch(threads);
    await benchCoreset(threads);
    await benchViews();
    const good = await draw(Math.max(...PICTURES, FEW_PICTURES), 1, 0);
    const parts = await draw(PARTS, 100_000, 0.5);
    for (const [index, wanted] of (await cases(folder)).entries()) {
      await benchModel(wanted, { good, parts, threads, folder: join(folder, String(index)) });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function cases(folder: string): Promise<ModelCase[]> {
  const mobileNet = join(sharedFolder, 'models', 'mobilenet_v1_imagenet_features.onnx');
  const wideResnet = join(folder, 'wide-resnet.onnx');
  await writeFile(wideResnet, writeModel(resnetClassifier(WIDE_RESNET_50_2).model));
  const most = [PICTURES.at(-1) ?? FEW_PICTURES];
  const all: Readonly<Record<string, ModelCase>> = {
    starter: { name: 'starter at 288', backbone: 'starter', side: 288, pictures: PICTURES },
    mobilenet: { name: 'MobileNetV1 at 224', backbone: mobileNet, side: 224, pictures: most },
    'wide-resnet': { name: 'WideResNet-50-2 at 224', backbone: wideResnet, side: 224, pictures: [FEW_PICTURES] },
  };
  return Object.entries(all)
    .filter(([id, { backbone }]) => MODELS.includes(id) && (backbone === 'starter' || existsSync(backbone)))
    .map(([, wanted]) => wanted);
}

async function draw(count: number, firstSeed: number, defectRate: number): Promise<Buffer[]> {
  const pictures: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    pictures.push((await simulatePart({ product: 'plate', seed: firstSeed + index, defectRate })).picture);
  }
  return pictures;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
