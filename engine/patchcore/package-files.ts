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
}

/** The pictures learnt and, for each bank, the picture, tile and patch of each row, in the order of the rows. */
export interface BankOrigins {
  readonly pictures: readonly LearntPicture[];
  /** Null for a tile of which nothing counts. */
  readonly banks: readonly (Columns | null)[];
}

interface Columns {
  readonly picture: readonly number[];
  readonly tile: readonly number[];
  readonly patch: readonly number[];
}

/** @param pictures all that were learnt, by the number that origins name them with; altered copies as what they are of */
export function writeOrigins(banks: readonly (Bank | null)[], pictures: ReadonlyMap<number, LearntPicture>): Buffer {
  const distinct = new Map([...pictures.values()].map((picture) => [picture.sha256, picture]));
  const numbers = new Map([...distinct.keys()].map((sha256, place) => [sha256, place]));
  const numberOf = (picture: number) => numbers.get(pictures.get(picture)?.sha256 ?? '') as number;
  const origins = {
    pictures: [...distinct.values()].map(({ name, sha256, signature }) => ({
      name,
      sha256,
      signature: Buffer.from(signature).toString('base64'),
    })),
    banks: banks.map(
      (bank) =>
        bank && {
          picture: bank.origins.map(({ picture }) => numberOf(picture)),
          tile: bank.origins.map(({ tile }) => tile),
          patch: bank.origins.map(({ patch }) => patch),
        },
    ),
  };
  return Buffer.from(JSON.stringify(origins));
}

/** @throws {ModelInvalid} when the package has none */
export async function readOrigins(folder: string): Promise<BankOrigins> {
  const text = await readPackageFile(folder, ORIGINS_FILE);
  const { pictures, banks } = JSON.parse(text.toString('utf8')) as {
    readonly pictures: readonly { readonly name: string; readonly sha256: string; readonly signature?: string }[];
    readonly banks: BankOrigins['banks'];
  };
  return {
    pictures: pictures.map((picture) => ({
      ...picture,
      signature: Uint8Array.from(Buffer.from(picture.signature ?? '', 'base64')),
    })),
    banks,
  };
}

/** Hex SHA-256 of the pictures that a model has learnt; none where its package does not tell. */
export async function learntPictures(folder: string): Promise<ReadonlySet<string>> {
  const { pictures } = await readOrigins(folder).catch(() => ({ pictures: [] }));
  return new Set(pictures.map(({ sha256 }) => sha256));
}

export function originsOf({ picture, tile, patch }: Columns): PatchOrigin[] {
  return picture.map((from, row) => ({ picture: from, tile: tile[row], patch: patch[row] }));
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
