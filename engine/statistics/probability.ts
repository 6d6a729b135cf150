import type { ProbabilityCurve } from './rates';

type Platt = Extract<ProbabilityCurve, { method: 'platt' }>;
type Isotonic = Extract<ProbabilityCurve, { method: 'isotonic' }>;

/** Fewer of a kind say nothing about probabilities. */
const LEAST_FOR_PLATT = 5;
/** Fewer of a kind make steps that follow chance. */
const LEAST_FOR_ISOTONIC = 50;

/**
 * The probability of a defect by score, when enough of both kinds are known: isotonic from 50 of each, Platt's curve from 5.
 * Both count good and defective parts as equally frequent, however many pictures there are of each.
 *
 * @returns null with fewer than 5 of a kind, and where defective parts do not score higher
 */
export function fitProbability(good: ArrayLike<number>, defective: ArrayLike<number>): ProbabilityCurve | null {
  const fewest = Math.min(good.length, defective.length);
  if (fewest < LEAST_FOR_PLATT) return null;
  if (fewest >= LEAST_FOR_ISOTONIC) return fitIsotonic(good, defective);
  const curve = fitPlatt(good, defective);
  return curve.slope > 0 ? curve : null;
}

/**
 * A logistic curve through the scores, by Newton's method with backtracking. Its targets are not 0 and 1 but
 * 1 / (good + 2) and (defective + 1) / (defective + 2), so that it stays finite when the kinds do not overlap. Each kind has
 * half of the weight.
 *
 * @returns a slope of 0 where defective parts do not score higher
 * @throws {RangeError} without scores of a kind
 * @see Platt 1999, "Probabilistic Outputs for Support Vector Machines"; Lin, Lin and Weng 2007, "A Note on Platt's
 *      Probabilistic Outputs for Support Vector Machines"
 */
export function fitPlatt(good: ArrayLike<number>, defective: ArrayLike<number>): Platt {
  const samples = samplesOf(good, defective);
  const { centre, scale } = scaleOf(samples);
  const points = samples.map(({ score, isDefective, weight }) => ({
    x: (score - centre) / scale,
    target: isDefective ? (defective.length + 1) / (defective.length + 2) : 1 / (good.length + 2),
    weight,
  }));
  const loss = (slope: number, intercept: number) =>
    points.reduce((sum, { x, target, weight }) => {
      const z = slope * x + intercept;
      return sum + weight * (Math.max(z, 0) - target * z + Math.log1p(Math.exp(-Math.abs(z))));
    }, 0);
  let [slope, intercept] = [0, 0];
  let current = loss(slope, intercept);
  for (let step = 0; step < 100; step += 1) {
    let [slopeGradient, interceptGradient, a, b, c] = [0, 0, 1e-12, 0, 1e-12];
    for (const { x, target, weight } of points) {
      const probability = 1 / (1 + Math.exp(-(slope * x + intercept)));
      const curvature = weight * probability * (1 - probability);
      slopeGradient += weight * (probability - target) * x;
      interceptGradient += weight * (probability - target);
      a += curvature * x * x;
      b += curvature * x;
      c += curvature;
    }
    if (Math.abs(slopeGradient) < 1e-10 && Math.abs(interceptGradient) < 1e-10) break;
    const determinant = a * c - b * b;
    const slopeStep = -(c * slopeGradient - b * interceptGradient) / determinant;
    const interceptStep = -(a * interceptGradient - b * slopeGradient) / determinant;
    const descent = slopeGradient * slopeStep + interceptGradient * interceptStep;
    let share = 1;
    let next = loss(slope + slopeStep, intercept + interceptStep);
    while (next > current + 1e-4 * share * descent && share > 1e-10) {
      share /= 2;
      next = loss(slope + share * slopeStep, intercept + share * interceptStep);
    }
    if (!(next <= current)) break;
    slope += share * slopeStep;
    intercept += share * interceptStep;
    current = next;
  }
  if (slope <= 0) return { method: 'platt', slope: 0, intercept: 0 };
  return { method: 'platt', slope: slope / scale, intercept: intercept - (slope * centre) / scale };
}

/**
 * The never falling steps that fit best in least squares (pool adjacent violators), each kind with half of the weight.
 * Values are kept within 1 / (good + 2) and (defective + 1) / (defective + 2): no sample proves a certainty.
 *
 * @returns `scores` ascending, the ends of each step, with the value there
 * @throws {RangeError} without scores of a kind
 * @see Zadrozny and Elkan 2002, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates"
 */
export function fitIsotonic(good: ArrayLike<number>, defective: ArrayLike<number>): Isotonic {
  const blocks: { from: number; to: number; weight: number; defective: number }[] = [];
  for (const { score, isDefective, weight } of samplesOf(good, defective)) {
    const last = blocks.at(-1);
    if (last?.to === score) {
      last.weight += weight;
      if (isDefective) last.defective += weight;
    } else {
      blocks.push({ from: score, to: score, weight, defective: isDefective ? weight : 0 });
    }
  }
  const pooled: typeof blocks = [];
  for (const block of blocks) {
    let merged = block;
    for (let below = pooled.at(-1); below && shareOf(below) >= shareOf(merged); below = pooled.at(-1)) {
      merged = {
        from: below.from,
        to: merged.to,
        weight: below.weight + merged.weight,
        defective: below.defective + merged.defective,
      };
      pooled.pop();
    }
    pooled.push(merged);
  }
  const [least, most] = [1 / (good.length + 2), (defective.length + 1) / (defective.length + 2)];
  const knots = pooled.flatMap((block) => {
    const value = Math.min(Math.max(shareOf(block), least), most);
    return block.from === block.to ? [[block.from, value]] : [block.from, block.to].map((score) => [score, value]);
  });
  return { method: 'isotonic', scores: knots.map(([score]) => score), values: knots.map(([, value]) => value) };
}

interface Sample {
  readonly score: number;
  readonly isDefective: boolean;
  readonly weight: number;
}

/** Both kinds in ascending order of score; the weights of a kind sum to 1/2. */
function samplesOf(good: ArrayLike<number>, defective: ArrayLike<number>): Sample[] {
  if (good.length === 0 || defective.length === 0) {
    throw new RangeError('a probability needs scores of good and of defective parts');
  }
  return [
    ...Array.from(good, (score) => ({ score, isDefective: false, weight: 0.5 / good.length })),
    ...Array.from(defective, (score) => ({ score, isDefective: true, weight: 0.5 / defective.length })),
  ].sort((a, b) => a.score - b.score);
}

function scaleOf(samples: readonly Sample[]): { centre: number; scale: number } {
  const centre = samples.reduce((sum, { score, weight }) => sum + weight * score, 0);
  const variance = samples.reduce((sum, { score, weight }) => sum + weight * (score - centre) ** 2, 0);
  return { centre, scale: Math.sqrt(variance) || 1 };
}

function shareOf({ weight, defective }: { weight: number; defective: number }): number {
  return defective / weight;
}
