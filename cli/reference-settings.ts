import { type ReferenceSettings, readManifest } from '../engine/packages';
import { DEFAULT_REFERENCE_SETTINGS } from '../engine/patchcore';
import { terminal } from './output';

/** The settings of a reference model; the built-in ones without a model, or with one of another kind. */
export async function referenceSettingsOf(model: string | undefined): Promise<ReferenceSettings> {
  if (model === undefined) return DEFAULT_REFERENCE_SETTINGS;
  const manifest = await readManifest(model, 'patchcore');
  if (manifest.method === 'reference') return manifest.reference.settings;
  terminal.note(
    `${model} is no reference model: its bank and preprocessing play no part, the built-in settings are used.`,
  );
  return DEFAULT_REFERENCE_SETTINGS;
}
