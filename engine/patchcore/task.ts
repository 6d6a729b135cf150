import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { TaskContext } from '../inference';
import { MANIFEST_FILE, ModelInvalid, type ModelManifest, verifyFiles } from '../packages';
import {
  type AnomalyResult,
  closeHeads,
  type LoadedHeads,
  type LoadedParts,
  openBackbone,
  openHeads,
  scorePicture,
  verifyGolden,
} from './model';

interface CachedHeads extends LoadedHeads {
  goldenVerified: boolean;
}

/** Weights are unpacked and prepacked when a session opens: about this many times the file's size in memory. */
const MEMORY_FACTOR = 3;

/** Handlers for the compute child. */
export const tasks = {
  /** Loads a model, checks its files and its golden scores, so that the first part does not wait for that. */
  'patchcore/load': async ({ folder }: { folder: string }, context: TaskContext): Promise<ModelManifest> =>
    (await acquire(folder, context)).manifest,
  'patchcore/score': async (
    { folder, picture, map = true }: { folder: string; picture: Uint8Array; map?: boolean },
    context: TaskContext,
  ): Promise<AnomalyResult> => {
    const parts = await acquire(folder, context);
    const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength);
    return scorePicture(parts, bytes, { map });
  },
};

/** The backbone is shared by all models that name the same one; each model adds only its head. */
async function acquire(folder: string, { sessions, threads, signal }: TaskContext): Promise<LoadedParts> {
  const cached = await sessions.acquire(await keyOf(folder), async () => {
    const manifest = await verifyFiles(folder);
    const heads = await openHeads(folder, manifest, threads);
    const value: CachedHeads = { ...heads, goldenVerified: false };
    const bytes = manifest.bank.heads.reduce((sum, file) => sum + (file === null ? 0 : manifest.files[file].bytes), 0);
    return { value, bytes: bytes * MEMORY_FACTOR, dispose: () => closeHeads(heads) };
  });
  signal.throwIfAborted();
  const { manifest, heads, mask } = cached;
  const backbone = await sessions.acquire(`backbone ${manifest.backbone.sha256}`, async () => {
    const value = await openBackbone(folder, manifest, threads);
    return { value, bytes: value.fileBytes * MEMORY_FACTOR, dispose: () => value.close() };
  });
  signal.throwIfAborted();
  const parts = { manifest, backbone, heads, mask };
  if (!cached.goldenVerified) {
    await verifyGolden(folder, parts);
    cached.goldenVerified = true;
  }
  return parts;
}

/** Names the package, not only its place: a removed version's number may be given again. */
async function keyOf(folder: string): Promise<string> {
  const facts = await stat(join(folder, MANIFEST_FILE)).catch((error: Error) => {
    throw new ModelInvalid(folder, `there is no ${MANIFEST_FILE}`, error);
  });
  return `patchcore ${resolve(folder)} ${facts.ino} ${facts.mtimeMs}`;
}
