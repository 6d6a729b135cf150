export {
  classifierTrainingOptions,
  detectorTrainingOptions,
  readClassifierTrainingOptions,
  readDetectorTrainingOptions,
} from './class-training-options';
export {
  JobEnded,
  JobQueue,
  type JobQueueEvents,
  type JobQueueOptions,
  JobQueueUnavailable,
  NothingToUpdate,
  SIMULATED_PICTURES_LIMIT,
} from './job-queue';
export {
  type DeployedClassifier,
  type DeployedDetector,
  type DeployedModel,
  type DeployedOf,
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
export { readTrainingOptions, trainingOptions } from './training-options';
export { TrainingDied } from './training-process';
