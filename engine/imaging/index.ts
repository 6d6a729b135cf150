export { encodeGreyPng, encodeJpeg, thumbnail } from './encode';
export { type PictureFault, PictureUnreadable } from './errors';
export { type PictureHeader, readPictureHeader } from './header';
export { inspectPicture } from './inspect-picture';
export { defaultPictureLimits, type PictureLimits } from './limits';
export { type HeatMap, heatColour, renderOverlay } from './overlay';
export { boxToInput, boxToSource, mapToSource, type Placement } from './placement';
export {
  type PictureTensor,
  type Preprocessing,
  placementOf,
  RESIZE_KERNELS,
  type ResizeKernel,
  toTensor,
} from './tensor';
