export { type AssignedCell, type AssignmentOptions, assignTargets } from './assignment';
export type { DetectionTarget, HeadLevel } from './cells';
export { completeIou, overlap } from './ciou';
export { type DetectionLoss, detectionLoss, type LossOptions } from './detection-loss';
export {
  type DetectorBody,
  type RawLevel,
  STARTER_BINS,
  STARTER_INPUT,
  STARTER_STRIDES,
  starterBody,
} from './starter-architecture';
