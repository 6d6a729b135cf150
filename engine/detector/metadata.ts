import { metadataProps, type OnnxModel } from '../onnx';
import { DetectorUnsupported } from './errors';
import { isMap, type PythonValue, parsePython } from './python-literal';

/** What a detector's `metadata_props` tell; null for what is not told. */
export interface DetectorMetadata {
  /** Class names by number. */
  readonly names: readonly string[] | null;
  /** Input pixels that one cell of the coarsest level spans. */
  readonly stride: number | null;
  /** Input size it was exported for. */
  readonly imageSize: { readonly width: number; readonly height: number } | null;
  /** `detect`, `segment`, `pose`, ... */
  readonly task: string | null;
  /** Whether its output is final: one row a detection, none of them doubled. */
  readonly endToEnd: boolean | null;
}

/**
 * Reads the metadata that Ultralytics' exporter writes. What is missing or cannot be read is null; only names that are
 * there and make no sense are refused, because boxes would get wrong labels.
 *
 * @throws {DetectorUnsupported} when `names` are no literal or not numbered from 0 without gaps
 */
export function detectorMetadata(model: OnnxModel): DetectorMetadata {
  const props = metadataProps(model);
  const read = (key: string): PythonValue | undefined => {
    if (!Object.hasOwn(props, key)) return undefined;
    try {
      return parsePython(props[key]);
    } catch {
      return undefined;
    }
  };
  const stride = read('stride');
  return {
    names: Object.hasOwn(props, 'names') ? namesOf(props.names) : null,
    stride: isSize(stride) ? stride : null,
    imageSize: sizeOf(read('imgsz')),
    task: props.task ?? null,
    endToEnd: endToEnd(read('end2end'), read('args')),
  };
}

function namesOf(text: string): readonly string[] {
  const names = literal(text);
  const entries = isMap(names) ? [...names] : Array.isArray(names) ? [...names.entries()] : null;
  if (entries === null || entries.length === 0) throw new DetectorUnsupported('the names in its metadata are no list');
  const result: string[] = [];
  for (const [number, name] of entries) {
    const isNew = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < entries.length;
    if (!isNew || (typeof name !== 'string' && typeof name !== 'number')) {
      throw new DetectorUnsupported('the names in its metadata are not numbered from 0 without gaps');
    }
    result[number] = String(name);
  }
  return result;
}

function literal(text: string): PythonValue {
  try {
    return parsePython(text);
  } catch (error) {
    throw new DetectorUnsupported(`the names in its metadata cannot be read: ${(error as Error).message}`, error);
  }
}

/** A side, or height and width. */
function sizeOf(value: PythonValue | undefined): DetectorMetadata['imageSize'] {
  if (isSize(value)) return { width: value, height: value };
  if (!Array.isArray(value)) return null;
  const [height, width = height] = value as readonly PythonValue[];
  return isSize(height) && isSize(width) ? { width, height } : null;
}

function isSize(value: PythonValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

/** Told directly, or by the export argument that puts the suppression of doubles into the graph. */
function endToEnd(told: PythonValue | undefined, args: PythonValue | undefined): boolean | null {
  if (args !== undefined && isMap(args) && args.get('nms') === true) return true;
  return typeof told === 'boolean' ? told : null;
}
