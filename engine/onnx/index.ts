export { type PreparedBackbone, prepareBackbone } from './backbone';
export { type Dimension, GraphBuilder } from './builder';
export { readModel, writeModel } from './codec';
export { OnnxInvalid } from './errors';
export { feeds, lastActivations, metadataProps, prune, valueStrides, withOutputs } from './graph';
export type {
  OnnxAttribute,
  OnnxDimension,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxShape,
  OnnxTensor,
  OnnxType,
  OnnxValueInfo,
} from './model';
export { DataType, floatTensor, int64Tensor, tensorValues } from './tensor';
