/** Data sets, jobs, gates, models and retrainings of a mock station, as the API describes them. The figures are made up. */
import {
  type ComparisonState,
  type DatasetStats,
  type DecisionComparison,
  type DeploymentRecord,
  type FolderImportRun,
  type GateReport,
  type Job,
  type ModelComparison,
  type ModelVersion,
  newId,
  type RemovedVersion,
  type RetrainingRun,
  type RetrainStatus,
  type ShadowRun,
  type SnapshotSummary,
} from '../../engine/domain';

const AT = '2026-03-20T09:00:00Z';
const REFUSAL = {
  name: 'torn.jpg',
  reason: 'It is truncated.',
  error: { code: 'unknown-here', message: 'It is truncated.' },
} as const;

function importOf({ partType, folder, label = null }: Record<string, unknown>): FolderImportRun {
  return {
    id: newId(),
    ...({ partType, folder, label } as Pick<FolderImportRun, 'partType' | 'folder' | 'label'>),
    ...{ actor: 'anonymous', state: 'running', done: 12, total: 34 },
    ...{ accepted: 12, duplicates: 0, contradicting: 0, refused: 0, refusals: [], error: null },
    ...{ startedAt: AT, endedAt: null },
  };
}

/** Two pictures decided otherwise: a defective one that would pass, and a good one that is no longer stopped. */
export function changedDecisions(ids: readonly string[], pictures = 200): DecisionComparison {
  const [passed, fixed] = ids;
  const common = { picture: 'inspection', scoreBefore: 3.46, scoreAfter: 1.52 } as const;
  return {
    pictures,
    changed: ids.length,
    newlyPassed: ids.length,
    newlyStopped: 0,
    skipped: 0,
    items: [
      ...(passed ? [{ ...common, id: passed, label: 'NG', before: 'NG', after: 'OK' } as const] : []),
      ...(fixed
        ? [{ ...common, id: fixed, label: 'OK', before: 'REVIEW', after: 'OK', scoreBefore: 2.07 } as const]
        : []),
    ],
  };
}

export function gateReport(more: Partial<GateReport> = {}): GateReport {
  const figure = (before: number, after: number, low: number, high: number) => ({
    before,
    after,
    difference: after - before,
    low,
    high,
  });
  return {
    candidate: { name: 'plate', version: '3' },
    against: { name: 'plate', version: '2' },
    dataset: { id: '01SNAPSHOT', hash: 'c0ffee0123456789' },
    holdOut: {
      pictures: 60,
      ok: 45,
      ng: 15,
      accuracy: figure(0.9, 0.967, 0.01, 0.12),
      escapes: figure(0.2, 0.067, -0.26, -0.02),
      falseRejects: figure(0.067, 0.022, -0.11, 0),
      auroc: figure(0.931, 0.984, 0.02, 0.09),
    },
    oldClasses: null,
    shadow: null,
    labelledNgNewlyPassed: 0,
    decision: { accepted: true, reasons: [] },
    at: AT,
    seconds: 21,
    ...more,
  };
}

export function retrainStatus(more: Partial<RetrainStatus> = {}): RetrainStatus {
  return {
    partType: 'plate',
    kind: 'patchcore',
    state: 'idle',
    wouldTrain: false,
    reasons: [
      { code: 'labels-missing', message: '12 new labels.', parameters: { count: 12, missing: 18, needed: 30 } },
      { code: 'schedule-next', message: 'Due.', parameters: { at: '2026-03-21T01:00:00Z' } },
      { code: 'newer-than-the-texts', message: 'The moon is full.' },
    ],
    nextSchedule: '2026-03-21T01:00:00Z',
    newLabels: 12,
    labelsNeeded: 18,
    waiting: [],
    possibleFrom: null,
    lastRun: null,
    runningJob: null,
    ...more,
  };
}

export function shadowRun(more: Partial<ShadowRun> = {}): ShadowRun {
  return {
    id: newId(),
    partType: 'plate',
    kind: 'patchcore',
    name: 'plate',
    version: '3',
    against: '2',
    state: 'running',
    parts: 100,
    seen: 0,
    skipped: 0,
    report: { pictures: 0, changed: 0, newlyPassed: 0, newlyStopped: 0, items: [], skipped: 0 },
    actor: 'Kim',
    startedAt: AT,
    endedAt: null,
    ...more,
  };
}

/** Scores that tell good from defective the better, the higher the version. */
function comparisonOf(name: string, versions: readonly string[], changed: DecisionComparison): ModelComparison {
  return {
    name,
    at: AT,
    pictures: { ok: 60, ng: 20, skipped: 1 },
    versions: versions.map((version) => {
      const gap = 0.6 + 0.25 * Number(version);
      return {
        version,
        figures: {
          accuracy: 0.84 + 0.03 * Number(version),
          escapes: 0.2 / Number(version),
          auroc: 0.9 + 0.02 * Number(version),
        },
        ok: Array.from({ length: 60 }, (_, index) => 1 + index / 100),
        ng: Array.from({ length: 20 }, (_, index) => 1.4 + gap + index / 20),
        thresholds: { accept: 1.6, reject: 2.4 },
      };
    }),
    changed,
  };
}

interface Station {
  readonly versions: ModelVersion[];
  readonly jobs: Job[];
  readonly inspections: readonly { readonly id: string }[];
  push(event: string, data: unknown): void;
}

export class MockLoop {
  readonly snapshots: SnapshotSummary[] = [];
  /** Newest first. */
  imports: FolderImportRun[] = [];
  readonly history: DeploymentRecord[] = [];
  readonly removed: RemovedVersion[] = [];
  readonly retraining: RetrainStatus[] = [];
  readonly runs: RetrainingRun[] = [];
  shadow: ShadowRun | null = null;
  comparison: ComparisonState = { state: 'none', percent: null, error: null, comparison: null };
  /** Whether a training may start by the rules of its trigger. */
  refusal: string | null = null;
  readonly #station: Station;
  readonly #gone = new Map<string, ModelVersion>();

  constructor(station: Station) {
    this.#station = station;
  }

  reset(): void {
    for (const list of [this.snapshots, this.history, this.removed, this.retraining, this.runs]) list.length = 0;
    this.#gone.clear();
    this.shadow = null;
    this.comparison = { state: 'none', percent: null, error: null, comparison: null };
    this.refusal = null;
  }

  /** Why a request is refused; undefined when it is not. */
  refuses(line: string, body: Record<string, unknown>): string | undefined {
    return line === 'POST /retraining/trigger' && !body.force ? (this.refusal ?? undefined) : undefined;
  }

  /** The answer to a request about what is kept here; undefined when it is about something else. */
  answer(line: string, query: URLSearchParams, body: Record<string, unknown>): unknown {
    return this.#dataset(line, query, body) ?? this.#models(line, query, body) ?? this.#jobs(line);
  }

  /** The import that runs has come to its end. */
  endImport(state: 'completed' | 'cancelled'): FolderImportRun {
    const [{ done, ...run }, ...earlier] = this.imports;
    const came = { done: 34, accepted: 31, duplicates: 2, contradicting: 1, refused: 1, refusals: [REFUSAL] };
    const ended = { ...run, ...(state === 'completed' ? came : { done, accepted: done }), state, endedAt: AT };
    this.imports = [ended, ...earlier];
    return ended;
  }

  ready(versions: readonly string[], name = 'plate'): void {
    const ids = this.#station.inspections.map(({ id }) => id).slice(0, 2);
    const comparison = comparisonOf(name, versions, changedDecisions(ids, 80));
    this.comparison = { state: 'ready', percent: null, error: null, comparison };
  }

  #dataset(line: string, query: URLSearchParams, body: Record<string, unknown>): unknown {
    if (line === 'GET /training/dataset-stats') return statsOf(query.get('partType') ?? '', this.snapshots);
    if (line === 'GET /training/snapshots') return { items: this.snapshots };
    if (line === 'POST /training/snapshots') {
      const snapshot = snapshotOf(body.partType as string);
      this.snapshots.push(snapshot);
      return snapshot;
    }
    const removed = /^DELETE \/training\/snapshots\/(\w+)$/.exec(line)?.[1];
    const restored = /^POST \/training\/snapshots\/(\w+)\/restore$/.exec(line)?.[1];
    const at = this.snapshots.findIndex(({ id }) => id === (removed ?? restored));
    if (at >= 0) {
      this.snapshots[at] = { ...this.snapshots[at], deletedAt: removed ? AT : null };
      return this.snapshots[at];
    }
    if (line === 'POST /training/upload-frames') {
      return {
        items: [
          { name: 'a.jpg', outcome: 'accepted', id: newId() },
          { name: 'b.jpg', outcome: 'refused', reason: 'It is truncated.' },
        ],
      };
    }
    if (line === 'POST /training/import-folder') {
      this.imports.unshift(importOf(body));
      return this.imports[0];
    }
    if (line === 'GET /training/imports') return { items: this.imports };
    const cancelled = /^POST \/training\/imports\/(\w+)\/cancel$/.exec(line)?.[1];
    if (cancelled !== undefined) return this.endImport('cancelled');
    return undefined;
  }

  #models(line: string, query: URLSearchParams, body: Record<string, unknown>): unknown {
    const { versions } = this.#station;
    if (line === 'GET /models/compare') {
      if (this.comparison.comparison === null) return this.comparison;
      this.ready(query.get('versions')?.split(',') ?? [], query.get('name') ?? '');
      return this.comparison;
    }
    if (line === 'POST /models/compare') {
      this.comparison = { state: 'running', percent: 30, error: null, comparison: null };
      return this.comparison;
    }
    if (line === 'POST /models/import') {
      const made = { ...versions[0], version: '9', deployed: false };
      versions.push(made);
      return made;
    }
    const [, method, name, rest = ''] = /^(\w+) \/models\/([\w.-]+)(?:\/(.*))?$/.exec(line) ?? [];
    if (name === undefined || name === 'list') return undefined;
    const own = versions.filter((version) => version.name === name);
    if (method === 'GET' && rest === '') {
      const removed = this.removed.filter((version) => version.name === name);
      if (own.length + removed.length === 0) return undefined;
      const rollback = own.find(({ deployed }) => !deployed)?.version ?? null;
      const history = this.history.filter((record) => record.name === name);
      return { name, rollback, versions: own, history, removed };
    }
    if (rest === 'shadow' && method === 'GET') return { shadow: this.shadow?.name === name ? this.shadow : null };
    if (rest === 'shadow') {
      this.shadow = shadowRun({ name, version: body.version as string, parts: body.parts as number });
      return this.shadow;
    }
    if (rest === 'shadow/stop' && this.shadow) {
      this.shadow = { ...this.shadow, state: 'stopped', endedAt: AT };
      return this.shadow;
    }
    if (rest === 'metadata') return this.#change(name, body.version as string, { notes: body.notes as string });
    if (method === 'DELETE') return this.#remove(name, rest);
    const restored = /^([\w-]+)\/restore$/.exec(rest)?.[1];
    return restored === undefined ? undefined : this.#restore(name, restored);
  }

  #change(name: string, version: string, change: Partial<ModelVersion>): ModelVersion | undefined {
    const { versions } = this.#station;
    const at = versions.findIndex((one) => one.name === name && one.version === version);
    if (at < 0) return undefined;
    versions[at] = { ...versions[at], ...change };
    return versions[at];
  }

  #remove(name: string, version: string): RemovedVersion | undefined {
    const { versions } = this.#station;
    const at = versions.findIndex((one) => one.name === name && one.version === version);
    if (at < 0) return undefined;
    const [gone] = versions.splice(at, 1);
    this.#gone.set(`${name} ${version}`, gone);
    const removed = { name, version, actor: 'Kim', removedAt: AT, until: '2026-04-19T09:00:00Z' };
    this.removed.push(removed);
    return removed;
  }

  #restore(name: string, version: string): ModelVersion | undefined {
    const gone = this.#gone.get(`${name} ${version}`);
    if (gone === undefined) return undefined;
    this.removed.splice(0, this.removed.length, ...this.removed.filter((one) => one.version !== version));
    this.#station.versions.push(gone);
    return gone;
  }

  #jobs(line: string): unknown {
    const id = /^GET \/training\/jobs\/(\w+)$/.exec(line)?.[1];
    if (id) return this.#station.jobs.find((job) => job.id === id);
    if (line === 'GET /retraining/status') return { items: this.retraining };
    if (line === 'GET /retraining/history') return { items: this.runs };
    if (line === 'POST /retraining/trigger') return { run: null };
    return undefined;
  }
}

function statsOf(partType: string, snapshots: readonly SnapshotSummary[]): DatasetStats {
  return {
    partType,
    labels: { ok: 142, ng: 37 },
    perClass: [
      { label: 'scratch', boxes: 31, pictures: 24 },
      { label: 'stain', boxes: 12, pictures: 11 },
    ],
    perMonth: [
      { month: '2026-01', ok: 40, ng: 6 },
      { month: '2026-02', ok: 82, ng: 19 },
      { month: '2026-03', ok: 20, ng: 12 },
    ],
    perSource: { review: 150, imported: 29 },
    boxes: 43,
    split: { train: 143, val: 36 },
    unused: 17,
    snapshots: snapshots.length,
    lastSnapshot: snapshots.at(-1) ?? null,
  };
}

function snapshotOf(partType: string): SnapshotSummary {
  return {
    id: newId(),
    partType,
    createdAt: AT,
    actor: 'Kim',
    hash: 'c0ffee0123456789',
    counts: { ok: 142, ng: 37, boxes: 43, perClass: { scratch: 31, stain: 12 }, train: 143, val: 36 },
    note: null,
    deletedAt: null,
  };
}
