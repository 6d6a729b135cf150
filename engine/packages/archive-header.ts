import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ByteReader } from './byte-reader';
import { ArchiveInvalid, ArchiveTooNew, ModelKeyMissing, ModelKeyWrong } from './errors';
import { derivation, derivationFor, deriveKeys, type ModelKey } from './model-key';

/** Like PNG's: shows at once when a transfer as text has changed line ends. */
const MAGIC = Buffer.from('\x89OPTI\r\n\x1a', 'latin1');
const FORMAT = 1;
const LENGTH_BYTES = 4;
const HEADER_LIMIT_BYTES = 4096;
const MAC_BYTES = 32;
const SALT_BYTES = 32;
const CHUNK_BYTES = 64 * 1024;

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  encryption: z
    .strictObject({
      cipher: z.literal('aes-256-gcm'),
      /** Bytes of plain text in a chunk. */
      chunk: z
        .int()
        .min(1024)
        .max(1024 * 1024),
      salt: z.string().regex(/^[0-9a-f]{64}$/),
      derivation,
    })
    .nullable(),
});
type Header = Readonly<z.infer<typeof headerSchema>>;

/** The beginning of an archive, and how its content is encrypted. */
export interface Opening {
  /** All bytes before the content. */
  readonly bytes: Buffer;
  /** Null: plain. */
  readonly encryption: { readonly key: Buffer; readonly chunk: number } | null;
}

/** The beginning of a new archive: magic bytes, length of the header, header as JSON; encrypted: HMAC-SHA256 of these. */
export async function writeOpening(key: ModelKey | null): Promise<Opening> {
  if (key === null) return { bytes: encodeHeader({ format: FORMAT, encryption: null }), encryption: null };
  const salt = randomBytes(SALT_BYTES);
  const how = derivationFor(key);
  const keys = await deriveKeys(key, salt, how);
  const encryption = {
    cipher: 'aes-256-gcm',
    chunk: CHUNK_BYTES,
    salt: salt.toString('hex'),
    derivation: how,
  } as const;
  const header = encodeHeader({ format: FORMAT, encryption });
  const bytes = Buffer.concat([header, macOf(header, keys.header)]);
  return { bytes, encryption: { key: keys.content, chunk: CHUNK_BYTES } };
}

/**
 * Reads the beginning of an archive up to its content.
 *
 * @param key null when there is none
 * @throws {ArchiveInvalid} when it is no archive, or a damaged one
 * @throws {ArchiveTooNew}
 * @throws {ModelKeyMissing} @throws {ModelKeyWrong}
 */
export async function readOpening(reader: ByteReader, key: ModelKey | null): Promise<Opening> {
  const start = await reader.read(MAGIC.length + LENGTH_BYTES);
  if (!start.subarray(0, MAGIC.length).equals(MAGIC)) throw new ArchiveInvalid('it is no file made by "models export"');
  if (start.length < MAGIC.length + LENGTH_BYTES) throw cutOff();
  const length = start.readUInt32BE(MAGIC.length);
  if (length > HEADER_LIMIT_BYTES) throw new ArchiveInvalid('its header is damaged');
  const text = await reader.read(length);
  if (text.length < length) throw cutOff();
  const { encryption } = parseHeader(text);
  const header = Buffer.concat([start, text]);
  if (encryption === null) return { bytes: header, encryption: null };

  if (key === null) throw new ModelKeyMissing();
  const mac = await reader.read(MAC_BYTES);
  if (mac.length < MAC_BYTES) throw cutOff();
  const keys = await deriveKeys(key, Buffer.from(encryption.salt, 'hex'), encryption.derivation);
  if (!timingSafeEqual(mac, macOf(header, keys.header))) {
    throw new ModelKeyWrong('the key does not fit, or the beginning of the file was altered');
  }
  return { bytes: Buffer.concat([header, mac]), encryption: { key: keys.content, chunk: encryption.chunk } };
}

export function cutOff(): ArchiveInvalid {
  return new ArchiveInvalid('it ends too early: it was not copied completely');
}

function encodeHeader(header: Header): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  return Buffer.concat([MAGIC, length, text]);
}

function parseHeader(text: Buffer): Header {
  let value: unknown;
  try {
    value = JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw new ArchiveInvalid('its header is damaged', error);
  }
  const { format } = (value ?? {}) as { format?: unknown };
  if (typeof format === 'number' && Number.isInteger(format) && format > FORMAT) {
    throw new ArchiveTooNew('archive', format);
  }
  const result = headerSchema.safeParse(value);
  if (result.success) return result.data;
  throw new ArchiveInvalid('its header is damaged', result.error);
}

function macOf(header: Buffer, key: Buffer): Buffer {
  return createHmac('sha256', key).update(header).digest();
}
