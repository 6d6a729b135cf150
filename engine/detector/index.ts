export { type AssignedCell, type AssignmentOptions, assignTargets } from './assignment';
export type { DetectionTarget, HeadLevel } from './cells';
export { completeIou, overlap } from './ciou';
export { withClasses } from './classes';
export { decodeOutput, type OutputTensor, type RawDetection } from './decode';
export {
  type DetectDefaults,
  type DetectionResult,
  type DetectOptions,
  inputSize,
  levelOf,
  PLAIN_DEFAULTS,
} from './detect';
export { type DetectionLoss, detectionLoss, type LossOptions } from './detection-loss';
export { DetectorModel, type DetectorOpenOptions, type DetectorOrigin } from './detector-model';
export { DetectorNotFound, DetectorUnsupported } from './errors';
export { type DetectHead, type DetectHeadLevel, detectHead, type HeadConvolution, weightOf } from './head';
export { type DetectorDescription, type DetectorLayout, describeDetector } from './layout';
export { type LetterboxedPicture, letterbox, letterboxPixels } from './letterbox';
export { type DetectorMetadata, detectorMetadata } from './metadata';
export { intersectionOverUnion, nonMaximumSuppression, type SuppressionOptions } from './nms';
export {
  type DetectorFacts,
  type DetectorPackageOptions,
  readDetectorPackage,
  writeDetectorPackage,
} from './package';
export { type DetectorSource, readDetectorFile } from './source';
export { STARTER_DETECTOR } from './starter';
export {
  type DetectorBody,
  type RawLevel,
  STARTER_BINS,
  STARTER_INPUT,
  STARTER_STRIDES,
  starterBody,
} from './starter-architecture';
export { type TailLevel, type TailOptions, withTail } from './tail';
export type { LoadedDetector } from './task';
