export { BOXES_LIMIT, isClassName } from './check-boxes';
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
