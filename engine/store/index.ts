export type * from './admission-types';
export type * from './dataset-types';
export {
  AlreadyDecided,
  ApprovedAlready,
  Locked,
  NameNeeded,
  NotLabelled,
  SamePerson,
  type StoreTrouble,
  StoreUnavailable,
  storeError,
  UsedAlready,
} from './errors';
export { type HistoryFilter, type PastInspection, readHistory } from './history';
export { openStore } from './open-store';
export type { Page, PageRequest } from './paging';
export type * from './registry-types';
export type * from './retraining-types';
export type * from './review-types';
export type * from './types';
