import type { Box, TrainingOptions } from '../../shared/types';

/** What the form of the options holds: numbers as they were typed, percentages as percent. */
export interface OptionsDraft {
  side: number;
  mode: 'letterbox' | 'crop' | 'stretch';
  falseReject: number;
  review: number;
  miss: number;
  useRoi: boolean;
  /** In percent of the picture's sides. */
  roi: { x: number; y: number; width: number; height: number };
  mask: string;
  useTiles: boolean;
  tiles: { columns: number; rows: number; overlap: number; banks: 'shared' | 'per-tile' };
  usePosition: boolean;
  reach: number;
  variants: 'auto' | 'none' | 'own';
  flip: boolean;
  rotation: number;
  light: number;
  shift: number;
  defectFolder: string;
  keepSuspects: boolean;
  quantise: boolean;
}

/** The sides offered; any multiple of 32 would do. */
export const SIDES = [128, 160, 192, 224, 256, 288, 320, 384, 448, 512, 640, 768, 1024] as const;

export function defaultDraft(): OptionsDraft {
  return {
    side: 288,
    mode: 'stretch',
    falseReject: 1,
    review: 5,
    miss: 1,
    useRoi: false,
    roi: { x: 10, y: 10, width: 80, height: 80 },
    mask: '',
    useTiles: false,
    tiles: { columns: 2, rows: 2, overlap: 10, banks: 'shared' },
    usePosition: false,
    reach: 10,
    variants: 'auto',
    flip: false,
    rotation: 5,
    light: 10,
    shift: 2,
    defectFolder: '',
    keepSuspects: false,
    quantise: false,
  };
}

/** The fields of a draft that are numbers, with the values they take. */
const RANGES = {
  falseReject: [0.01, 50],
  review: [0.01, 50],
  miss: [0.01, 50],
  columns: [1, 8],
  rows: [1, 8],
  overlap: [0, 50],
  reach: [0.5, 50],
  rotation: [0, 180],
  light: [0, 50],
  shift: [0, 25],
} as const;
export type NumberField = keyof typeof RANGES;
export type DraftError = NumberField | 'roi' | 'reviewOrder';

export function rangeOf(field: NumberField): readonly [low: number, high: number] {
  return RANGES[field];
}

/** What is wrong with a draft; nothing when it can be sent. Fields that are not used are not looked at. */
export function errorsOf(draft: OptionsDraft, update: boolean): readonly DraftError[] {
  const used: Partial<Record<NumberField, number>> = {
    falseReject: draft.falseReject,
    review: draft.review,
    miss: draft.miss,
  };
  if (!update && draft.useTiles) {
    Object.assign(used, { columns: draft.tiles.columns, rows: draft.tiles.rows, overlap: draft.tiles.overlap });
  }
  if (!update && draft.usePosition) used.reach = draft.reach;
  if (!update && draft.variants === 'own') {
    Object.assign(used, { rotation: draft.rotation, light: draft.light, shift: draft.shift });
  }
  const outside = (Object.keys(used) as NumberField[]).filter((field) => {
    const [low, high] = RANGES[field];
    const value = used[field];
    const takesFractions = field !== 'columns' && field !== 'rows';
    return !(typeof value === 'number' && value >= low && value <= high && (takesFractions || Number.isInteger(value)));
  });
  return [
    ...outside,
    ...(draft.review < draft.falseReject ? (['reviewOrder'] as const) : []),
    ...(!update && draft.useRoi && !isInside(draft.roi) ? (['roi'] as const) : []),
  ];
}

function isInside({ x, y, width, height }: Box): boolean {
  return x >= 0 && y >= 0 && width >= 2 && height >= 2 && x + width <= 100 && y + height <= 100;
}

/** What differs from the defaults; undefined when nothing does. */
export function optionsOf(draft: OptionsDraft, update: boolean): TrainingOptions | undefined {
  const plain = defaultDraft();
  const share = (percent: number): number => Number((percent / 100).toFixed(6));
  const options: TrainingOptions = {
    ...(draft.falseReject !== plain.falseReject && { falseRejectRate: share(draft.falseReject) }),
    ...(draft.review !== plain.review && { reviewRate: share(draft.review) }),
    ...(draft.miss !== plain.miss && { missRate: share(draft.miss) }),
    ...(draft.defectFolder.trim() !== '' && { defectFolder: draft.defectFolder.trim() }),
    ...(draft.keepSuspects && { keepSuspects: true }),
    ...(update ? { update: true } : recipeOf(draft, plain, share)),
  };
  return Object.keys(options).length > 0 ? options : undefined;
}

function recipeOf(draft: OptionsDraft, plain: OptionsDraft, share: (percent: number) => number): TrainingOptions {
  const { side, mode, roi, tiles } = draft;
  return {
    ...((side !== plain.side || mode !== plain.mode) && { input: { width: side, height: side, mode } }),
    ...(draft.useRoi && {
      roi: { x: share(roi.x), y: share(roi.y), width: share(roi.width), height: share(roi.height) },
    }),
    ...(draft.mask.trim() !== '' && { mask: draft.mask.trim() }),
    ...(draft.useTiles && { tiles: { ...tiles, overlap: share(tiles.overlap) } }),
    ...(draft.usePosition && { position: { reach: share(draft.reach) } }),
    ...(draft.variants === 'none' && { augmentation: null }),
    ...(draft.variants === 'own' && {
      augmentation: {
        flip: draft.flip,
        rotation: draft.rotation,
        light: share(draft.light),
        shift: share(draft.shift),
      },
    }),
    ...(draft.quantise && { quantise: true }),
  };
}
