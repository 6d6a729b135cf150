import {
  type ChangedDecision,
  type Finding,
  type GateFigures,
  type GateReport,
  type JobProgress,
  StageProgress,
} from '../../domain';
import { type PastInspection, readHistory } from '../../store';
import { lookThrough } from '../look-through';
import { partDefects } from '../part-defects';
import { compareDecisions, isNewlyPassed } from './compare-decisions';
import { figuresOf, heldOutOf } from './figures';
import type { GateOrder, GatePicture } from './gate-order';
import type { Judged } from './judged';
import { type LineUse, lineUseOf } from './line-use';
import { lookAtPictures, withLookers } from './look-at-pictures';
import type { Looker } from './looker';
import { scoreOf } from './looks';
import { oldClassesOf } from './old-classes';
import { lookedAt, reportOf } from './report';
import { verdictWith } from './verdicts';

/**
 * Compares a candidate with the version in production: on labelled pictures that neither learnt, and by their decisions on the
 * newest production pictures. Changes nothing.
 *
 * @param onProgress 0..100 over all of it
 * @throws {ModelInvalid} when one of the two cannot be used
 * @throws {StoreUnavailable} when the production pictures cannot be read
 */
export async function judge(order: GateOrder, onProgress: (progress: JobProgress) => void): Promise<GateReport> {
  const { kind, candidate, against, threads } = order;
  const places = against === null ? [candidate] : [candidate, against];
  return withLookers(
    places.map(({ folder }) => [kind, folder, threads]),
    async ([after, before = null]) => {
      const labelled = lookedAt(order);
      const past = before === null ? [] : await productionOf(order);
      const progress = new StageProgress<'gate'>({ gate: [0, 100] });
      let done = 0;
      const step = () => {
        done += 1;
        const told = progress.at('gate', done / (labelled.length + past.length));
        if (told) onProgress(told);
      };
      const judged = await judgeLabelled(labelled, { after, before, order, step });
      const measuring = new Set(heldOutOf(order.pictures, kind));
      const heldOut = judged.filter(({ picture }) => measuring.has(picture));
      const holdOut = heldOut.length === 0 ? null : { ...figuresOf(heldOut, kind), ...levelsOf(order) };
      const confidences = { before: before?.confidences ?? null, after: after.confidences };
      const oldClasses = before === null ? null : oldClassesOf(heldOut, { kind, known: before.classes, confidences });
      const shadow = before === null ? null : await compareOnPast(past, { after, before, order, step });
      const labelledNgNewlyPassed = new Set([
        ...judged.filter(isNewEscape).map(({ picture }) => picture.id),
        ...(shadow?.items ?? []).filter((item) => item.label === 'NG' && isNewlyPassed(item)).map(({ id }) => id),
      ]).size;
      return reportOf(order, { holdOut, oldClasses, shadow, labelledNgNewlyPassed }, progress.seconds);
    },
  );
}

/** Which pictures labelled NG set the accept level of a candidate; nothing where labels set none. */
function levelsOf({ kind, dataset, pictures }: GateOrder): Pick<GateFigures, 'levels'> {
  if (kind !== 'patchcore' || dataset === null) return {};
  const { levels, same } = partDefects(pictures);
  return levels.length === 0 ? {} : { levels: { ng: levels.length, same } };
}

interface Judging {
  readonly after: Looker;
  readonly order: GateOrder;
  /** Told of each picture. */
  readonly step: () => void;
}

async function judgeLabelled(
  pictures: readonly GatePicture[],
  { after, before, order, step }: Judging & { readonly before: Looker | null },
): Promise<readonly Judged[]> {
  const judges = [
    { looker: after, thresholds: order.thresholds.after },
    ...(before === null ? [] : [{ looker: before, thresholds: order.thresholds.before }]),
  ];
  const { seen } = await lookAtPictures(pictures, judges, step);
  return seen.map(({ picture, judgements: [now, then = null] }) => ({ picture, before: then, after: now }));
}

function isNewEscape({ picture, before, after }: Judged): boolean {
  return picture.label === 'NG' && before !== null && isNewlyPassed({ before: before.verdict, after: after.verdict });
}

interface Past {
  readonly id: string;
  readonly label: ChangedDecision['label'];
  readonly picture: string | null;
  readonly findings: readonly Finding[];
}

function productionOf({ production, pictures }: GateOrder): Promise<readonly Past[]> {
  const { dataFolder, databaseFile, partType, last } = production;
  const labels = new Map(pictures.map(({ id, label }) => [id, label]));
  const toPast = ({ id, label, picture, findings }: PastInspection): Past => ({
    ...{ id, picture, findings },
    label: labels.get(id) ?? label,
  });
  return readHistory(dataFolder, { partType, last, withPicture: true }, toPast, databaseFile);
}

async function compareOnPast(
  past: readonly Past[],
  { after, before, order, step }: Judging & { readonly before: Looker },
): Promise<GateReport['shadow']> {
  const decided: ChangedDecision[] = [];
  const look = async (picture: Buffer, { findings }: Past) => {
    const own = findings.find(({ model }) => model?.name === before.model.name) ?? null;
    const use = own && lineUseOf(own);
    const then = recorded(own, use, before) ?? (await before.look(picture, use));
    const now = await after.look(picture, use);
    return {
      before: verdictWith(then.finding, findings, order.thresholds.before),
      after: verdictWith(now.finding, findings, order.thresholds.after),
      scoreBefore: then.score,
      scoreAfter: now.score,
    };
  };
  for await (const outcome of lookThrough(past, look)) {
    const { id, label } = outcome.subject;
    if (outcome.kind === 'seen') decided.push({ id, label, picture: 'inspection', ...outcome.result });
    step();
  }
  return compareDecisions(decided, past.length - decided.length);
}

/** What the line got from this very version: then its picture need not be looked at once more. */
function recorded(own: Finding | null, use: LineUse | null, { model, verdicts }: Looker) {
  if (own === null || use === null || own.model?.version !== model.version) return null;
  const byHand = use.kind === 'class' ? use.verdicts : {};
  return { finding: own, score: scoreOf(own, { ...verdicts, ...byHand }) };
}
