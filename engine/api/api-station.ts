import type { BackboneStore } from '../catalogue';
import type {
  DeploymentRecord,
  FailSafeVerdict,
  Inspection,
  Job,
  ModelReference,
  RetrainStatus,
  ReviewItem,
  RoutingSettings,
  ShadowRun,
  TypedEmitter,
  VersionChange,
} from '../domain';
import type {
  Comparisons,
  FolderImports,
  ImportedPictures,
  JobQueue,
  ModelRegistry,
  Retraining,
  Snapshots,
} from '../learning';
import type { NearestGood } from '../patchcore';
import type { ReviewIntake, ReviewQueue } from '../review';
import type { RoutingPatch, Store } from '../store';

/** The events of a station that are pushed to clients. */
export interface ApiEvents {
  readonly 'inspection-settled': Inspection;
  readonly 'review-changed': ReviewItem;
  readonly job: Job;
  readonly retraining: RetrainStatus;
  readonly deployment: DeploymentRecord;
  readonly version: VersionChange;
  readonly shadow: ShadowRun;
  readonly 'routing-changed': RoutingSettings;
  readonly lamp: object;
  readonly fault: { readonly code: string; readonly message: string };
}

/** What the routes use of a station; the station room's `Station` fits. */
export interface ApiStation {
  readonly options: {
    readonly id: string;
    readonly name: string;
    readonly failSafe: FailSafeVerdict;
    /** Absolute path. */
    readonly dataFolder: string;
    /** Local times `HH:MM`; 06:00, 14:00 and 22:00 unless told. */
    readonly shiftStarts?: readonly string[];
    /** Folders from which clients may train, besides the data folder. */
    readonly trainingFolders?: readonly string[];
  };
  readonly store: Pick<
    Store,
    'inspections' | 'labels' | 'snapshots' | 'audit' | 'audited' | 'pictures' | 'gateReports'
  >;
  readonly models: Pick<
    ModelRegistry,
    | 'list'
    | 'describe'
    | 'folderOf'
    | 'deployed'
    | 'deploy'
    | 'rollback'
    | 'rollbackTarget'
    | 'history'
    | 'archive'
    | 'import'
    | 'remove'
    | 'restore'
    | 'removed'
    | 'setNotes'
  >;
  readonly snapshots: Pick<Snapshots, 'take' | 'get' | 'list' | 'files' | 'remove' | 'restore'>;
  readonly imported: Pick<ImportedPictures, 'add' | 'get' | 'list' | 'read' | 'remove' | 'restore'>;
  readonly folderImports: Pick<FolderImports, 'start' | 'list' | 'get' | 'cancel'>;
  readonly backbones: Pick<BackboneStore, 'list' | 'get' | 'pull' | 'cancel'>;
  readonly retraining: Pick<Retraining, 'status' | 'history' | 'conditions' | 'trigger'>;
  readonly comparisons: Pick<Comparisons, 'state' | 'start'>;
  readonly shadows: {
    of(name: string): Promise<ShadowRun | null>;
    start(
      wish: { readonly name: string; readonly version: string; readonly parts: number },
      actor: string,
    ): Promise<ShadowRun>;
    stop(name: string): Promise<ShadowRun>;
  };
  readonly jobs: Pick<JobQueue, 'submit' | 'list' | 'get' | 'cancel' | 'trainers'>;
  readonly reviews: Pick<
    ReviewQueue,
    'get' | 'list' | 'next' | 'lock' | 'unlock' | 'label' | 'approve' | 'reject' | 'skip' | 'undo' | 'stats'
  >;
  readonly reviewIntake: Pick<ReviewIntake, 'flag' | 'declined'>;
  readonly intake: {
    submit(
      picture: Buffer,
      part: { readonly partType?: string; readonly serial?: string; readonly source: 'api' | 'browser' },
    ): Promise<Inspection>;
  };
  readonly browserCameras: { resolve(requestId: string, picture: Buffer): boolean };
  readonly events: Pick<TypedEmitter<ApiEvents>, 'on'>;
  thumbnail(id: string, width: number): Promise<Buffer>;
  importedThumbnail(id: string, width: number): Promise<Buffer>;
  similarPicture(id: string): Promise<NearestGood & { readonly model: ModelReference }>;
  routing(partType: string): Promise<RoutingSettings>;
  allRouting(): Promise<readonly RoutingSettings[]>;
  setRouting(partType: string, patch: RoutingPatch, actor: string): Promise<RoutingSettings>;
  lamps(): readonly object[];
  health(): object;
}

export interface ApiContext {
  /** The stations that run now, in the order of their nodes. */
  stations(): readonly ApiStation[];
  /** Told of errors that are nobody's input: these are answered with 500. */
  onError?(error: unknown): void;
}
