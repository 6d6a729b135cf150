import { type Random, seededRandom, shuffled } from '../../domain';
import { drawWindow, type PictureFrame, type WindowWishes } from './draw-window';
import type { PictureStore } from './picture-store';
import { renderWindow, type TrainingWindow } from './window';

/** Pictures that were searched for the same classes. */
export interface SampleGroup {
  /** Tells it from others. */
  readonly name: string;
  readonly store: PictureStore;
  /** Which pictures of the store. */
  readonly pictures: readonly number[];
  /** Classes that these pictures were not searched for. */
  readonly unlabelled: readonly number[];
}

/** A training input with what is known about it. */
export interface Sample extends TrainingWindow {
  readonly unlabelled: readonly number[];
}

/** Which picture is shown. */
export interface Turn {
  readonly group: SampleGroup;
  readonly picture: number;
  /** Place within the epoch. */
  readonly place: number;
}

/** Chances of one purpose are apart from those of another. */
const ORDER = 1;
const WINDOW = 2;

/**
 * The pictures of an epoch in their order: each new picture once, and as many old ones, so that what was learnt before is not
 * forgotten. The same seed and epoch give the same order.
 */
export function turnsOf(fresh: SampleGroup, replay: SampleGroup | null, seed: number, epoch: number): Turn[] {
  const random = randomOf(seed, ORDER, epoch, 0);
  const count = fresh.pictures.length;
  const turns = shuffled(fresh.pictures, random).map((picture) => ({ group: fresh, picture }));
  if (replay !== null && replay.pictures.length > 0) {
    while (turns.length < 2 * count) {
      const old = shuffled(replay.pictures, random).slice(0, 2 * count - turns.length);
      turns.push(...old.map((picture) => ({ group: replay, picture })));
    }
  }
  return shuffled(turns, random).map((turn, place) => ({ ...turn, place }));
}

/** The window of a turn; the same settings, epoch and turn give the same. */
export async function sampleOf(
  { group, picture, place }: Turn,
  epoch: number,
  wishes: WindowWishes & { readonly seed: number },
): Promise<Sample> {
  const { store, pictures: others, unlabelled } = group;
  const random = randomOf(wishes.seed, WINDOW, epoch, place);
  const another = () => others[Math.floor(random() * others.length)];
  const plan = drawWindow(picture, (index) => store.frame(index), another, wishes, random);
  const pictures = await Promise.all(plan.parts.map((part) => store.read(part.picture)));
  return { ...renderWindow(plan, pictures, wishes.side), unlabelled };
}

/** What is known of a group's pictures without reading them. */
export function framesOf({ store, pictures }: SampleGroup): PictureFrame[] {
  return pictures.map((picture) => store.frame(picture));
}

function randomOf(seed: number, purpose: number, epoch: number, place: number): Random {
  const mixed = [purpose, epoch, place].reduce(
    (state, value) => Math.imul(state ^ value, 0x9e3779b1) ^ (state >>> 15),
    seed,
  );
  return seededRandom(mixed);
}
