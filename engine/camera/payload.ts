import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultPictureLimits, PictureUnreadable } from '../imaging';
import { PayloadUnusable } from './errors';
import { readPicture } from './folder-files';

/** How the base64 of a JPEG and of a PNG begins. */
const BASE64_PICTURE = /^(\/9j\/|iVBORw0KGgo)/;

/**
 * The encoded picture a message's payload holds or points to. The content is not looked at.
 *
 * @param payload Buffer, Uint8Array, ArrayBuffer, a Buffer that went through JSON, a data URL or bare base64 of a JPEG or PNG, or
 *   the path or file URL of a file
 * @throws {PayloadUnusable} for anything else, an empty payload, a missing file or broken base64
 * @throws {PictureUnreadable} (too-large) above `maxBytes`, 32 MiB by default
 */
export async function payloadToPicture(
  payload: unknown,
  options: { readonly maxBytes?: number } = {},
): Promise<Buffer> {
  const maxBytes = options.maxBytes ?? defaultPictureLimits.maxBytes;
  const picture = typeof payload === 'string' ? await fromText(payload, maxBytes) : fromBytes(payload);
  if (picture.length === 0) throw new PayloadUnusable('msg.payload holds no bytes.');
  if (picture.length > maxBytes) throw new PictureUnreadable('too-large', { bytes: picture.length, limit: maxBytes });
  return picture;
}

function fromBytes(payload: unknown): Buffer {
  if (Buffer.isBuffer(payload)) return payload;
  if (ArrayBuffer.isView(payload)) return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (payload instanceof ArrayBuffer) return Buffer.from(payload);
  if (isBufferJson(payload)) return Buffer.from(payload.data);
  throw new PayloadUnusable(`msg.payload is ${kindOf(payload)}.`);
}

async function fromText(text: string, maxBytes: number): Promise<Buffer> {
  const trimmed = text.trim();
  if (trimmed === '') throw new PayloadUnusable('msg.payload is an empty text.');
  if (trimmed.startsWith('data:')) return fromDataUrl(trimmed);
  if (BASE64_PICTURE.test(trimmed) && trimmed.length > 100) return fromBase64(trimmed, 'The base64 text');
  if (/^https?:/i.test(trimmed)) {
    throw new PayloadUnusable(
      'msg.payload is a web address. Use the HTTP source, or an http request node that returns a Buffer.',
    );
  }
  return fromFile(trimmed.startsWith('file:') ? pathOf(trimmed) : trimmed, maxBytes);
}

function fromDataUrl(text: string): Buffer {
  const comma = text.indexOf(',');
  const head = text.slice(5, comma < 0 ? 5 : comma);
  if (!/^image\/[\w.+-]+;([\w-]+=[^;,]*;)*base64$/i.test(head)) {
    throw new PayloadUnusable(
      `The data URL begins with "data:${(head || text.slice(5)).slice(0, 40)}", not with "data:image/jpeg;base64,".`,
    );
  }
  return fromBase64(text.slice(comma + 1), 'The data URL');
}

function fromBase64(text: string, what: string): Buffer {
  const compact = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact)) throw new PayloadUnusable(`${what} is not valid base64.`);
  return Buffer.from(compact, 'base64');
}

async function fromFile(path: string, maxBytes: number): Promise<Buffer> {
  const shown = path.length > 200 ? `${path.slice(0, 200)}...` : path;
  if (path.includes('\0') || path.length > 4096)
    throw new PayloadUnusable(`msg.payload is a text, but not a path: ${JSON.stringify(shown)}.`);
  const absolute = isAbsolute(path) ? path : resolve(path);
  const picture = await readPicture(dirname(absolute), basename(absolute), maxBytes).catch((error) => {
    if (error instanceof PictureUnreadable) throw error;
    throw new PayloadUnusable(`The file ${shown} cannot be read: ${(error as Error).message}`, error);
  });
  if (!picture) throw new PayloadUnusable(`There is no file ${shown}.`);
  return picture;
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new PayloadUnusable(`${url.slice(0, 200)} is not a valid file URL.`, error);
  }
}

function isBufferJson(payload: unknown): payload is { readonly data: readonly number[] } {
  const { type, data } = (payload ?? {}) as { readonly type?: unknown; readonly data?: unknown };
  return type === 'Buffer' && Array.isArray(data);
}

function kindOf(payload: unknown): string {
  if (payload === undefined) return 'missing';
  if (payload === null) return 'null';
  if (Array.isArray(payload)) return 'an array';
  return typeof payload === 'object' ? 'an object' : `a ${typeof payload}`;
}
