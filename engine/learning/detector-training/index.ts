export type { DetectionDataset, LabelledPicture } from './dataset';
export { NothingToLearn, TrainingMemoryExceeded } from './errors';
export { type FinetuneResult, type Finetuning, finetuneDetector } from './finetune';
export type { DetectorReport } from './judge';
export type { FinetuneSettings, FinetuneWishes, TrainedLevel } from './options';
