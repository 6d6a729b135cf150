import { isAbsolute, join } from 'node:path';
import { type Box, InvalidInput } from '../../engine/domain';
import type { DetectorWishes } from '../../engine/station';
import { type ConfigSchema, type NumberField, readInteger, readNumber, readPartType } from '../shared';

/** What the detections of a class mean for a part. */
export type ClassEffect = 'NG' | 'REVIEW' | 'ignored';

const EFFECTS: readonly ClassEffect[] = ['NG', 'REVIEW', 'ignored'];

/** What is set for one class by hand. */
export interface ClassSetting {
  readonly label: string;
  /** 0..1; empty: the confidence of all classes. */
  readonly confidence: NumberField;
  readonly effect: ClassEffect;
}

export interface YoloDetectConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  /** The part type whose detector is used and trained; empty: that of each part. */
  readonly partType: string;
  /** Path of an .onnx file; empty: the deployed detector, else the embedded starter. Relative paths start at the user folder. */
  readonly model: string;
  /** 0..1; empty: as the model says. */
  readonly confidence: NumberField;
  readonly classes: readonly ClassSetting[];
  /** 0..1; empty: as the model says. */
  readonly iou: NumberField;
  /** Left, top, width and height as shares of the picture, separated by commas; empty: all of it. */
  readonly roi: string;
  readonly tileColumns: NumberField;
  readonly tileRows: NumberField;
  /** Percent of a tile's side. */
  readonly tileOverlap: NumberField;
}

export const schema: ConfigSchema<YoloDetectConfig> = {
  defaults: {
    name: '',
    station: '',
    partType: '',
    model: '',
    confidence: '',
    classes: [],
    iou: '',
    roi: '',
    tileColumns: 1,
    tileRows: 1,
    tileOverlap: 20,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/**
 * How the node wants pictures looked at.
 *
 * @param userFolder where a relative path of the model starts
 * @throws {InvalidInput} naming the setting and its range
 */
export function readDetectorWishes(config: YoloDetectConfig, userFolder: string): DetectorWishes {
  const classes = readClasses(config.classes);
  const confidences = classes.filter(({ confidence }) => !isEmpty(confidence));
  const labelsOf = (wished: ClassEffect) => classes.filter(({ effect }) => effect === wished).map(({ label }) => label);
  const model = config.model.trim();
  return {
    ...(config.partType !== '' && { partType: readPartType(config.partType) }),
    ...(model !== '' && { model: isAbsolute(model) ? model : join(userFolder, model) }),
    ...(!isEmpty(config.confidence) && { confidence: readNumber('confidence', config.confidence, 0, 1) }),
    ...(confidences.length > 0 && {
      perClass: Object.fromEntries(
        confidences.map(({ label, confidence }) => [label, readNumber(`confidence of ${label}`, confidence, 0, 1)]),
      ),
    }),
    review: labelsOf('REVIEW'),
    ignored: labelsOf('ignored'),
    ...(!isEmpty(config.iou) && { iou: readNumber('overlap of boxes (IoU)', config.iou, 0, 1) }),
    roi: readRoi(config.roi),
    tiles: readTiles(config),
  };
}

function readClasses(classes: unknown): readonly ClassSetting[] {
  if (!Array.isArray(classes)) throw new InvalidInput('The setting "classes" must be a list.');
  const settings = classes as readonly ClassSetting[];
  const labels = settings.map((setting) => {
    const { label, effect } = setting ?? {};
    if (typeof label !== 'string' || label.trim() === '') throw new InvalidInput('A class needs a name.');
    if (!EFFECTS.includes(effect)) {
      throw new InvalidInput(`The class ${JSON.stringify(label)} can be NG, REVIEW or ignored, not ${effect}.`);
    }
    return label.trim();
  });
  const double = labels.find((label, place) => labels.indexOf(label) !== place);
  if (double !== undefined) throw new InvalidInput(`The class ${JSON.stringify(double)} is there twice.`);
  return settings.map((setting, place) => ({ ...setting, label: labels[place] }));
}

function readRoi(text: string): Box | null {
  if (text.trim() === '') return null;
  const values = text.split(',').map((part) => readNumber('region', part, 0, 1));
  const [x, y, width, height] = values;
  if (values.length !== 4 || width === 0 || height === 0 || x + width > 1 || y + height > 1) {
    throw new InvalidInput(
      `The region must be "left, top, width, height" as shares of the picture, for example "0.1, 0.2, 0.5, 0.6", not ${JSON.stringify(text)}.`,
    );
  }
  return { x, y, width, height };
}

function readTiles(config: YoloDetectConfig): DetectorWishes['tiles'] {
  const columns = readInteger('columns of tiles', config.tileColumns, 1, 8);
  const rows = readInteger('rows of tiles', config.tileRows, 1, 8);
  const overlap = readNumber('overlap of tiles (%)', config.tileOverlap, 0, 50) / 100;
  return columns === 1 && rows === 1 ? null : { columns, rows, overlap };
}

function isEmpty(value: NumberField): boolean {
  return value === undefined || value === null || String(value).trim() === '';
}
