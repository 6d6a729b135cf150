import { availableParallelism } from 'node:os';
import { basename, extname } from 'node:path';
import { readPictureHeader } from '../engine/imaging';
import {
  picturesInFolder,
  type ReferencePair,
  type ReferenceTrainingResult,
  trainReference,
} from '../engine/patchcore';
import { numberWithin, partTypeOf, required } from './options';
import { terminal } from './output';
import { boxOf, readYoloLabels } from './yolo-labels';

/** The part of the command's help that tells about reference mode. */
export const trainReferenceHelp = `opti-quality train --method reference --part-type NAME --references DIR --out DIR [options]

Learns how far good parts may differ from their golden pictures.

  --references DIR  golden pictures, each named like its picture. With one picture only, and no --ok picture named like it,
                    it is the golden picture of every part
  --ok DIR          pictures of good parts; without them altered copies of the golden pictures, which promise nothing
  --defects DIR     pictures with defects, of which --labels tells the places: outside of them they count as good
  --labels DIR      annotated defects in YOLO's format, x.txt for x.jpg
  --false-reject-rate, --review-rate, --miss-rate, --seed, --json  as above`;

/** Options of `opti-quality train` that count in reference mode. */
export interface TrainReferenceValues {
  readonly 'part-type'?: string;
  readonly references?: string;
  readonly ok?: string;
  readonly defects?: string;
  readonly labels?: string;
  readonly 'false-reject-rate'?: string;
  readonly 'review-rate'?: string;
  readonly 'miss-rate'?: string;
  readonly seed?: string;
}

export interface TrainedReference extends ReferenceTrainingResult {
  readonly partType: string;
  /** The golden picture of every part; null when each part has its own. */
  readonly shared: Buffer | null;
}

/**
 * Trains a reference model as the command line tells. Writes nothing.
 *
 * @throws {WrongUse} when an option is missing or out of range
 * @throws {InvalidInput} when a folder or label file cannot be used
 */
export async function trainReferenceCommand(
  values: TrainReferenceValues,
  signal?: AbortSignal,
): Promise<TrainedReference> {
  const partType = partTypeOf(values['part-type']);
  const references = await picturesInFolder(required(values.references, 'references'));
  if (values.defects !== undefined) required(values.labels, 'labels');
  const byStem = new Map(references.map((each) => [stemOf(each.name), each]));
  const good = values.ok === undefined ? [] : await picturesInFolder(values.ok);
  const defective = values.defects === undefined ? [] : await picturesInFolder(values.defects);
  const isShared = references.length === 1 && ![...good, ...defective].some(({ name }) => byStem.has(stemOf(name)));
  const pairs: ReferencePair[] = [];
  for (const [index, { name, picture }] of [...good, ...defective].entries()) {
    const reference = isShared ? references[0] : byStem.get(stemOf(name));
    if (reference === undefined) {
      terminal.note(`left out: ${name}: it has no golden picture`);
      continue;
    }
    const boxes = index < good.length ? [] : await annotated(name, picture, String(values.labels));
    if (boxes !== null) pairs.push({ name, picture, reference: reference.picture, boxes });
  }
  const rate = (option: 'false-reject-rate' | 'review-rate' | 'miss-rate') =>
    numberWithin(values[option], option, 0.0001, 0.5);
  const [falseRejectRate, reviewRate, missRate] = [rate('false-reject-rate'), rate('review-rate'), rate('miss-rate')];
  const result = await trainReference({
    partType,
    pairs,
    golden: references.map(({ name, picture }) => ({ name, reference: picture })),
    wishes: {
      ...(falseRejectRate !== undefined && { falseRejectRate }),
      ...(reviewRate !== undefined && { reviewRate }),
      ...(missRate !== undefined && { missRate }),
    },
    seed: numberWithin(values.seed, 'seed', 0, 2 ** 31),
    threads: availableParallelism(),
    signal,
    onProgress: (done, count) => {
      if (process.stderr.isTTY) terminal.progress(`${done}/${count} pictures`);
    },
  });
  for (const { name, reason } of result.skipped) terminal.note(`left out: ${name}: ${reason}`);
  return { ...result, partType, shared: isShared ? await references[0].picture() : null };
}

/** Boxes in pixels; null, with a note, for a picture whose defects nobody annotated: where it is good is not known. */
async function annotated(name: string, picture: () => Promise<Buffer>, labels: string) {
  const found = await readYoloLabels(labels, name);
  if (found === null || found.length === 0) {
    terminal.note(`left out: ${name}: its defects are not annotated`);
    return null;
  }
  try {
    const header = readPictureHeader(await picture());
    return found.map((label) => boxOf(label, header));
  } catch {
    // the training names what is wrong with the picture
    return [];
  }
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}
