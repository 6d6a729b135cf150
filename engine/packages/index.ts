export {
  ARCHIVE_EXTENSION,
  type Archive,
  type ArchiveLimits,
  archiveName,
  archiveOf,
  defaultArchiveLimits,
  type UnpackOptions,
} from './archive';
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
export {
  type BankManifest,
  type FileEntry,
  GOLDEN_TOLERANCE,
  type GoldenPicture,
  goldenScores,
  MANIFEST_FILE,
  MANIFEST_FORMAT,
  type ModelManifest,
  parseManifest,
  type ReferenceManifest,
  type UnsealedManifest,
} from './manifest';
export { MODEL_KEY_VARIABLE, type ModelKey, modelKeyOfEnvironment, readModelKey, readModelKeyFile } from './model-key';
export {
  assertFree,
  folderBytes,
  listVersions,
  nextVersion,
  readManifest,
  readPackageFile,
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
