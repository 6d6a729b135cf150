export { JobEnded, JobQueue, type JobQueueEvents, type JobQueueOptions } from './job-queue';
export type { LearningStore } from './learning-store';
export {
  type DeployedModel,
  ModelRegistry,
  type ModelRegistryEvents,
  type ModelRegistryOptions,
  NoEarlierVersion,
} from './model-registry';
