import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DetectorModel, readDetectorFile, STARTER_DETECTOR } from '../engine/detector';

/** How a detector is named on the command line. */
const STARTER = 'starter';

/**
 * The detector that `--model` names: an ONNX file, a model package, or `starter`.
 *
 * @throws {DetectorNotFound} @throws {DetectorUnsupported}
 */
export async function openDetector(given: string): Promise<DetectorModel> {
  const { path, isFolder } = await placeOf(given);
  return DetectorModel.open(isFolder ? { folder: path } : { file: path }, { threads: availableParallelism() });
}

/** The ONNX file of that detector. @throws {DetectorNotFound} */
export async function readDetector(given: string): Promise<Uint8Array> {
  const { path, isFolder } = await placeOf(given);
  return (await readDetectorFile(isFolder ? join(path, 'model.onnx') : path)).bytes;
}

async function placeOf(given: string): Promise<{ readonly path: string; readonly isFolder: boolean }> {
  const path = given === STARTER ? STARTER_DETECTOR : given;
  const facts = await stat(path).catch(() => null);
  return { path, isFolder: facts?.isDirectory() ?? false };
}
