import { readFile } from 'node:fs/promises';
import { describe, terminal } from './output';

/** A picture that could not be looked at, and why. */
export interface Failed {
  readonly file: string;
  readonly reason: string;
}

/**
 * Looks at pictures one after the other. One that fails is named on stderr, and the others are looked at all the same.
 *
 * @param look is given the encoded picture, its path, and its place among the files
 */
export async function eachPicture<Result>(
  files: readonly string[],
  look: (picture: Buffer, file: string, place: number) => Promise<Result>,
): Promise<{ readonly results: readonly Result[]; readonly failed: readonly Failed[] }> {
  const results: Result[] = [];
  const failed: Failed[] = [];
  for (const [place, file] of files.entries()) {
    try {
      results.push(await look(await readFile(file), file, place));
    } catch (error) {
      failed.push(failedOf(file, error));
    }
  }
  return { results, failed };
}

/** Names what failed on stderr, too. */
export function failedOf(file: string, error: unknown): Failed {
  const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : describe(error);
  terminal.note(`${file}: ${reason}`);
  return { file, reason };
}
