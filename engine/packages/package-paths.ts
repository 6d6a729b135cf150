import { isAbsolute, normalize, sep } from 'node:path';
import { MANIFEST_FILE } from './manifest';

/** Beside the manifest: its SHA-256, in the form `sha256sum -c` reads. */
export const SEAL_FILE = 'manifest.sha256';

/** True for a path, with forward slashes, to a file inside a package other than its manifest and seal. */
export function isInside(path: string): boolean {
  const plain = normalize(path);
  return (
    !isAbsolute(plain) &&
    plain !== '..' &&
    !plain.startsWith(`..${sep}`) &&
    !path.includes('\\') &&
    path !== MANIFEST_FILE &&
    path !== SEAL_FILE
  );
}

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const DEPTH = 8;

/**
 * What is wrong with the paths of a package that comes from elsewhere, or null. Each must name a file of its own below the
 * folder on every system: plain letters, no dots at an end, no device names, none that differ only in case, none that is
 * the folder of another.
 */
export function pathProblem(paths: readonly string[]): string | null {
  const taken = new Set([MANIFEST_FILE, SEAL_FILE]);
  const folders = new Set<string>();
  for (const path of paths) {
    const segments = path.split('/');
    const isPlain = segments.every(
      (segment) => SEGMENT.test(segment) && !segment.endsWith('.') && !DEVICE.test(segment),
    );
    if (!isPlain || segments.length > DEPTH || !isInside(path)) return `${JSON.stringify(path)} is no safe file name`;
    const key = path.toLowerCase();
    if (taken.has(key)) return `${JSON.stringify(path)} is there twice`;
    taken.add(key);
    for (let depth = 1; depth < segments.length; depth += 1) {
      folders.add(segments.slice(0, depth).join('/').toLowerCase());
    }
  }
  const both = [...taken].find((path) => folders.has(path));
  return both === undefined ? null : `${JSON.stringify(both)} is both a file and a folder`;
}
