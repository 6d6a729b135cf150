import {
  type Clock,
  type Decision,
  type FailSafeVerdict,
  type Inspection,
  type InspectionError,
  InvalidInput,
  isFailSafeReason,
  NotFound,
  newId,
  type PictureInfo,
  type ReasonCode,
  StationClosed,
  type Trigger,
  timestamp,
} from '../domain';
import { failSafeDecision } from '../routing';
import { type Store, StoreUnavailable, storeError } from '../store';
import { UnknownInspection } from './errors';
import { failureFinding } from './failure';
import { type Outlet, Outlets } from './outlets';
import { plain, plainFindings } from './plain';
import { asInspection, recoverOpenInspections } from './recovery';
import { UnrecordedVerdicts } from './unrecorded';

export interface OpenInspection {
  readonly partType: string;
  readonly serial?: string;
  readonly trigger: Trigger;
  /** Id of the flow tab the part runs through: its verdict goes to an outlet on the same one. */
  readonly route?: string;
  /** Milliseconds to the verdict; the station's unless told. */
  readonly deadlineMs?: number;
}

export interface LedgerOptions {
  readonly store: Pick<Store, 'dataFolder' | 'inspections' | 'pictures'>;
  /** Node id of the station. */
  readonly station: string;
  readonly failSafe: FailSafeVerdict;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly onOpened: (inspection: Inspection) => void;
  readonly onSettled: (inspection: Inspection) => void;
  readonly onFault: (error: unknown) => void;
  /** See `UnrecordedOptions.firstRetryMs`. */
  readonly firstRetryMs?: number;
  /** See `OutletsOptions.gatherMs`. */
  readonly gatherMs?: number;
}

/** An inspection on its way. */
interface Part {
  inspection: Inspection;
  readonly route: string;
  /** On the clock of `performance.now()`: the verdict must have been sent by now. */
  readonly deadline: number;
  /** Somewhat earlier: the fail-safe verdict falls, so that it can be recorded in time. */
  readonly cutOff: number;
  state: 'open' | 'settling';
  picture: Buffer | null;
  /** The picture's path once it is on the disk; null without a picture. */
  saving: Promise<string | null>;
  maps: number;
  cutOffTimer: NodeJS.Timeout;
  recordTimer: NodeJS.Timeout;
  readonly outcome: Promise<Inspection>;
  readonly resolve: (inspection: Inspection) => void;
}

const SHORTEST_DEADLINE_MS = 50;
const LONGEST_DEADLINE_MS = 24 * 3600 * 1000;
/** A trigger whose picture takes longer than this is recorded without waiting for it. */
const RECORD_WITHOUT_PICTURE_MS = 100;
const SHORTEST_RECORD_MS = 50;
const LONGEST_RECORD_MS = 3000;
const CLOSE_RECORD_MS = 1000;
const RECENT = 2000;
const LATEST_SEARCHED = 200;

/** The inspections under way. Each one gets exactly one verdict, recorded before it is sent and before its deadline. */
export class InspectionLedger {
  private readonly parts = new Map<string, Part>();
  /** Ids settled of late; for older ones the store is asked. */
  private readonly recent = new Set<string>();
  private readonly unrecordedVerdicts: UnrecordedVerdicts;
  private readonly outlets: Outlets;
  private readonly counts = { settled: 0, failSafe: 0 };
  private isClosing = false;
  private closing: Promise<void> | null = null;

  private constructor(private readonly options: LedgerOptions) {
    const { store, onFault, firstRetryMs, gatherMs } = options;
    this.unrecordedVerdicts = new UnrecordedVerdicts({ store, onFault, firstRetryMs });
    this.outlets = new Outlets({
      claim: async (id) => this.unrecordedVerdicts.claim(id) || (await store.inspections.setDelivered(id, true)),
      readPicture: (inspection) => this.readPicture(inspection),
      onFault,
      gatherMs,
    });
  }

  /** Opens the ledger of a store; inspections that a crash left open get their fail-safe verdict. */
  static async open(options: LedgerOptions): Promise<InspectionLedger> {
    const ledger = new InspectionLedger(options);
    try {
      await ledger.recover();
      return ledger;
    } catch (error) {
      await ledger.unrecordedVerdicts.close();
      throw error;
    }
  }

  /** Inspections under way. */
  get size(): number {
    return this.parts.size;
  }

  /** Verdicts since the ledger was opened. */
  get settledCount(): number {
    return this.counts.settled;
  }

  /** Fail-safe verdicts among them. */
  get failSafeCount(): number {
    return this.counts.failSafe;
  }

  /** Verdicts sent on that the store could not take yet. */
  get unrecorded(): number {
    return this.unrecordedVerdicts.size;
  }

  /**
   * Begins an inspection and its deadline.
   *
   * @throws {StationClosed}
   * @throws {InvalidInput} when the part type is empty or the deadline is not within 50 ms and a day
   */
  open(input: OpenInspection): Inspection {
    if (this.isClosing) throw new StationClosed();
    const { partType, serial, trigger, route = '', deadlineMs = this.options.deadlineMs } = input;
    if (typeof partType !== 'string' || partType === '') throw new InvalidInput('The part type is empty.');
    if (!(deadlineMs >= SHORTEST_DEADLINE_MS && deadlineMs <= LONGEST_DEADLINE_MS)) {
      throw new InvalidInput(`The deadline must be ${SHORTEST_DEADLINE_MS} ms to a day, not ${deadlineMs}.`);
    }
    const now = this.options.clock.now();
    const inspection: Inspection = {
      id: newId(),
      station: this.options.station,
      partType,
      ...(serial === undefined ? {} : { serial }),
      trigger,
      capturedAt: timestamp(now),
      deadlineAt: timestamp(now + deadlineMs),
      findings: [],
    };
    const part = this.begin(inspection, route, deadlineMs);
    this.parts.set(inspection.id, part);
    this.options.onOpened(inspection);
    return inspection;
  }

  /**
   * Gives an inspection its picture, which is written to disk in the background.
   *
   * @param picture must not be changed afterwards
   * @returns the inspection with `image`
   * @throws {InvalidInput} when it has one already
   */
  attachPicture(inspection: Inspection, picture: Buffer, info: PictureInfo): Inspection {
    const withImage: Inspection = { ...inspection, image: info };
    const part = this.parts.get(inspection.id);
    if (part?.state !== 'open') return withImage;
    if (part.picture) throw new InvalidInput(`Inspection ${inspection.id} has a picture already.`);
    part.inspection = { ...part.inspection, image: info };
    part.picture = picture;
    part.saving = this.save(part, picture, info);
    part.saving.catch(() => {}); // settling waits for it and sees the error
    clearTimeout(part.recordTimer);
    return withImage;
  }

  /**
   * Ends an inspection: picture and record are on disk when it resolves, and the caller sends the verdict on.
   *
   * When the store fails, the verdict is the fail-safe one (an NG stays NG) with the reason `not-recorded`; recording is
   * tried again until it works.
   *
   * @param inspection with all findings
   * @param gone aborted when the caller can no longer send: the verdict then goes to an outlet
   * @returns the inspection with its decision; null when the caller must not send: it has a verdict already (deadline
   *   passed, duplicate), or the caller is gone
   * @throws {UnknownInspection} when this station never opened it
   */
  async settle(inspection: Inspection, decision: Decision, gone?: AbortSignal): Promise<Inspection | null> {
    const part = this.parts.get(inspection.id);
    if (!part) return this.settledBefore(inspection.id);
    if (part.state !== 'open') return null;
    if (performance.now() >= part.cutOff) {
      this.cutOff(part);
      return null;
    }
    return this.conclude(part, fromFlow(part, inspection), decision, !gone?.aborted, undefined, gone);
  }

  /**
   * Ends an inspection with the fail-safe verdict and hands it to an outlet.
   *
   * @returns null when it has a verdict already
   * @throws {UnknownInspection}
   */
  async fail(inspection: Inspection, reason: ReasonCode, message: string): Promise<Inspection | null> {
    const part = this.parts.get(inspection.id);
    if (!part) return this.settledBefore(inspection.id);
    if (part.state !== 'open') return null;
    return this.giveUp(part, fromFlow(part, inspection), reason, message);
  }

  /** Resolves with the inspection once it has its verdict. @throws {NotFound} */
  async settled(id: string): Promise<Inspection> {
    const part = this.parts.get(id);
    if (part) return part.outcome;
    const unrecorded = this.unrecordedVerdicts.get(id);
    if (unrecorded) return unrecorded.inspection;
    const record = await this.options.store.inspections.get(id);
    if (record?.state !== 'settled') throw new NotFound('inspection', id);
    return asInspection(record);
  }

  /**
   * Registers a taker of the verdicts made here: deadline passed, capture failed, inspection interrupted. They go to an
   * outlet on the inspection's own route, else to the only one there is, and are kept while there is none.
   *
   * @returns a function that removes the outlet
   */
  registerOutlet(outlet: Outlet): () => void {
    return this.outlets.register(outlet);
  }

  /** The newest inspection that a trigger node began, with its decision if that fell; null when it is not a recent one. */
  async latestOf(triggerNode: string): Promise<Inspection | null> {
    const { items } = await this.options.store.inspections.list({ limit: LATEST_SEARCHED });
    const underway = [...this.parts.values()].map(({ inspection }) => inspection);
    // one that is in several lists stands first in the list that knows most
    const candidates = [...this.unrecordedVerdicts.inspections, ...items.map(asInspection), ...underway];
    return candidates
      .filter(({ trigger }) => trigger.node === triggerNode)
      .reduce<Inspection | null>((newest, each) => (newest && newest.id >= each.id ? newest : each), null);
  }

  /** The picture of an inspection under way. */
  pictureOf(id: string): Buffer | null {
    return this.parts.get(id)?.picture ?? null;
  }

  /** Numbers the heat maps of an inspection: 0, 1, ...; null when it is no longer under way. */
  nextMap(id: string): number | null {
    const part = this.parts.get(id);
    return part ? part.maps++ : null;
  }

  /** Gives all open inspections their fail-safe verdict, `interrupted`, to be sent when the station is open again. */
  close(): Promise<void> {
    this.isClosing = true;
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async recover(): Promise<void> {
    const { store, failSafe, clock } = this.options;
    const unrecorded = await this.unrecordedVerdicts.open();
    const interrupted = await recoverOpenInspections({
      store,
      failSafe,
      clock,
      isKnown: (id) => this.unrecordedVerdicts.get(id) !== undefined,
      onFault: this.options.onFault,
    });
    for (const { inspection, route, delivered } of unrecorded) {
      if (!delivered && this.unrecordedVerdicts.get(inspection.id)) this.outlets.keep(inspection, route, false);
    }
    for (const record of await store.inspections.undelivered()) {
      this.outlets.keep(asInspection(record), record.route, false);
    }
    for (const inspection of interrupted) this.options.onSettled(inspection);
  }

  private begin(inspection: Inspection, route: string, deadlineMs: number): Part {
    const now = performance.now();
    const reserve = Math.min(deadlineMs / 8, 400);
    let resolve: (settled: Inspection) => void = () => {};
    const outcome = new Promise<Inspection>((resolveOutcome) => {
      resolve = resolveOutcome;
    });
    const part: Part = {
      inspection,
      route,
      deadline: now + deadlineMs,
      cutOff: now + deadlineMs - reserve,
      state: 'open',
      picture: null,
      saving: Promise.resolve(null),
      maps: 0,
      cutOffTimer: setTimeout(() => this.cutOff(part), deadlineMs - reserve),
      recordTimer: setTimeout(() => {
        this.recordOpen(part, null).catch(() => {});
      }, RECORD_WITHOUT_PICTURE_MS),
      outcome,
      resolve,
    };
    return part;
  }

  /** The record comes after its picture and before any verdict: a crash leaves no picture that nobody knows. */
  private async save(part: Part, picture: Buffer, { format }: PictureInfo): Promise<string> {
    const { id, capturedAt } = part.inspection;
    const path = await this.options.store.pictures.save(id, capturedAt, picture, format);
    await this.recordOpen(part, path).catch(() => {}); // settling tries it again
    return path;
  }

  private async recordOpen(part: Part, picturePath: string | null): Promise<void> {
    await this.options.store.inspections.insertOpen(part.inspection, picturePath, part.route);
  }

  private cutOff(part: Part): void {
    if (part.state !== 'open') return;
    const milliseconds = Date.parse(part.inspection.deadlineAt) - Date.parse(part.inspection.capturedAt);
    const message = `No verdict within ${milliseconds} ms.`;
    this.giveUp(part, part.inspection, 'deadline-exceeded', message).catch(this.options.onFault);
  }

  private async giveUp(
    part: Part,
    inspection: Inspection,
    reason: ReasonCode,
    message: string,
    keepForLater = false,
  ): Promise<Inspection | null> {
    const { clock, failSafe } = this.options;
    const now = clock.now();
    const failure = failureFinding(reason, message, now - Date.parse(inspection.capturedAt));
    const decision = failSafeDecision(failSafe, [reason], timestamp(now));
    const sendNow = !keepForLater && this.outlets.takes(part.route);
    const failed = { ...inspection, findings: [...inspection.findings, failure] };
    return this.conclude(part, failed, decision, sendNow, (settled) => {
      if (!keepForLater) this.outlets.deliver(settled, part.route, sendNow, part.picture ?? undefined);
    });
  }

  /**
   * @param deliver hands the verdict on, where the caller does not
   * @param gone aborted when the caller no longer can
   */
  private async conclude(
    part: Part,
    inspection: Inspection,
    decision: Decision,
    delivered: boolean,
    deliver: (settled: Inspection) => void = () => {},
    gone?: AbortSignal,
  ): Promise<Inspection | null> {
    part.state = 'settling';
    clearTimeout(part.cutOffTimer);
    clearTimeout(part.recordTimer);
    let settled: Inspection = { ...inspection, decision };
    let isFirst = true;
    try {
      isFirst = await this.recordInTime(part, settled, delivered);
      if (this.unrecordedVerdicts.size > 0) void this.unrecordedVerdicts.flush();
    } catch (error) {
      settled = this.withoutRecord(settled, error);
      const sent = delivered && !gone?.aborted;
      this.unrecordedVerdicts.add({ inspection: settled, route: part.route, delivered: sent }, part.picture);
      this.options.onFault(error);
    }
    const left = isFirst && gone?.aborted === true;
    if (left) await this.keepForOutlet(settled, part.route);
    this.remember(inspection.id);
    this.parts.delete(inspection.id);
    if (isFirst) {
      this.counts.settled++;
      if (settled.decision?.by === 'failsafe') this.counts.failSafe++;
      this.options.onSettled(settled);
      deliver(settled);
    }
    part.resolve(settled);
    return isFirst && !left ? settled : null;
  }

  /** Takes a verdict back that its caller cannot send any more. Until that is done the part counts as under way. */
  private async keepForOutlet(settled: Inspection, route: string): Promise<void> {
    let claimed = false;
    if (!this.unrecordedVerdicts.get(settled.id)) {
      await this.options.store.inspections.setDelivered(settled.id, false).catch((error) => {
        claimed = true; // tried again when the ledger closes
        this.options.onFault(error);
      });
    }
    this.outlets.keep(settled, route, claimed);
  }

  /** Records the verdict, or withdraws it when that is not done by the deadline. @returns false when there was one */
  private async recordInTime(part: Part, settled: Inspection, delivered: boolean): Promise<boolean> {
    const control = new AbortController();
    const { signal } = control;
    const left = Math.max(part.deadline - performance.now(), SHORTEST_RECORD_MS);
    const limit = this.isClosing ? CLOSE_RECORD_MS : Math.min(left, LONGEST_RECORD_MS);
    const timer = setTimeout(() => control.abort(this.tooSlow()), limit);
    const withdrawn = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const recording = this.record(part, settled, delivered, signal);
    try {
      return await Promise.race([recording, withdrawn]);
    } catch (error) {
      recording.catch(() => {});
      throw storeError(error, this.options.store.dataFolder);
    } finally {
      clearTimeout(timer);
    }
  }

  private async record(part: Part, settled: Inspection, delivered: boolean, signal: AbortSignal): Promise<boolean> {
    const { inspections, pictures } = this.options.store;
    const verdict = settled.decision!.verdict;
    const saved = await part.saving;
    signal.throwIfAborted();
    const picturePath = saved && (await pictures.moveToVerdict(saved, verdict));
    const settledAt = timestamp(this.options.clock.now());
    return inspections.settle(settled, { picturePath, settledAt, delivered, route: part.route, signal });
  }

  /** The verdict to send when the one wanted could not be recorded: never better than it. */
  private withoutRecord(settled: Inspection, error: unknown): Inspection {
    const { verdict, reasons, at } = settled.decision!;
    const safe = verdict === 'NG' ? 'NG' : this.options.failSafe;
    const message = error instanceof Error ? error.message : String(error);
    return {
      ...settled,
      findings: [...settled.findings, failureFinding('not-recorded', message)],
      decision: failSafeDecision(safe, [...reasons.filter(isFailSafeReason), 'not-recorded'], at),
    };
  }

  private tooSlow(): InspectionError {
    const { dataFolder } = this.options.store;
    return new StoreUnavailable(
      'locked',
      `The verdict could not be recorded in ${dataFolder} before the deadline: the database is locked by another program, or the disk is too slow. It is recorded as soon as that works.`,
      { folder: dataFolder },
    );
  }

  private remember(id: string): void {
    this.recent.add(id);
    if (this.recent.size > RECENT) this.recent.delete(this.recent.values().next().value as string);
  }

  private async settledBefore(id: string): Promise<null> {
    if (this.recent.has(id) || this.unrecordedVerdicts.get(id)) return null;
    if (this.isClosing) throw new StationClosed();
    const record = await this.options.store.inspections.get(id);
    if (record?.state !== 'settled') throw new UnknownInspection(id);
    return null;
  }

  private async readPicture({ id, capturedAt }: Inspection): Promise<Buffer | undefined> {
    const path = await this.options.store.pictures.locate(id, capturedAt);
    return path ? this.options.store.pictures.read(path) : undefined;
  }

  private async shutDown(): Promise<void> {
    const message = 'The station was closed before this part had its verdict.';
    await Promise.all(
      [...this.parts.values()].map((part) =>
        part.state === 'open' ? this.giveUp(part, part.inspection, 'interrupted', message, true) : part.outcome,
      ),
    );
    for (const { id } of await this.outlets.close()) {
      await this.options.store.inspections.setDelivered(id, false).catch(this.options.onFault);
    }
    await this.unrecordedVerdicts.close();
  }
}

/**
 * What the flow has added to an inspection, as plain data: what cannot be recorded would keep its verdict out of the
 * database. What the station knows better stays.
 */
function fromFlow(part: Part, inspection: Inspection): Inspection {
  const { id, station, trigger, capturedAt, deadlineAt, image, ...known } = part.inspection;
  const { partType, serial, quality, findings } = inspection;
  return {
    ...inspection,
    ...{ id, station, trigger, capturedAt, deadlineAt, image },
    partType: typeof partType === 'string' && partType !== '' ? partType : known.partType,
    ...(serial === undefined || typeof serial === 'string' ? {} : { serial: known.serial }),
    ...(quality === undefined ? {} : { quality: plain(quality) }),
    findings: plainFindings(Array.isArray(findings) ? findings : known.findings),
  };
}
