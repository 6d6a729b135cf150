export * from './define-node';
export * from './messages';
export * from './migrations';
export * from './node-state';
export * from './settings';
export * from './station-access';
export * from './translation';
