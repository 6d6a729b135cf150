import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type ModelReference, sha256Of } from '../domain';
import { DetectorNotFound } from './errors';
import { STARTER_DETECTOR } from './starter';

/** Where a detector comes from: a model package, or a bare ONNX file. */
export type DetectorSource = { readonly folder: string } | { readonly file: string };

export interface DetectorFile {
  readonly bytes: Uint8Array;
  /** The file's name without its ending, and the beginning of its SHA-256. */
  readonly model: ModelReference;
}

const VERSION_LENGTH = 12;

/** @throws {DetectorNotFound} when there is none, or it cannot be read */
export async function readDetectorFile(file: string): Promise<DetectorFile> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new DetectorNotFound(file, whyUnreadable(error), error);
  });
  return { bytes, model: modelOf(bytes, file) };
}

/** What a network outside of a package is called. */
export function modelOf(bytes: Uint8Array, file: string): ModelReference {
  const name = resolve(file) === STARTER_DETECTOR ? 'starter-detector' : basename(file).replace(/\.onnx$/i, '');
  return { name, version: sha256Of(bytes).slice(0, VERSION_LENGTH) };
}

/** Names a file's content without reading it: another file at its place has another key. */
export async function fileKey(file: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new DetectorNotFound(file, whyUnreadable(error), error);
  });
  return `${resolve(file)} ${ino} ${mtimeMs} ${size}`;
}

function whyUnreadable(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT' ? 'there is no such file' : error.message;
}
