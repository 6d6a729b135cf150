export { BOXES_LIMIT, isClassName } from './check-boxes';
export { type EscapeEstimate, type EscapeShare, type EscapeWeek, escapeEstimate, startOfWeek } from './escape-estimate';
export type { EmbeddingSource } from './likeness';
export { type Admission, ReviewIntake, type ReviewIntakeEvents, type ReviewOffer } from './review-intake';
export {
  type ApprovalWords,
  type DecisionOutlet,
  type LabelDecision,
  LONGEST_LOCK_SECONDS,
  NothingToUndo,
  type QueueEntry,
  type ReviewEvents,
  ReviewQueue,
} from './review-queue';
