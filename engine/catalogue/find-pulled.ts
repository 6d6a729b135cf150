import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type CatalogueEntry, catalogue, catalogueEntry, embeddedPath, fileNameOf, isEmbedded } from './catalogue';

/**
 * Where the file of a backbone is: that of the package for an embedded one, otherwise the first folder that holds it in
 * its full size. The content is not looked at: whoever uses it checks its SHA-256.
 *
 * @throws {BackboneUnknown}
 */
export async function findPulled(
  id: string,
  folders: readonly string[],
  entries: readonly CatalogueEntry[] = catalogue(),
): Promise<string | null> {
  const entry = catalogueEntry(id, entries);
  if (isEmbedded(entry)) return embeddedPath(entry);
  for (const folder of folders) {
    const path = join(folder, fileNameOf(entry));
    if ((await sizeOf(path)) === entry.bytes) return path;
  }
  return null;
}

/** The size of a file; null when there is none. */
export async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? found.size : null;
}

/** Hex SHA-256 of a file of any size. */
export async function sha256OfContent(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest('hex');
}
