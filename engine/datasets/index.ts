export type { ReadOptions } from './collect';
export {
  type BoxRemark,
  type Dataset,
  type DatasetFormat,
  type DatasetPicture,
  type SkippedPicture,
  SPLITS,
  type Split,
} from './dataset';
export { DatasetNotWritable, DatasetUnreadable } from './errors';
export { fixedSplit, type SplitShares } from './fixed-split';
export { readDataset } from './read-dataset';
export { writeClassFolders, writeCoco, writeYolo } from './write-dataset';
export type { WritableDataset, WriteOptions } from './write-folder';
