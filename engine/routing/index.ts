export { type DecisionSettings, decide, failSafeDecision } from './decide';
