import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Written last by a build: its time tells whether a source is newer. */
export const stampFile = join(root, 'dist/.built');

const sources = [
  'engine',
  'nodes',
  'cli',
  'ui',
  'locales',
  'icons',
  'flows',
  'scripts',
  'package.json',
  'tsconfig.json',
];

/** True when a source changed after the last complete build, or there was none. */
export function buildIsStale() {
  if (!existsSync(stampFile)) return true;
  const built = statSync(stampFile).mtimeMs;
  return sources.some((source) => newest(join(root, source)) > built);
}

function newest(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map((entry) => newest(join(path, entry))));
}
