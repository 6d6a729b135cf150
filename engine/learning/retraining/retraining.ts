import {
  type Clock,
  type DeploymentRecord,
  type Job,
  type ModelKind,
  modelNameOf,
  modelOfName,
  type Reason,
  type RemovedVersion,
  type RestoredVersion,
  type RetrainingRun,
  type RetrainOutcome,
  type RetrainSettings,
  type RetrainStatus,
  systemClock,
  TypedEmitter,
  timestamp,
} from '../../domain';
import type { RetrainedModel, RetrainingFilter, RetrainingState, Store, WaitingCause } from '../../store';
import type { JobQueue } from '../job-queue';
import { checkSettings } from './check-settings';
import { NoRetrainTrigger, NotNow, RetrainTriggerTwice } from './errors';
import { heedSchedule } from './heed-schedule';
import { endedWithStation, outcomeOf } from './outcome';
import { isNews, type RetrainFacts, readinessOf } from './readiness';
import { reasonOfError, reasons } from './reasons';
import { newRun } from './run';
import { statusOf } from './status';

export interface RetrainingOptions {
  readonly store: Pick<Store, 'retraining' | 'jobs'>;
  readonly jobs: Pick<JobQueue, 'submit' | 'events'>;
  readonly clock?: Clock;
}

export interface RetrainingEvents {
  /** Whenever it reads otherwise than before. */
  readonly status: RetrainStatus;
  /** At its start, and when something came of it. */
  readonly run: RetrainingRun;
  readonly warning: { readonly message: string };
}

/** How one model is retrained, and by which node. */
export interface RetrainRegistration {
  readonly settings: RetrainSettings;
  readonly node: string;
  /** Who acts when a condition starts a training, for the record. */
  readonly actor: string;
}

export interface RetrainWish {
  readonly partType: string;
  /** The only one that is retrained, or `patchcore`, unless told. */
  readonly kind?: ModelKind;
  readonly actor: string;
  /** Heed neither minimum interval nor quiet hours. */
  readonly force?: boolean;
}

const LONGEST_WAIT_MS = 60_000;
/** Labels given in quick succession are looked at once. */
const SETTLE_MS = 200;
const RECENT_RUNS = 50;

interface Registered extends RetrainRegistration {
  /** The status as last told. */
  told: string;
}

/**
 * Trains models anew from what people labelled: when enough new labels are there, after a drift alarm, by a schedule, or
 * because a person asks for it. What is met in quiet hours or within the minimum interval waits, also over a restart. One
 * training of a model at a time.
 */
export class Retraining {
  readonly events = new TypedEmitter<RetrainingEvents>();
  readonly #store: RetrainingOptions['store'];
  readonly #jobs: RetrainingOptions['jobs'];
  readonly #clock: Clock;
  readonly #registered = new Map<string, Registered>();
  /** Jobs that wait or run, by id. */
  readonly #active = new Map<string, Job>();
  readonly #stopFollowing: () => void;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  /** When it fires, by `performance.now()`. */
  #timerAt = 0;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(options: RetrainingOptions) {
    this.#store = options.store;
    this.#jobs = options.jobs;
    this.#clock = options.clock ?? systemClock;
    this.#stopFollowing = this.#jobs.events.on('job', (job) => this.#follow(job));
  }

  /** Finds out what became of the retrainings that a dead process left; those that nothing came of are done again. */
  async open(): Promise<void> {
    await this.#inTurn(async () => {
      for (const state of ['queued', 'running'] as const) {
        for (const job of await this.#store.jobs.list({ state })) this.#active.set(job.id, job);
      }
      for (const run of await this.#store.retraining.list({ outcome: 'running', limit: 500 })) await this.#recover(run);
      this.#state = 'open';
    });
    await this.check();
  }

  /**
   * Says how a model is retrained.
   *
   * @returns a function that takes it back
   * @throws {InvalidInput | PartTypeInvalid} @throws {RetrainTriggerTwice} when another node does that already
   */
  register(registration: RetrainRegistration): () => void {
    const { settings, node } = registration;
    checkSettings(settings, this.#clock.now());
    const name = nameOf(settings);
    const other = this.#registered.get(name);
    if (other) throw new RetrainTriggerTwice(settings, other.node);
    const registered: Registered = { ...registration, told: '' };
    this.#registered.set(name, registered);
    this.#checkSoon(0);
    return () => {
      if (this.#registered.get(name)?.node === node) this.#registered.delete(name);
    };
  }

  /** How models are retrained, by name; of one part type, or of all. */
  conditions(partType?: string): readonly RetrainRegistration[] {
    return this.#of(partType).map(({ settings, node, actor }) => ({ settings, node, actor }));
  }

  /** Whether models would be retrained now, and why (not), by name; of one part type, or of all. */
  async status(partType?: string): Promise<readonly RetrainStatus[]> {
    return Promise.all(this.#of(partType).map(async (one) => this.#statusOf(one, await this.#factsOf(one.settings))));
  }

  /** What was done so far, newest first. */
  history(filter: RetrainingFilter = {}): Promise<readonly RetrainingRun[]> {
    return this.#store.retraining.list(filter);
  }

  /**
   * Starts a training because a person asks for it.
   *
   * @throws {NoRetrainTrigger} @throws {NotNow} with the reasons
   * @throws what `JobQueue.submit` throws, for example when there are too few labels
   */
  async trigger({ partType, kind, actor, force = false }: RetrainWish): Promise<RetrainingRun> {
    const run = await this.#inTurn(async () => {
      const registered = this.#find(partType, kind);
      const facts = await this.#factsOf(registered.settings);
      const readiness = readinessOf(registered.settings, facts);
      if (facts.job !== null || (readiness.blockers.length > 0 && !force)) {
        const [underWay] = readiness.reasons;
        throw new NotNow(registered.settings, facts.job ? [underWay] : readiness.blockers);
      }
      const manual: WaitingCause = { cause: 'manual', actor, at: this.#now(), reason: reasons.askedFor(actor) };
      return this.#start(registered, [manual, ...readiness.causes], facts.state);
    });
    this.#checkSoon(0);
    if (run instanceof Error) throw run;
    return run;
  }

  /**
   * Takes in that parts have changed. The alarm waits until a training may start, and until there is something new to learn.
   *
   * @returns false when the model is not retrained for drift
   * @throws {NoRetrainTrigger}
   */
  async alarm(model: RetrainedModel, actor: string): Promise<boolean> {
    const { settings } = this.#find(model.partType, model.kind);
    if (!settings.conditions.drift) return false;
    await this.#inTurn(async () => {
      const state = await this.#store.retraining.state(model);
      if (state.waiting.some(({ cause }) => cause === 'drift')) return;
      const reason = reasons.driftAlarm(this.#clock.now(), settings.timeZone);
      const waiting = [...state.waiting, { cause: 'drift', actor, at: this.#now(), reason } as const];
      await this.#store.retraining.keepState(model, { ...state, waiting });
    });
    await this.check();
    return true;
  }

  /** Labels were given or taken back. */
  labelsChanged(): void {
    if (this.#registered.size > 0) this.#checkSoon(SETTLE_MS);
  }

  /** A version went into production: a candidate of a retraining may be among them. */
  async deployed({ partType, kind, version, action, actor }: DeploymentRecord): Promise<void> {
    if (action !== 'deploy') return;
    await this.#tellLater({ partType, kind, version }, 'deployed', reasons.deployedLater(version, actor));
  }

  /** A version was taken away: a candidate of a retraining may be among them. */
  async removed({ name, version, actor }: RemovedVersion): Promise<void> {
    await this.#tellLater({ ...modelOfName(name), version }, 'candidate', reasons.removedLater(version, actor));
  }

  /** A version is there again: a candidate of a retraining may be among them. */
  async restored({ name, version, actor }: RestoredVersion): Promise<void> {
    await this.#tellLater({ ...modelOfName(name), version }, 'candidate', reasons.restoredLater(version, actor));
  }

  /** Says of the run whose candidate a version is what became of it. */
  async #tellLater(
    { partType, kind, version }: RetrainedModel & { readonly version: string },
    outcome: RetrainOutcome,
    reason: Reason,
  ): Promise<void> {
    await this.#inTurn(async () => {
      const runs = await this.#store.retraining.list({ partType, kind, outcome: 'candidate', limit: RECENT_RUNS });
      const run = runs.find((one) => one.version === version);
      if (run) await this.#update({ ...run, outcome, reasons: [...run.reasons, reason] });
    });
    await this.check();
  }

  /** Looks at all conditions now, and starts what is due. */
  async check(): Promise<void> {
    if (this.#state !== 'open') return;
    await this.#inTurn(async () => {
      let next = this.#clock.now() + LONGEST_WAIT_MS;
      for (const registered of this.#registered.values()) {
        next = Math.min(next, await this.#look(registered).catch((error) => this.#warn(error, next)));
      }
      this.#checkSoon(next - this.#clock.now());
    });
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#stopFollowing();
    if (this.#timer) clearTimeout(this.#timer);
    await this.#turn;
  }

  /** @returns when to look again */
  async #look(registered: Registered): Promise<number> {
    await this.#heedSchedule(registered);
    await this.#forgetTried(registered.settings);
    let facts = await this.#factsOf(registered.settings);
    if (readinessOf(registered.settings, facts).fires) {
      await this.#start(registered, readinessOf(registered.settings, facts).causes, facts.state);
      facts = await this.#factsOf(registered.settings);
    }
    const readiness = readinessOf(registered.settings, facts);
    const status = await this.#statusOf(registered, facts);
    const text = JSON.stringify(status);
    if (text !== registered.told) {
      registered.told = text;
      this.events.emit('status', status);
    }
    const { nextSchedule, possibleFrom, causes } = readiness;
    return Math.min(nextSchedule ?? Infinity, causes.length > 0 ? (possibleFrom ?? Infinity) : Infinity);
  }

  /** Labels that were tried in vain and count no more, because they were rejected or undone, are not waited for. */
  async #forgetTried(model: RetrainedModel): Promise<void> {
    const state = await this.#store.retraining.state(model);
    if (state.labelsTried === 0) return;
    const labelsTried = Math.min(state.labelsTried, await this.#newLabels(model, state));
    if (labelsTried < state.labelsTried) await this.#store.retraining.keepState(model, { ...state, labelsTried });
  }

  /** Has the schedule wait for its turn when one of its times has come and there is something to learn. */
  async #heedSchedule({ settings, actor }: Registered): Promise<void> {
    const { schedule } = settings.conditions;
    if (schedule === null) return;
    const before = await this.#store.retraining.state(settings);
    const { state, due } = heedSchedule(schedule, before, this.#clock.now(), actor);
    if (due === null) {
      if (state !== before) await this.#store.retraining.keepState(settings, state);
    } else if (isNews(await this.#newsOf(settings, state))) {
      await this.#store.retraining.keepState(settings, { ...state, waiting: [...state.waiting, due] });
    } else {
      const run = newRun(settings, [due], this.#now());
      const told = [...run.reasons, reasons.nothingNew()];
      const declined: RetrainingRun = { ...run, outcome: 'declined', reasons: told, endedAt: run.at };
      await this.#store.retraining.insert(declined);
      await this.#store.retraining.keepState(settings, state);
      this.events.emit('run', declined);
    }
  }

  /** Starts a training for all conditions that are met. @returns the error of one that could not be started */
  async #start(
    { settings, actor }: Registered,
    causes: readonly WaitingCause[],
    state: RetrainingState,
  ): Promise<RetrainingRun | Error> {
    const [first, ...others] = causes.map((cause) => ({ ...cause, actor: cause.actor || actor }));
    const run = newRun(settings, [first, ...others], this.#now());
    const { partType, kind, request, policy } = settings;
    await this.#store.retraining.insert(run);
    await this.#store.retraining.keepState(settings, { ...state, waiting: [] });
    try {
      const source = { kind: 'labelled' } as const;
      const wish = { ...request, partType, ...(kind !== 'patchcore' && { kind }), source, deploy: false, policy };
      const job = await this.#jobs.submit(wish, run.actor, { kind: run.trigger, runId: run.id });
      this.#active.set(job.id, job);
      return await this.#update({ ...run, jobId: job.id });
    } catch (error) {
      const told = [...run.reasons, reasonOfError(error)];
      await this.#update({ ...run, outcome: 'declined', reasons: told, endedAt: this.#now() });
      await this.#triedInVain(settings);
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Follows jobs, also those that no retraining started: one training of a model at a time, and labels are used by all. */
  #follow(job: Job): void {
    if (this.#state === 'closed') return;
    const before = this.#active.get(job.id)?.state;
    if (job.state === 'queued' || job.state === 'running') {
      this.#active.set(job.id, job);
      if (before !== job.state) this.#checkSoon(0);
      return;
    }
    this.#active.delete(job.id);
    this.#inTurn(() => this.#ended(job)).then(
      () => this.#checkSoon(0),
      (error) => this.#warn(error),
    );
  }

  async #ended(job: Job): Promise<void> {
    const { request, state, startedAt, trigger } = job;
    const model = { partType: request.partType, kind: request.kind ?? 'patchcore' };
    if (state === 'completed' && request.source.kind === 'labelled') {
      const kept = await this.#store.retraining.state(model);
      await this.#store.retraining.keepState(model, { ...kept, labelsSince: startedAt, labelsTried: 0 });
    }
    const run = trigger ? await this.#store.retraining.get(trigger.runId) : null;
    if (run?.outcome !== 'running') return;
    const { outcome, version, reasons: told } = outcomeOf(job);
    await this.#update({
      ...run,
      jobId: job.id,
      outcome,
      version,
      reasons: [...run.reasons, ...told],
      endedAt: job.endedAt,
    });
    if (endedWithStation(job)) await this.#again(run);
    else if (state !== 'completed') await this.#triedInVain(model);
  }

  async #recover(run: RetrainingRun): Promise<void> {
    const job = run.jobId
      ? await this.#store.jobs.get(run.jobId)
      : (await this.#store.jobs.list()).find(({ trigger }) => trigger?.runId === run.id);
    if (!job) {
      const told = [...run.reasons, reasons.interrupted()];
      await this.#update({ ...run, outcome: 'interrupted', reasons: told, endedAt: this.#now() });
      await this.#again(run);
    } else if (!this.#active.has(job.id)) {
      await this.#ended(job);
    } else if (run.jobId === null) {
      await this.#update({ ...run, jobId: job.id });
    }
  }

  /** Has what started a run wait once more. New labels need not: they are still new. */
  async #again(run: RetrainingRun): Promise<void> {
    if (run.trigger === 'labels') return;
    const state = await this.#store.retraining.state(run);
    if (state.waiting.some(({ cause }) => cause === run.trigger)) return;
    const { trigger: cause, actor } = run;
    const waiting = [...state.waiting, { cause, actor, at: run.at, reason: reasons.interruptedAgain() }];
    await this.#store.retraining.keepState(run, { ...state, waiting });
  }

  /** The labels that are there start no further training: it takes more of them. */
  async #triedInVain(model: RetrainedModel): Promise<void> {
    const state = await this.#store.retraining.state(model);
    const labelsTried = await this.#newLabels(model, state);
    await this.#store.retraining.keepState(model, { ...state, labelsTried });
  }

  async #update(run: RetrainingRun): Promise<RetrainingRun> {
    await this.#store.retraining.update(run);
    this.events.emit('run', run);
    return run;
  }

  async #factsOf({ partType, kind }: RetrainedModel): Promise<RetrainFacts> {
    const state = await this.#store.retraining.state({ partType, kind });
    const [last] = await this.#store.retraining.list({ partType, kind, trained: true, limit: 1 });
    const job = [...this.#active.values()].find(
      ({ request }) => request.partType === partType && (request.kind ?? 'patchcore') === kind,
    );
    return {
      now: this.#clock.now(),
      ...(await this.#newsOf({ partType, kind }, state)),
      state,
      lastStart: last ? Date.parse(last.at) : null,
      job: job ? { id: job.id, state: job.state === 'running' ? 'running' : 'queued' } : null,
    };
  }

  #newLabels({ partType }: RetrainedModel, { labelsSince }: RetrainingState): Promise<number> {
    return this.#store.retraining.newLabels(partType, labelsSince);
  }

  async #newsOf(model: RetrainedModel, state: RetrainingState): Promise<Pick<RetrainFacts, 'newLabels' | 'withdrawn'>> {
    const [newLabels, withdrawn] = await Promise.all([
      this.#newLabels(model, state),
      this.#store.retraining.newlyWithdrawn(model.partType, state.labelsSince),
    ]);
    return { newLabels, withdrawn };
  }

  async #statusOf({ settings }: Registered, facts: RetrainFacts): Promise<RetrainStatus> {
    const { partType, kind } = settings;
    const runs = await this.#store.retraining.list({ partType, kind, limit: RECENT_RUNS });
    return statusOf(settings, facts, readinessOf(settings, facts), runs);
  }

  #of(partType?: string): readonly Registered[] {
    const all = [...this.#registered.values()].sort((a, b) => nameOf(a.settings).localeCompare(nameOf(b.settings)));
    return all.filter(({ settings }) => partType === undefined || settings.partType === partType);
  }

  #find(partType: string, kind?: ModelKind): Registered {
    const found =
      this.#registered.get(modelNameOf(partType, kind ?? 'patchcore')) ??
      (kind === undefined ? this.#of(partType)[0] : undefined);
    if (!found) throw new NoRetrainTrigger(partType, kind);
    return found;
  }

  /** One at a time: two conditions met at once start one training. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  #checkSoon(milliseconds: number): void {
    if (this.#state !== 'open') return;
    const wait = Math.min(Math.max(milliseconds, 0), LONGEST_WAIT_MS);
    const at = performance.now() + wait;
    if (this.#timer && this.#timerAt <= at) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.check().catch((error) => this.#warn(error));
    }, wait);
    this.#timer.unref();
  }

  /** @returns what was given, for `catch` */
  #warn<Value>(error: unknown, value?: Value): Value {
    if (this.#state !== 'closed') {
      this.events.emit('warning', { message: error instanceof Error ? error.message : String(error) });
    }
    return value as Value;
  }

  #now(): string {
    return timestamp(this.#clock.now());
  }
}

function nameOf({ partType, kind }: RetrainedModel): string {
  return modelNameOf(partType, kind);
}
