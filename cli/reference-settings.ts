import { readManifest } from '../engine/packages';
import { DEFAULT_REFERENCE_SETTINGS, type ReferenceSettings } from '../engine/patchcore';
import { terminal } from './output';

/** The settings of a reference model; the built-in ones without a model, or with one of another kind. */
export async function referenceSettingsOf(model: string | undefined): Promise<ReferenceSettings> {
  if (model === undefined) return DEFAULT_REFERENCE_SETTINGS;
  const { reference } = (await readManifest(model)) as {
    readonly reference?: { readonly settings: ReferenceSettings };
  };
  if (reference) return reference.settings;
  terminal.note(
    `${model} is no reference model: its bank and preprocessing play no part, the built-in settings are used.`,
  );
  return DEFAULT_REFERENCE_SETTINGS;
}
