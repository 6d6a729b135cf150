export { type DecisionOutlet, type LabelDecision, NothingToUndo, type ReviewEvents, ReviewQueue } from './review-queue';
