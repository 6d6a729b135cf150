import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { ByteReader } from './byte-reader';
import { ArchiveInvalid } from './errors';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a stream in chunks, each with a tag of its own (AES-256-GCM). A nonce is the chunk's number and, in its last
 * byte, whether the chunk is the last one: chunks cannot be changed, swapped, left out, repeated or cut off unseen.
 *
 * @param key   32 bytes, used for this stream only
 * @param chunk bytes of plain text in each chunk but the last
 * @see Hoang, Reyhanitabar, Rogaway, Vizár 2015, "Online Authenticated-Encryption and its Nonce-Reuse
 *   Misuse-Resistance", the STREAM construction
 */
export async function* encryptChunks(plain: ByteReader, key: Buffer, chunk: number): AsyncGenerator<Buffer> {
  for (let number = 0, isLast = false; !isLast; number += 1) {
    const text = await plain.read(chunk);
    isLast = await plain.isAtEnd();
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, isLast));
    yield Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * Undoes `encryptChunks`; gives nothing that was not checked.
 *
 * @throws {ArchiveInvalid} at the first chunk that is not the one that was written there
 */
export async function* decryptChunks(sealed: ByteReader, key: Buffer, chunk: number): AsyncGenerator<Buffer> {
  for (let number = 0, isLast = false; !isLast; number += 1) {
    const bytes = await sealed.read(chunk + TAG_BYTES);
    isLast = await sealed.isAtEnd();
    yield decrypt(bytes, key, nonceOf(number, isLast));
  }
}

function decrypt(bytes: Buffer, key: Buffer, nonce: Buffer): Buffer {
  const place = Math.max(0, bytes.length - TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(place));
    return Buffer.concat([decipher.update(bytes.subarray(0, place)), decipher.final()]);
  } catch (error) {
    throw new ArchiveInvalid('it was altered or cut off after it was encrypted', error);
  }
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUIntBE(number, NONCE_BYTES - 7, 6);
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}
