export { type Activation, lastActivations, valueChannels, valueStrides } from './activations';
export {
  type InspectedBackbone,
  inspectBackbone,
  type Moment,
  type Normalisation,
  type PictureSize,
  type Tap,
  type TappedBackbone,
  tapBackbone,
} from './backbone';
export { type Dimension, GraphBuilder, makeNode, valueInfo } from './builder';
export { checkGraph } from './check';
export { readModel, writeModel } from './codec';
export { OnnxInvalid } from './errors';
export { foldBatchNormalization } from './fold-normalization';
export { constantsOf, feeds, integerOf, integersOf, metadataProps, prune, withOutputs } from './graph';
export {
  changed,
  type OnnxAttribute,
  type OnnxDimension,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxShape,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
} from './model';
export { probeRanges, type QuantisationWish, quantiseGraph, type ValueRange } from './quantise';
export { DataType, elementBytes, floatTensor, int64Tensor, rawTensor, tensorValues } from './tensor';
