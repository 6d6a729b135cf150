import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { InvalidInput } from '../../engine/domain';
import { ReferenceLibrary, ReferenceMissing } from '../../engine/patchcore';

/**
 * The golden picture of a part: the one its message carries, else the one of its serial number in the node's folder.
 *
 * @param given  `msg.reference`: the encoded picture, or the path of its file
 * @param folder of golden pictures; empty for none
 * @param userFolder where relative paths start
 * @returns undefined when neither is there: then the model's own counts, if it has one
 * @throws {ReferenceMissing} when one should be there and cannot be read
 * @throws {InvalidInput} when `msg.reference` is something else
 */
export async function goldenPicture(
  given: unknown,
  folder: string,
  serial: string | undefined,
  userFolder: string,
): Promise<Buffer | undefined> {
  const absolute = (path: string) => (isAbsolute(path) ? path : join(userFolder, path));
  if (given !== undefined && given !== null) {
    if (Buffer.isBuffer(given)) return given;
    if (given instanceof Uint8Array) return Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    if (typeof given !== 'string' || given.trim() === '') {
      throw new InvalidInput('msg.reference must be a golden picture (Buffer) or the path of one.');
    }
    const file = absolute(given);
    return readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new ReferenceMissing(file, error.code === 'ENOENT' ? 'there is no such file' : error.message);
    });
  }
  return folder.trim() === '' ? undefined : new ReferenceLibrary(absolute(folder)).get(serial);
}
