export { type DecisionSettings, decide } from './decide';
