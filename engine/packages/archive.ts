import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder, syncFolder } from '../domain';
import { cutOff, type Opening, readOpening, writeOpening } from './archive-header';
import { ByteReader } from './byte-reader';
import { decryptChunks, encryptChunks } from './encryption';
import { ArchiveInvalid, ArchiveTooLarge, ArchiveTooNew, ModelInvalid, NoRoom } from './errors';
import { NEWEST_FORMAT } from './formats';
import { MANIFEST_FILE, type ModelManifest, parseManifest } from './manifest';
import type { ModelKey } from './model-key';
import { formatOf, makePartial, verifyFiles, writeManifestText } from './package';
import { pathProblem } from './package-paths';

/** Extension of a model archive. */
export const ARCHIVE_EXTENSION = '.opti';

export interface ArchiveLimits {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly files: number;
}

export const defaultArchiveLimits: ArchiveLimits = { bytes: 2 * 1024 ** 3, files: 1000 };

const MANIFEST_LIMIT_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 4;
const DIGEST_BYTES = 32;
const STALE_MS = 24 * 60 * 60 * 1000;

/** A package on its way into one file. */
export interface Archive {
  readonly manifest: ModelManifest;
  /** The archive's bytes, read from the disk as they are asked for. Ends with an error when a file changes meanwhile. */
  content(): AsyncGenerator<Buffer>;
}

/**
 * A package as one file. Its content is the manifest as it stands (with its length before it, 4 bytes big-endian), then
 * the files in the order of their paths, one after another, at the end the SHA-256 over all of the archive before it.
 * Nothing is compressed: weights hardly get smaller, and a file cannot grow when it is opened. Without a key the same
 * version always gives the same bytes.
 *
 * @param key encrypts everything after the header
 * @throws {ModelInvalid} when the package is damaged
 */
export async function archiveOf(folder: string, key: ModelKey | null = null): Promise<Archive> {
  const manifest = await verifyFiles(folder);
  const text = await readFile(join(folder, MANIFEST_FILE));
  const opening = await writeOpening(key);
  return { manifest, content: () => sealed(opening, plainContent(folder, manifest, text, opening.bytes)) };
}

async function* sealed(opening: Opening, plain: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield opening.bytes;
  if (opening.encryption === null) {
    yield* plain;
    return;
  }
  const { key, chunk } = opening.encryption;
  const reader = new ByteReader(plain);
  try {
    yield* encryptChunks(reader, key, chunk);
  } finally {
    await reader.release();
  }
}

async function* plainContent(
  folder: string,
  manifest: ModelManifest,
  text: Buffer,
  before: Buffer,
): AsyncGenerator<Buffer> {
  const digest = createHash('sha256').update(before);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  for (const bytes of [length, text]) {
    digest.update(bytes);
    yield bytes;
  }
  for (const path of orderedPaths(manifest)) {
    const entry = manifest.files[path];
    const hash = createHash('sha256');
    for await (const bytes of createReadStream(join(folder, path)) as AsyncIterable<Buffer>) {
      hash.update(bytes);
      digest.update(bytes);
      yield bytes;
    }
    if (hash.digest('hex') !== entry.sha256) throw new ModelInvalid(folder, `${path} was changed`);
  }
  yield digest.digest();
}

/** By code unit, whatever the order in the manifest or the language of the machine. */
function orderedPaths({ files }: ModelManifest): readonly string[] {
  return Object.keys(files).sort((a, b) => (a < b ? -1 : 1));
}

export interface UnpackOptions {
  /** Needed for an encrypted archive; one that is not encrypted is taken without. */
  readonly key?: ModelKey | null;
  readonly limits?: Partial<ArchiveLimits>;
  readonly signal?: AbortSignal;
}

/** A package out of an archive, complete and checked, not yet at its place. */
export interface Unpacked {
  readonly manifest: ModelManifest;
  /** Its manifest as it stands in the archive. */
  readonly text: Buffer;
  /** Hidden folder inside `parent`. */
  readonly folder: string;
}

/**
 * Unpacks an archive into a hidden folder. Everything is checked: names and sizes before a byte is written, hashes after.
 * When anything is wrong, the source ends too early or the signal comes, nothing stays behind.
 *
 * @param source let go of in every case
 * @param parent folder on the disk of the final place; made when missing
 * @throws {ArchiveInvalid} @throws {ArchiveTooNew} @throws {ArchiveTooLarge}
 * @throws {ModelKeyMissing} @throws {ModelKeyWrong} @throws {NoRoom}
 */
export async function unpackArchive(
  source: AsyncIterable<Uint8Array>,
  parent: string,
  { key = null, limits, signal }: UnpackOptions = {},
): Promise<Unpacked> {
  const allowed = { ...defaultArchiveLimits, ...limits };
  const outer = new ByteReader(interruptible(source, signal));
  let folder: string | null = null;
  try {
    const opening = await readOpening(outer, key);
    const { encryption } = opening;
    const reader = encryption ? new ByteReader(decryptChunks(outer, encryption.key, encryption.chunk)) : outer;
    const digest = createHash('sha256').update(opening.bytes);
    const text = await readManifestText(reader, digest);
    const manifest = manifestOf(text, allowed);
    await removeStale(parent);
    folder = await makePartial(parent);
    await writeManifestText(folder, text);
    for (const path of orderedPaths(manifest)) {
      await writeFile(reader, digest, join(folder, path), manifest.files[path].bytes);
    }
    await checkEnd(reader, digest);
    await syncTree(folder, manifest);
    await verifyFiles(folder).catch((error: ModelInvalid) => {
      throw new ArchiveInvalid(String(error.parameters?.problem ?? error.message), error);
    });
    signal?.throwIfAborted();
    return { manifest, text, folder };
  } catch (error) {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOSPC' || code === 'EDQUOT' ? new NoRoom(parent, error) : error;
  } finally {
    await outer.release();
  }
}

async function* interruptible(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  for await (const chunk of source) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

async function readManifestText(reader: ByteReader, digest: Hash): Promise<Buffer> {
  const length = await reader.read(LENGTH_BYTES);
  if (length.length < LENGTH_BYTES) throw cutOff();
  const bytes = length.readUInt32BE(0);
  if (bytes > MANIFEST_LIMIT_BYTES) throw new ArchiveInvalid('its manifest is damaged');
  const text = await reader.read(bytes);
  if (text.length < bytes) throw cutOff();
  digest.update(length).update(text);
  return text;
}

/** The manifest, if everything it lists may be written. */
function manifestOf(text: Buffer, limits: ArchiveLimits): ModelManifest {
  let manifest: ModelManifest;
  try {
    manifest = parseManifest(text.toString('utf8'));
  } catch (error) {
    const message = (error as Error).message.replace(/\s+/g, ' ');
    const format = formatOf(text);
    if (format !== null && format > NEWEST_FORMAT) throw new ArchiveTooNew('manifest', format);
    throw new ArchiveInvalid(`its ${MANIFEST_FILE} is damaged (${message})`, error);
  }
  const paths = orderedPaths(manifest);
  if (paths.length > limits.files) throw new ArchiveTooLarge(`${paths.length} files`, `${limits.files} files`);
  const problem = pathProblem(paths);
  if (problem !== null) throw new ArchiveInvalid(problem);
  const bytes = paths.reduce((sum, path) => sum + manifest.files[path].bytes, 0);
  if (bytes > limits.bytes) throw new ArchiveTooLarge(mebibytes(bytes), mebibytes(limits.bytes));
  return manifest;
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}

async function writeFile(reader: ByteReader, digest: Hash, path: string, bytes: number): Promise<void> {
  await makeFolder(dirname(path));
  const file = await open(path, 'wx');
  try {
    let missing = bytes;
    for await (const part of reader.stream(bytes)) {
      digest.update(part);
      await file.writeFile(part);
      missing -= part.length;
    }
    if (missing > 0) throw cutOff();
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function checkEnd(reader: ByteReader, digest: Hash): Promise<void> {
  const expected = digest.digest();
  const found = await reader.read(DIGEST_BYTES);
  if (found.length < DIGEST_BYTES) throw cutOff();
  if (!found.equals(expected)) throw new ArchiveInvalid('it was altered after it was exported');
  if (!(await reader.isAtEnd())) throw new ArchiveInvalid('there is more in it than its manifest says');
}

async function syncTree(folder: string, { files }: ModelManifest): Promise<void> {
  const folders = new Set(Object.keys(files).map((path) => dirname(join(folder, path))));
  for (const one of folders) await syncFolder(one);
  await syncFolder(folder);
}

/** Removes what a killed process left of a package more than a day ago. */
async function removeStale(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((candidate) => /^\.[0-9a-f]{12}\.partial$/.test(candidate))) {
    const path = join(parent, name);
    const facts = await stat(path).catch(() => null);
    if (facts && Date.now() - facts.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

/** What an archive of a version is called. */
export function archiveName({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${basename(name)}-${basename(version)}${ARCHIVE_EXTENSION}`;
}
