import assert from 'node:assert/strict';
import { type BankManifest, readManifest } from '../../engine/packages';

/** The manifest of a model with a memory bank. */
export async function readBankManifest(folder: string): Promise<BankManifest> {
  const manifest = await readManifest(folder);
  assert.ok(manifest.method === 'bank', `${folder} holds a ${manifest.method} model`);
  return manifest;
}
