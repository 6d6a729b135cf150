export {
  JobEnded,
  JobQueue,
  type JobQueueEvents,
  type JobQueueOptions,
  JobQueueUnavailable,
  SIMULATED_PICTURES_LIMIT,
} from './job-queue';
export {
  type DeployedModel,
  ModelRegistry,
  type ModelRegistryEvents,
  type ModelRegistryOptions,
  type ModelWarning,
  NothingToRollBack,
} from './model-registry';
export { TrainingDied } from './training-process';
