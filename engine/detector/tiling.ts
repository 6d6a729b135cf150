import type { Box } from '../domain';
import type { RawDetection } from './decode';
import {
  area,
  type Corners,
  intersection,
  intersectionOverUnion,
  nonMaximumSuppression,
  type SuppressionOptions,
} from './nms';

/** What was found in one tile, in pixels of the picture. */
export interface TileFindings {
  /** What the tile shows. */
  readonly part: Box;
  readonly found: readonly RawDetection[];
}

/** A box that ends within this share of a tile's side from its border may go on beyond it. */
const BORDER = 0.02;
/** Two tiles saw the same thing when what they saw in common overlaps so much. */
const SAME = 0.5;
/** A piece that lies in another box by so much of its own area adds nothing. */
const WITHIN = 0.8;

interface Seen {
  readonly detection: RawDetection;
  readonly tile: number;
  /** Sides at which the tile's border cuts it. */
  readonly cut: { readonly left: boolean; readonly top: boolean; readonly right: boolean; readonly bottom: boolean };
}

/**
 * Puts together what the tiles of a picture found: a thing seen by several tiles counts once. Boxes of two tiles are the
 * same thing when they agree in what both tiles show, or meet at a common border; each box has one partner a tile. The
 * result is a box that no border cuts, where there is one, else all pieces together; its confidence is the highest.
 *
 * @param region what all tiles cover together: its borders cut nothing that could be seen
 * @returns the most confident first
 */
export function mergeTiles(tiles: readonly TileFindings[], region: Box, options: SuppressionOptions): RawDetection[] {
  const seen = tiles.map(({ part, found }, tile) =>
    found.map((detection) => ({ detection, tile, cut: cutSides(detection, part, region) })),
  );
  const groups = new Groups(seen.flat());
  for (const [first, { part }] of tiles.entries()) {
    for (let second = first + 1; second < tiles.length; second += 1) {
      pair(seen[first], seen[second], part, tiles[second].part, groups);
    }
  }
  const merged = groups.all().map(joined);
  const whole = merged.filter((candidate) => !merged.some((other) => isPieceOf(candidate, other)));
  return nonMaximumSuppression(
    whole.map(({ detection }) => detection),
    options,
  );
}

/** Partners of two tiles, those that agree best first. */
function pair(first: readonly Seen[], second: readonly Seen[], a: Box, b: Box, groups: Groups): void {
  const pairs = first
    .flatMap((one) => second.map((other) => ({ one, other, agreement: agreement(one, other, a, b) })))
    .filter((candidate) => candidate.agreement >= SAME)
    .sort((x, y) => y.agreement - x.agreement);
  const taken = new Set<Seen>();
  for (const { one, other } of pairs) {
    if (taken.has(one) || taken.has(other)) continue;
    taken.add(one).add(other);
    groups.join(one, other);
  }
}

/** How well two boxes fit to be one thing, seen by two tiles, 0..1. */
function agreement(one: Seen, other: Seen, a: Box, b: Box): number {
  if (one.detection.classNumber !== other.detection.classNumber) return 0;
  const common = {
    left: Math.max(a.x, b.x),
    top: Math.max(a.y, b.y),
    right: Math.min(a.x + a.width, b.x + b.width),
    bottom: Math.min(a.y + a.height, b.y + b.height),
  };
  const shared = intersectionOverUnion(within(one.detection, common), within(other.detection, common));
  return Math.max(shared, meeting(one, other, a, b));
}

/** How much two pieces have in common along the border between their tiles; 0 when they do not meet at one. */
function meeting(one: Seen, other: Seen, a: Box, b: Box): number {
  const { detection: p, cut } = one;
  const { detection: q, cut: otherCut } = other;
  if (a.y === b.y && Math.abs(a.x - b.x) <= a.width) {
    const isMet = a.x < b.x ? cut.right && otherCut.left : cut.left && otherCut.right;
    return isMet ? overlapOf(p.top, p.bottom, q.top, q.bottom) : 0;
  }
  if (a.x === b.x && Math.abs(a.y - b.y) <= a.height) {
    const isMet = a.y < b.y ? cut.bottom && otherCut.top : cut.top && otherCut.bottom;
    return isMet ? overlapOf(p.left, p.right, q.left, q.right) : 0;
  }
  return 0;
}

function overlapOf(fromA: number, toA: number, fromB: number, toB: number): number {
  const common = Math.min(toA, toB) - Math.max(fromA, fromB);
  const together = Math.max(toA, toB) - Math.min(fromA, fromB);
  return common > 0 ? common / together : 0;
}

function cutSides({ left, top, right, bottom }: RawDetection, part: Box, region: Box): Seen['cut'] {
  const across = part.width * BORDER;
  const down = part.height * BORDER;
  return {
    left: part.x > region.x && left <= part.x + across,
    top: part.y > region.y && top <= part.y + down,
    right: part.x + part.width < region.x + region.width && right >= part.x + part.width - across,
    bottom: part.y + part.height < region.y + region.height && bottom >= part.y + part.height - down,
  };
}

function isCut({ cut }: Seen): boolean {
  return cut.left || cut.top || cut.right || cut.bottom;
}

interface Merged {
  readonly detection: RawDetection;
  /** Whether borders cut all that it is made of. */
  readonly isPiece: boolean;
}

function joined(group: readonly Seen[]): Merged {
  const sorted = [...group].sort((a, b) => b.detection.confidence - a.detection.confidence);
  const { confidence } = sorted[0].detection;
  const whole = sorted.find((seen) => !isCut(seen));
  if (whole) return { detection: { ...whole.detection, confidence }, isPiece: false };
  const all = sorted.map(({ detection }) => detection);
  return {
    detection: {
      classNumber: all[0].classNumber,
      confidence,
      left: Math.min(...all.map(({ left }) => left)),
      top: Math.min(...all.map(({ top }) => top)),
      right: Math.max(...all.map(({ right }) => right)),
      bottom: Math.max(...all.map(({ bottom }) => bottom)),
    },
    isPiece: true,
  };
}

function isPieceOf(candidate: Merged, other: Merged): boolean {
  const { detection: piece } = candidate;
  const { detection: whole } = other;
  if (!candidate.isPiece || candidate === other || piece.classNumber !== whole.classNumber) return false;
  const size = area(piece);
  return area(whole) > size && intersection(piece, whole) >= WITHIN * size;
}

function within(box: Corners, bounds: Corners): Corners {
  return {
    left: Math.max(box.left, bounds.left),
    top: Math.max(box.top, bounds.top),
    right: Math.min(box.right, bounds.right),
    bottom: Math.min(box.bottom, bounds.bottom),
  };
}

/** Things that belong together, found step by step. */
class Groups {
  private readonly groupOf: Map<Seen, Set<Seen>>;

  constructor(private readonly things: readonly Seen[]) {
    this.groupOf = new Map(things.map((thing) => [thing, new Set([thing])]));
  }

  join(a: Seen, b: Seen): void {
    const into = this.groupOf.get(a) as Set<Seen>;
    for (const member of this.groupOf.get(b) as Set<Seen>) {
      into.add(member);
      this.groupOf.set(member, into);
    }
  }

  all(): (readonly Seen[])[] {
    return [...new Set(this.things.map((thing) => this.groupOf.get(thing) as Set<Seen>))].map((group) => [...group]);
  }
}
