import { InvalidInput } from '../../domain';

/**
 * The classes a fine-tuned detector has: those wished; else, where old pictures are replayed or the data set shares a
 * class with the model, the model's, followed by new ones; else those of the data set alone.
 *
 * @param known   the model's, in its order
 * @param learnt  the data set's
 * @throws {InvalidInput} without any class, or when a wished list leaves out what the pictures show
 */
export function classesFor(
  known: readonly string[],
  learnt: readonly string[],
  { replayed, wished }: { readonly replayed: boolean; readonly wished?: readonly string[] },
): readonly string[] {
  if (wished !== undefined) {
    const missing = learnt.filter((name) => !wished.includes(name));
    if (missing.length === 0 && wished.length > 0) return wished;
    throw new InvalidInput(
      `The classes of the detector leave out ${missing.join(', ') || 'everything'}, which the pictures show. Add them.`,
    );
  }
  const keeps = replayed || learnt.some((name) => known.includes(name));
  const classes = [...(keeps ? known : []), ...learnt];
  if (classes.length === 0) throw new InvalidInput('The data set has no classes. Label at least one box.');
  return [...new Set(classes)];
}
