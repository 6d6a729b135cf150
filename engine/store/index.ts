export { AlreadyDecided, type StoreTrouble, StoreUnavailable, storeError } from './errors';
export { type HistoryFilter, type PastInspection, readHistory } from './history';
export { openStore } from './open-store';
export type * from './types';
