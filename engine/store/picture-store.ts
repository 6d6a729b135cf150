import { readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { decodeTime } from 'ulid';
import {
  isId,
  makeFolder,
  NotFound,
  type PictureFormat,
  syncFolder,
  timestamp,
  VERDICTS,
  type Verdict,
  writeDurably,
} from '../domain';
import { storeError } from './errors';
import type { PictureStore } from './types';

const PICTURE_PATH =
  /^images\/(?:\d{4}\/\d{2}\/\d{2}\/(?:open|OK|NG|REVIEW)|imported\/(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,63})\/[0-7][0-9A-HJKMNP-TV-Z]{25}\.(?:jpg|png)$/;
const IMPORTED_FOLDER = 'images/imported';
/** Files looked at in one go. */
const SWEPT_AT_ONCE = 500;
const FOLDERS = ['open', ...VERDICTS] as const;
const EXTENSIONS: Readonly<Record<PictureFormat, string>> = { jpeg: 'jpg', png: 'png' };

/** Pictures and heat maps below a data folder. Only paths of its own making are ever opened. */
export class FilePictureStore implements PictureStore {
  private readonly knownFolders = new Set<string>();

  constructor(private readonly dataFolder: string) {}

  async save(id: string, capturedAt: string, picture: Buffer, format: PictureFormat): Promise<string> {
    const path = `${dayOf(capturedAt)}/open/${this.requireId(id)}.${EXTENSIONS[format]}`;
    await this.doing(async () => {
      await this.prepareFolder(dirname(path));
      await writeDurably(this.absolute(path), picture);
    });
    return path;
  }

  async moveToVerdict(path: string, verdict: Verdict): Promise<string> {
    const source = this.absolute(path);
    const target = path.replace(/\/[^/]+\/([^/]+)$/, `/${verdict}/$1`);
    if (target === path) return path;
    await this.doing(async () => {
      await this.prepareFolder(dirname(target));
      try {
        await rename(source, this.absolute(target));
      } catch (error) {
        if (!isMissing(error)) throw error;
        if (!(await exists(this.absolute(target)))) throw new NotFound('picture', path);
      }
      await syncFolder(dirname(this.absolute(target)));
    });
    return target;
  }

  async saveImported(id: string, partType: string, picture: Buffer, format: PictureFormat): Promise<string> {
    const path = `${IMPORTED_FOLDER}/${partType}/${this.requireId(id)}.${EXTENSIONS[format]}`;
    const file = this.absolute(path);
    await this.doing(async () => {
      await this.prepareFolder(dirname(path));
      await writeDurably(file, picture);
    });
    return path;
  }

  async sweepImported(before: number, known: (ids: readonly string[]) => Promise<ReadonlySet<string>>): Promise<void> {
    await this.doing(async () => {
      const root = join(this.dataFolder, ...IMPORTED_FOLDER.split('/'));
      for (const partType of await namesIn(root)) {
        const names = await namesIn(join(root, partType));
        for (let from = 0; from < names.length; from += SWEPT_AT_ONCE) {
          const batch = names.slice(from, from + SWEPT_AT_ONCE);
          const kept = await known(batch.map((name) => name.split('.')[0]).filter(isId));
          for (const name of batch.filter((one) => one.endsWith('.tmp') || !kept.has(one.split('.')[0]))) {
            const file = join(root, partType, name);
            const { mtimeMs } = await stat(file);
            if (mtimeMs < before) await rm(file, { force: true });
          }
        }
      }
    });
  }

  async locate(id: string, capturedAt: string): Promise<string | null> {
    this.requireId(id);
    for (const folder of FOLDERS) {
      for (const extension of Object.values(EXTENSIONS)) {
        const path = `${dayOf(capturedAt)}/${folder}/${id}.${extension}`;
        if (await exists(this.absolute(path))) return path;
      }
    }
    return null;
  }

  read(path: string): Promise<Buffer> {
    const file = this.absolute(path);
    return this.doing(async () => {
      const picture = await readIfThere(file);
      if (!picture) throw new NotFound('picture', path);
      return picture;
    });
  }

  absolute(path: string): string {
    if (!PICTURE_PATH.test(path)) throw new NotFound('picture', path);
    return join(this.dataFolder, ...path.split('/'));
  }

  async remove(path: string): Promise<void> {
    const file = this.absolute(path);
    await this.doing(() => rm(file, { force: true }));
  }

  async saveMap(id: string, png: Buffer, index = 0): Promise<void> {
    const file = this.mapFile(id, index);
    await this.doing(async () => {
      await makeFolder(dirname(file));
      // a lost map is no lost verdict: whole or absent is enough, so it need not be forced to the disk
      await writeFile(`${file}.tmp`, png);
      await rename(`${file}.tmp`, file);
    });
  }

  readMap(id: string, index = 0): Promise<Buffer | null> {
    const file = this.mapFile(id, index);
    return this.doing(() => readIfThere(file));
  }

  async removeMaps(id: string): Promise<void> {
    for (let index = 0; ; index++) {
      const file = this.mapFile(id, index);
      if (!(await exists(file))) return;
      await this.doing(() => rm(file, { force: true }));
    }
  }

  /**
   * Removes what a crash left in the `open` folders: half-written files, and pictures of inspections that were never
   * recorded.
   *
   * @param isKnown tells whether there is a record of an id
   */
  async sweep(isKnown: (id: string) => Promise<boolean>): Promise<void> {
    await this.doing(async () => {
      for (const folder of await dayFolders(join(this.dataFolder, 'images'))) {
        const openFolder = join(folder, 'open');
        for (const name of await namesIn(openFolder)) {
          const [id] = name.split('.');
          if (name.endsWith('.tmp') || !(isId(id) && (await isKnown(id)))) {
            await rm(join(openFolder, name), { force: true });
          }
        }
      }
    });
  }

  /** Removes the folders of a past day that have become empty. */
  async removeEmptyFolders(day: string): Promise<void> {
    const pictures = join(this.dataFolder, 'images', ...partsOf(day));
    const folders = [...FOLDERS.map((folder) => join(pictures, folder)), pictures, this.mapFolder(day)];
    for (const folder of folders) await rmdir(folder).catch(() => {});
  }

  mapDays(): Promise<readonly string[]> {
    return this.doing(async () => {
      const folders = await dayFolders(join(this.dataFolder, 'maps'));
      return folders.map((folder) => folder.split(sep).slice(-3).join('-')).sort();
    });
  }

  mapsOf(day: string): Promise<readonly string[]> {
    return this.doing(async () => {
      const names = await namesIn(this.mapFolder(day));
      return [...new Set(names.map((name) => name.split('.')[0]))].filter(isId);
    });
  }

  private mapFolder(day: string): string {
    return join(this.dataFolder, 'maps', ...partsOf(day));
  }

  private mapFile(id: string, index: number): string {
    const day = timestamp(decodeTime(this.requireId(id))).slice(0, 10);
    if (!Number.isInteger(index) || index < 0) throw new NotFound('heat map', `${id}.${index}`);
    return join(this.mapFolder(day), index === 0 ? `${id}.png` : `${id}.${index}.png`);
  }

  private requireId(id: string): string {
    if (!isId(id)) throw new NotFound('picture', id);
    return id;
  }

  private async prepareFolder(path: string): Promise<void> {
    if (this.knownFolders.has(path)) return;
    const folder = join(this.dataFolder, ...path.split('/'));
    for (const made of await makeFolder(folder)) await syncFolder(dirname(made));
    if (this.knownFolders.size >= 16) this.knownFolders.clear();
    this.knownFolders.add(path);
  }

  private async doing<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.knownFolders.clear();
      throw storeError(error, this.dataFolder);
    }
  }
}

function dayOf(capturedAt: string): string {
  return `images/${timestamp(Date.parse(capturedAt)).slice(0, 10).replaceAll('-', '/')}`;
}

/** The parts of a day's path. @throws {NotFound} when it is none */
function partsOf(day: string): readonly string[] {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new NotFound('day', day);
  return day.split('-');
}

/** The folders `<root>/<yyyy>/<mm>/<dd>`. */
async function dayFolders(root: string): Promise<readonly string[]> {
  let folders = [root];
  for (const part of [/^\d{4}$/, /^\d{2}$/, /^\d{2}$/]) {
    const next = await Promise.all(
      folders.map(async (folder) =>
        (await namesIn(folder)).filter((name) => part.test(name)).map((name) => join(folder, name)),
      ),
    );
    folders = next.flat();
  }
  return folders;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
