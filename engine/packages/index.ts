export { ModelExists, ModelInvalid } from './errors';
export {
  type FileEntry,
  GOLDEN_TOLERANCE,
  type GoldenPicture,
  MANIFEST_FILE,
  type ModelManifest,
  parseManifest,
  type UnsealedManifest,
} from './manifest';
export {
  assertFree,
  folderBytes,
  listVersions,
  nextVersion,
  readManifest,
  sha256OfFile,
  verifyFiles,
  writePackage,
} from './package';
