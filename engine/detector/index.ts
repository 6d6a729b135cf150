export { type AssignedCell, type AssignmentOptions, assignTargets } from './assignment';
export type { DetectionTarget, HeadLevel } from './cells';
export { completeIou, overlap } from './ciou';
export { withClasses } from './classes';
export { type DetectionLoss, detectionLoss, type LossOptions } from './detection-loss';
export { DetectorUnsupported } from './errors';
export { type DetectHead, type DetectHeadLevel, detectHead, type HeadConvolution, weightOf } from './head';
export { type DetectorDescription, type DetectorLayout, describeDetector } from './layout';
export { type DetectorMetadata, detectorMetadata } from './metadata';
export {
  type DetectorBody,
  type RawLevel,
  STARTER_BINS,
  STARTER_INPUT,
  STARTER_STRIDES,
  starterBody,
} from './starter-architecture';
export { type TailLevel, type TailOptions, withTail } from './tail';
