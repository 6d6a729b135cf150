export { usableBoxes } from './boxes';
export {
  type CheckOptions,
  checkDataset,
  type DatasetProblem,
  type DatasetProblemCode,
  type DatasetReport,
} from './check-dataset';
export {
  collect as collectDataset,
  type DatasetEntries,
  type PictureEntry,
  type PictureLabels,
  type ReadOptions,
} from './collect';
export {
  type BoxRemark,
  type Dataset,
  type DatasetFormat,
  type DatasetPicture,
  type SkippedPicture,
  SPLITS,
  type Split,
} from './dataset';
export { type DatasetFile, datasetFiles, type WritableDataset, type WritableFormat } from './dataset-files';
export { DatasetNotWritable, DatasetUnreadable } from './errors';
export { fixedSplit, type SplitShares } from './fixed-split';
export { datasetKindOf, readDataset } from './read-dataset';
export { type WriteOptions, writeClassFolders, writeCoco, writeDataset, writeYolo } from './write-dataset';
