import { type Label, type ModelReference, type Thresholds, type Verdict, verdictOf, worstAnomaly } from '../domain';
import { type AnomalyResult, loadAnomalyModel } from '../patchcore';
import { type Rate, rateOf } from '../statistics';
import { type HistoryFilter, type PastInspection, readHistory } from '../store';
import { type Looked, lookThrough } from './look-through';

export interface Rescoring {
  /** Of a station, whether it works now or not. */
  readonly dataFolder: string;
  /** `inspection.sqlite` unless told. */
  readonly databaseFile?: string;
  /** Package of the candidate. */
  readonly modelFolder: string;
  /** The part type is the candidate's unless told. */
  readonly filter?: HistoryFilter;
  /** Instead of the candidate's own. */
  readonly thresholds?: Thresholds;
  /** Threads of ONNX Runtime, 1 unless told. */
  readonly threads?: number;
  /** Each picture that was scored, oldest first. */
  readonly onResult?: (result: Rescored) => void | Promise<void>;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
}

/** What a picture got then, and what it gets from the candidate. */
export interface Rescored {
  readonly id: string;
  readonly serial: string | null;
  readonly capturedAt: string;
  readonly label: Label | null;
  readonly before: {
    readonly verdict: Verdict;
    /** True when nothing could be judged then and the station's fail-safe verdict stood in. */
    readonly failSafe: boolean;
    readonly score: number | null;
    readonly model: ModelReference | null;
  };
  readonly after: { readonly verdict: Verdict; readonly score: number; readonly normalizedScore: number };
  /**
   * `escape`: labelled NG and newly passed; `false-reject`: labelled OK and newly rejected; `other`: another verdict than
   * before; `none`: the same. Fail-safe verdicts are compared with nothing.
   */
  readonly change: 'escape' | 'false-reject' | 'other' | 'none';
}

/** How many of the pictures with a verdict then get which verdict now. */
export type VerdictTable = Readonly<Record<Verdict | 'failSafe', Readonly<Record<Verdict, number>>>>;

/** All figures come with exact 95 % intervals (Clopper-Pearson); null where there is nothing to count. */
export interface RescoreReport {
  readonly model: ModelReference & { readonly partType: string };
  readonly thresholds: Thresholds;
  readonly filter: { readonly partType: string; readonly from: string | null; readonly last: number | null };
  readonly pictures: {
    /** Settled inspections looked at. */
    readonly total: number;
    readonly scored: number;
    /** Their pictures were not kept, or removed since. */
    readonly missing: number;
    /** Their parts have golden pictures of their own, which are not kept, and the candidate brings none for all parts. */
    readonly withoutGolden: number;
    readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
  };
  readonly table: VerdictTable;
  /** Another verdict than before, of those a model had judged. */
  readonly changed: Rate | null;
  /** OK before, not OK now. */
  readonly newlyStopped: Rate | null;
  /** Not OK before, OK now. */
  readonly newlyPassed: Rate | null;
  /** By what people said of the parts: what passed of the NG ones, and what was rejected of the OK ones. */
  readonly labelled: {
    readonly ng: number;
    readonly ok: number;
    readonly passedBefore: Rate | null;
    readonly passedNow: Rate | null;
    readonly rejectedBefore: Rate | null;
    readonly rejectedNow: Rate | null;
  };
  /** Those with another verdict: escapes first, then false rejects, then the others; each oldest first. */
  readonly changes: readonly Rescored[];
  readonly seconds: number;
}

const ORDER: readonly Rescored['change'][] = ['escape', 'false-reject', 'other'];

/**
 * Scores the pictures of past inspections with another version of a model and compares the verdicts. The next picture is
 * read and decoded while one is scored. Changes nothing, and may run beside the station.
 *
 * @throws {ModelInvalid} when the candidate cannot be used
 * @throws {InvalidInput} when the folder is no station's
 * @throws {StoreUnavailable} when its database cannot be read
 */
export async function rescore(options: Rescoring): Promise<RescoreReport> {
  const { signal, onResult, onProgress } = options;
  const start = performance.now();
  signal?.throwIfAborted();
  const model = await loadAnomalyModel(options.modelFolder, { threads: options.threads ?? 1 });
  try {
    const { name, version, partType: ownPartType } = model.manifest;
    const thresholds = options.thresholds ?? model.manifest.thresholds;
    const { partType = ownPartType, from, last } = options.filter ?? {};
    const filter = { partType, from, last };
    const past = await readHistory(options.dataFolder, filter, toSubject, options.databaseFile);
    const tally = new Tally();
    let done = 0;
    for await (const outcome of lookThrough(past, (picture) => model.score(picture, { map: false }), signal)) {
      signal?.throwIfAborted();
      const result = outcome.kind === 'seen' ? compare(outcome.subject, outcome.result, thresholds) : null;
      if (result === null) tally.leaveOut(outcome);
      else {
        tally.count(result);
        await onResult?.(result);
      }
      done += 1;
      onProgress?.({ done, total: past.length });
    }
    return {
      model: { name, version, partType: ownPartType },
      thresholds,
      filter: { partType, from: from ?? null, last: last ?? null },
      ...tally.report(),
      seconds: Math.round(performance.now() - start) / 1000,
    };
  } finally {
    await model.dispose();
  }
}

type Subject = Omit<Rescored, 'after' | 'change'> & { readonly picture: string | null };

type Outcome = Looked<Subject, AnomalyResult>;

function toSubject({ id, serial, capturedAt, label, picture, decision, findings }: PastInspection): Subject {
  const anomaly = worstAnomaly(findings);
  const { verdict, by } = decision;
  const before = {
    verdict,
    failSafe: by === 'failsafe',
    score: anomaly?.score ?? null,
    model: anomaly?.model ?? null,
  };
  return { id, serial, capturedAt, label, picture, before };
}

function compare(
  { picture: _picture, ...subject }: Subject,
  { score, normalizedScore }: AnomalyResult,
  thresholds: Thresholds,
): Rescored {
  const verdict = verdictOf(score, thresholds);
  return { ...subject, after: { verdict, score, normalizedScore }, change: changeOf(subject, verdict) };
}

function changeOf({ before, label }: Omit<Subject, 'picture'>, verdict: Verdict): Rescored['change'] {
  if (before.failSafe || before.verdict === verdict) return 'none';
  if (label === 'NG' && verdict === 'OK') return 'escape';
  return label === 'OK' && verdict === 'NG' ? 'false-reject' : 'other';
}

/** Counts as the results come; keeps only the changes. */
class Tally {
  readonly #rows = { OK: noVerdicts(), REVIEW: noVerdicts(), NG: noVerdicts(), failSafe: noVerdicts() };
  readonly #changes: Rescored[] = [];
  readonly #unreadable: { id: string; reason: string }[] = [];
  #missing = 0;
  #withoutGolden = 0;
  readonly #ng = { total: 0, passedBefore: 0, passedNow: 0 };
  readonly #ok = { total: 0, rejectedBefore: 0, rejectedNow: 0 };

  leaveOut(outcome: Outcome): void {
    if (outcome.kind === 'missing') this.#missing += 1;
    else if (outcome.kind === 'without-golden') this.#withoutGolden += 1;
    else if (outcome.kind === 'unreadable') {
      this.#unreadable.push({ id: outcome.subject.id, reason: outcome.reason });
    }
  }

  count(result: Rescored): void {
    const { before, after, label, change } = result;
    this.#rows[before.failSafe ? 'failSafe' : before.verdict][after.verdict] += 1;
    if (change !== 'none') this.#changes.push(result);
    if (label === 'NG') {
      this.#ng.total += 1;
      this.#ng.passedBefore += Number(before.verdict === 'OK');
      this.#ng.passedNow += Number(after.verdict === 'OK');
    } else if (label === 'OK') {
      this.#ok.total += 1;
      this.#ok.rejectedBefore += Number(before.verdict === 'NG');
      this.#ok.rejectedNow += Number(after.verdict === 'NG');
    }
  }

  report(): Pick<
    RescoreReport,
    'pictures' | 'table' | 'changed' | 'newlyStopped' | 'newlyPassed' | 'labelled' | 'changes'
  > {
    const { OK, REVIEW, NG, failSafe } = this.#rows;
    const wasOk = sum(OK);
    const wasStopped = sum(REVIEW) + sum(NG);
    const scored = wasOk + wasStopped + sum(failSafe);
    const newlyStopped = OK.REVIEW + OK.NG;
    const newlyPassed = REVIEW.OK + NG.OK;
    const ng = this.#ng;
    const ok = this.#ok;
    return {
      pictures: {
        total: scored + this.#missing + this.#withoutGolden + this.#unreadable.length,
        scored,
        missing: this.#missing,
        withoutGolden: this.#withoutGolden,
        unreadable: this.#unreadable,
      },
      table: this.#rows,
      changed: rate(newlyStopped + newlyPassed + REVIEW.NG + NG.REVIEW, wasOk + wasStopped),
      newlyStopped: rate(newlyStopped, wasOk),
      newlyPassed: rate(newlyPassed, wasStopped),
      labelled: {
        ng: ng.total,
        ok: ok.total,
        passedBefore: rate(ng.passedBefore, ng.total),
        passedNow: rate(ng.passedNow, ng.total),
        rejectedBefore: rate(ok.rejectedBefore, ok.total),
        rejectedNow: rate(ok.rejectedNow, ok.total),
      },
      changes: ORDER.flatMap((kind) => this.#changes.filter(({ change }) => change === kind)),
    };
  }
}

function noVerdicts(): Record<Verdict, number> {
  return { OK: 0, REVIEW: 0, NG: 0 };
}

function sum({ OK, REVIEW, NG }: Readonly<Record<Verdict, number>>): number {
  return OK + REVIEW + NG;
}

function rate(count: number, total: number): Rate | null {
  return total === 0 ? null : rateOf(count, total);
}
