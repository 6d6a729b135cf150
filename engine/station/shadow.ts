import { constants, setPriority } from 'node:os';
import type { ClassificationResult } from '../classifier';
import type { DetectionResult } from '../detector';
import {
  type Clock,
  type Finding,
  type Inspection,
  InspectionError,
  InvalidInput,
  type ModelKind,
  newId,
  type ShadowRun,
  type Thresholds,
  TypedEmitter,
  timestamp,
  type Verdict,
} from '../domain';
import { ComputePool, type ComputePoolOptions } from '../inference';
import {
  detectOptionsOf,
  heeded,
  type LineUse,
  type Look,
  lineUseOf,
  lookOfAnomaly,
  lookOfClass,
  lookOfDetections,
  type ModelRegistry,
  NO_DECISIONS,
  scoreOf,
  verdictWith,
  withDecision,
} from '../learning';
import type { ModelManifest } from '../packages';
import type { AnomalyResult } from '../patchcore';
import type { Store } from '../store';

export interface ShadowsOptions {
  readonly store: Pick<Store, 'shadows'>;
  readonly models: Pick<ModelRegistry, 'describe' | 'deployed' | 'folderOf' | 'events'>;
  /** The inference processes of the line; what they have to do goes first. */
  readonly line: Pick<ComputePool, 'queued'>;
  readonly taskModules: ComputePoolOptions['taskModules'];
  /** The picture of an inspection that has its verdict. */
  readonly pictureOf: (id: string) => Promise<Buffer>;
  /** Thresholds of anomaly scores that the routers use where a part type has none; null: the model's. */
  readonly routerThresholds: () => Thresholds | null;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

export interface ShadowWish {
  readonly name: string;
  readonly version: string;
  /** How many parts it shall look at, 1..100000. */
  readonly parts: number;
}

export interface ShadowEvents {
  /** At the start and the end of a run, and every few seconds while it goes on. */
  readonly shadow: ShadowRun;
}

/** There is nothing beside which the candidate could run, or it runs already. */
export class ShadowRefused extends InspectionError {
  constructor(why: 'no-deployed' | 'deployed' | 'running' | 'not-running', name: string) {
    const texts = {
      'no-deployed': `No version of ${name} is in production, beside which a candidate could run. Deploy one first.`,
      deployed: `The version is in production already. Choose another version of ${name}.`,
      running: `A candidate of ${name} is running already. Stop it first.`,
      'not-running': `No candidate of ${name} is running beside the version in production.`,
    };
    super({
      code: `shadow-${why}`,
      status: 'shadow not possible',
      message: texts[why],
      parameters: { name },
      httpStatus: 409,
    });
  }
}

const MOST_PARTS = 100_000;
/** How often a run that goes on is stored and told. */
const INTERVAL_MS = 2000;
const LOOK_LIMIT_MS = 60_000;
const MEMORY_CAP_BYTES = 1024 ** 3;

/** A run with what is needed to look. */
interface Running {
  run: ShadowRun;
  readonly folder: string;
  readonly manifest: ModelManifest;
  /** What classes mean for a part, by the version in production. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
  timer: NodeJS.Timeout | null;
  /** A part is being looked at. */
  isLooking: boolean;
}

/**
 * Candidates that look at the parts of the line after the verdict has fallen, in a process of its own with the lowest
 * priority. Parts that come while the line has work waiting, or the candidate still looks at the one before, are let go by.
 * Runs go on after a restart; a deployment ends them.
 */
export class Shadows {
  readonly events = new TypedEmitter<ShadowEvents>();
  readonly #options: ShadowsOptions;
  readonly #running = new Map<string, Running>();
  /** Runs that ended since the start, by model. */
  readonly #ended = new Map<string, ShadowRun>();
  #writing: Promise<void> = Promise.resolve();
  /** The last start: one after the other, so that each sees the one before. */
  #starting: Promise<unknown> = Promise.resolve();
  #pool: ComputePool | null = null;
  #isClosed = false;

  private constructor(options: ShadowsOptions) {
    this.#options = options;
    const { models } = options;
    models.events.on('deployment', ({ name }) => this.#end(name, 'stopped'));
    models.events.on('removed', ({ name, version }) => {
      if (this.#running.get(name)?.run.version === version) this.#end(name, 'stopped');
    });
  }

  /** Goes on with the runs that a restart interrupted. */
  static async open(options: ShadowsOptions): Promise<Shadows> {
    const shadows = new Shadows(options);
    const newestFirst = [...(await options.store.shadows.running())].reverse();
    for (const run of newestFirst) {
      const stop = () => options.store.shadows.put({ ...run, state: 'stopped', endedAt: shadows.#now() });
      if (shadows.#running.has(run.name)) await stop();
      else {
        await shadows.#begin(run).catch(async (error) => {
          options.onFault(error);
          await stop();
        });
      }
    }
    return shadows;
  }

  /**
   * Lets a candidate look at the next parts.
   *
   * @param actor who wants it, for the record
   * @throws {NotFound} @throws {InvalidInput} @throws {ShadowRefused} @throws {ModelInvalid}
   */
  start(wish: ShadowWish, actor: string): Promise<ShadowRun> {
    const start = this.#starting.then(() => this.#start(wish, actor));
    this.#starting = start.catch(() => {});
    return start;
  }

  async #start({ name, version, parts }: ShadowWish, actor: string): Promise<ShadowRun> {
    if (!(Number.isInteger(parts) && parts >= 1 && parts <= MOST_PARTS)) {
      throw new InvalidInput(`A candidate can look at 1 to ${MOST_PARTS} parts, not at ${parts}.`);
    }
    const { summary } = await this.#options.models.describe(name, version);
    const { partType, kind } = summary;
    const deployed = await this.#deployed(partType, kind);
    if (deployed?.name !== name) throw new ShadowRefused('no-deployed', name);
    if (deployed.version === version) throw new ShadowRefused('deployed', name);
    if (this.#running.has(name)) throw new ShadowRefused('running', name);
    const run: ShadowRun = {
      ...{ id: newId(), partType, kind, name, version, parts, actor },
      against: deployed.version,
      state: 'running',
      seen: 0,
      skipped: 0,
      report: NO_DECISIONS,
      startedAt: this.#now(),
      endedAt: null,
    };
    await this.#begin(run);
    await this.#keep(run);
    // a deployment ends no run that is not there yet
    const isBeside = (await this.#deployed(partType, kind))?.version === deployed.version;
    return (isBeside ? null : this.#end(name, 'stopped')) ?? run;
  }

  /** Ends the run of a model. @throws {ShadowRefused} when there is none */
  async stop(name: string): Promise<ShadowRun> {
    const ended = this.#end(name, 'stopped');
    if (ended === null) throw new ShadowRefused('not-running', name);
    return ended;
  }

  /** The run of a model that goes on, else the last one; null when there was none. */
  async of(name: string): Promise<ShadowRun | null> {
    return this.#running.get(name)?.run ?? this.#ended.get(name) ?? this.#options.store.shadows.last(name);
  }

  /** Shows a part that has its verdict to the candidates of its part type. Never rejects. */
  async see(inspection: Inspection): Promise<void> {
    const concerned = [...this.#running.values()].filter(({ run }) => run.partType === inspection.partType);
    await Promise.all(concerned.map((running) => this.#look(running, inspection)));
  }

  /** Runs stay as they are, to go on at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running.values()];
    this.#running.clear();
    for (const { timer } of running) clearTimeout(timer ?? undefined);
    await this.#pool?.close();
    for (const { run } of running) void this.#keep(run);
    await this.#writing;
    this.events.removeAll();
  }

  async #begin(run: ShadowRun): Promise<void> {
    const { name, version, partType, kind } = run;
    const { models } = this.#options;
    const { manifest } = await models.describe(name, version);
    const deployed = kind === 'classifier' ? await models.deployed(partType, kind) : null;
    const verdicts = deployed?.verdicts ?? {};
    this.#pool ??= this.#openPool();
    const folder = models.folderOf(name, version);
    this.#running.set(name, { run, folder, manifest, verdicts, timer: null, isLooking: false });
  }

  async #look(running: Running, inspection: Inspection): Promise<void> {
    const { kind, name, against } = running.run;
    const own = ownFinding(inspection.findings, kind, { name, version: against });
    const isLetGo = own === null || running.isLooking || this.#options.line.queued > 0;
    if (isLetGo || inspection.decision?.by !== 'model') {
      this.#count(running, {});
      return;
    }
    running.isLooking = true;
    try {
      const picture = await this.#options.pictureOf(inspection.id);
      if (this.#running.get(name) !== running) return;
      const use = lineUseOf(own);
      const { finding, score } = await this.#lookAt(running, picture, use);
      const { findings, decision } = inspection;
      // what a score was held against; those of a part type end with the anomaly model
      const inForce = decision.thresholds ?? null;
      const decided = {
        id: inspection.id,
        label: null,
        before: verdictWith(own, findings, inForce),
        after: verdictWith(finding, findings, kind === 'patchcore' ? this.#options.routerThresholds() : inForce),
        scoreBefore: scoreOf(own, meaningOf(running.verdicts, use)),
        scoreAfter: score,
        picture: 'inspection',
      } as const;
      this.#count(running, { report: withDecision(running.run.report, decided), seen: running.run.seen + 1 });
    } catch (error) {
      if (!(error instanceof InspectionError)) this.#options.onFault(error);
      this.#count(running, {});
    } finally {
      running.isLooking = false;
    }
  }

  /** @param use how the line used the version in production; null: not known */
  async #lookAt({ folder, manifest }: Running, picture: Buffer, use: LineUse | null): Promise<Look> {
    const pool = this.#pool as ComputePool;
    const limits = { deadline: Date.now() + LOOK_LIMIT_MS };
    switch (manifest.kind) {
      case 'patchcore':
        return lookOfAnomaly(await pool.run<AnomalyResult>('patchcore/score', { folder, picture, map: false }, limits));
      case 'detector': {
        const settings = use?.kind === 'detections' ? use.settings : {};
        const request = { folder, picture, options: detectOptionsOf(settings) };
        const found = heeded(await pool.run<DetectionResult>('detector/detect', request, limits), settings);
        return lookOfDetections(found, found.thresholds);
      }
      case 'classifier': {
        const named = await pool.run<ClassificationResult>('classifier/classify', { folder, picture }, limits);
        return lookOfClass(named, meaningOf(manifest.verdicts, use));
      }
    }
  }

  /** @param change none: the part was let go by */
  #count(running: Running, change: Partial<Pick<ShadowRun, 'report' | 'seen'>>): void {
    const { name, parts } = running.run;
    if (this.#running.get(name) !== running) return;
    const skipped = running.run.skipped + Number(change.seen === undefined);
    const run = { ...running.run, ...change, skipped };
    running.run = { ...run, report: { ...run.report, skipped } };
    if (running.run.seen >= parts) this.#end(name, 'completed');
    else running.timer ??= this.#later(running);
  }

  #later(running: Running): NodeJS.Timeout {
    return setTimeout(() => {
      running.timer = null;
      void this.#keep(running.run);
    }, INTERVAL_MS).unref();
  }

  /** @returns null when there is no such run */
  #end(name: string, state: 'completed' | 'stopped'): ShadowRun | null {
    const running = this.#running.get(name);
    if (!running) return null;
    this.#running.delete(name);
    clearTimeout(running.timer ?? undefined);
    const run: ShadowRun = { ...running.run, state, endedAt: this.#now() };
    this.#ended.set(name, run);
    void this.#keep(run);
    if (this.#running.size === 0 && !this.#isClosed) {
      this.#pool?.close().catch(this.#options.onFault);
      this.#pool = null;
    }
    return run;
  }

  #keep(run: ShadowRun): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      await this.#options.store.shadows.put(run).catch(this.#options.onFault);
      this.events.emit('shadow', run);
    });
    return this.#writing;
  }

  /** A process of its own: neither its work nor the memory of its models is in the line's way. */
  #openPool(): ComputePool {
    const { taskModules } = this.#options;
    const pool = new ComputePool({
      ...{ size: 1, queueLimit: 1, queuePolicy: 'reject', threads: 1, taskModules },
      memoryCapBytes: MEMORY_CAP_BYTES,
    });
    pool.on('state', () => lowerPriority(pool.pids));
    return pool;
  }

  #deployed(partType: string, kind: ModelKind) {
    return this.#options.models.deployed(partType, kind);
  }

  #now(): string {
    return timestamp(this.#options.clock.now());
  }
}

/** The finding that the version in production made; null when another one looked. */
function ownFinding(
  findings: readonly Finding[],
  kind: ModelKind,
  { name, version }: { readonly name: string; readonly version: string },
): Finding | null {
  const kinds = { patchcore: 'anomaly', detector: 'detections', classifier: 'class' } as const;
  const isOwn = (finding: Finding) =>
    finding.kind === kinds[kind] && finding.model?.name === name && finding.model.version === version;
  return findings.find(isOwn) ?? null;
}

/** What classes mean for a part where the node may say something else than the model. */
function meaningOf(verdicts: Readonly<Record<string, Verdict>>, use: LineUse | null) {
  return { ...verdicts, ...(use?.kind === 'class' && use.verdicts) };
}

function lowerPriority(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      setPriority(pid, constants.priority.PRIORITY_LOW);
    } catch {
      // The process ended already, or the system does not allow it.
    }
  }
}
