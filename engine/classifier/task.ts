import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { TaskContext } from '../inference';
import { type ClassifierManifest, MANIFEST_FILE, ModelInvalid } from '../packages';
import { type ClassificationResult, classifyPicture, type LoadedClassifier, openClassifier } from './classifier-model';

/** Weights are unpacked and prepacked when a session opens: about this many times the file's size in memory. */
const MEMORY_FACTOR = 3;

/** Handlers for the compute child. */
export const tasks = {
  /** Loads a model, checks its files and its golden pictures, so that the first part does not wait for that. */
  'classifier/load': async ({ folder }: { folder: string }, context: TaskContext): Promise<ClassifierManifest> =>
    (await acquire(folder, context)).manifest,
  'classifier/classify': async (
    { folder, picture }: { folder: string; picture: Uint8Array },
    context: TaskContext,
  ): Promise<ClassificationResult> => {
    const loaded = await acquire(folder, context);
    return classifyPicture(loaded, Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength));
  },
};

async function acquire(folder: string, { sessions, threads, signal }: TaskContext): Promise<LoadedClassifier> {
  const loaded = await sessions.acquire<LoadedClassifier>(await keyOf(folder), async () => {
    const value = await openClassifier(folder, { threads });
    return { value, bytes: value.session.fileBytes * MEMORY_FACTOR, dispose: () => value.session.close() };
  });
  signal.throwIfAborted();
  return loaded;
}

/** Names the package, not only its place: a removed version's number may be given again. */
async function keyOf(folder: string): Promise<string> {
  const facts = await stat(join(folder, MANIFEST_FILE)).catch((error: Error) => {
    throw new ModelInvalid(folder, `there is no ${MANIFEST_FILE}`, error);
  });
  return `classifier ${resolve(folder)} ${facts.ino} ${facts.mtimeMs}`;
}
