export type { AnomalyMap } from './anomaly-map';
export { type Backbone, BackboneNotFound, resolveBackbone } from './backbone';
export { type Calibration, type CalibrationWishes, calibrate, conformalRank } from './calibration';
export { type Coreset, greedyCoreset } from './coreset';
export {
  type AnomalyResult,
  type PatchcoreLoadOptions,
  PatchcoreModel,
  type PatchDistances,
  type ScoreOptions,
} from './model';
export { picturesInFolder, type TrainingPicture } from './pictures';
export {
  MINIMUM_PICTURES,
  type ModelInput,
  type PatchcoreTraining,
  type SkippedPicture,
  TooFewPictures,
  type TrainingProgress,
  type TrainingResult,
  trainPatchcore,
} from './training';
