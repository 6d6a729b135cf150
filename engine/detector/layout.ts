import { type OnnxGraph, type OnnxModel, readModel } from '../onnx';
import { DetectorUnsupported } from './errors';
import { detectorMetadata } from './metadata';
import { inputSides, type Sizes, sizesOf, written } from './picture-input';

/**
 * How an output is laid out, cells being the places of all grids:
 * `rows` [1, 4 + classes, cells]; `columns` [1, cells, 4 + classes]; `objectness` [1, 3 * cells, 5 + classes], YOLOv5;
 * `end-to-end` [1, detections, 6], already without doubles. Mask coefficients may follow in each.
 */
export type DetectorLayout = 'rows' | 'columns' | 'end-to-end' | 'objectness';

/** What must be known of a detector to feed it and to read its output. */
export interface DetectorDescription {
  readonly layout: DetectorLayout;
  readonly classes: readonly string[];
  /** Sides in pixels; null where the model takes any multiple of `stride`. */
  readonly input: { readonly name: string; readonly width: number | null; readonly height: number | null };
  /** Sides to use where the input leaves them open. */
  readonly size: { readonly width: number; readonly height: number };
  /** Input pixels that a cell of the coarsest grid spans. */
  readonly stride: number;
  readonly output: string;
  readonly task: 'detect' | 'segment';
  /** Mask coefficients of each box, which are not used. */
  readonly extraMasks: number;
}

const DEFAULT_SIDE = 640;
const DEFAULT_STRIDE = 32;
const MASKS = 32;
/** YOLOv5 gives a box for each of so many anchor shapes a cell. */
const ANCHOR_SHAPES = 3;
const STRIDES = [4, 8, 16, 32, 64, 128];
const LARGEST_SIDE = 4096;

/**
 * Tells how a detector of the YOLO family is fed and read, from the shapes and the metadata in its file.
 *
 * @throws {DetectorUnsupported} when it is another kind of model, or more than one layout fits
 * @throws {OnnxInvalid} when bytes are no ONNX model
 */
export function describeDetector(source: OnnxModel | Uint8Array): DetectorDescription {
  const model = source instanceof Uint8Array ? readModel(source) : source;
  const metadata = detectorMetadata(model);
  const task = metadata.task ?? 'detect';
  if (task !== 'detect' && task !== 'segment') {
    throw new DetectorUnsupported(`its task is "${task}", and only boxes of "detect" and "segment" can be used`);
  }
  const { batch, ...input } = inputSides(model);
  if (batch !== null && batch !== 1) throw new DetectorUnsupported(`it takes ${batch} pictures at once`);
  const size = {
    width: input.width ?? metadata.imageSize?.width ?? DEFAULT_SIDE,
    height: input.height ?? metadata.imageSize?.height ?? DEFAULT_SIDE,
  };
  for (const side of [size.width, size.height]) {
    if (side > LARGEST_SIDE) throw new DetectorUnsupported(`its input has a side of ${side} pixels`);
  }
  const { output, sizes, extraMasks } = outputOf(model.graph as OnnxGraph, task === 'segment');
  const { names, endToEnd } = metadata;
  const cells = input.width === null || input.height === null ? null : cellCounts(input.width, input.height);
  const { layout, count } = layoutOf({ sizes, extraMasks, names, endToEnd, cells });
  const classes = names ?? Array.from({ length: count }, (_, number) => `class${number}`);
  return { layout, classes, input, size, stride: metadata.stride ?? DEFAULT_STRIDE, output, task, extraMasks };
}

/** The output with the boxes; a second one of four dimensions holds what masks are made of. */
function outputOf(graph: OnnxGraph, isSegmenting: boolean): { output: string; sizes: Sizes; extraMasks: number } {
  const outputs = graph.output.map((value) => ({ name: value.name, sizes: sizesOf(value) }));
  const boxes = outputs.filter(({ sizes }) => sizes?.length === 3);
  if (boxes.length !== 1) {
    const all = outputs.map(({ name, sizes }) => `${name} ${written(sizes)}`).join(', ');
    throw new DetectorUnsupported(
      boxes.length === 0
        ? `none of its outputs (${all}) has three dimensions`
        : `more than one of its outputs could be the boxes (${all})`,
    );
  }
  const [{ name, sizes }] = boxes;
  const masks = outputs.find((other) => other.sizes?.length === 4)?.sizes;
  const extraMasks = masks ? (masks[1] ?? MASKS) : isSegmenting ? MASKS : 0;
  return { output: name, sizes: sizes as Sizes, extraMasks };
}

interface Facts {
  readonly sizes: Sizes;
  readonly extraMasks: number;
  readonly names: readonly string[] | null;
  readonly endToEnd: boolean | null;
  /** Cells that a network with this input may have; null where the input's size is open. */
  readonly cells: ReadonlySet<number> | null;
}

/** A layout that fits, and how many classes it would mean. */
interface Fit {
  readonly layout: DetectorLayout;
  readonly count: number;
}

function layoutOf(facts: Facts): Fit {
  const { sizes, names, endToEnd, extraMasks } = facts;
  const [batch, first, second] = sizes;
  const shape = written(sizes);
  if (batch !== null && batch !== 1) throw new DetectorUnsupported(`its output ${shape} is for ${batch} pictures`);
  if (endToEnd === true) return finalRows(facts, shape);
  const fits: Fit[] = [];
  const consider = (
    layout: DetectorLayout,
    channels: number | null,
    before: number,
    places: number | null,
    shapes: number,
  ) => {
    const count = channels === null ? 0 : channels - before - extraMasks;
    const placesFit = places === null || facts.cells === null || facts.cells.has(places / shapes);
    if (count >= 1 && placesFit) fits.push({ layout, count });
  };
  consider('rows', first, 4, second, 1);
  consider('columns', second, 4, first, 1);
  consider('objectness', second, 5, first, ANCHOR_SHAPES);
  if (second === 6 + extraMasks && endToEnd === null) fits.push({ layout: 'end-to-end', count: names?.length ?? 0 });
  const named = names === null ? fits : fits.filter(({ count }) => count === names.length);
  if (named.length === 1) return known(named[0], shape);
  if (named.length > 1) {
    const all = named
      .map(({ layout, count }) => `"${layout}"${count > 0 ? ` with ${count} classes` : ''}`)
      .join(' or ');
    throw new DetectorUnsupported(`its output ${shape} could be ${all}, and its metadata do not tell which`);
  }
  if (fits.length > 0 && names !== null) {
    const counts = [...new Set(fits.map(({ count }) => count))].join(' or ');
    throw new DetectorUnsupported(`its metadata name ${names.length} classes, but its output ${shape} has ${counts}`);
  }
  throw new DetectorUnsupported(`its output ${shape} is none of the layouts known of YOLO detectors`);
}

function finalRows({ sizes, extraMasks, names }: Facts, shape: string): Fit {
  if (sizes[2] !== null && sizes[2] !== 6 + extraMasks) {
    throw new DetectorUnsupported(
      `its metadata say that its output is final, which has ${6 + extraMasks} numbers a detection, but it is ${shape}`,
    );
  }
  return known({ layout: 'end-to-end', count: names?.length ?? 0 }, shape);
}

function known(fit: Fit, shape: string): Fit {
  if (fit.count > 0) return fit;
  throw new DetectorUnsupported(`its output ${shape} does not tell how many classes it knows, nor do its metadata`);
}

/** Cells of networks with two grids or more whose strides follow each other, e.g. 8, 16 and 32. */
function cellCounts(width: number, height: number): ReadonlySet<number> {
  const counts = new Set<number>();
  for (const from of STRIDES.keys()) {
    let sum = cellsOf(width, height, STRIDES[from]);
    for (const stride of STRIDES.slice(from + 1)) {
      sum += cellsOf(width, height, stride);
      counts.add(sum);
    }
  }
  return counts;
}

function cellsOf(width: number, height: number, stride: number): number {
  return Math.ceil(width / stride) * Math.ceil(height / stride);
}
