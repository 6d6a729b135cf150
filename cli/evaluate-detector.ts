import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Dataset, readDataset, SPLITS, type Split } from '../engine/datasets';
import type { DetectorModel } from '../engine/detector';
import { InvalidInput } from '../engine/domain';
import { PictureUnreadable } from '../engine/imaging';
import { evaluateDetections, type Interval, type JudgedPicture } from '../engine/statistics';
import { openDetector } from './given-detector';
import { numberWithin, required, wholeWithin } from './options';
import { describe, percentile, terminal, WrongUse } from './output';

export const evaluateDetectorHelp = `opti-quality evaluate-detector --model FILE|DIR|starter --data PATH [options]

Compares what a detector finds with the boxes of a dataset and prints COCO's figures: mAP50 and mAP50-95 with 95 %
intervals (bootstrap over the pictures), each class, object sizes, and what was taken for what.

  --model FILE|DIR|starter
                    an ONNX file of the YOLO family, a model package, or the one that comes along
  --data PATH       a YOLO data.yaml, a COCO .json, or a folder of one of these or of Pascal VOC
  --split S         train, val or test (default val)
  --confidence C    where precision, recall and confusion are taken, 0 to 1 (default: where the mean F1 is best)
  --iou SHARE       boxes of one class that overlap more than this are one, 0 to 1 (default 0.7)
  --resamples N     samples for the intervals (default 500)
  --json            one JSON object as the last line on stdout
  -h, --help        this text`;

/** Precision over recall needs the improbable detections too. */
const LEAST_CONFIDENCE = 0.001;
const MOST_DETECTIONS = 300;

export async function evaluateDetector(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      data: { type: 'string' },
      split: { type: 'string', default: 'val' },
      confidence: { type: 'string' },
      iou: { type: 'string' },
      resamples: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const path = required(values.model, 'model');
  const split = splitOf(values.split);
  const iou = numberWithin(values.iou, 'iou', 0, 1);
  const dataset = await readDataset(required(values.data, 'data'));
  const pictures = dataset.pictures.filter((picture) => picture.split === split);
  if (dataset.kind !== 'detection') throw new InvalidInput('The dataset has classes of whole pictures and no boxes.');
  if (pictures.length === 0) throw new InvalidInput(`The dataset has no pictures in its split ${split}.`);
  for (const { name, reason } of dataset.skipped) terminal.note(`left out: ${name}: ${reason}`);
  const model = await openDetector(path);
  try {
    const known = model.description.classes;
    if (!dataset.classes.some((label) => known.includes(label))) {
      throw new InvalidInput(
        `The model knows ${known.join(', ')}, the dataset ${dataset.classes.join(', ')}: no class in common.`,
      );
    }
    const { judged, milliseconds, skipped } = await judge(model, pictures, iou);
    const metrics = evaluateDetections(judged, dataset.classes, {
      confidence: numberWithin(values.confidence, 'confidence', 0, 1),
      resamples: wholeWithin(values.resamples, 'resamples', 2, 100_000),
    });
    const report = {
      ...metrics,
      pictures: judged.length,
      split,
      dataset: { format: dataset.format, sha256: dataset.sha256 },
      model: { ...model.model, classes: known },
      unknownClasses: dataset.classes.filter((label) => !known.includes(label)),
      latencyMs: { p50: percentile(milliseconds, 0.5), p95: percentile(milliseconds, 0.95) },
      skipped: [...dataset.skipped, ...skipped],
    };
    if (values.json) terminal.print(JSON.stringify(report));
    else printReport(report);
    return 0;
  } finally {
    await model.dispose();
  }
}

async function judge(model: DetectorModel, pictures: Dataset['pictures'], iou: number | undefined) {
  const judged: JudgedPicture[] = [];
  const milliseconds: number[] = [];
  const skipped: { name: string; reason: string }[] = [];
  for (const [index, { path, boxes, ignored = [] }] of pictures.entries()) {
    try {
      const options = {
        confidence: LEAST_CONFIDENCE,
        maxDetections: MOST_DETECTIONS,
        ...(iou !== undefined && { iou }),
      };
      const result = await model.detect(await readFile(path), options);
      const truth = [...(boxes ?? []), ...ignored.map((box) => ({ ...box, crowd: true }))];
      judged.push({ truth, detections: result.detections });
      milliseconds.push(result.milliseconds.total);
    } catch (error) {
      if (!(error instanceof PictureUnreadable)) throw error;
      skipped.push({ name: path, reason: describe(error) });
      terminal.note(`left out: ${path}: ${describe(error)}`);
    }
    if (process.stderr.isTTY) terminal.progress(`${index + 1}/${pictures.length}`);
  }
  if (process.stderr.isTTY) terminal.note('');
  if (judged.length === 0) throw new InvalidInput(`None of the ${pictures.length} pictures could be read.`);
  return { judged, milliseconds, skipped };
}

type Report = ReturnType<typeof evaluateDetections> & {
  readonly pictures: number;
  readonly split: Split;
  readonly unknownClasses: readonly string[];
  readonly latencyMs: { readonly p50: number; readonly p95: number };
  readonly skipped: readonly unknown[];
};

function printReport(report: Report): void {
  const { map50, map75, map5095, byArea, intervals, perClass, confusion, latencyMs } = report;
  const share = (value: number) => (Number.isNaN(value) ? '-' : value.toFixed(3));
  const range = ({ low, high }: Interval) => `(95 %: ${share(low)} to ${share(high)})`;
  const width = Math.max(12, ...confusion.labels.map((label) => label.length + 2));
  const row = (name: string, cells: readonly string[], cellWidth = 10) =>
    terminal.print(`${name.padEnd(width)}${cells.map((cell) => cell.padStart(cellWidth)).join('')}`);
  terminal.print(`mAP50       ${share(map50)} ${range(intervals.map50)}`);
  terminal.print(`mAP50-95    ${share(map5095)} ${range(intervals.map5095)}`);
  terminal.print(`mAP75       ${share(map75)}`);
  terminal.print(
    `mAP50-95    ${share(byArea.small)} small, ${share(byArea.medium)} medium, ${share(byArea.large)} large`,
  );
  terminal.print(`${report.pictures} pictures (${report.split}), ${report.skipped.length} left out`);
  terminal.print('');
  terminal.print(`at confidence ${report.confidence.toFixed(3)}:`);
  row('', ['AP50', 'AP50-95', 'precision', 'recall', 'F1', 'boxes']);
  for (const { label, ap50, ap5095, precision, recall, f1, count } of perClass) {
    row(label, [...[ap50, ap5095, precision, recall, f1].map(share), String(count)]);
  }
  terminal.print('');
  row('is \\ found', confusion.labels, width);
  for (const [place, label] of confusion.labels.entries()) row(label, confusion.matrix[place].map(String), width);
  terminal.print('');
  terminal.print(`milliseconds  p50 ${latencyMs.p50.toFixed(1)}, p95 ${latencyMs.p95.toFixed(1)}`);
  if (report.unknownClasses.length > 0) {
    terminal.print(`The model does not know: ${report.unknownClasses.join(', ')}. They count as missed.`);
  }
}

function splitOf(value: string): Split {
  const found = SPLITS.find((split) => split === value);
  if (found) return found;
  throw new WrongUse(`--split takes train, val or test, not ${value}.`);
}
