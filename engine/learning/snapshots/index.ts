export { contentOf, partContradicted, splitOf } from './content';
export { datasetStats } from './dataset-stats';
export { FolderImports, ImportRunning } from './folder-imports';
export { checkImportedClass } from './good-class';
export { type FolderImport, importFolder } from './import-folder';
export {
  ImportedPictures,
  type ImportedPicturesEvents,
  type ImportOrder,
  type ImportResult,
  type IncomingPicture,
  PictureNotRead,
} from './imported-pictures';
export { NothingLabelled, RESTORABLE_DAYS, type SnapshotFile, Snapshots } from './snapshots';
export { NothingInSnapshot, writableSnapshot } from './writable-snapshot';
