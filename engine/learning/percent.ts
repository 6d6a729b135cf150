/** A share as people read it, for example `91.2 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
