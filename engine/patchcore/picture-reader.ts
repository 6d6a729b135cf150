import { sha256Of } from '../domain';
import { PictureUnreadable, toViews, type View, type Viewing } from '../imaging';
import type { TrainingPicture } from './pictures';

/** A training picture, decoded. */
export interface ReadPicture {
  /** Place in the list of pictures. */
  readonly index: number;
  readonly name: string;
  readonly picture: Buffer;
  /** Hex SHA-256 of the encoded bytes. */
  readonly sha256: string;
  readonly views: readonly View[];
}

/** A picture that cannot be used, and why. */
export interface SkippedPicture {
  readonly name: string;
  readonly reason: string;
}

/** Decodes pictures in their order, each while the caller works on the one before. */
export async function* readPictures(
  pictures: readonly TrainingPicture[],
  viewing: Viewing,
): AsyncGenerator<ReadPicture | SkippedPicture> {
  const start = (index: number): Promise<ReadPicture | SkippedPicture | null> => {
    const next = index < pictures.length ? readPicture(pictures[index], index, viewing) : Promise.resolve(null);
    next.catch(() => undefined);
    return next;
  };
  let next = start(0);
  for (let index = 0; index < pictures.length; index += 1) {
    const current = (await next) as ReadPicture | SkippedPicture;
    next = start(index + 1);
    yield current;
  }
}

/** @returns why not, when the picture cannot be read; other failures are thrown */
export async function readPicture(
  { name, picture: source }: TrainingPicture,
  index: number,
  viewing: Viewing,
): Promise<ReadPicture | SkippedPicture> {
  let picture: Buffer;
  try {
    picture = typeof source === 'function' ? await source() : source;
  } catch (error) {
    return { name, reason: (error as Error).message };
  }
  try {
    const { views } = await toViews(picture, viewing);
    return { index, name, picture, sha256: sha256Of(picture), views };
  } catch (error) {
    if (error instanceof PictureUnreadable) return { name, reason: error.message };
    throw error;
  }
}
