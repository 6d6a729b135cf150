import type { PictureInfo } from '../domain';
import { inspectPicture, type PictureLimits, thumbnail } from './index';

/** Handlers for the compute child. */
export const tasks = {
  'imaging/inspect': ({ picture, limits }: { picture: Uint8Array; limits?: PictureLimits }): Promise<PictureInfo> =>
    inspectPicture(asBuffer(picture), limits),
  'imaging/thumbnail': ({ picture, width }: { picture: Uint8Array; width: number }): Promise<Buffer> =>
    thumbnail(asBuffer(picture), width),
};

/** Structured clone turns a Buffer into a plain Uint8Array over the same bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
