export type { DetectionDataset, LabelledPicture } from './dataset';
export { NothingToLearn, TrainingMemoryExceeded } from './errors';
export { type DetectorReport, type FinetuneResult, type Finetuning, finetuneDetector } from './finetune';
export { type GateOptions, gate, type Measured } from './gate';
export { measure } from './hold-out';
export type { FinetuneSettings, FinetuneWishes, TrainedLevel } from './options';
