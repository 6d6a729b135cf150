import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type ModelKind, makeFolder, sha256Of, syncFolder, writeDurably } from '../domain';
import { ModelExists, ModelInvalid, NoRoom } from './errors';
import { FIRST_FORMAT } from './first-format';
import { NEWEST_FORMAT } from './formats';
import {
  filesNeeded,
  MANIFEST_FILE,
  type ManifestOf,
  type ModelManifest,
  parseManifest,
  type UnsealedManifest,
} from './manifest';
import { isInside, SEAL_FILE } from './package-paths';

/**
 * Writes a package: everything goes into a hidden folder beside `folder`, is flushed to disk and then renamed, so that
 * the package is there as a whole or not at all.
 *
 * @param folder final place; it must not exist, or be an empty folder
 * @param files  path inside the package (forward slashes) to content
 * @param verify called with the finished hidden folder before the rename; when it throws, nothing stays behind
 * @returns the manifest as written, with hashes and sizes
 * @throws {ModelExists} when something is at `folder`
 * @throws {NoRoom} when the disk is full; nothing stays behind
 */
export async function writePackage<Manifest extends UnsealedManifest>(
  folder: string,
  manifest: Manifest,
  files: Readonly<Record<string, Uint8Array>>,
  verify?: (folder: string) => Promise<void>,
): Promise<Manifest & Pick<ModelManifest, 'files'>> {
  const target = resolve(folder);
  await assertFree(target);
  const partial = await makePartial(dirname(target));
  try {
    const entries: Record<string, { sha256: string; bytes: number }> = {};
    for (const [path, content] of Object.entries(files)) {
      if (!isInside(path)) throw new RangeError(`${path} is no path inside a package`);
      const place = join(partial, path);
      await makeFolder(dirname(place));
      await writeDurably(place, content);
      entries[path] = { sha256: sha256Of(content), bytes: content.length };
    }
    const sealed = { ...manifest, files: entries };
    await writeManifest(partial, sealed);
    await verify?.(partial);
    await placePackage(partial, target);
    return sealed;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOSPC' || code === 'EDQUOT' ? new NoRoom(dirname(target), error) : error;
  }
}

/** Makes the hidden folder in which a package is put together, beside its final place or in a folder of the same disk. */
export async function makePartial(parent: string): Promise<string> {
  const partial = join(parent, `.${randomBytes(6).toString('hex')}.partial`);
  await makeFolder(partial);
  return partial;
}

/** Writes the manifest and its seal, durably. @throws {Error} when it is no manifest */
export async function writeManifest(folder: string, manifest: ModelManifest): Promise<void> {
  const text = JSON.stringify(manifest, null, 2);
  parseManifest(text);
  await writeManifestText(folder, Buffer.from(`${text}\n`));
}

/** Writes a manifest byte by byte as given, and its seal, durably. */
export async function writeManifestText(folder: string, text: Buffer): Promise<void> {
  await writeDurably(join(folder, MANIFEST_FILE), text);
  await writeDurably(join(folder, SEAL_FILE), Buffer.from(sealOf(text)));
}

/** Gives a package that is in no place yet another version number. */
export async function renumberPackage(folder: string, version: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')) as object;
  await writeManifestText(folder, Buffer.from(`${JSON.stringify({ ...manifest, version }, null, 2)}\n`));
}

/**
 * Moves a finished hidden folder to its place, in one step that survives a power cut.
 *
 * @throws {ModelExists} when something is there
 */
export async function placePackage(partial: string, target: string): Promise<void> {
  await assertFree(target);
  await rmdir(target).catch(() => undefined);
  await rename(partial, target).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOTEMPTY' || error.code === 'EEXIST' ? new ModelExists(target) : error;
  });
  const parent = dirname(target);
  // the folder of the model may be new, too
  for (const above of [parent, dirname(parent)]) await syncFolder(above);
}

/**
 * The manifest of a package, compared with its seal. Looks at no other file.
 *
 * @param kind the kind of model that is wanted; any unless told
 * @throws {ModelInvalid} when there is none, or it is damaged, altered, of another kind or from a newer release
 */
export async function readManifest(folder: string): Promise<ModelManifest>;
export async function readManifest<Kind extends ModelKind>(folder: string, kind: Kind): Promise<ManifestOf<Kind>>;
export async function readManifest(folder: string, kind?: ModelKind): Promise<ModelManifest> {
  let text: Buffer;
  try {
    text = await readFile(join(folder, MANIFEST_FILE));
  } catch (error) {
    const missing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw new ModelInvalid(folder, missing ? `there is no ${MANIFEST_FILE}` : String(error), error);
  }
  let manifest: ModelManifest;
  try {
    manifest = parseManifest(text.toString('utf8'));
  } catch (error) {
    const format = formatOf(text);
    const problem =
      format !== null && format > NEWEST_FORMAT
        ? `it was made by a newer version of this package (format ${format}; this one reads up to ${NEWEST_FORMAT})`
        : `${MANIFEST_FILE} is damaged (${(error as Error).message.replace(/\s+/g, ' ')})`;
    throw new ModelInvalid(folder, problem, error);
  }
  await checkSeal(folder, text);
  if (kind !== undefined && manifest.kind !== kind) {
    throw new ModelInvalid(folder, `it is a model of kind ${manifest.kind}, and one of kind ${kind} is needed here`);
  }
  return manifest;
}

/** The number of the format that a manifest claims; null when it claims none. */
export function formatOf(text: Buffer): number | null {
  try {
    const { format } = JSON.parse(text.toString('utf8')) as { format?: unknown };
    return typeof format === 'number' && Number.isInteger(format) && format > 0 ? format : null;
  } catch {
    return null;
  }
}

function sealOf(manifest: Buffer): string {
  return `${sha256Of(manifest)}  ${MANIFEST_FILE}\n`;
}

/** @throws {ModelInvalid} when the manifest is not the one that was written */
async function checkSeal(folder: string, text: Buffer): Promise<void> {
  const seal = await readFile(join(folder, SEAL_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new ModelInvalid(folder, `${SEAL_FILE} cannot be read (${error.message})`, error);
  });
  if (seal === null) {
    // packages of the first format were written without one
    if (formatOf(text) !== FIRST_FORMAT) throw new ModelInvalid(folder, `${SEAL_FILE} is missing`);
  } else if (seal !== sealOf(text)) {
    throw new ModelInvalid(folder, `${MANIFEST_FILE} or ${SEAL_FILE} was changed`);
  }
}

/**
 * Compares size and SHA-256 of every file with the manifest.
 *
 * @param kind the kind of model that is wanted; any unless told
 * @throws {ModelInvalid} naming the first file that is missing or was changed by as little as a bit
 */
export async function verifyFiles(folder: string): Promise<ModelManifest>;
export async function verifyFiles<Kind extends ModelKind>(folder: string, kind: Kind): Promise<ManifestOf<Kind>>;
export async function verifyFiles(folder: string, kind?: ModelKind): Promise<ModelManifest> {
  const manifest = await (kind === undefined ? readManifest(folder) : readManifest(folder, kind));
  for (const path of filesNeeded(manifest)) {
    if (!Object.hasOwn(manifest.files, path)) {
      throw new ModelInvalid(folder, `${path} is not listed in ${MANIFEST_FILE}`);
    }
  }
  for (const [path, expected] of Object.entries(manifest.files)) {
    if (!isInside(path)) throw new ModelInvalid(folder, `${path} leaves the package`);
    const place = join(folder, path);
    const bytes = await stat(place).then(
      (facts) => facts.size,
      () => null,
    );
    if (bytes === null) throw new ModelInvalid(folder, `${path} is missing`);
    if (bytes !== expected.bytes) throw new ModelInvalid(folder, `${path} has ${bytes} bytes, not ${expected.bytes}`);
    if ((await sha256OfFile(place)) !== expected.sha256) throw new ModelInvalid(folder, `${path} was changed`);
  }
  return manifest;
}

/** A file of a package. @throws {ModelInvalid} when it cannot be read */
export async function readPackageFile(folder: string, path: string): Promise<Buffer> {
  return readFile(join(folder, path)).catch((error: Error) => {
    throw new ModelInvalid(folder, `${path} cannot be read (${error.message})`, error);
  });
}

/** Versions of a model, oldest first. Folders that are no finished package are left out. */
export async function listVersions(modelsFolder: string, name: string): Promise<string[]> {
  const folder = join(modelsFolder, name);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const versions: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const finished = await access(join(folder, entry.name, MANIFEST_FILE), constants.R_OK).then(
      () => true,
      () => false,
    );
    if (finished) versions.push(entry.name);
  }
  return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The version after the highest number among all folders of the model, `1` for the first. */
export async function nextVersion(modelsFolder: string, name: string): Promise<string> {
  const entries = await readdir(join(modelsFolder, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const numbers = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  return String(Math.max(0, ...numbers) + 1);
}

/** Bytes of all files of a package, by its manifest, the manifest itself not counted. */
export function folderBytes(manifest: ModelManifest): number {
  return Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
}

/** Hex SHA-256 of a file, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * Checks before long work that a package can be written to `folder` at its end.
 *
 * @throws {ModelExists} when something is there
 */
export async function assertFree(folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length > 0) throw new ModelExists(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOTDIR') throw new ModelExists(folder);
    if (code !== 'ENOENT') throw error;
  }
}
