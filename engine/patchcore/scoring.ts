/** How patch distances become the score of a picture. */
export interface Scoring {
  readonly method: 'top-mean';
  /** Share of the patches that count, 0..1; at least one does. */
  readonly share: number;
}

/** Mean of the most unusual patches: steadier than the maximum, which is one patch. */
export function imageScore(distances: Float32Array, { share }: Scoring): number {
  const count = Math.max(1, Math.round(distances.length * share));
  const sorted = distances.slice().sort();
  let sum = 0;
  for (let index = sorted.length - count; index < sorted.length; index += 1) sum += sorted[index];
  return sum / count;
}
