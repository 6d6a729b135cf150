import { GOOD_CLASS } from '../../simulator';

const GOOD_CLASSES: readonly string[] = [GOOD_CLASS, 'ok'];

/** True for a class whose pictures show good parts: `good` or `ok`, in any case. */
export function isGoodClass(name: string): boolean {
  return GOOD_CLASSES.includes(name.toLowerCase());
}
