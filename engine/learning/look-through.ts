import { readFile } from 'node:fs/promises';
import { PictureUnreadable } from '../imaging';
import { ReferenceMismatch, ReferenceMissing } from '../patchcore';
import { overlapping } from './overlapping';

/** What came of looking at a picture. */
export type Looked<Subject, Result> =
  | { readonly kind: 'seen'; readonly subject: Subject; readonly result: Result }
  /** The picture was not kept, or removed since. */
  | { readonly kind: 'missing'; readonly subject: Subject }
  /** The part has a golden picture of its own, which is not kept, and the model brings none for all parts. */
  | { readonly kind: 'without-golden'; readonly subject: Subject }
  | { readonly kind: 'unreadable'; readonly subject: Subject; readonly reason: string };

const AHEAD = 2;

/**
 * Looks at kept pictures, in their order; the next one is read and decoded while one is looked at.
 *
 * @param look throws `PictureUnreadable`, `ReferenceMissing` or `ReferenceMismatch` for a picture it can do nothing with
 */
export function lookThrough<Subject extends { readonly picture: string | null }, Result>(
  subjects: readonly Subject[],
  look: (picture: Buffer, subject: Subject) => Promise<Result>,
  signal?: AbortSignal,
): AsyncGenerator<Looked<Subject, Result>> {
  const one = async (subject: Subject): Promise<Looked<Subject, Result>> => {
    signal?.throwIfAborted();
    const bytes = subject.picture === null ? null : await readIfThere(subject.picture);
    if (bytes === null) return { kind: 'missing', subject };
    try {
      return { kind: 'seen', subject, result: await look(bytes, subject) };
    } catch (error) {
      if (error instanceof ReferenceMissing) return { kind: 'without-golden', subject };
      if (!(error instanceof PictureUnreadable || error instanceof ReferenceMismatch)) throw error;
      return { kind: 'unreadable', subject, reason: error.message };
    }
  };
  return overlapping(subjects, one, AHEAD);
}

async function readIfThere(path: string): Promise<Buffer | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
