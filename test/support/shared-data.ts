import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';

/** The folder of real pictures and reference models, beside the checkout unless OPTI_QUALITY_SHARED names it. */
export const sharedFolder = process.env.OPTI_QUALITY_SHARED ?? join(packageRoot, '..', 'shared');

/** Skips the running suite or test, with a message, when `path` of the shared folder is absent. */
export function needShared(context: Mocha.Context, path: string): string {
  const full = join(sharedFolder, path);
  if (!existsSync(full)) {
    console.log(`      skipped: needs ${join('shared', path)} beside the checkout (or OPTI_QUALITY_SHARED)`);
    context.skip();
  }
  return full;
}

/** The pictures of a folder, sorted by name, with their full paths. */
export function picturesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(png|jpe?g)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}
