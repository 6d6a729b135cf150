import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package's package.json, the same from the sources and from the built files. */
export const packageRoot: string = findPackageRoot(__dirname);

function findPackageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json of this package not found');
  return findPackageRoot(parent);
}
