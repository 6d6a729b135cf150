export { compareDecisions, NO_DECISIONS, withDecision } from './compare-decisions';
export { DEFAULT_BOUND } from './decide-gate';
export type { GateOrder, GatePicture, ModelPlace } from './gate-order';
export { type GateContext, type GateWish, gateOrderOf, labelledPictures } from './gate-order-of';
export { ComparingDied, inComparingChild, judgeCandidate } from './judge-candidate';
export { detectOptionsOf, heeded, type LineUse, lineUseOf } from './line-use';
export { type Look, lookOfAnomaly, lookOfClass, lookOfDetections, scoreOf } from './looks';
export { verdictWith } from './verdicts';
