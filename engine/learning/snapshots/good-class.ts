import { InvalidInput, type Label } from '../../domain';
import { GOOD_CLASS } from '../../simulator';

const GOOD_CLASSES: readonly string[] = [GOOD_CLASS, 'ok'];

/** True for a class whose pictures show good parts: `good` or `ok`, in any case. */
export function isGoodClass(name: string): boolean {
  return GOOD_CLASSES.includes(name.toLowerCase());
}

/**
 * Checks what pictures that are to be imported with a label are said to show.
 *
 * @throws {InvalidInput} for a class of pictures labelled OK, and for the class of good parts
 */
export function checkImportedClass(label: Label | undefined, shown: string | undefined): void {
  if (shown === undefined) return;
  if (label === 'OK') {
    throw new InvalidInput(`Class ${shown} names a defect. Label the pictures NG, or leave the class out.`, { shown });
  }
  if (isGoodClass(shown)) {
    throw new InvalidInput(`Class ${shown} is that of good parts. Label the picture OK, or name its defect.`, {
      shown,
    });
  }
}
