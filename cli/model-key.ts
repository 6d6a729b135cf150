import { type ModelKey, modelKeyOfEnvironment, readModelKeyFile } from '../engine/packages';

export const KEY_OPTIONS = { 'key-file': { type: 'string' } } as const;

/** The key in the file, else that of the environment; null when there is none. */
export async function modelKeyOf(file: string | undefined): Promise<ModelKey | null> {
  return file === undefined ? modelKeyOfEnvironment() : readModelKeyFile(file);
}
