export type { AnomalyMap } from './anomaly-map';
export { type AnomalyModel, loadAnomalyModel } from './anomaly-model';
export { type Backbone, BackboneNotFound, type FoundBackbone, findBackbone, resolveBackbone } from './backbone';
export { type Coreset, greedyCoreset } from './coreset';
export type { Embedding } from './embedding';
export { TooFewPictures } from './errors';
export { ofHalf } from './half';
export {
  type AnomalyResult,
  type PatchcoreLoadOptions,
  PatchcoreModel,
  type PatchDistances,
  type ScoreOptions,
} from './model';
export type { NearestGood } from './nearest';
export { learntPictures } from './package-files';
export type { SkippedPicture } from './picture-reader';
export { type PictureFile, picturesInFolder, readablePicturesInFolder, type TrainingPicture } from './pictures';
export type { TrainingProgress } from './progress';
export * from './reference';
export { readSourceCopy } from './sources';
export {
  MINIMUM_PICTURES,
  type PatchcoreTraining,
  type TrainingResult,
  trainPatchcore,
} from './training';
export { PLAIN_RECIPE, type Recipe } from './training-settings';
