import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeDurably } from '../../domain';

/** Where a training stands: plain facts, and arrays of numbers by name. */
export interface Checkpoint<Facts = unknown> {
  /** Anything JSON can hold. */
  readonly facts: Facts;
  readonly arrays: Readonly<Record<string, Float32Array>>;
}

interface Header {
  readonly facts: unknown;
  readonly arrays: readonly { readonly name: string; readonly length: number }[];
  readonly sha256: string;
}

const FILE = 'checkpoint.bin';
/** Bytes before the header that tell its length. */
const PREFIX = 4;

/** Writes where a training stands, in place of what was written before. The folder is made when it is not there. */
export async function saveCheckpoint(folder: string, { facts, arrays }: Checkpoint): Promise<void> {
  const entries = Object.entries(arrays);
  const body = Buffer.concat(
    entries.map(([, { buffer, byteOffset, byteLength }]) => Buffer.from(buffer, byteOffset, byteLength)),
  );
  const header: Header = {
    facts,
    arrays: entries.map(([name, { length }]) => ({ name, length })),
    sha256: hashOf(facts, body),
  };
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32LE(text.length);
  await makeFolder(folder);
  await writeDurably(join(folder, FILE), Buffer.concat([prefix, text, body]));
}

/** What was written last; null when there is nothing, or it is damaged, so that the training begins anew. */
export async function readCheckpoint<Facts = unknown>(folder: string): Promise<Checkpoint<Facts> | null> {
  const bytes = await readFile(join(folder, FILE)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return bytes && (parsed(bytes) as Checkpoint<Facts> | null);
}

function parsed(bytes: Buffer): Checkpoint | null {
  if (bytes.length < PREFIX) return null;
  const start = PREFIX + bytes.readUInt32LE();
  const header = headerOf(bytes.subarray(PREFIX, start));
  const body = bytes.subarray(start);
  if (header === null || hashOf(header.facts, body) !== header.sha256) return null;
  const arrays: Record<string, Float32Array> = {};
  let place = 0;
  for (const { name, length } of header.arrays) {
    // A copy: the numbers of a file need not lie where numbers of four bytes may.
    arrays[name] = new Float32Array(new Uint8Array(body.subarray(place, place + 4 * length)).buffer);
    place += 4 * length;
  }
  return place === body.length ? { facts: header.facts, arrays } : null;
}

function headerOf(bytes: Buffer): Header | null {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

function hashOf(facts: unknown, body: Buffer): string {
  return createHash('sha256').update(JSON.stringify(facts)).update(body).digest('hex');
}
