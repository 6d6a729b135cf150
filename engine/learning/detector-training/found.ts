import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeDurably } from '../../domain';
import type { Choice } from './search';

const FILE = 'search.json';

/** Keeps what a search found, so that a training which goes on need not search again. */
export async function writeFound(folder: string, key: string, choice: Choice): Promise<void> {
  await makeFolder(folder);
  await writeDurably(join(folder, FILE), Buffer.from(JSON.stringify({ key, choice })));
}

/** @returns null when nothing was found for this key */
export async function readFound(folder: string, key: string): Promise<Choice | null> {
  try {
    const found = JSON.parse(await readFile(join(folder, FILE), 'utf8')) as { key: string; choice: Choice };
    return found.key === key ? found.choice : null;
  } catch {
    return null;
  }
}
