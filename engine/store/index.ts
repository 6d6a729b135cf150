export { AlreadyDecided, type StoreTrouble, StoreUnavailable, storeError } from './errors';
export { openStore } from './open-store';
export type * from './types';
