export { BOXES_LIMIT, isClassName } from './check-boxes';
export { type DecisionOutlet, type LabelDecision, NothingToUndo, type ReviewEvents, ReviewQueue } from './review-queue';
