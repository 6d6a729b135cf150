import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isName, makeFolder, modelOfName, sha256Of, syncFolder } from '../domain';
import { archiveOf, type UnpackOptions, unpackArchive } from './archive';
import { ArchiveInvalid, FileExists, ModelExists, NoRoom } from './errors';
import type { ModelManifest } from './manifest';
import type { ModelKey } from './model-key';
import { assertFree, nextVersion, placePackage, readManifest, writeManifestText } from './package';

export interface Exported {
  readonly manifest: ModelManifest;
  /** Bytes of the archive. */
  readonly bytes: number;
}

/**
 * Writes a package into one file, which is there as a whole or not at all.
 *
 * @param key encrypts it
 * @throws {ModelInvalid} when the package is damaged
 * @throws {FileExists} @throws {NoRoom}
 */
export async function exportPackage(
  folder: string,
  path: string,
  { key = null, signal }: { readonly key?: ModelKey | null; readonly signal?: AbortSignal } = {},
): Promise<Exported> {
  const target = resolve(path);
  await assertNoFile(target);
  const archive = await archiveOf(folder, key);
  const parent = dirname(target);
  await makeFolder(parent);
  const partial = join(parent, `.${randomBytes(6).toString('hex')}.partial`);
  let bytes = 0;
  try {
    const file = await open(partial, 'wx');
    try {
      for await (const chunk of archive.content()) {
        signal?.throwIfAborted();
        await file.writeFile(chunk);
        bytes += chunk.length;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await assertNoFile(target);
    await rename(partial, target);
    await syncFolder(parent);
    return { manifest: archive.manifest, bytes };
  } catch (error) {
    await rm(partial, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOSPC' || code === 'EDQUOT' ? new NoRoom(parent, error) : error;
  }
}

export interface ImportOptions extends UnpackOptions {
  /** Called with the finished hidden folder; when it throws, nothing is imported. */
  readonly check?: (folder: string) => Promise<void>;
}

/** The bytes of a file, to be unpacked. It is opened when the first of them is asked for. */
export async function* fileSource(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path) as AsyncIterable<Buffer>;
}

/**
 * Unpacks an archive to a folder, byte for byte what was exported.
 *
 * @throws {ModelExists} when something is there
 * @throws what `unpackArchive` throws; nothing stays behind then
 */
export async function importPackage(
  source: AsyncIterable<Uint8Array>,
  folder: string,
  options: ImportOptions = {},
): Promise<ModelManifest> {
  const target = resolve(folder);
  await assertFree(target);
  const unpacked = await unpackArchive(source, dirname(target), options);
  return keepOrRemove(unpacked.folder, async () => {
    await options.check?.(unpacked.folder);
    await placePackage(unpacked.folder, target);
    return unpacked.manifest;
  });
}

/**
 * Unpacks an archive as the next version of its model among the models of a station. The manifest gets that number, no
 * parent (versions are counted on each station by itself) and, as `origin`, what it was called before and the hash of
 * its manifest then; everything else stays byte for byte.
 *
 * @param modelsFolder `<data>/models`
 * @throws what `unpackArchive` throws; nothing stays behind then
 */
export async function importVersion(
  source: AsyncIterable<Uint8Array>,
  modelsFolder: string,
  options: ImportOptions = {},
): Promise<ModelManifest> {
  const { manifest, text, folder } = await unpackArchive(source, modelsFolder, options);
  return keepOrRemove(folder, async () => {
    const { name, version } = manifest;
    for (const part of [name, manifest.partType]) {
      if (!isName(part)) throw new ArchiveInvalid(`${JSON.stringify(part)} cannot be the name of a model`);
    }
    if (modelOfName(name).kind !== manifest.kind) {
      throw new ArchiveInvalid(`a model of kind ${manifest.kind} cannot have the name ${name}`);
    }
    await options.check?.(folder);
    await makeFolder(join(modelsFolder, name));
    for (;;) {
      const next = await nextVersion(modelsFolder, name);
      const origin = { name, version, sha256: sha256Of(text) };
      const adopted = { ...(JSON.parse(text.toString('utf8')) as object), version: next, parent: null, origin };
      await writeManifestText(folder, Buffer.from(`${JSON.stringify(adopted, null, 2)}\n`));
      try {
        await placePackage(folder, join(modelsFolder, name, next));
        return await readManifest(join(modelsFolder, name, next));
      } catch (error) {
        // another process took the number in the meantime
        if (!(error instanceof ModelExists)) throw error;
      }
    }
  });
}

async function keepOrRemove<Result>(folder: string, keep: () => Promise<Result>): Promise<Result> {
  try {
    return await keep();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function assertNoFile(path: string): Promise<void> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new FileExists(path);
}
