import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LoadedSession, TaskContext } from '../inference';
import {
  type AnomalyManifest,
  type BankManifest,
  MANIFEST_FILE,
  ModelInvalid,
  type ReferenceManifest,
  verifyFiles,
} from '../packages';
import type { AnomalyModel } from './anomaly-model';
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
import { type NearestGood, nearestGood } from './nearest';
import { ReferenceModel } from './reference';

type Cached = CachedHeads | CachedComparer;

interface CachedHeads extends LoadedHeads {
  readonly method: 'bank';
  goldenVerified: boolean;
}

interface CachedComparer {
  readonly method: 'reference';
  readonly model: ReferenceModel;
}

type ScoreRequest = {
  readonly folder: string;
  readonly picture: Uint8Array;
  /** The golden picture of this part; a bank needs none. */
  readonly reference?: Uint8Array;
  readonly map?: boolean;
};

/** Weights are unpacked and prepacked when a session opens: about this many times the file's size in memory. */
const MEMORY_FACTOR = 3;
/** A comparison holds about this many bytes for each of its pixels: planes of both pictures, and what the graph makes of them. */
const BYTES_PER_PIXEL = 64;

/** Handlers for the compute child. */
export const tasks = {
  /** Loads a model, checks its files and its golden scores, so that the first part does not wait for that. */
  'patchcore/load': async ({ folder }: { folder: string }, context: TaskContext): Promise<AnomalyManifest> =>
    (await acquire(folder, context)).manifest,
  'patchcore/score': async (
    { folder, picture, reference, map = true }: ScoreRequest,
    context: TaskContext,
  ): Promise<AnomalyResult> => {
    const model = await acquire(folder, context);
    return model.score(bufferOf(picture), { map, ...(reference && { reference: bufferOf(reference) }) });
  },
  /** @returns null when the model does not tell, see `nearestGood` */
  'patchcore/nearest': async (
    { folder, picture }: Pick<ScoreRequest, 'folder' | 'picture'>,
    context: TaskContext,
  ): Promise<NearestGood | null> => {
    const cached = await acquireCached(folder, context);
    if (cached.method === 'reference') return null;
    return nearestGood(folder, await withBackbone(folder, cached, context), bufferOf(picture));
  },
};

async function acquire(folder: string, context: TaskContext): Promise<Omit<AnomalyModel, 'dispose'>> {
  const cached = await acquireCached(folder, context);
  if (cached.method === 'reference') return cached.model;
  const parts = await withBackbone(folder, cached, context);
  return { manifest: cached.manifest, score: (picture, options) => scorePicture(parts, picture, options) };
}

async function acquireCached(folder: string, { sessions, threads, signal }: TaskContext): Promise<Cached> {
  const cached = await sessions.acquire<Cached>(await keyOf(folder), async () => {
    const manifest = await verifyFiles(folder, 'patchcore');
    return manifest.method === 'bank' ? loadHeads(folder, manifest, threads) : loadComparer(folder, manifest, threads);
  });
  signal.throwIfAborted();
  return cached;
}

async function loadComparer(
  folder: string,
  manifest: ReferenceManifest,
  threads: number,
): Promise<LoadedSession<CachedComparer>> {
  const model = await ReferenceModel.open(folder, manifest, threads);
  try {
    await model.verify();
  } catch (error) {
    await model.dispose();
    throw error;
  }
  const { side } = manifest.reference.settings;
  return {
    value: { method: 'reference', model },
    bytes: side * side * BYTES_PER_PIXEL,
    dispose: () => model.dispose(),
  };
}

async function loadHeads(folder: string, manifest: BankManifest, threads: number): Promise<LoadedSession<CachedHeads>> {
  const heads = await openHeads(folder, manifest, threads);
  const bytes = manifest.bank.heads.reduce((sum, file) => sum + (file === null ? 0 : manifest.files[file].bytes), 0);
  return {
    value: { ...heads, method: 'bank', goldenVerified: false },
    bytes: bytes * MEMORY_FACTOR,
    dispose: () => closeHeads(heads),
  };
}

/** The backbone is shared by all models that name the same one; each model adds only its head. */
async function withBackbone(
  folder: string,
  cached: CachedHeads,
  { sessions, threads, signal }: TaskContext,
): Promise<LoadedParts> {
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

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Names the package, not only its place: a removed version's number may be given again. */
async function keyOf(folder: string): Promise<string> {
  const facts = await stat(join(folder, MANIFEST_FILE)).catch((error: Error) => {
    throw new ModelInvalid(folder, `there is no ${MANIFEST_FILE}`, error);
  });
  return `patchcore ${resolve(folder)} ${facts.ino} ${facts.mtimeMs}`;
}
