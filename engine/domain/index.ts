export * from './clock';
export * from './errors';
export * from './identifiers';
export * from './inspection';
export * from './package-root';
export * from './random';
export * from './records';
export * from './verdict';
