import type { ErrorParameters, Fault } from './errors';
import type { DeploymentPolicy, GateDecision, GateReport } from './gate';
import type { ModelKind } from './identifiers';
import type { Box } from './inspection';
import type { Verdict } from './verdict';

export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'interrupted';
/** Of every kind of training, in their order. */
export const TRAINING_STAGES = [
  'read',
  'extract',
  'condition',
  'coreset',
  'calibrate',
  'cache',
  'search',
  'train',
  'evaluate',
  'gate',
  'package',
  'verify',
] as const;
export type TrainingStage = (typeof TRAINING_STAGES)[number];

export interface JobProgress {
  readonly stage: TrainingStage;
  /** 0..100 over the whole job. */
  readonly percent: number;
  /** Estimated seconds to the end; null while unknown. */
  readonly remainingSeconds: number | null;
  /** Epochs done; 0 before the first is. */
  readonly epoch?: number;
  /** Epochs wished. */
  readonly epochs?: number;
  readonly curve?: readonly CurvePoint[];
  /** Memory the training expects to need, stated before its first step. */
  readonly memoryBytes?: number;
}

/** An epoch's mean loss and, where it was measured, the quality on held-out pictures. */
export interface CurvePoint {
  /** Counts from 1. */
  readonly epoch: number;
  readonly loss: number;
  /** 0..1, of a detector. */
  readonly map50?: number;
  /** 0..1, of a classifier. */
  readonly accuracy?: number;
}

/** Where training pictures come from. */
export type TrainingSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'labelled' }
  /** A `data.yaml`, a COCO json, a folder in VOC's form, or a folder of classes. */
  | {
      readonly kind: 'dataset';
      readonly path: string;
      /** Folders that its pictures must lie in, links followed; anywhere unless told. */
      readonly within?: readonly string[];
    }
  | { readonly kind: 'simulator'; readonly product: string; readonly count: number; readonly seed?: number };

/** How a training is done; what is absent keeps its default. */
export interface TrainingOptions {
  /** `bank` (default): a memory bank of good patches; `reference`: each part is compared with its golden picture. */
  readonly method?: 'bank' | 'reference';
  /**
   * For `reference`: folder with golden pictures, named like the pictures. A single one that is named like none of them is
   * the golden picture of every part.
   */
  readonly referenceFolder?: string;
  /** The model's input. Sides in pixels, multiples of 32 within 128..1024. */
  readonly input?: { readonly width: number; readonly height: number; readonly mode: 'letterbox' | 'crop' | 'stretch' };
  /** Wished share of good parts that may be rejected, above 0 and at most 0.5. */
  readonly falseRejectRate?: number;
  /** Wished share of good parts that may go to a person or be rejected, above 0 and at most 0.5. */
  readonly reviewRate?: number;
  /** Wished share of defective parts that may pass, above 0 and at most 0.5; counts when defects are known. */
  readonly missRate?: number;
  /** The part of the picture that is looked at, in fractions 0..1 of its sides; null: all of it. */
  readonly roi?: Box | null;
  /** Picture file (PNG) of which white counts and black does not; as wide and high as the pictures, or alike in shape. */
  readonly mask?: string;
  /** The looked-at part is cut into tiles, for small defects; null: it is not. */
  readonly tiles?: TilingWish | null;
  /** Parts that always lie alike are compared with nearby places only; null: with all places. */
  readonly position?: {
    /** How far a place may wander, as a share of the looked-at part's longer side, above 0 and at most 0.5. */
    readonly reach: number;
  } | null;
  /** Variants of the good pictures that are learnt, too; null: none. */
  readonly augmentation?: AugmentationWish | null;
  /** Folder with pictures of defective parts: they set the accept level and are never learnt. */
  readonly defectFolder?: string;
  /** For `reference`: where the defects of `defectFolder` are, `x.txt` in YOLO's format for `x.jpg`. */
  readonly labelFolder?: string;
  /** Learn also the pictures that look defective, instead of leaving them out for a person to look at. */
  readonly keepSuspects?: boolean;
  /** Add the pictures to the version in production instead of starting over. */
  readonly update?: boolean;
  /** Compute with 8-bit numbers where the held-out decisions do not get worse. */
  readonly quantise?: boolean;
}

/** A grid of tiles, each as large as the model's input. */
export interface TilingWish {
  /** 1..8 */
  readonly columns: number;
  /** 1..8 */
  readonly rows: number;
  /** Share of a tile's side that it has in common with its neighbour, 0..0.5. */
  readonly overlap: number;
  /** `per-tile`: what is normal differs from tile to tile. */
  readonly banks: 'shared' | 'per-tile';
}

/** How far variants of a picture may differ from it. */
export interface AugmentationWish {
  /** Mirrored, left and right as well as up and down. */
  readonly flip: boolean;
  /** Turned by up to this many degrees both ways, 0..180. */
  readonly rotation: number;
  /** Brightness and contrast changed by up to this share, 0..0.5. */
  readonly light: number;
  /** Moved by up to this share of the side, 0..0.25. */
  readonly shift: number;
}

/** How a detector is fine-tuned; what is absent keeps its default. */
export interface DetectorTrainingOptions {
  /** `head`: the class outputs only; `neck` (default): with the layers that join the strides; `full`: all layers. */
  readonly level?: 'head' | 'neck' | 'full';
  /** 1..1000 */
  readonly epochs?: number;
  /** Side of the square input while training, in pixels: a multiple of 32 within 64..1280. */
  readonly inputSize?: number;
  /** Pictures a step, 1..64. */
  readonly batch?: number;
  /** Highest learning rate, above 0 and at most 0.1. */
  readonly learningRate?: number;
  /** How strongly pictures are varied, 0..1. */
  readonly augmentation?: number;
  readonly seed?: number;
  /** What the training starts from: the version in production (default, else the starter), the starter, or an .onnx file. */
  readonly base?: 'deployed' | 'starter' | (string & {});
  /** Data set of old pictures, so that what was learnt before is not forgotten. */
  readonly replay?: string;
  /** Look for learning rate, level and strength of augmentation, within this time. */
  readonly search?: { readonly minutes: number };
  /** `external`: the station's command for another trainer. */
  readonly trainer?: 'built-in' | 'external';
  /** How much mAP50 may fall on held-out pictures and old classes, 0..1; 0.01 unless told. */
  readonly gate?: { readonly tolerance?: number };
}

/** How a classifier is trained; what is absent keeps its default. */
export interface ClassifierTrainingOptions {
  /** Id of a backbone of the catalogue, or an .onnx file. */
  readonly backbone?: string;
  /** Train the backbone, too, instead of only the layer on top of it. */
  readonly fineTune?: boolean;
  /** 1..1000 */
  readonly epochs?: number;
  /** Highest learning rate, above 0 and at most 1. */
  readonly learningRate?: number;
  /** Side of the square input in pixels: a multiple of 32 within 64..1024. */
  readonly inputSize?: number;
  readonly seed?: number;
  /** How strongly pictures are varied, 0..1. */
  readonly augmentation?: number;
  /** What each class means for a part. */
  readonly verdicts?: Readonly<Record<string, Verdict>>;
}

export interface TrainingRequest {
  /** `patchcore` unless told. */
  readonly kind?: ModelKind;
  readonly partType: string;
  readonly source: TrainingSource;
  /** Deploy the version when it is done and the gate lets it; with a policy, that counts instead. */
  readonly deploy: boolean;
  readonly policy?: DeploymentPolicy;
  /** Whole, -10..10, 0 unless told: trainings of a higher one go first. */
  readonly priority?: number;
  readonly backbone?: string;
  /** Of PatchCore. */
  readonly options?: TrainingOptions;
  readonly detector?: DetectorTrainingOptions;
  readonly classifier?: ClassifierTrainingOptions;
}

/** How well a detector finds the boxes of one class. */
export interface DetectedClassFigures {
  readonly label: string;
  /** Average precision at IoU 0.5, 0..1; null without such boxes. */
  readonly ap50: number | null;
  /** The mean of it over IoU 0.5 to 0.95. */
  readonly ap5095: number | null;
  /** Share of the boxes found at the confidence in force, 0..1; null without such boxes. */
  readonly recall: number | null;
  /** Share of the found boxes that are there, 0..1; null when none was found. */
  readonly precision: number | null;
  readonly f1: number | null;
  /** Boxes of this class in the pictures. */
  readonly count: number;
}

/** How well a detector finds the boxes of pictures it did not learn. */
export interface DetectorFigures {
  /** Mean average precision at IoU 0.5, and over IoU 0.5 to 0.95 (COCO); 0..1. */
  readonly map50: number;
  readonly map5095: number;
  /** Mean over the classes, 0..1. */
  readonly recall: number;
  readonly pictures: number;
  readonly perClass: readonly DetectedClassFigures[];
  /** 95 % bootstrap intervals over the pictures. */
  readonly intervals?: Readonly<Record<string, { readonly low: number; readonly high: number }>>;
  /** Confidence with the best F1, 0..1. */
  readonly bestConfidence?: number;
  /** Precision and recall by confidence, of each class; all 0..1. */
  readonly curves?: readonly {
    readonly label: string;
    readonly confidence: readonly number[];
    readonly precision: readonly number[];
    readonly recall: readonly number[];
  }[];
  /** Boxes by true (rows) and found class (columns), the background last. */
  readonly confusion?: { readonly labels: readonly string[]; readonly matrix: readonly (readonly number[])[] };
}

/** How well a classifier names pictures it did not learn. */
export interface ClassifierFigures {
  /** 0..1 */
  readonly accuracy: number;
  readonly pictures: number;
  /** Mean recall of the classes, 0..1. */
  readonly balancedAccuracy: number;
  /** Of the accuracy, 95 %. */
  readonly interval?: { readonly low: number; readonly high: number };
  readonly perClass: readonly {
    readonly label: string;
    /** 0..1; null without such pictures. */
    readonly recall: number | null;
    /** 0..1; null when no picture was named so. */
    readonly precision: number | null;
    readonly f1: number | null;
    readonly count: number;
  }[];
  /** Pictures by true class (rows) and named class (columns). */
  readonly confusion: { readonly labels: readonly string[]; readonly matrix: readonly (readonly number[])[] };
}

/** What a training achieved. `before` and `after` are measured on the same held-out pictures. */
export type TrainingReportFacts =
  | {
      readonly kind: 'detector';
      readonly level: DetectorLevel;
      /** Of what the training started from; null when it could not be measured (classes that it has none of). */
      readonly before: DetectorFigures | null;
      readonly after: DetectorFigures;
      /** The same on old pictures, with the classes known before: what was forgotten. Null without any. */
      readonly oldClasses: { readonly before: DetectorFigures; readonly after: DetectorFigures } | null;
      readonly gate: GateDecision;
      readonly curve: readonly CurvePoint[];
      readonly seconds: number;
      readonly peakMemoryBytes: number | null;
    }
  | {
      readonly kind: 'classifier';
      readonly method: 'linear' | 'fine-tuned';
      readonly before: ClassifierFigures | null;
      readonly after: ClassifierFigures;
      readonly gate: GateDecision;
      readonly curve: readonly CurvePoint[];
      readonly seconds: number;
      readonly peakMemoryBytes: number | null;
    };

/**
 * How a detector was made: the level of its fine-tuning, by another trainer, from nothing, or it came as a file and was
 * not trained here.
 */
export type DetectorLevel = 'head' | 'neck' | 'full' | 'external' | 'scratch' | 'imported';

/** A picture that could not be learnt from. */
export interface SkippedPicture {
  readonly name: string;
  readonly reason: string;
}

/** What happened to a job, in its order. */
export interface JobLine {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** A sentence for people. */
  readonly text: string;
  /** For translations, see `ErrorText`. */
  readonly code?: string;
  readonly parameters?: ErrorParameters;
}

/** What started a retraining. */
export const RETRAIN_CAUSES = ['labels', 'drift', 'schedule', 'manual'] as const;
export type RetrainCause = (typeof RETRAIN_CAUSES)[number];

export interface Job {
  readonly id: string;
  readonly request: TrainingRequest;
  readonly state: JobState;
  readonly progress: JobProgress | null;
  /** The version made, when completed. */
  readonly version: string | null;
  readonly error: Fault | null;
  /** Pictures that were left out, the first hundred, once the training is done. */
  readonly skipped?: readonly SkippedPicture[];
  /** Of a detector or classifier, once it is trained. */
  readonly report?: TrainingReportFacts;
  /** What happened to it on the way, in sentences: that it went on from a checkpoint, that the gate refused its version. */
  readonly notes?: readonly string[];
  /** How often it went on from a checkpoint after it was ended from outside. */
  readonly resumed?: number;
  /** Whole, -10..10: those of a higher one go first. Absent in jobs of old: 0. */
  readonly priority?: number;
  /** The last 200 lines. */
  readonly log?: readonly JobLine[];
  /** The snapshot it learnt from, where people labelled the pictures. */
  readonly dataset?: { readonly id: string; readonly hash: string };
  /** Once its version was compared with the one in production. */
  readonly gateReport?: GateReport;
  /**
   * What became of its version; `deployed`: by itself, or later by a person; `awaiting`: a person decides; `none`: deployment was
   * not asked for; `removed`: a person took it away before it was in production.
   */
  readonly deployment?: 'deployed' | 'awaiting' | 'refused' | 'none' | 'removed';
  /** The retraining run it belongs to. */
  readonly trigger?: { readonly kind: RetrainCause; readonly runId: string };
  readonly actor: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}
