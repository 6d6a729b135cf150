import { type BankManifest, readPackageFile } from '../packages';
import type { Bank } from './bank';
import type { Conditioning } from './neck-graph';
import type { PatchOrigin } from './patch-set';

/** The part of the picture that counts, as it was given. */
export const MASK_FILE = 'mask.png';
/** Mean and weights of the conditioning, for adding pictures later: float32, little-endian. */
export const CONDITIONING_FILE = 'conditioning.bin';
/** Where each row of the banks came from. */
export const ORIGINS_FILE = 'bank.json';

/** Name of a section's graph in the package. */
export function headFile(section: number, sections: number): string {
  return sections === 1 ? 'head.onnx' : `head-${section + 1}.onnx`;
}

/** A picture that was learnt. */
export interface LearntPicture {
  readonly name: string;
  readonly sha256: string;
  /** What it looks like in few numbers, 0..255, so that near-duplicates among pictures added later are found. */
  readonly signature: Uint8Array;
  /** Pixels of the picture as it was; null where an older release did not keep that. */
  readonly size: PictureSize | null;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A picture that was learnt, by its number in the package. */
export interface KeptPicture extends LearntPicture {
  /** A small copy lies in the package (`readSourceCopy`). */
  readonly shown: boolean;
}

/** The pictures learnt and, for each bank, the picture, tile and patch of each row, in the order of the rows. */
export interface BankOrigins {
  readonly pictures: readonly KeptPicture[];
  /** Null for a tile of which nothing counts. */
  readonly banks: readonly (Columns | null)[];
}

interface Columns {
  readonly picture: readonly number[];
  readonly tile: readonly number[];
  readonly patch: readonly number[];
  /** The patches of the pictures as they were, where there were altered copies. */
  readonly shows?: readonly number[];
}

/** The different pictures of a training, as they are numbered in the package. */
export interface NumberedPictures {
  readonly list: readonly LearntPicture[];
  /** @param picture number that origins name it with while the bank is made */
  numberOf(picture: number): number;
}

/** @param pictures all that were learnt, by the number that origins name them with; altered copies as what they are of */
export function numbered(pictures: ReadonlyMap<number, LearntPicture>): NumberedPictures {
  const distinct = new Map([...pictures.values()].map((picture) => [picture.sha256, picture]));
  const numbers = new Map([...distinct.keys()].map((sha256, place) => [sha256, place]));
  return {
    list: [...distinct.values()],
    numberOf: (picture) => numbers.get(pictures.get(picture)?.sha256 ?? '') as number,
  };
}

/** @param shown numbers of the pictures of which a small copy lies in the package */
export function writeOrigins(
  banks: readonly (Bank | null)[],
  { list, numberOf }: NumberedPictures,
  shown: { has(picture: number): boolean },
): Buffer {
  const origins = {
    pictures: list.map(({ name, sha256, signature, size }, picture) => ({
      name,
      sha256,
      signature: Buffer.from(signature).toString('base64'),
      size,
      shown: shown.has(picture),
    })),
    banks: banks.map(
      (bank) =>
        bank && {
          picture: bank.origins.map(({ picture }) => numberOf(picture)),
          tile: bank.origins.map(({ tile }) => tile),
          patch: bank.origins.map(({ patch }) => patch),
          ...(bank.origins.some(({ shows }) => shows !== undefined) && {
            shows: bank.origins.map(({ patch, shows = patch }) => shows),
          }),
        },
    ),
  };
  return Buffer.from(JSON.stringify(origins));
}

/** @throws {ModelInvalid} when the package has none */
export async function readOrigins(folder: string): Promise<BankOrigins> {
  const text = await readPackageFile(folder, ORIGINS_FILE);
  const { pictures, banks } = JSON.parse(text.toString('utf8')) as {
    readonly pictures: readonly (Pick<LearntPicture, 'name' | 'sha256'> & {
      readonly signature?: string;
      readonly size?: PictureSize | null;
      readonly shown?: boolean;
    })[];
    readonly banks: BankOrigins['banks'];
  };
  return {
    pictures: pictures.map(({ name, sha256, signature = '', size = null, shown = false }) => ({
      name,
      sha256,
      signature: Uint8Array.from(Buffer.from(signature, 'base64')),
      size,
      shown,
    })),
    banks,
  };
}

/** Hex SHA-256 of the pictures that a model has learnt; none where its package does not tell. */
export async function learntPictures(folder: string): Promise<ReadonlySet<string>> {
  const { pictures } = await readOrigins(folder).catch(() => ({ pictures: [] }));
  return new Set(pictures.map(({ sha256 }) => sha256));
}

export function originsOf({ picture, tile, patch, shows }: Columns): PatchOrigin[] {
  return picture.map((from, row) => ({
    picture: from,
    tile: tile[row],
    patch: patch[row],
    ...(shows && { shows: shows[row] }),
  }));
}

export function writeConditioning({ mean, weights }: Conditioning): Buffer {
  const values = new Float32Array(mean.length + weights.rows * weights.columns);
  values.set(mean);
  values.set(weights.data.subarray(0, weights.rows * weights.columns), mean.length);
  return Buffer.from(values.buffer);
}

/** @returns null for a model that compares features as they are */
export async function readConditioning(folder: string, { recipe }: BankManifest): Promise<Conditioning | null> {
  if (recipe.conditioning === 'none') return null;
  const bytes = await readPackageFile(folder, CONDITIONING_FILE);
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  const columns = recipe.dimension;
  const rows = values.length / (columns + 1);
  return { mean: values.slice(0, rows), weights: { data: values.slice(rows), rows, columns } };
}
