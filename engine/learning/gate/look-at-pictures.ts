import type { Thresholds } from '../../domain';
import { lookThrough } from '../look-through';
import type { GatePicture } from './gate-order';
import type { Judgement } from './judged';
import { type Looker, openLooker } from './looker';
import { verdictAlone } from './verdicts';

/** A labelled picture and what each of the models makes of it, in their order. */
export interface Seen {
  readonly picture: GatePicture;
  readonly judgements: readonly Judgement[];
}

/** One of several models that look at the same pictures. */
export interface Judge {
  readonly looker: Looker;
  /** Set by hand; null: the model's own. */
  readonly thresholds: Thresholds | null;
}

/** Shows labelled pictures to several models. @returns those that all of them could look at, and how many they could not */
export async function lookAtPictures(
  pictures: readonly GatePicture[],
  judges: readonly Judge[],
  onPicture: () => void,
): Promise<{ readonly seen: readonly Seen[]; readonly skipped: number }> {
  const seen: Seen[] = [];
  const look = (bytes: Buffer) => Promise.all(judges.map((judge) => judgementOf(judge, bytes)));
  for await (const outcome of lookThrough(pictures, look)) {
    if (outcome.kind === 'seen') seen.push({ picture: outcome.subject, judgements: outcome.result });
    onPicture();
  }
  return { seen, skipped: pictures.length - seen.length };
}

async function judgementOf({ looker, thresholds }: Judge, picture: Buffer): Promise<Judgement> {
  const look = await looker.look(picture, null);
  return { ...look, verdict: verdictAlone(look.finding, thresholds) };
}

/** Loads several versions of a model, and lets go of them when the work is done. */
export async function withLookers<Result>(
  orders: readonly Parameters<typeof openLooker>[],
  work: (lookers: readonly Looker[]) => Promise<Result>,
): Promise<Result> {
  const lookers: Looker[] = [];
  try {
    for (const order of orders) lookers.push(await openLooker(...order));
    return await work(lookers);
  } finally {
    for (const looker of lookers) await looker.dispose();
  }
}
