export { type LabelDecision, NothingToUndo, type ReviewEvents, ReviewQueue } from './review-queue';
