export { JobEnded, JobQueue, type JobQueueEvents, type JobQueueOptions } from './job-queue';
export {
  type DeployedModel,
  ModelRegistry,
  type ModelRegistryEvents,
  type ModelRegistryOptions,
  type ModelWarning,
  NothingToRollBack,
} from './model-registry';
