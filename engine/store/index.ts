import type { Store, StoreOptions } from './types';

export { AlreadyDecided, StoreUnavailable } from './errors';
export type * from './types';
export declare function openStore(options: StoreOptions): Promise<Store>;
