export {
  ARCHIVE_EXTENSION,
  type Archive,
  type ArchiveLimits,
  archiveName,
  archiveOf,
  defaultArchiveLimits,
  type UnpackOptions,
} from './archive';
export { classifierFigures, GOLDEN_CLASS_TOLERANCE } from './classifier-manifest';
export { detectorFigures, GOLDEN_DETECTION_TOLERANCE } from './detector-manifest';
export {
  ArchiveInvalid,
  ArchiveTooLarge,
  ArchiveTooNew,
  FileExists,
  ModelExists,
  ModelInvalid,
  ModelKeyInvalid,
  ModelKeyMissing,
  ModelKeyWrong,
  NoRoom,
} from './errors';
export { CLASSES_FORMAT, MANIFEST_FORMAT, NEWEST_FORMAT } from './formats';
export {
  type AnomalyManifest,
  type BankManifest,
  type ClassifierManifest,
  type DetectorManifest,
  GOLDEN_TOLERANCE,
  type GoldenPicture,
  goldenScores,
  MANIFEST_FILE,
  type ManifestOf,
  type ModelManifest,
  parseManifest,
  type ReferenceManifest,
  type UnsealedManifest,
} from './manifest';
export type { FileEntry } from './manifest-base';
export { MODEL_KEY_VARIABLE, type ModelKey, modelKeyOfEnvironment, readModelKey, readModelKeyFile } from './model-key';
export {
  assertFree,
  folderBytes,
  listVersions,
  nextVersion,
  placePackage,
  readManifest,
  readPackageFile,
  renumberPackage,
  sha256OfFile,
  verifyFiles,
  writeManifest,
  writePackage,
} from './package';
export {
  type ReferenceSection,
  type ReferenceSettings,
  referenceSection,
  referenceSettings,
} from './reference-section';
export { type Exported, exportPackage, fileSource, type ImportOptions, importPackage, importVersion } from './transfer';
