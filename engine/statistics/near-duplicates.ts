import { seededRandom } from '../domain';

/** Cells across and down a signature. */
const CELLS = 16;
/** A group's nearest picture outside is at least so many times as far away as its members are from one another. */
const ISOLATION = 3;
/** Greater groups are taken for variants of the part. */
const MOST_OF_ALL = 0.25;
/** Pairs that the usual distance is estimated from; all of them when there are fewer. */
const MOST_PAIRS = 20_000;

/**
 * A picture in few numbers: the mean of each channel in 16 x 16 cells.
 *
 * @param data planar [3, height, width], any range, of pictures to be compared in the same one
 * @returns 768 numbers
 */
export function signatureOf(data: ArrayLike<number>, width: number, height: number): Float32Array {
  const channels = data.length / (width * height);
  const signature = new Float32Array(channels * CELLS * CELLS);
  const edge = (cell: number, size: number) => Math.floor((cell * size) / CELLS);
  for (let place = 0; place < signature.length; place += 1) {
    const row = Math.floor(place / CELLS) % CELLS;
    const column = place % CELLS;
    const plane = Math.floor(place / (CELLS * CELLS)) * width * height;
    const [top, left] = [edge(row, height), edge(column, width)];
    const [bottom, right] = [Math.max(top + 1, edge(row + 1, height)), Math.max(left + 1, edge(column + 1, width))];
    let sum = 0;
    for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) sum += data[plane + y * width + x];
    signature[place] = sum / ((bottom - top) * (right - left));
  }
  return signature;
}

/**
 * Groups pictures that hardly differ: the same shot stored twice, or several shots of one part. What "hardly" means depends
 * on these pictures: all parts of a fixture look alike and are different parts nonetheless. A group is a branch of the
 * single-linkage tree
 * - whose members are all within `share` of the usual (median) distance of two of these pictures from its first one,
 * - whose nearest picture outside is at least three times as far away as the longest step between its members, and
 * - which holds at most a quarter of all pictures: more are a colour or a pose that many parts have.
 *
 * Of nested branches the largest counts. Equal signatures are always one group. Shots of one single part, or of two or three,
 * cannot be told from shots of many parts that look alike: nothing says what is usual then.
 *
 * Needs memory for the signatures and a few numbers a picture, and count^2 / 2 comparisons.
 *
 * @param signatures of equal length, one a picture, made by `signatureOf` from pictures of equal size
 * @param share      above 0, below 0.5
 * @returns for each picture the number of its group; groups are numbered from 0 in the order of their first picture
 * @throws {RangeError} for a share out of range or signatures of different lengths
 */
export function nearDuplicates(signatures: readonly Float32Array[], share = 0.2): Int32Array {
  if (!(share > 0 && share < 0.5)) throw new RangeError(`the share ${share} is not above 0 and below 0.5`);
  if (signatures.some(({ length }) => length !== signatures[0].length)) {
    throw new RangeError('signatures differ in length');
  }
  const groups = new Int32Array(signatures.length).fill(-1);
  if (signatures.length === 0) return groups;
  const radius = share * usualDistance(signatures);
  const most = Math.max(2, MOST_OF_ALL * signatures.length);
  const isGroup = (branch: Branch, members: readonly number[]) =>
    (members.length <= most || branch.step === 0) &&
    members.every((member) => distance(signatures[member], signatures[members[0]]) <= radius);
  const found: (readonly number[])[] = [];
  const open: { branch: Branch; next: number }[] = [
    { branch: linkageTree(signatures), next: Number.POSITIVE_INFINITY },
  ];
  for (let top = open.pop(); top; top = open.pop()) {
    const { branch, next } = top;
    const members = next >= ISOLATION * branch.step ? membersOf(branch) : null;
    if (members && isGroup(branch, members)) found.push(members);
    else for (const part of branch.parts) open.push({ branch: part, next: branch.step });
  }
  found.sort((a, b) => a[0] - b[0]);
  for (const [group, members] of found.entries()) for (const member of members) groups[member] = group;
  return groups;
}

/** A single picture, or two branches with the distance between them. */
interface Branch {
  readonly picture: number;
  /** Longest step between its members; 0 for a single picture. */
  readonly step: number;
  readonly parts: readonly Branch[];
}

/**
 * The minimum spanning tree by Prim's method, its edges joined from the shortest to the longest.
 *
 * @see Gower and Ross 1969, "Minimum Spanning Trees and Single Linkage Cluster Analysis"
 */
function linkageTree(signatures: readonly Float32Array[]): Branch {
  const count = signatures.length;
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const neighbour = new Int32Array(count);
  const isIn = new Uint8Array(count);
  const edges: { from: number; to: number; length: number }[] = [];
  let latest = 0;
  for (let step = 1; step < count; step += 1) {
    isIn[latest] = 1;
    let closest = -1;
    for (let other = 0; other < count; other += 1) {
      if (isIn[other]) continue;
      const length = distance(signatures[latest], signatures[other]);
      if (length < nearest[other]) {
        nearest[other] = length;
        neighbour[other] = latest;
      }
      if (closest === -1 || nearest[other] < nearest[closest]) closest = other;
    }
    edges.push({ from: neighbour[closest], to: closest, length: nearest[closest] });
    latest = closest;
  }
  edges.sort((a, b) => a.length - b.length);
  const parents = Int32Array.from({ length: count }, (_, picture) => picture);
  const rootOf = (picture: number) => {
    let root = picture;
    while (parents[root] !== root) {
      parents[root] = parents[parents[root]];
      root = parents[root];
    }
    return root;
  };
  const branches: Branch[] = Array.from({ length: count }, (_, picture) => ({ picture, step: 0, parts: [] }));
  for (const { from, to, length } of edges) {
    const [a, b] = [rootOf(from), rootOf(to)];
    parents[b] = a;
    branches[a] = { picture: -1, step: length, parts: [branches[a], branches[b]] };
  }
  return branches[rootOf(0)];
}

/** Pictures of a branch, ascending. */
function membersOf(branch: Branch): number[] {
  const members: number[] = [];
  const open = [branch];
  for (let top = open.pop(); top; top = open.pop()) {
    if (top.parts.length === 0) members.push(top.picture);
    else open.push(...top.parts);
  }
  return members.sort((a, b) => a - b);
}

/** Median distance of two pictures. */
function usualDistance(signatures: readonly Float32Array[]): number {
  const count = signatures.length;
  const pairs = (count * (count - 1)) / 2;
  const distances: number[] = [];
  if (pairs <= MOST_PAIRS) {
    for (let a = 0; a < count; a += 1)
      for (let b = 0; b < a; b += 1) distances.push(distance(signatures[a], signatures[b]));
  } else {
    const random = seededRandom(count);
    while (distances.length < MOST_PAIRS) {
      const [a, b] = [Math.floor(random() * count), Math.floor(random() * count)];
      if (a !== b) distances.push(distance(signatures[a], signatures[b]));
    }
  }
  return distances.sort((a, b) => a - b)[Math.floor(distances.length / 2)] ?? 0;
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let place = 0; place < a.length; place += 1) {
    const difference = a[place] - b[place];
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}
