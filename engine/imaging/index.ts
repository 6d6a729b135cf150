export {
  type Augmentation,
  type AugmentationWishes,
  augment,
  augmentPlaces,
  drawAugmentations,
  type PlanarPicture,
} from './augment';
export { encodeGreyPng, encodeJpeg, thumbnail } from './encode';
export { type PictureFault, PictureUnreadable } from './errors';
export { type PictureHeader, readPictureHeader } from './header';
export { inspectPicture } from './inspect-picture';
export { defaultPictureLimits, type PictureLimits } from './limits';
export { type Mask, patchCounts, readMask } from './mask';
export { type HeatMap, heatColour, renderOverlay } from './overlay';
export { isPictureName, isReadPictureName } from './picture-names';
export { type Pixels, readPixels } from './pixels';
export { boxToInput, boxToSource, mapToSource, type Placement } from './placement';
export { type StitchedMap, stitchMaps, type ViewMap } from './stitch';
export {
  type PictureTensor,
  type Preprocessing,
  placementOf,
  RESIZE_KERNELS,
  type ResizeKernel,
  toTensor,
} from './tensor';
export {
  contentOf,
  type PictureViews,
  type Tiles,
  toViews,
  type View,
  type ViewFrame,
  type Viewing,
  viewFrames,
} from './views';
