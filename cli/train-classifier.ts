import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readDataset } from '../engine/datasets';
import { type ClassifierFigures, type JobProgress, VERDICTS, type Verdict } from '../engine/domain';
import { classPictures, trainClassifierPackage } from '../engine/learning';
import type { ClassifierManifest } from '../engine/packages';
import { interruptible } from './interruptible';
import { numberWithin, partTypeOf, required, wholeWithin } from './options';
import { terminal, WrongUse } from './output';

export const trainClassifierHelp = `opti-quality train-classifier --part-type NAME --data PATH --out DIR [options]

Learns to name the class of whole pictures (for example good, porosity, undercut) and writes the model package. Pictures of
the split train are learnt, all others held out to measure with.

  --part-type NAME     name of the part type
  --data PATH          a folder with a folder of pictures for each class, alone or within train, val and test
  --out DIR            the new model package; must not exist, or be empty
  --backbone FILE|ID   starter (default), a pulled one (opti-quality models list), or an ONNX file
  --fine-tune          train the backbone, too, not only the layer on top of it: slow, for many pictures
  --verdict CLASS=V    what a class means for a part, OK, NG or REVIEW; may be given again for others. Without it, good and
                       ok are OK, all others NG
  --parent DIR         the version in production: it names the held-out pictures, too, and the gate compares
  --input-size PIXELS  side of the model's input, a multiple of 32 from 64 to 1024 (default 288)
  --epochs N           at most so many, 1 to 1000 (default 200; 20 with --fine-tune)
  --learning-rate R    above 0, at most 1 (default 0.02; 0.0005 with --fine-tune)
  --augmentation S     how strongly altered copies of the pictures are varied, 0 to 1 (default 0.3)
  --seed N             the same seed gives the same model (default 1)
  --json               one JSON object as the last line on stdout
  -h, --help           this text

Exit code 1 when the gate refuses the model (worse than its parent, or not better than chance); it is written all the same.`;

export async function trainClassifier(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      'part-type': { type: 'string' },
      data: { type: 'string' },
      out: { type: 'string' },
      backbone: { type: 'string' },
      'fine-tune': { type: 'boolean' },
      verdict: { type: 'string', multiple: true },
      parent: { type: 'string' },
      'input-size': { type: 'string' },
      epochs: { type: 'string' },
      'learning-rate': { type: 'string' },
      augmentation: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const partType = partTypeOf(values['part-type']);
  const data = resolve(required(values.data, 'data'));
  const outFolder = resolve(required(values.out, 'out'));
  const wishes = {
    backbone: values.backbone,
    fineTune: values['fine-tune'],
    verdicts: verdictsOf(values.verdict ?? []),
    inputSize: wholeWithin(values['input-size'], 'input-size', 64, 1024),
    epochs: wholeWithin(values.epochs, 'epochs', 1, 1000),
    learningRate: numberWithin(values['learning-rate'], 'learning-rate', 1e-7, 1),
    augmentation: numberWithin(values.augmentation, 'augmentation', 0, 1),
    seed: wholeWithin(values.seed, 'seed', 0, 2 ** 31),
  };
  const dataset = await readDataset(data);
  const { manifest, trained } = await interruptible('nothing was written', (signal) =>
    trainClassifierPackage({
      ...wishes,
      partType,
      version: '1',
      outFolder,
      source: data,
      pictures: classPictures(dataset),
      parentFolder: values.parent === undefined ? null : resolve(values.parent),
      threads: availableParallelism(),
      signal,
      onProgress: progressPrinter(),
    }),
  );
  if (process.stderr.isTTY) terminal.note('');
  const skipped = [...dataset.skipped, ...trained.skipped].map(({ name, reason }) => ({ name, reason }));
  for (const { name, reason } of skipped) terminal.note(`left out: ${name}: ${reason}`);
  for (const note of trained.notes) terminal.note(note);
  if (values.json) {
    const { method, classes, verdicts, evaluation, gate, temperature, backbone } = manifest;
    const { count, heldOut } = manifest.dataset;
    const pictures = { learnt: count, heldOut, skipped: skipped.length };
    const facts = { model: outFolder, partType, method, classes, verdicts, backbone: backbone.id, temperature };
    const { notes, seconds } = trained;
    terminal.print(JSON.stringify({ ...facts, pictures, skipped, ...evaluation, gate, notes, seconds }));
  } else {
    report(manifest, outFolder, trained.seconds);
  }
  return manifest.gate.accepted ? 0 : 1;
}

/** One line for each class, the accuracy first. */
export function figureLines({ accuracy, balancedAccuracy, interval, pictures, perClass }: ClassifierFigures): string[] {
  const percent = (share: number | null) => (share === null ? '-' : `${(100 * share).toFixed(1)} %`);
  const range = interval ? ` (${percent(interval.low)} to ${percent(interval.high)})` : '';
  return [
    `accuracy ${percent(accuracy)}${range} of ${pictures} pictures, mean recall ${percent(balancedAccuracy)}`,
    ...perClass.map(
      ({ label, recall, precision, count }) =>
        `  ${label}: recall ${percent(recall)} of ${count}, precision ${percent(precision)}`,
    ),
  ];
}

function report({ dataset, evaluation, gate, method, partType }: ClassifierManifest, folder: string, seconds: number) {
  terminal.print(`Classifier of ${partType} written to ${folder} in ${seconds} s.`);
  terminal.print(
    `${dataset.count} pictures learnt (${method}), ${dataset.heldOut} held out, ${dataset.skipped} left out.`,
  );
  if (evaluation.after) for (const line of figureLines(evaluation.after)) terminal.print(line);
  if (evaluation.before) terminal.print(`before: ${figureLines(evaluation.before)[0]}`);
  for (const { message } of gate.reasons) terminal.print(`The gate refuses it: ${message}`);
}

/** @throws {WrongUse} */
function verdictsOf(given: readonly string[]): Record<string, Verdict> {
  return Object.fromEntries(
    given.map((text) => {
      const [, label, wished = ''] = /^(.+)=(.*)$/.exec(text) ?? [];
      const verdict = VERDICTS.find((known) => known === wished.toUpperCase());
      if (label === undefined || verdict === undefined) {
        throw new WrongUse(`--verdict takes CLASS=VERDICT with ${VERDICTS.join(', ')}, not ${text}.`);
      }
      return [label, verdict];
    }),
  );
}

/** A line for every tenth and every new stage; on a terminal every change, in place. */
function progressPrinter(): (progress: JobProgress) => void {
  let last = '';
  return ({ stage, percent, remainingSeconds, epoch, curve }) => {
    const step = `${stage} ${Math.floor(percent / 10)}`;
    if (step === last && !process.stderr.isTTY) return;
    last = step;
    const point = curve?.at(-1);
    const learning = point ? `  epoch ${epoch}, loss ${point.loss.toFixed(3)}` : '';
    const left = remainingSeconds === null ? '' : `, about ${remainingSeconds} s left`;
    terminal.progress(`${String(Math.floor(percent)).padStart(3)} %  ${stage}${learning}${left}`);
  };
}
