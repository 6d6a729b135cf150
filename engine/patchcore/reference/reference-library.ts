import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ReferenceMissing } from './errors';

/** In the order in which they are taken when there are several. */
const EXTENSIONS = ['.png', '.jpg', '.jpeg'];

/** A folder of golden pictures, one a part, each named like the part's serial number. Read anew for every part. */
export class ReferenceLibrary {
  /** @param folder absolute path */
  constructor(readonly folder: string) {}

  /**
   * The golden picture `<folder>/<serial>.png` (or .jpg, .jpeg, in capitals too).
   *
   * @param serial as it was scanned: only a plain file name can be found, never a path
   * @throws {ReferenceMissing} when there is no serial, no such file, or the folder or file cannot be read
   */
  async get(serial: string | undefined): Promise<Buffer> {
    if (serial === undefined || serial === '') {
      throw new ReferenceMissing('a part without serial number', 'golden pictures are found by it');
    }
    const place = `serial ${JSON.stringify(serial)}`;
    if (!isFileName(serial)) throw new ReferenceMissing(place, 'it cannot be a file name');
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      const detail = error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.message})`;
      throw new ReferenceMissing(place, `the folder ${this.folder} ${detail}`);
    });
    const name = EXTENSIONS.flatMap((extension) =>
      names.filter((file) => extname(file).toLowerCase() === extension && file.slice(0, -extension.length) === serial),
    )[0];
    if (name === undefined)
      throw new ReferenceMissing(place, `the folder ${this.folder} holds no picture of that name`);
    return readFile(join(this.folder, name)).catch((error: Error) => {
      throw new ReferenceMissing(place, `${name} cannot be read (${error.message})`);
    });
  }
}

/** True for a name that stays within its folder on every system. */
function isFileName(text: string): boolean {
  const forbidden = '/\\:*?"<>|';
  const isPlain = [...text].every((letter) => letter >= ' ' && !forbidden.includes(letter));
  return isPlain && text.length <= 200 && !text.startsWith('.') && text.trim() === text;
}
