import type {
  AuditEntry,
  Counters,
  DeploymentRecord,
  FailSafeVerdict,
  Inspection,
  InspectionRecord,
  Job,
  Label,
  ModelVersion,
  ReviewItem,
  ReviewState,
  RoutingSettings,
  Thresholds,
  TrainingRequest,
  Verdict,
} from '../domain';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Give it back to get the next page; null on the last. */
  readonly nextCursor: string | null;
}

/** The station's events that are pushed to clients. */
export type ApiEventName =
  | 'inspection-settled'
  | 'review-changed'
  | 'review-decided'
  | 'job'
  | 'deployment'
  | 'routing-changed'
  | 'lamp'
  | 'fault';

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
  readonly store: {
    readonly inspections: {
      get(id: string): Promise<InspectionRecord | null>;
      list(filter: {
        readonly from?: string;
        readonly to?: string;
        readonly partType?: string;
        readonly serial?: string;
        readonly verdict?: Verdict;
        readonly limit: number;
        readonly cursor?: string;
      }): Promise<Page<InspectionRecord>>;
      counters(since: string, partType?: string): Promise<Counters>;
    };
    readonly reviews: {
      get(id: string): Promise<ReviewItem | null>;
      list(filter: {
        readonly state?: ReviewState;
        readonly partType?: string;
        readonly limit: number;
        readonly cursor?: string;
      }): Promise<Page<ReviewItem>>;
      stats(): Promise<{ readonly pending: number; readonly labelled: number; readonly skipped: number }>;
    };
    readonly labels: {
      labelledPictures(partType: string, label: Label): Promise<readonly { id: string; picturePath: string }[]>;
    };
    readonly settings: {
      routing(partType: string): Promise<RoutingSettings>;
      allRouting(): Promise<readonly RoutingSettings[]>;
      setRouting(
        partType: string,
        patch: { readonly thresholds?: Thresholds | null; readonly auditShare?: number },
        actor: string,
      ): Promise<RoutingSettings>;
    };
    readonly audit: {
      list(filter: { readonly subject?: string; readonly limit: number }): Promise<readonly AuditEntry[]>;
    };
    readonly pictures: {
      read(path: string): Promise<Buffer>;
      readMap(id: string): Promise<Buffer | null>;
    };
  };
  readonly models: {
    list(partType?: string): Promise<readonly ModelVersion[]>;
    deployed(partType: string): Promise<{ readonly version: string; readonly thresholds: Thresholds } | null>;
    deploy(name: string, version: string, actor: string): Promise<DeploymentRecord>;
    rollback(partType: string, actor: string): Promise<DeploymentRecord>;
    history(partType: string): Promise<readonly DeploymentRecord[]>;
  };
  readonly jobs: {
    submit(request: TrainingRequest, actor: string): Promise<Job>;
    list(): Promise<readonly Job[]>;
    get(id: string): Promise<Job>;
    cancel(id: string): Promise<Job>;
  };
  readonly reviews: {
    label(id: string, decision: { label: Label; reviewer: string; note?: string }): Promise<ReviewItem>;
    skip(id: string, reviewer: string): Promise<ReviewItem>;
    undo(reviewer: string): Promise<ReviewItem>;
  };
  readonly intake: {
    submit(
      picture: Buffer,
      part: { partType?: string; serial?: string; source: 'api' | 'browser'; route?: string },
    ): Promise<Inspection>;
  };
  readonly browserCameras: { resolve(requestId: string, picture: Buffer): boolean };
  readonly events: {
    on(event: ApiEventName, listener: (data: never) => void): unknown;
    off(event: ApiEventName, listener: (data: never) => void): unknown;
  };
  thumbnail(id: string, width: number): Promise<Buffer>;
  health(): unknown;
}

export interface ApiContext {
  /** The stations that run now, in the order of their nodes. */
  stations(): readonly ApiStation[];
  /** Told of errors that are nobody's input: these are answered with 500. */
  onError?(error: unknown): void;
}
