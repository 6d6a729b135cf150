import { hkdf, scrypt } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { InvalidInput } from '../domain';
import { ArchiveInvalid, ModelKeyInvalid, ModelKeyWrong } from './errors';

const KEY_BYTES = 32;
const PASS_PHRASE_LENGTH = 12;
const KEY_FILE_LIMIT_BYTES = 64 * 1024;
/** Memory scrypt may take at the wish of a file. */
const SCRYPT_LIMIT_BYTES = 256 * 1024 * 1024;
const PURPOSE = 'opti-quality model archive 1';

/** What encrypts model archives: 32 random bytes, or a pass phrase that is stretched to as many. */
export type ModelKey =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'pass-phrase'; readonly text: string };

/**
 * How the key was made from what the user holds, as the header of an archive tells it: from 32 random bytes directly, or
 * from a pass phrase by scrypt with these parameters (RFC 7914).
 */
export const derivation = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('none') }),
  z.strictObject({
    name: z.literal('scrypt'),
    cost: z
      .int()
      .min(2 ** 14)
      .max(2 ** 20),
    blockSize: z.int().min(1).max(32),
    parallelization: z.int().min(1).max(16),
  }),
]);
export type Derivation = Readonly<z.infer<typeof derivation>>;

/** 64 MiB and about 0.3 s on a current core (OWASP's second choice for scrypt). */
const STRETCHING: Derivation = { name: 'scrypt', cost: 2 ** 16, blockSize: 8, parallelization: 2 };

/** Keys of one archive. */
export interface ArchiveKeys {
  /** For AES-256. */
  readonly content: Buffer;
  /** For HMAC-SHA256. */
  readonly header: Buffer;
}

/**
 * Reads a key as people keep it: 64 hex digits, the base64 of 32 bytes (44 characters), or any other text as a pass
 * phrase. White space around it does not count.
 *
 * @throws {ModelKeyInvalid} when it is empty, or a pass phrase shorter than 12 characters
 */
export function readModelKey(text: string): ModelKey {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return { kind: 'bytes', bytes: Buffer.from(trimmed, 'hex') };
  if (/^[A-Za-z0-9+/]{43}=$/.test(trimmed)) return { kind: 'bytes', bytes: Buffer.from(trimmed, 'base64') };
  const phrase = trimmed.normalize('NFC');
  if (phrase === '') throw new ModelKeyInvalid('it is empty');
  if ([...phrase].length < PASS_PHRASE_LENGTH) {
    throw new ModelKeyInvalid(`a pass phrase of ${[...phrase].length} characters is too short`);
  }
  return { kind: 'pass-phrase', text: phrase };
}

/**
 * The key in a text file.
 *
 * @throws {InvalidInput} when the file cannot be read
 * @throws {ModelKeyInvalid}
 */
export async function readModelKeyFile(path: string): Promise<ModelKey> {
  const refuse = (reason: string) => new InvalidInput(`The key file ${path} cannot be read: ${reason}.`, { path });
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code === 'ENOENT' ? 'there is no such file' : error.message);
  });
  if (!facts.isFile() || facts.size > KEY_FILE_LIMIT_BYTES) throw refuse('it is no small text file');
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw refuse(error.message);
  });
  return readModelKey(text);
}

/** Holds a key where no other is given. */
export const MODEL_KEY_VARIABLE = 'OPTI_QUALITY_MODEL_KEY';

/** The key of the environment; null when there is none. @throws {ModelKeyInvalid} */
export function modelKeyOfEnvironment(environment: NodeJS.ProcessEnv = process.env): ModelKey | null {
  const text = environment[MODEL_KEY_VARIABLE]?.trim() ?? '';
  return text === '' ? null : readModelKey(text);
}

/** How a key is derived for a new archive. */
export function derivationFor(key: ModelKey): Derivation {
  return key.kind === 'bytes' ? { name: 'none' } : STRETCHING;
}

/**
 * The keys of one archive: each has its own, because each has its own salt, so that no nonce is ever used twice with
 * the same key (HKDF-SHA256, RFC 5869).
 *
 * @throws {ModelKeyWrong} when the archive needs the other kind of key
 * @throws {ArchiveInvalid} when it asks for more memory than any archive needs
 */
export async function deriveKeys(key: ModelKey, salt: Buffer, how: Derivation): Promise<ArchiveKeys> {
  const secret = await secretOf(key, salt, how);
  const bytes = Buffer.from(await promisify(hkdf)('sha256', secret, salt, PURPOSE, 2 * KEY_BYTES));
  return { content: bytes.subarray(0, KEY_BYTES), header: bytes.subarray(KEY_BYTES) };
}

async function secretOf(key: ModelKey, salt: Buffer, how: Derivation): Promise<Buffer> {
  if (how.name === 'none') {
    if (key.kind === 'bytes') return key.bytes;
    throw new ModelKeyWrong('it was encrypted with a key of 32 bytes, not with a pass phrase');
  }
  if (key.kind === 'bytes') throw new ModelKeyWrong('it was encrypted with a pass phrase, not with a key of 32 bytes');
  const { cost, blockSize, parallelization } = how;
  const memory = 128 * blockSize * (cost + parallelization + 1);
  if ((cost & (cost - 1)) !== 0 || memory > SCRYPT_LIMIT_BYTES) {
    throw new ArchiveInvalid('its header asks for an unreasonable amount of memory');
  }
  return new Promise((resolve, reject) => {
    const options = { cost, blockSize, parallelization, maxmem: SCRYPT_LIMIT_BYTES + 1024 * 1024 };
    scrypt(key.text, salt, KEY_BYTES, options, (error, secret) => (error ? reject(error) : resolve(secret)));
  });
}
