import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, extname, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { type Box, InvalidInput } from '../engine/domain';
import { PictureUnreadable } from '../engine/imaging';
import {
  boxOf,
  classNames,
  matchBoxes,
  type PictureFile,
  picturesInFolder,
  ReferenceComparer,
  ReferenceMismatch,
  type ReferenceResult,
  ReferenceUnreadable,
  readablePicturesInFolder,
  readYoloLabels,
} from '../engine/patchcore';
import { clopperPearson } from '../engine/statistics';
import { required } from './options';
import { describe, percentile, terminal } from './output';
import { referenceSettingsOf } from './reference-settings';

/** The part of the command's help that tells about reference mode. */
export const evaluateReferencesHelp = `opti-quality evaluate --pictures DIR --references DIR --labels DIR [--ok DIR] [--model DIR] [--json]

Compares each picture with its golden picture and prints how many annotated defects are found, and how many regions are
false.

  --pictures DIR    pictures with defects (also: --defects DIR); images/x for the labels in labels/x unless told
  --references DIR  golden pictures, each named like its picture
  --labels DIR      annotated defects in YOLO's format, x.txt for x.jpg; a picture without such a file has no defects
  --ok DIR          pictures of good parts, in which every region is false
  --model DIR       a reference model, for its settings; the built-in ones without it

A defect is found when a region really lies on its box: intersection over union at least 0.1, or the middle of the region
within the box. A region is false when it has no area in common with any box of its picture.`;

type Stage = keyof ReferenceResult['milliseconds'];
const STAGES = ['decode', 'register', 'compare', 'map'] as const;

interface Judged {
  readonly boxes: readonly { readonly kind: number; readonly found: boolean }[];
  readonly falseRegions: number;
  readonly milliseconds: ReferenceResult['milliseconds'];
}

interface Skipped {
  readonly name: string;
  readonly reason: string;
}

export async function evaluateReferences(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      ok: { type: 'string' },
      pictures: { type: 'string' },
      defects: { type: 'string' },
      references: { type: 'string' },
      labels: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const labels = required(values.labels, 'labels');
  const folder = required(values.pictures ?? values.defects ?? (await picturesBeside(labels)), 'pictures');
  const references = byStem(await readablePicturesInFolder(required(values.references, 'references')));
  if (!(await isFolder(labels)))
    throw new InvalidInput(`The folder ${labels} does not exist. Check the path.`, { labels });
  const pictures = await picturesInFolder(folder);
  const good = values.ok === undefined ? [] : await picturesInFolder(values.ok);
  const names = await classNames(labels);
  const comparer = await ReferenceComparer.open(await referenceSettingsOf(values.model), availableParallelism());
  const judged: Judged[] = [];
  const skipped: Skipped[] = [];
  let labelled = 0;
  try {
    for (const { name, picture } of [...pictures, ...good]) {
      const reference = references.get(stemOf(name));
      if (reference === undefined) {
        skipped.push({ name, reason: 'it has no golden picture' });
        continue;
      }
      try {
        const found = pictures.some((other) => other.name === name) ? await readYoloLabels(labels, name) : [];
        if (found?.length) labelled += 1;
        const result = await comparer.compare(await picture(), await reference());
        judged.push(judge(result, found ?? []));
      } catch (error) {
        if (!isOfOnePicture(error)) throw error;
        skipped.push({ name, reason: describe(error) });
      }
      if (process.stderr.isTTY) terminal.progress(`${judged.length + skipped.length}/${pictures.length + good.length}`);
    }
  } finally {
    await comparer.close();
  }
  if (process.stderr.isTTY) terminal.note('');
  for (const { name, reason } of skipped) terminal.note(`left out: ${name}: ${reason}`);
  if (judged.length === 0) throw new InvalidInput('No picture could be compared with a golden picture.');
  if (labelled === 0) throw new InvalidInput(`The folder ${labels} holds no annotated box for any of the pictures.`);
  const report = reportOf(judged, skipped, names);
  if (values.json) terminal.print(JSON.stringify(report));
  else printReport(report);
  return 0;
}

/** Where YOLO's layout has the pictures of a folder of labels: `images/val` beside `labels/val`. */
async function picturesBeside(labels: string): Promise<string | undefined> {
  const parts = resolve(labels).split(sep);
  const place = parts.lastIndexOf('labels');
  if (place < 0) return undefined;
  const folder = parts.with(place, 'images').join(sep);
  return (await isFolder(folder)) ? folder : undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

function judge({ regions, image, milliseconds }: ReferenceResult, labels: Parameters<typeof boxOf>[0][]): Judged {
  const boxes: Box[] = labels.map((label) => boxOf(label, image));
  const { found, falseRegions } = matchBoxes(regions, boxes);
  return {
    boxes: labels.map(({ kind }, index) => ({ kind, found: found[index] })),
    falseRegions: falseRegions.length,
    milliseconds,
  };
}

/** True when only the one picture is left out. */
function isOfOnePicture(error: unknown): boolean {
  if (error instanceof PictureUnreadable || error instanceof ReferenceMismatch || error instanceof ReferenceUnreadable)
    return true;
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

function byStem(pictures: readonly PictureFile[]) {
  return new Map(pictures.map(({ name, picture }) => [stemOf(name), picture]));
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

type Report = ReturnType<typeof reportOf>;

function reportOf(judged: readonly Judged[], skipped: readonly Skipped[], names: ReadonlyMap<number, string>) {
  const boxes = judged.flatMap((each) => each.boxes);
  const falseRegions = judged.reduce((sum, each) => sum + each.falseRegions, 0);
  const kinds = [...new Set(boxes.map(({ kind }) => kind))].sort((a, b) => a - b);
  const latencyOf = (stage: Stage) => {
    const values = judged.map(({ milliseconds }) => milliseconds[stage]);
    return { p50: percentile(values, 0.5), p95: percentile(values, 0.95) };
  };
  const recall = recallOf(boxes);
  return {
    boxRecall: recall.rate,
    falseRegionsPerImage: falseRegions / judged.length,
    recall,
    recallPerClass: kinds.map((kind) => ({
      class: kind,
      name: names.get(kind) ?? String(kind),
      ...recallOf(boxes.filter((box) => box.kind === kind)),
    })),
    images: judged.length,
    boxes: boxes.length,
    falseRegions,
    imagesWithFalseRegions: judged.filter((each) => each.falseRegions > 0).length,
    latencyMs: {
      ...latencyOf('total'),
      ...(Object.fromEntries(STAGES.map((stage) => [stage, latencyOf(stage)])) as Record<
        (typeof STAGES)[number],
        ReturnType<typeof latencyOf>
      >),
    },
    skipped,
  };
}

/** Found of annotated boxes, with the exact 95 % interval (Clopper-Pearson). */
function recallOf(boxes: readonly { readonly found: boolean }[]) {
  const count = boxes.filter(({ found }) => found).length;
  return { count, total: boxes.length, rate: count / boxes.length, ...clopperPearson(count, boxes.length) };
}

function printReport(report: Report): void {
  const { recall, recallPerClass, images, latencyMs } = report;
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const rate = ({ count, total, rate: value, low, high }: Report['recall']) =>
    `${percent(value).padStart(7)} (${count} of ${total}; 95 %: ${percent(low)} to ${percent(high)})`;
  terminal.print(`defects found ${rate(recall)}`);
  for (const each of recallPerClass) terminal.print(`  ${each.name.padEnd(12)}${rate(each)}`);
  terminal.print(
    `false regions ${report.falseRegionsPerImage.toFixed(2)} a picture (${report.falseRegions} in ` +
      `${report.imagesWithFalseRegions} of ${images} pictures)`,
  );
  terminal.print('');
  terminal.print(`milliseconds  p50 ${latencyMs.p50.toFixed(1)}, p95 ${latencyMs.p95.toFixed(1)}`);
  for (const stage of STAGES) {
    const { p50, p95 } = latencyMs[stage];
    terminal.print(`  ${stage.padEnd(10)}  p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}`);
  }
  if (report.skipped.length > 0) terminal.print(`${report.skipped.length} pictures were left out.`);
}
