/** True for a name that a new part type can have: those of models of other kinds end otherwise. */
export function isPartType(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) && !/\.(detector|classifier)$/.test(name);
}
