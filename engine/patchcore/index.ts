export { type AnomalyMap, type AnomalyResult, type PatchcoreLoadOptions, PatchcoreModel } from './model';
export {
  type InputSize,
  MINIMUM_PICTURES,
  type PatchcoreTraining,
  type SkippedPicture,
  TooFewPictures,
  type TrainingPicture,
  type TrainingProgress,
  type TrainingResult,
  trainPatchcore,
} from './training';
