export {
  FEATURES,
  type FeatureNetwork,
  featureNetwork,
  type Head,
  LOGITS,
  type Pooling,
  PROBABILITIES,
  TEMPERATURE,
  withHead,
} from './classifier-graph';
export { type ClassificationResult, type ClassifierLoadOptions, ClassifierModel } from './classifier-model';
export { ClassifierSession } from './classifier-session';
