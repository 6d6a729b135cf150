export { AlreadyDecided, type StoreTrouble, StoreUnavailable } from './errors';
export { openStore } from './open-store';
export type * from './types';
