export { PRIORITY_LIMIT, SHADOW_LIMIT, SIMULATED_PICTURES_LIMIT } from './check-request';
export {
  classifierTrainingOptions,
  detectorTrainingOptions,
  readClassifierTrainingOptions,
  readDetectorTrainingOptions,
} from './class-training-options';
export {
  type ClassifierPackaging,
  type ClassifierTraining,
  type ClassPicture,
  classifierFigures,
  classPictures,
  type NamedPicture,
  type PackagedClassifier,
  TooFewClasses,
  TooFewPerClass,
  type TrainedClassifier,
  trainClassifier,
  trainClassifierPackage,
} from './classifier-training';
export { Comparisons, type ComparisonsOptions, NothingToCompareWith } from './comparison';
export type { DeployedClassifier, DeployedDetector, DeployedModel, DeployedOf } from './deployed-model';
export {
  type DetectionDataset,
  type DetectorReport,
  type FinetuneResult,
  type FinetuneSettings,
  type Finetuning,
  finetuneDetector,
  NothingToLearn,
  type TrainedLevel,
  TrainingMemoryExceeded,
} from './detector-training';
export {
  JobEnded,
  JobQueueUnavailable,
  NoExternalTrainer,
  NoPicturesToLearn,
  NothingNewToLearn,
  NothingToUpdate,
  TooFewLabels,
} from './errors';
export {
  ComparingDied,
  detectOptionsOf,
  type GateOrder,
  type GateWish,
  gateOrderOf,
  heeded,
  judgeCandidate,
  type LineUse,
  type Look,
  lineUseOf,
  lookOfAnomaly,
  lookOfClass,
  lookOfDetections,
  NO_DECISIONS,
  scoreOf,
  verdictWith,
  withDecision,
} from './gate';
export { JobQueue, type JobQueueEvents, type JobQueueOptions } from './job-queue';
export { boxesToLearn } from './labelled-dataset';
export {
  ModelActive,
  ModelRegistry,
  type ModelRegistryEvents,
  type ModelRegistryOptions,
  type ModelWarning,
  NothingToRollBack,
} from './model-registry';
export {
  type Rescored,
  type RescoreReport,
  type Rescoring,
  rescore,
  type VerdictTable,
} from './rescore';
export * from './retraining';
export * from './snapshots';
export { readTrainingOptions, trainingOptions } from './training-options';
export { TrainingDied } from './training-process';
export type { JudgeVersion, VersionToJudge } from './version-policy';
