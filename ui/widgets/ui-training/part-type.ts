/** True for a name that a new part type can have; with the kind of a model behind it, it is a name of 64 characters. */
export function isPartType(name: string): boolean {
  return (
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,52}$/.test(name) && !name.includes('..') && !/\.(detector|classifier)$/.test(name)
  );
}
