import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { DetectionResult, DetectOptions } from '../engine/detector';
import type { Detection } from '../engine/domain';
import { picturesInFolder } from '../engine/patchcore';
import { eachPicture, type Failed, failedOf } from './each-picture';
import { openDetector } from './given-detector';
import { numberWithin, required, wholeWithin } from './options';
import { terminal, WrongUse } from './output';
import { roiOf, tilesOf } from './training-options';

export const detectHelp = `opti-quality detect --model FILE|DIR|starter IMAGE|DIR... [options]

Finds the things a detector knows in pictures: their class, confidence and box in pixels (left, top, width, height).

  --model FILE|DIR|starter   an ONNX file of the YOLO family (v5, v8, 11, 12, 26; detect or segment), a model package,
                             or the detector that comes with this program
  IMAGE|DIR                  pictures, and folders of which all pictures are taken
  --confidence C             from which a detection counts, 0 to 1 (default: the package's, else 0.25)
  --class-confidence NAME=C  the same for one class; may be given more than once
  --iou SHARE                boxes of one class that overlap more than this are one, 0 to 1 (default 0.7)
  --max N                    keep the N most confident of a picture (default 300)
  --roi X,Y,W,H              only this rectangle, in percent of the picture's sides
  --tiles CxR                look at C columns and R rows of parts one by one, for small things (for example 3x2)
  --overlap P                percentage of a tile that it has in common with its neighbour, 0 to 50 (default 20)
  --json                     one JSON object as the last line on stdout
  -h, --help                 this text

Exit code 1 when a picture could not be looked at; the others are all the same.`;

const DEFAULT_OVERLAP = '20';

interface Found {
  readonly file: string;
  readonly detections: readonly Detection[];
  readonly picture: DetectionResult['picture'];
  readonly milliseconds: DetectionResult['milliseconds'];
}

export async function detect(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      confidence: { type: 'string' },
      'class-confidence': { type: 'string', multiple: true },
      iou: { type: 'string' },
      max: { type: 'string' },
      roi: { type: 'string' },
      tiles: { type: 'string' },
      overlap: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const path = required(values.model, 'model');
  if (positionals.length === 0) throw new WrongUse('No picture is given.');
  if (values.overlap !== undefined && values.tiles === undefined) throw new WrongUse('--overlap needs --tiles.');
  const options: DetectOptions = {
    confidence: numberWithin(values.confidence, 'confidence', 0, 1),
    perClass: perClassOf(values['class-confidence'] ?? []),
    iou: numberWithin(values.iou, 'iou', 0, 1),
    maxDetections: wholeWithin(values.max, 'max', 1, 10_000),
    roi: values.roi === undefined ? null : roiOf(values.roi),
    tiles: values.tiles === undefined ? null : tilesOf(values.tiles, values.overlap ?? DEFAULT_OVERLAP, false),
  };
  const model = await openDetector(path);
  try {
    const unknown = Object.keys(options.perClass ?? {}).find((label) => !model.description.classes.includes(label));
    if (unknown !== undefined) {
      throw new WrongUse(`The model knows no class ${unknown}, but ${model.description.classes.join(', ')}.`);
    }
    const { files, unread } = await filesOf(positionals);
    const found = await eachPicture(files, async (bytes, file): Promise<Found> => {
      const { detections, picture, milliseconds } = await model.detect(bytes, options);
      if (!values.json) print(file, detections);
      return { file, detections, picture, milliseconds };
    });
    const failed = [...unread, ...found.failed];
    if (values.json) {
      const { model: reference, description } = model;
      const { classes, layout } = description;
      terminal.print(JSON.stringify({ model: { ...reference, classes, layout }, results: found.results, failed }));
    }
    return failed.length === 0 ? 0 : 1;
  } finally {
    await model.dispose();
  }
}

/** Files as they are, folders as the pictures in them. */
async function filesOf(paths: readonly string[]) {
  const files: string[] = [];
  const unread: Failed[] = [];
  for (const path of paths) {
    const facts = await stat(path).catch(() => null);
    if (!facts?.isDirectory()) {
      files.push(path);
      continue;
    }
    try {
      files.push(...(await picturesInFolder(path)).map(({ name }) => name));
    } catch (error) {
      unread.push(failedOf(path, error));
    }
  }
  return { files, unread };
}

function print(file: string, detections: readonly Detection[]): void {
  terminal.print(`${file}: ${detections.length} found`);
  for (const { label, confidence, box } of detections) {
    const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((value) => value.toFixed(1));
    terminal.print(`  ${confidence.toFixed(3)}  ${label}  ${x},${y} ${width}x${height}`);
  }
}

/** @throws {WrongUse} */
function perClassOf(wishes: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    wishes.map((wish) => {
      const at = wish.lastIndexOf('=');
      if (at < 1) throw new WrongUse(`--class-confidence takes NAME=C (for example scratch=0.4), not ${wish}.`);
      return [wish.slice(0, at), numberWithin(wish.slice(at + 1), 'class-confidence', 0, 1) as number];
    }),
  );
}
