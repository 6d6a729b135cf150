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
