import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Normalisation } from '../engine/onnx';
import { type BankManifest, readManifest } from '../engine/packages';
import { PLAIN_RECIPE, picturesInFolder, trainPatchcore } from '../engine/patchcore';
import { interruptible } from './interruptible';
import { numberWithin, partTypeOf, required, wholeWithin } from './options';
import { terminal, WrongUse } from './output';
import { trainReferenceCommand, trainReferenceHelp } from './train-reference';
import { augmentationOf, roiOf, tilesOf } from './training-options';
import { progressPrinter } from './training-progress';

export const trainHelp = `opti-quality train --part-type NAME --ok DIR --out DIR [options]

Learns a part type from pictures of good parts and writes the model package.

  --part-type NAME         name of the part type
  --ok DIR                 folder with pictures (.jpg, .jpeg, .png) of good parts only; one is enough to begin with
  --out DIR                the new model package; must not exist, or be empty
  --backbone FILE|ID       starter (default), a pulled one (opti-quality models list), or an ONNX file: a feature
                           extractor or a whole classifier
  --normalise NAME         with a file: none (default), or imagenet for networks that want ImageNet's mean and deviation
Thresholds:
  --false-reject-rate R    share of good parts that may be rejected, 0.0001 to 0.5 (default 0.01)
  --review-rate R          share of good parts that may go to a person or be rejected (default 0.05)
  --defects DIR            pictures of defective parts; they set the accept level and are never learnt
  --miss-rate R            with --defects: share of defective parts that may pass (default 0.01)
What is looked at:
  --input-size PIXELS      side of the model's input, a multiple of 32 from 64 to 1024 (default 288)
  --mode MODE              stretch (default), letterbox or crop: how a picture is laid into the input
  --roi X,Y,W,H            only this rectangle, in percent of the picture's sides
  --mask FILE              picture of which white counts and black does not
  --tiles CxR              cut into C columns and R rows, for small defects, each as large as the input (for example 3x2)
  --overlap PERCENT        of a tile's side that it shares with its neighbour, 0 to 50 (default 10)
  --bank-per-tile          each tile is compared with its own bank
  --position PERCENT       parts that always lie alike: compare with places no farther off than this share of the side
What is learnt:
  --augment LIST           altered copies are learnt, too: flip, rotation=DEGREES, light=PERCENT, shift=PERCENT, with commas
                           between, or none. Default: with fewer than 16 pictures light=10,shift=2, otherwise none
  --keep-suspects          learn pictures that look defective, too, instead of leaving them out
  --bank-size N            patches kept in each memory bank (default 2000)
  --recipe NAME            measured (default): tap, conditioning and score are chosen on painted defects;
                           default: without measuring; plain: PatchCore as published (features as they are, maximum)
  --quantise               compute with 8-bit numbers where held-out decisions do not get worse
  --update MODEL           add the pictures to this model package, as a new version of it, instead of starting over
  --seed N                 the same seed gives the same model (default 1)
  --json                   one JSON object as the last line on stdout
  -h, --help               this text

${trainReferenceHelp}`;

/** What an update takes over from the model that it adds to. */
const INHERITED = [
  ...['backbone', 'input-size', 'mode', 'roi', 'mask', 'tiles', 'overlap', 'bank-per-tile', 'position', 'augment'],
  ...['recipe', 'quantise', 'seed'],
] as const;

const MODES = ['stretch', 'letterbox', 'crop'] as const;
const NORMALISATIONS: Readonly<Record<string, Normalisation | undefined>> = {
  none: undefined,
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
};
const RECIPES = { measured: 'measured', default: {}, plain: PLAIN_RECIPE } as const;

export async function train(args: string[]): Promise<number> {
  if (methodOf(args) === 'reference') return trainReferenceCommand(args);
  const { values } = parseArgs({
    args,
    options: {
      method: { type: 'string' },
      'part-type': { type: 'string' },
      ok: { type: 'string' },
      out: { type: 'string' },
      backbone: { type: 'string' },
      normalise: { type: 'string' },
      'false-reject-rate': { type: 'string' },
      'review-rate': { type: 'string' },
      'miss-rate': { type: 'string' },
      defects: { type: 'string' },
      'input-size': { type: 'string' },
      mode: { type: 'string' },
      roi: { type: 'string' },
      mask: { type: 'string' },
      tiles: { type: 'string' },
      overlap: { type: 'string' },
      'bank-per-tile': { type: 'boolean' },
      position: { type: 'string' },
      augment: { type: 'string' },
      'keep-suspects': { type: 'boolean' },
      'bank-size': { type: 'string' },
      recipe: { type: 'string' },
      quantise: { type: 'boolean' },
      update: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const inherited = INHERITED.find((name) => Object.hasOwn(values, name));
  if (values.update !== undefined && inherited !== undefined) {
    throw new WrongUse(`--update takes this over from the model; --${inherited} cannot be given with it.`);
  }
  if (values.tiles === undefined && (values.overlap !== undefined || values['bank-per-tile'])) {
    throw new WrongUse(`--${values.overlap === undefined ? 'bank-per-tile' : 'overlap'} needs --tiles.`);
  }
  const partType = partTypeOf(values['part-type']);
  const folder = required(values.ok, 'ok');
  const outFolder = resolve(required(values.out, 'out'));
  const mode = MODES.find((known) => known === (values.mode ?? 'stretch'));
  if (mode === undefined) throw new WrongUse(`--mode takes ${MODES.join(', ')}, not ${values.mode}.`);
  const recipe = Object.entries(RECIPES).find(([name]) => name === (values.recipe ?? 'measured'))?.[1];
  if (recipe === undefined)
    throw new WrongUse(`--recipe takes ${Object.keys(RECIPES).join(', ')}, not ${values.recipe}.`);
  const wishedNormalisation = values.normalise ?? 'none';
  if (!Object.hasOwn(NORMALISATIONS, wishedNormalisation)) {
    throw new WrongUse(`--normalise takes ${Object.keys(NORMALISATIONS).join(' or ')}, not ${values.normalise}.`);
  }
  const side = wholeWithin(values['input-size'], 'input-size', 64, 1024);
  if (side !== undefined && side % 32 !== 0) {
    throw new WrongUse(`--input-size takes a multiple of 32, not ${JSON.stringify(values['input-size'])}.`);
  }
  const reach = numberWithin(values.position, 'position', 0.1, 50);
  const seed = wholeWithin(values.seed, 'seed', 0, 2 ** 31);
  const options = {
    ...(side !== undefined || values.mode !== undefined
      ? { input: { width: side ?? 288, height: side ?? 288, mode } }
      : {}),
    falseRejectRate: numberWithin(values['false-reject-rate'], 'false-reject-rate', 0.0001, 0.5),
    reviewRate: numberWithin(values['review-rate'], 'review-rate', 0.0001, 0.5),
    missRate: numberWithin(values['miss-rate'], 'miss-rate', 0.0001, 0.5),
    defectFolder: values.defects,
    roi: values.roi === undefined ? null : roiOf(values.roi),
    mask: values.mask,
    tiles: values.tiles === undefined ? null : tilesOf(values.tiles, values.overlap, values['bank-per-tile'] ?? false),
    position: reach === undefined ? null : { reach: reach / 100 },
    ...(values.augment === undefined ? {} : { augmentation: augmentationOf(values.augment) }),
    keepSuspects: values['keep-suspects'],
    coresetSize: wholeWithin(values['bank-size'], 'bank-size', 1, 100_000),
    recipe,
    normalisation: NORMALISATIONS[wishedNormalisation],
    quantise: values.quantise,
    updateFrom: values.update === undefined ? undefined : resolve(values.update),
    seed,
  };

  const pictures = await picturesInFolder(folder);
  const start = performance.now();
  const { manifest, skipped } = await interruptible('nothing was written', async (signal) =>
    trainPatchcore({
      ...options,
      partType,
      pictures,
      outFolder,
      version: values.update === undefined ? '1' : await versionAfter(values.update),
      source: resolve(folder),
      backbone: values.backbone,
      threads: availableParallelism(),
      signal,
      onProgress: progressPrinter(),
    }),
  );
  const seconds = Math.round((performance.now() - start) / 10) / 100;
  if (process.stderr.isTTY) terminal.note('');
  for (const { name, reason } of skipped) terminal.note(`left out: ${name}: ${reason}`);
  const { bank, calibration, thresholds } = manifest;
  if (values.json) {
    const counts = { used: manifest.dataset.count, bank: bank.pictures, calibration: calibration.pictures };
    const { recipe, suspects, quantisation } = manifest;
    terminal.print(
      JSON.stringify({
        model: outFolder,
        partType,
        version: manifest.version,
        pictures: { ...counts, skipped: skipped.length },
        skipped,
        suspects,
        recipe,
        quantisation,
        bankSize: bank.size,
        thresholds,
        statement: calibration.statement,
        backbone: manifest.backbone.id,
        seconds,
      }),
    );
  } else {
    terminal.print(`Model of ${partType} written to ${outFolder} in ${seconds} s.`);
    terminal.print(`${counted(bank.pictures, 'picture')} in the bank (${bank.size} of ${bank.candidates} patches).`);
    terminal.print(recipeText(manifest.recipe));
    if (values.quantise) terminal.print(quantisationText(manifest.quantisation));
    for (const { name, score, learnt } of manifest.suspects) {
      const fate = learnt ? 'learnt all the same' : 'left out; --keep-suspects learns it';
      terminal.print(`looks defective: ${name} (score ${score.toFixed(4)}; ${fate})`);
    }
    terminal.print(`accept <= ${thresholds.accept.toFixed(4)}, reject > ${thresholds.reject.toFixed(4)}`);
    terminal.print(calibration.statement);
    if (skipped.length > 0) terminal.print(`${counted(skipped.length, 'file')} left out.`);
  }
  return 0;
}

/** Which options there are depends on it. @throws {WrongUse} */
function methodOf(args: string[]): 'bank' | 'reference' {
  const { values } = parseArgs({ args, strict: false, options: { method: { type: 'string' } } });
  const { method = 'bank' } = values;
  if (method === 'bank' || method === 'reference') return method;
  throw new WrongUse(`--method takes bank or reference, not ${method}.`);
}

/** The number after that of a model package; packages of other names begin with 1. */
async function versionAfter(folder: string): Promise<string> {
  const { version } = await readManifest(folder, 'patchcore');
  return /^\d+$/.test(version) ? String(Number(version) + 1) : '1';
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function recipeText({ moment, conditioning, spacing, scoring, chosen, trials }: BankManifest['recipe']): string {
  const score = scoring.method === 'top-mean' ? `mean of the top ${100 * scoring.share} %` : scoring.method;
  const parts = [`features ${moment} the activation`, `conditioning ${conditioning}`, spacing ? 'spacing' : '', score];
  const own = trials.find(
    (trial) =>
      trial.moment === moment &&
      trial.conditioning === conditioning &&
      trial.spacing === spacing &&
      JSON.stringify(trial.scoring) === JSON.stringify(scoring),
  );
  const plain = trials.find((trial) => trial.conditioning === 'none' && trial.scoring.method === 'max');
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const effect =
    own && plain ? `; AUROC on painted defects ${percent(own.auroc)}, plain PatchCore ${percent(plain.auroc)}` : '';
  return `${parts.filter((part) => part !== '').join(', ')} (${chosen}${effect}).`;
}

function quantisationText(report: BankManifest['quantisation']): string {
  if (report === null)
    return '8-bit numbers: not used, there is too little to measure with, or the backbone has no use for them.';
  const { accepted, reason, auroc, wrongDecisions, changedDecisions, milliseconds, bank } = report;
  const because = {
    auroc: 'the AUROC falls',
    decisions: 'more decisions are wrong',
    'not-faster': 'it is not faster here',
  };
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const figures = [
    `AUROC on painted defects ${percent(auroc.float)} -> ${percent(auroc.int8)}`,
    `wrong decisions ${wrongDecisions.float} -> ${wrongDecisions.int8} of ${changedDecisions.total}`,
    `backbone ${milliseconds.float} -> ${milliseconds.int8} ms`,
  ];
  const verdict = accepted || reason === null ? 'used' : `not used, ${because[reason]}`;
  return `8-bit backbone: ${verdict} (${figures.join(', ')}). Bank stored as ${bank.storage}.`;
}
