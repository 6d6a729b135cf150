import { monotonicFactory } from 'ulid';

const nextUlid = monotonicFactory();

/** A new ULID: sorts by time of creation, strictly increasing within one process. */
export function newId(): string {
  return nextUlid();
}

/** True for a well-formed ULID (26 characters of Crockford's base 32). */
export function isId(text: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);
}

/**
 * True for a name that is safe as a folder and in a URL: letters, digits, `.`, `_`, `-`, 1 to 64 characters, starting with
 * a letter or digit.
 */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text) && !text.includes('..');
}

/** What a model does: `patchcore` scores anomalies, `detector` finds boxes, `classifier` names the whole picture. */
export type ModelKind = 'patchcore' | 'detector' | 'classifier';

export const MODEL_KINDS: readonly ModelKind[] = ['patchcore', 'detector', 'classifier'];

/** The name under which models of a part type lie: the part type itself for PatchCore, else `<part type>.<kind>`. */
export function modelNameOf(partType: string, kind: ModelKind): string {
  return kind === 'patchcore' ? partType : `${partType}.${kind}`;
}

/** The part type and kind that `modelNameOf` made a name of. */
export function modelOfName(name: string): { readonly partType: string; readonly kind: ModelKind } {
  const match = /^(.+)\.(detector|classifier)$/.exec(name);
  return match ? { partType: match[1], kind: match[2] as ModelKind } : { partType: name, kind: 'patchcore' };
}

/** True for a name that part types can have: one that is not the name of another part type's detector or classifier. */
export function isPartType(text: string): boolean {
  return isName(text) && modelOfName(text).kind === 'patchcore';
}
