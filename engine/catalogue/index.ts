export type { BackboneState } from './backbone-state';
export {
  BackboneNotPulled,
  BackboneStore,
  type BackboneStoreOptions,
  NothingToCancel,
} from './backbone-store';
export {
  type CatalogueEntry,
  catalogue,
  catalogueEntry,
  defaultBackboneFolder,
  type EmbeddedBackbone,
  embeddedPath,
  fileNameOf,
  isEmbedded,
  type PulledBackbone,
  readCatalogue,
} from './catalogue';
export { BackboneUnknown, PullAltered, PullFailed, PullNotWritable, PullRunning } from './errors';
export { findPulled } from './find-pulled';
export { type Pulled, type PullOptions, type PullProgress, pull } from './pull';
