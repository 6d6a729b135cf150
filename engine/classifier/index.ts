export {
  FEATURES,
  type FeatureNetwork,
  featureNetwork,
  HEAD_WEIGHTS,
  type Head,
  LOGITS,
  type Pooling,
  PROBABILITIES,
  withHead,
} from './classifier-graph';
export { type ClassificationResult, type ClassifierLoadOptions, ClassifierModel } from './classifier-model';
export { ClassifierSession } from './classifier-session';
