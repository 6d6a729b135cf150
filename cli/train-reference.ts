import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ReferenceManifest } from '../engine/packages';
import { picturesInFolder, type ReferencePackageResult, trainReferencePackage } from '../engine/patchcore';
import { interruptible } from './interruptible';
import { numberWithin, partTypeOf, required } from './options';
import { terminal, WrongUse } from './output';
import { progressPrinter } from './training-progress';

/** The part of the command's help that tells about reference mode. */
export const trainReferenceHelp = `opti-quality train --method reference --part-type NAME --references DIR --out DIR [options]

Learns how far good parts may differ from their golden pictures.

  --references DIR  golden pictures, each named like its picture. A single one that is named like no picture is the golden
                    picture of every part, and goes into the model
  --ok DIR          pictures of good parts; without them altered copies of the golden pictures, which promise nothing
  --defects DIR     pictures with defects, of which --labels tells the places: outside of them they count as good
  --labels DIR      annotated defects in YOLO's format, x.txt for x.jpg
  --false-reject-rate, --review-rate, --miss-rate, --seed, --json  as above`;

/**
 * Trains a reference model and writes its package.
 *
 * @throws {WrongUse} when an option is missing or out of range
 * @throws {InvalidInput} when a folder or label file cannot be used
 */
export async function trainReferenceCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      method: { type: 'string' },
      'part-type': { type: 'string' },
      references: { type: 'string' },
      ok: { type: 'string' },
      defects: { type: 'string' },
      labels: { type: 'string' },
      out: { type: 'string' },
      'false-reject-rate': { type: 'string' },
      'review-rate': { type: 'string' },
      'miss-rate': { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const { ok, defects, labels } = values;
  const partType = partTypeOf(values['part-type']);
  const referenceFolder = required(values.references, 'references');
  const outFolder = resolve(required(values.out, 'out'));
  if ((defects === undefined) !== (labels === undefined)) throw new WrongUse('Give --defects and --labels together.');
  const rate = (option: 'false-reject-rate' | 'review-rate' | 'miss-rate') =>
    numberWithin(values[option], option, 0.0001, 0.5);
  const start = performance.now();
  const { manifest, skipped } = await interruptible('nothing was written', async (signal) =>
    trainReferencePackage({
      partType,
      version: '1',
      pictures: ok === undefined ? [] : await picturesInFolder(ok),
      referenceFolder,
      defectFolder: defects,
      labelFolder: labels,
      outFolder,
      source: resolve(ok ?? defects ?? referenceFolder),
      falseRejectRate: rate('false-reject-rate'),
      reviewRate: rate('review-rate'),
      missRate: rate('miss-rate'),
      seed: numberWithin(values.seed, 'seed', 0, 2 ** 31),
      threads: availableParallelism(),
      signal,
      onProgress: progressPrinter(),
    }),
  );
  const seconds = Math.round((performance.now() - start) / 10) / 100;
  if (process.stderr.isTTY) terminal.note('');
  for (const { name, reason } of skipped) terminal.note(`left out: ${name}: ${reason}`);
  if (values.json) terminal.print(JSON.stringify(resultOf(manifest, outFolder, skipped, seconds)));
  else printResult(manifest, outFolder, skipped.length, seconds);
  return 0;
}

function resultOf(
  { partType, version, dataset, thresholds, calibration, reference }: ReferenceManifest,
  model: string,
  skipped: ReferencePackageResult['skipped'],
  seconds: number,
) {
  const { settings, picture, chosenBy, boxes } = reference;
  return {
    model,
    partType,
    version,
    method: 'reference',
    pictures: {
      used: dataset.count,
      defects: dataset.defects,
      calibration: calibration.pictures,
      skipped: skipped.length,
    },
    skipped,
    settings,
    chosenBy,
    boxes,
    sharedReference: picture !== null,
    thresholds,
    statement: calibration.statement,
    seconds,
  };
}

function printResult(manifest: ReferenceManifest, folder: string, skipped: number, seconds: number): void {
  const { partType, dataset, thresholds, calibration, reference } = manifest;
  const { settings, picture, chosenBy, boxes } = reference;
  const golden =
    picture === null ? 'Each part must bring its golden picture' : 'The golden picture of every part is inside';
  terminal.print(`Model of ${partType} written to ${folder} in ${seconds} s.`);
  terminal.print(`${dataset.count} pictures compared with their golden pictures. ${golden}.`);
  terminal.print(
    `tolerance ${settings.tolerance}, contrast ${settings.contrast}, smoothing ${settings.smoothing} (${chosenBy}).`,
  );
  if (boxes) {
    const { found, boxes: all, falseRegions, pictures } = boxes;
    terminal.print(
      `${found} of ${all} annotated defects found, ${falseRegions} false regions in ${pictures} pictures.`,
    );
  }
  terminal.print(`accept <= ${thresholds.accept.toFixed(4)}, reject > ${thresholds.reject.toFixed(4)}`);
  terminal.print(calibration.statement);
  if (skipped > 0) terminal.print(`${skipped} pictures were left out.`);
}
