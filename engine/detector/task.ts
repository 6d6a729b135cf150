import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DetectionThresholds, ModelReference } from '../domain';
import type { TaskContext } from '../inference';
import { MANIFEST_FILE, ModelInvalid } from '../packages';
import type { DetectionResult, DetectOptions } from './detect';
import { DetectorModel } from './detector-model';
import type { DetectorDescription } from './layout';
import { type DetectorSource, fileKey } from './source';

/** What `detector/load` answers. */
export interface LoadedDetector {
  readonly model: ModelReference;
  readonly description: DetectorDescription;
  /** Those that hold where a request names none. */
  readonly thresholds: DetectionThresholds;
}

type DetectRequest = DetectorSource & { readonly picture: Uint8Array; readonly options?: DetectOptions };

/** Weights are unpacked and prepacked when a session opens: about this many times the file's size in memory. */
const MEMORY_FACTOR = 3;
/** Values between the layers, for each pixel of the input. */
const BYTES_PER_PIXEL = 300;

/** Handlers for the compute child. Each takes a model package (`folder`) or a bare ONNX file (`file`). */
export const tasks = {
  /** Loads a detector, checks a package's files and golden pictures, so that the first part does not wait for that. */
  'detector/load': async (source: DetectorSource, context: TaskContext): Promise<LoadedDetector> => {
    const { model, description, defaults } = await acquire(source, context);
    return { model, description, thresholds: defaults.thresholds };
  },
  'detector/detect': async (
    { picture, options = {}, ...source }: DetectRequest,
    context: TaskContext,
  ): Promise<DetectionResult> => {
    const model = await acquire(source, context);
    return model.detect(Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength), options);
  },
};

async function acquire(source: DetectorSource, { sessions, threads, signal }: TaskContext): Promise<DetectorModel> {
  const key = 'folder' in source ? await folderKey(source.folder) : await fileKey(source.file);
  const model = await sessions.acquire(`detector ${key}`, async () => {
    const value = await DetectorModel.open(source, { threads });
    const { width, height } = value.inputSize;
    const bytes = value.fileBytes * MEMORY_FACTOR + width * height * BYTES_PER_PIXEL;
    return { value, bytes, dispose: () => value.dispose() };
  });
  signal.throwIfAborted();
  return model;
}

/** Names the package, not only its place: a removed version's number may be given again. */
async function folderKey(folder: string): Promise<string> {
  const facts = await stat(join(folder, MANIFEST_FILE)).catch((error: Error) => {
    throw new ModelInvalid(folder, `there is no ${MANIFEST_FILE}`, error);
  });
  return `${resolve(folder)} ${facts.ino} ${facts.mtimeMs}`;
}
