export { type LabelDecision, type ReviewEvents, ReviewQueue } from './review-queue';
