import type { BackboneStore } from '../catalogue';
import type { DetectOptions } from '../detector';
import type {
  AnomalyFinding,
  ClassFinding,
  Clock,
  DeclinedReview,
  DeploymentRecord,
  DetectionsFinding,
  FailSafeVerdict,
  Fault,
  Inspection,
  Job,
  PictureInfo,
  RetrainStatus,
  ReviewItem,
  RoutingDefaults,
  RoutingSettings,
  ShadowRun,
  TowerLightState,
  TypedEmitter,
  Verdict,
  VersionChange,
} from '../domain';
import type { ComputePool } from '../inference';
import type {
  Comparisons,
  FolderImports,
  ImportedPictures,
  JobQueue,
  ModelRegistry,
  Retraining,
  Snapshots,
} from '../learning';
import type { ModelKey } from '../packages';
import type { ReviewIntake, ReviewQueue } from '../review';
import type { SimulatedPart, SimulatorOptions } from '../simulator';
import type { RetentionPolicy, RoutingPatch, Store } from '../store';
import type { BrowserCameras } from './browser-cameras';
import type { Intake } from './intake';
import type { InspectionLedger } from './ledger';
import type { Shadows } from './shadow';
import type { SimilarPicture } from './similar-pictures';

export interface StationOptions {
  /** Node id of the inspection-station. */
  readonly id: string;
  readonly name: string;
  /** Absolute path. */
  readonly dataFolder: string;
  /** SQLite file in the data folder; `inspection.sqlite` unless told. */
  readonly databaseFile?: string;
  readonly failSafe: FailSafeVerdict;
  /** Milliseconds from trigger to verdict, at least 50. */
  readonly deadlineMs: number;
  readonly retention: RetentionPolicy;
  /** Only labels that a second person has approved are learnt from; all unless told. */
  readonly secondPerson?: boolean;
  readonly pool: {
    /** Inference processes. */
    readonly size: number;
    readonly queueLimit: number;
    readonly queuePolicy: 'reject' | 'drop-oldest';
    /** Megabytes of models kept in memory by each process. */
    readonly memoryCapMb: number;
    readonly threads?: number;
  };
  /** Local times `HH:MM`; 06:00, 14:00 and 22:00 unless told. */
  readonly shiftStarts?: readonly string[];
  /** Folders from which clients may train, besides the data folder. */
  readonly trainingFolders?: readonly string[];
  /** Program and arguments, with placeholders, of another trainer for detectors; none unless told. */
  readonly externalTrainer?: readonly string[];
  /** Production pictures on which a new version is compared with the one in production; 200 unless told. */
  readonly gatePictures?: number;
  /** Opens imported models that are encrypted, and encrypts exported ones where that is wished. */
  readonly modelKey?: ModelKey | null;
  /** Megabytes an imported model may have; 2048 unless told. */
  readonly importLimitMb?: number;
  readonly clock?: Clock;
}

export interface StationEvents {
  readonly 'inspection-opened': Inspection;
  readonly 'inspection-settled': Inspection;
  readonly 'review-changed': ReviewItem;
  /** A picture was not taken into the review queue. */
  readonly 'review-declined': DeclinedReview;
  readonly job: Job;
  readonly retraining: RetrainStatus;
  readonly deployment: DeploymentRecord;
  readonly version: VersionChange;
  readonly shadow: ShadowRun;
  readonly 'routing-changed': RoutingSettings;
  readonly fault: Fault;
  readonly lamp: TowerLightState;
  /** Something a person should know that stops nothing, for example a picture left out of a training. */
  readonly warning: Fault;
}

export interface StationHealth {
  readonly id: string;
  readonly name: string;
  /** `degraded`: verdicts fall, but something needs attention (`faults` says what). */
  readonly state: 'ok' | 'degraded' | 'closed';
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly inference: { readonly state: string; readonly queued: number };
  readonly inspections: {
    /** Under inspection now. */
    readonly open: number;
    readonly settled: number;
    readonly failSafe: number;
    /** Verdicts sent on that the store could not take yet. */
    readonly unrecorded: number;
  };
  /** The last faults, newest first, ten at most. */
  readonly faults: readonly (Fault & { readonly at: string })[];
}

/**
 * How a picture shall be looked at by a detector; what is absent is as the model says. Classes that it does not know are left
 * out, because the next version in production may know others: the finding's thresholds tell those in force.
 */
export interface DetectorWishes extends Omit<DetectOptions, 'unknownClasses'> {
  /** Absolute path of an .onnx file; the deployed detector, else the embedded starter, unless told. */
  readonly model?: string;
  /** Whose detector looks; the inspection's part type unless told. */
  readonly partType?: string;
  /** Classes whose detections a person shall judge; those of others reject the part. */
  readonly review?: readonly string[];
  /** Classes whose detections are left out. */
  readonly ignored?: readonly string[];
}

/** How a picture shall be looked at by a classifier. */
export interface ClassifierWishes {
  /** Whose classifier looks; the inspection's part type unless told. */
  readonly partType?: string;
  /** What classes mean for a part, where it is not what the model says. */
  readonly verdicts?: Readonly<Record<string, Verdict>>;
}

/** One inspection line: store, models, inference, jobs and the inspections under way. */
export interface Station {
  readonly options: StationOptions;
  readonly store: Store;
  readonly pool: ComputePool;
  readonly models: ModelRegistry;
  readonly backbones: BackboneStore;
  readonly jobs: JobQueue;
  readonly snapshots: Snapshots;
  /** Labelled pictures that did not come over the line. */
  readonly imported: ImportedPictures;
  readonly folderImports: FolderImports;
  readonly comparisons: Comparisons;
  /** Candidates that run beside the versions in production. */
  readonly shadows: Shadows;
  readonly retraining: Retraining;
  readonly reviews: ReviewQueue;
  /** What comes into the review queue. */
  readonly reviewIntake: ReviewIntake;
  readonly inspections: InspectionLedger;
  readonly browserCameras: BrowserCameras;
  readonly intake: Intake;
  readonly events: TypedEmitter<StationEvents>;
  /**
   * Scores a picture with the deployed model of the inspection's part type, within the inspection's deadline, and
   * keeps the heat map. The finding comes without one when it cannot be saved, or the inspection has its verdict already.
   *
   * @param node id of the node that asks
   * @param reference the golden picture of this part, for a model that compares with one; without it, the model's own
   * @throws {NoModel} when no model is deployed for the part type
   * @throws {ReferenceMissing} when the model needs a golden picture and there is none
   * @throws {ReferenceMismatch} when picture and golden picture cannot show the same part
   */
  scoreAnomaly(picture: Buffer, inspection: Inspection, node: string, reference?: Buffer): Promise<AnomalyFinding>;
  /**
   * Looks for defects by name, within the inspection's deadline: with the file wished, else the detector deployed for the
   * part type, else the embedded starter detector.
   *
   * @param node id of the node that asks
   * @throws {ModelInvalid} @throws {DetectorUnsupported} when the model is none, or none that is understood
   */
  detect(picture: Buffer, inspection: Inspection, node: string, wishes?: DetectorWishes): Promise<DetectionsFinding>;
  /**
   * Loads a detector file before the first part needs it, and again when an inference process was replaced.
   *
   * @param file absolute path; the embedded starter detector unless told
   * @param onTrouble gets what keeps it from being loaded
   * @returns a function that lets go of the file
   */
  keepDetector(file: string | undefined, onTrouble: (error: unknown) => void): () => void;
  /**
   * Names the class of a picture with the classifier deployed for the part type, within the inspection's deadline.
   *
   * @param node id of the node that asks
   * @throws {NoModel} when no classifier is deployed
   */
  classify(picture: Buffer, inspection: Inspection, node: string, wishes?: ClassifierWishes): Promise<ClassFinding>;
  /**
   * Format, size and hash of a picture after decoding it completely.
   *
   * @param deadline epoch milliseconds; the station's time for a verdict, from now, unless told
   * @throws {PictureUnreadable}
   */
  inspectPicture(picture: Buffer, deadline?: number): Promise<PictureInfo>;
  /**
   * An inspection's picture as JPEG of the given width (16..2048), height to scale.
   * @throws {NotFound}
   */
  thumbnail(id: string, width: number): Promise<Buffer>;
  /** The same of an imported picture. @throws {NotFound} */
  importedThumbnail(id: string, width: number): Promise<Buffer>;
  /**
   * The good picture that the model which scored an inspection finds most similar to its worst place. Looked up while no
   * verdict waits.
   *
   * @throws {NotFound} when there is no such inspection, or its picture is not kept
   * @throws {NoNearest} when no anomaly model judged it, or that version cannot tell
   */
  similarPicture(id: string): Promise<SimilarPicture>;
  simulate(options: SimulatorOptions): Promise<SimulatedPart>;
  /**
   * Tells what a router uses where nothing is stored for a part type.
   *
   * @param node id of the router
   * @returns a function that takes it back
   */
  registerRouter(node: string, defaults: RoutingDefaults): () => void;
  /** What is in force for a part type. A value in which the routers differ is null. */
  routing(partType: string): Promise<RoutingSettings>;
  /** The same for all part types that have settings of their own, by name. */
  allRouting(): Promise<readonly RoutingSettings[]>;
  /** Changes thresholds or audit share of a part type; recorded, and told as `routing-changed`. */
  setRouting(partType: string, patch: RoutingPatch, actor: string): Promise<RoutingSettings>;
  /** The tower lights as last told, one for each node. */
  lamps(): readonly TowerLightState[];
  health(): StationHealth;
  /** Settles what is open as `interrupted` and ends all processes, timers and files of the station. */
  close(): Promise<void>;
}
