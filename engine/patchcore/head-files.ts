import { type Bank, searchOf } from './bank';
import type { BankStorage } from './bank-storage';
import type { BankPlan } from './cross-validation';
import { headGraph } from './head-graph';
import type { Conditioning, Layer } from './neck-graph';
import { headFile } from './package-files';
import { neighboursFor } from './scoring';

/** The graphs of a package. */
export interface Heads {
  /** One a bank; null for a tile of which nothing counts. */
  readonly names: (string | null)[];
  readonly files: Record<string, Uint8Array>;
}

/** How banks are made, searched and stored. */
export type StoredPlan = BankPlan & { readonly storage: BankStorage };

/** Compiles each bank with its search into a graph. */
export async function headFiles(
  banks: readonly (Bank | null)[],
  conditioning: Conditioning | null,
  layers: readonly Layer[],
  plan: StoredPlan,
): Promise<Heads> {
  const names: (string | null)[] = [];
  const files: Record<string, Uint8Array> = {};
  for (const [section, bank] of banks.entries()) {
    if (bank === null) {
      names.push(null);
      continue;
    }
    const search = await searchOf(bank, { ...plan, neighbours: neighboursFor(plan.scoring, bank.patches.rows) });
    const name = headFile(section, banks.length);
    names.push(name);
    files[name] = headGraph({ ...search, layers, conditioning, sigma: plan.sigma, storage: plan.storage });
  }
  return { names, files };
}
