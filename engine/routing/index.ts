export { type DecisionSettings, decide, failSafeDecision } from './decide';
export { type Evidence, evidenceOf } from './evidence';
