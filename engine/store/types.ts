import type {
  AuditEntry,
  Clock,
  Counters,
  DeploymentRecord,
  Inspection,
  InspectionRecord,
  Job,
  JobState,
  Label,
  ModelKind,
  PictureFormat,
  RoutingDefaults,
  RoutingSettings,
  Verdict,
} from '../domain';
import type { AdmissionTable, AuditedTable, EmbeddingTable } from './admission-types';
import type { CountingLabel, ImportedTable, LabelFacts, SnapshotTable } from './dataset-types';
import type { Page, PageRequest } from './paging';
import type {
  ComparisonTable,
  GateReportTable,
  ModelNoteTable,
  RemovedModelTable,
  ShadowTable,
} from './registry-types';
import type { RetrainingTable } from './retraining-types';
import type { ReviewTable } from './review-types';

export interface StoreOptions {
  /** Absolute path; created when missing. */
  readonly dataFolder: string;
  /** SQLite file in the data folder; `inspection.sqlite` unless told. */
  readonly databaseFile?: string;
  /** Milliseconds to wait for a database locked by another process; 500 unless told. */
  readonly busyTimeoutMs?: number;
  /** Milliseconds to wait for another station that is just leaving the folder; 2000 unless told. */
  readonly lockWaitMs?: number;
  /** Only labels that a second person has approved count; all unless told. */
  readonly secondPerson?: boolean;
  readonly clock?: Clock;
}

export interface InspectionFilter extends PageRequest {
  /** ISO 8601: captured at this time or later. */
  readonly from?: string;
  /** ISO 8601: captured before this time. */
  readonly to?: string;
  readonly partType?: string;
  readonly serial?: string;
  readonly verdict?: Verdict;
  readonly state?: InspectionRecord['state'];
  readonly failSafe?: boolean;
}

export interface SettleOptions {
  /** Id of the flow tab, where the open row may be missing. */
  readonly route?: string;
  /** Path from `PictureStore.moveToVerdict`; null when there is no picture. */
  readonly picturePath: string | null;
  readonly settledAt: string;
  /** False: nobody has sent this verdict on yet; it is handed to an outlet later. */
  readonly delivered: boolean;
  /** Once aborted nothing is committed any more and `settle` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Replace a verdict recorded before (used when another one was sent than the one recorded). */
  readonly overwrite?: boolean;
}

/** A record with what is needed to hand its verdict on after a restart. */
export interface RoutedRecord extends InspectionRecord {
  /** Id of the flow tab the part went through; empty when unknown. */
  readonly route: string;
}

export interface InspectionTable {
  /** Records that a part is under inspection. Does nothing when the id is there already. */
  insertOpen(inspection: Inspection, picturePath: string | null, route?: string): Promise<void>;
  /**
   * Commits the verdict; the open row is made when it is missing.
   *
   * @param inspection with its decision
   * @returns false when this inspection was settled before; then nothing is changed
   */
  settle(inspection: Inspection, options: SettleOptions): Promise<boolean>;
  get(id: string): Promise<InspectionRecord | null>;
  /** Newest first. */
  list(filter?: InspectionFilter): Promise<Page<InspectionRecord>>;
  /** Those of the given inspections, 500 at most, that have a picture (still). */
  withPicture(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Inspections without a verdict, oldest first. */
  open(): Promise<readonly RoutedRecord[]>;
  /** Settled inspections whose verdict nobody has sent on, oldest first, 1000 at most. */
  undelivered(): Promise<readonly RoutedRecord[]>;
  /** Notes whether a verdict was sent on. @returns false when that stood there already */
  setDelivered(id: string, delivered: boolean): Promise<boolean>;
  /** Verdicts of parts captured since the given time. */
  counters(since: string, partType?: string): Promise<Counters>;
  /** All part types ever inspected, sorted. */
  partTypes(): Promise<readonly string[]>;
}

export interface LabelledPicture {
  /** Of the inspection, or of the imported picture. */
  readonly id: string;
  /** Relative to the data folder. */
  readonly picturePath: string;
}

/** A label that counts no more. */
export interface WithdrawnLabel extends LabelledPicture {
  /** Hex, of the picture's file. */
  readonly sha256: string;
}

export interface LabelCounts {
  readonly ok: number;
  readonly ng: number;
  readonly boxed: number;
}

/**
 * Labels that count for trainings: of imported pictures, and of review items that are labelled or approved, or only of
 * approved ones (`StoreOptions.secondPerson`).
 */
export interface LabelTable {
  /** Those of a part type whose pictures are there, oldest first. */
  labelled(partType: string): Promise<readonly CountingLabel[]>;
  /** The names that people gave to boxes and whole pictures of a part type, sorted. */
  classes(partType: string): Promise<readonly string[]>;
  /** Pictures of a part type whose labels a snapshot took and which count no more: rejected, or deleted after their import. */
  withdrawn(partType: string): Promise<readonly WithdrawnLabel[]>;
  /** Pictures of a part type that have this label, oldest first. */
  labelledPictures(partType: string, label: Label): Promise<readonly LabelledPicture[]>;
  /** How many labels there are, by part type, and how many of them have at least one box. */
  counts(): Promise<ReadonlyMap<string, LabelCounts>>;
  /** How many labels of a part type no snapshot has taken yet. */
  unused(partType: string): Promise<number>;
  facts(partType: string): Promise<LabelFacts>;
}

export interface SettingsTable {
  /** What is stored for a part type; null where nothing is. */
  routing(partType: string): Promise<RoutingSettings>;
  /** The part types that have settings of their own, by name. */
  allRouting(): Promise<readonly RoutingSettings[]>;
  /**
   * Changes what the patch names and records old and new value in the audit list.
   * @throws {InvalidInput} when accept > reject, a value is not finite or negative, or the share is outside 0..1
   */
  setRouting(partType: string, patch: RoutingPatch, actor: string): Promise<RoutingSettings>;
}

export type RoutingPatch = Partial<RoutingDefaults>;

export interface AuditFilter {
  /** 1..500, 50 unless told. */
  readonly limit?: number;
  readonly subject?: string;
  readonly action?: string;
}

export interface AuditTable {
  add(entry: Omit<AuditEntry, 'id'>): Promise<AuditEntry>;
  /** Newest first. */
  list(filter?: AuditFilter): Promise<readonly AuditEntry[]>;
}

export interface JobTable {
  insert(job: Job): Promise<void>;
  /** Replaces the stored job of the same id. @throws {NotFound} */
  update(job: Job): Promise<void>;
  get(id: string): Promise<Job | null>;
  /** Newest first, 500 at most. */
  list(filter?: { readonly state?: JobState; readonly limit?: number }): Promise<readonly Job[]>;
}

export interface DeploymentTable {
  /** The last switch of a part type's model of a kind, `patchcore` unless told; null when none was ever deployed. */
  current(partType: string, kind?: ModelKind): Promise<DeploymentRecord | null>;
  /** Of every part type and kind. */
  allCurrent(): Promise<readonly DeploymentRecord[]>;
  /** Records a switch and its audit entry, in one transaction. */
  add(deployment: DeploymentRecord): Promise<void>;
  /** Newest first. */
  history(partType: string, kind?: ModelKind): Promise<readonly DeploymentRecord[]>;
}

/** Pictures and heat maps as files. All paths are relative to the data folder, with forward slashes. */
export interface PictureStore {
  /**
   * Writes a picture so that it is either there completely or not at all, even after a power cut.
   * @returns `images/<yyyy>/<mm>/<dd>/open/<id>.jpg` (or `.png`), the date being that of `capturedAt` in UTC
   */
  save(id: string, capturedAt: string, picture: Buffer, format: PictureFormat): Promise<string>;
  /** Moves a picture into the folder of its verdict. @returns the new path @throws {NotFound} */
  moveToVerdict(path: string, verdict: Verdict): Promise<string>;
  /**
   * Writes an imported picture, as durably.
   * @returns `images/imported/<partType>/<id>.jpg` (or `.png`)
   */
  saveImported(id: string, partType: string, picture: Buffer, format: PictureFormat): Promise<string>;
  /**
   * Removes what a crash left of imported pictures: half-written files, and those without a row, last changed before a moment
   * (milliseconds since the epoch).
   *
   * @param known tells which of some ids, 500 at most, have a row
   */
  sweepImported(before: number, known: (ids: readonly string[]) => Promise<ReadonlySet<string>>): Promise<void>;
  /** Where an inspection's picture lies, in whichever folder a crash left it; null when there is none. */
  locate(id: string, capturedAt: string): Promise<string | null>;
  /** @throws {NotFound} */
  read(path: string): Promise<Buffer>;
  /** Absolute path of a picture, for code that reads the file itself. @throws {NotFound} when outside the folder */
  absolute(path: string): string;
  /** Removes a picture; fine when it is gone already. */
  remove(path: string): Promise<void>;
  /** Stores a heat map. An inspection may have several: `index` counts from 0. */
  saveMap(id: string, png: Buffer, index?: number): Promise<void>;
  /** @returns null when there is none */
  readMap(id: string, index?: number): Promise<Buffer | null>;
  removeMaps(id: string): Promise<void>;
  /**
   * Removes what a crash left of pictures that never got a record, and half-written files. Only while nothing is
   * being saved.
   */
  sweep(isKnown: (id: string) => Promise<boolean>): Promise<void>;
  /** Removes the folders of a day (`yyyy-mm-dd`, UTC) that are empty. Only for days that are over. */
  removeEmptyFolders(day: string): Promise<void>;
  /** The days (`yyyy-mm-dd`, UTC) that have a folder of heat maps, oldest first. */
  mapDays(): Promise<readonly string[]>;
  /** The inspections that have heat maps of a day. */
  mapsOf(day: string): Promise<readonly string[]>;
}

/** How long and how much is kept, by verdict; null is without limit. */
export type RetentionPolicy = Readonly<
  Record<Verdict, { readonly days: number | null; readonly bytes: number | null }>
>;

export interface RetentionResult {
  readonly pictures: number;
  readonly bytes: number;
}

/** Everything that must survive: the database and the picture files of one data folder. */
export interface Store {
  readonly dataFolder: string;
  readonly inspections: InspectionTable;
  readonly reviews: ReviewTable;
  readonly admissions: AdmissionTable;
  readonly embeddings: EmbeddingTable;
  readonly audited: AuditedTable;
  readonly labels: LabelTable;
  readonly snapshots: SnapshotTable;
  readonly imported: ImportedTable;
  readonly settings: SettingsTable;
  readonly audit: AuditTable;
  readonly jobs: JobTable;
  readonly retraining: RetrainingTable;
  readonly deployments: DeploymentTable;
  readonly gateReports: GateReportTable;
  readonly modelNotes: ModelNoteTable;
  readonly removedModels: RemovedModelTable;
  readonly comparisons: ComparisonTable;
  readonly shadows: ShadowTable;
  readonly pictures: PictureStore;
  /**
   * Removes the pictures and maps that exceed the policy, oldest first; records stay. Pictures that wait for a person, or
   * that one has labelled, are never removed and do not count.
   *
   * @param now milliseconds since the epoch
   */
  applyRetention(policy: RetentionPolicy, now: number): Promise<RetentionResult>;
  close(): Promise<void>;
}
