/** Corners of a box: left, top, right, bottom. */
export type Corners = Float64Array | readonly [number, number, number, number];

/** Sides shorter than this count as this long, so that empty boxes divide by nothing. */
const LEAST = 1e-7;

/**
 * Intersection over union of two boxes given by their corners; 0 when one of them is turned inside out.
 *
 * @returns 0..1
 */
export function overlap(a: Corners, b: Corners): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared);
}

/**
 * Complete IoU of a predicted and a true box: IoU, less the squared distance of the centres over the squared diagonal of
 * the enclosing box, less the weighted difference of the aspect ratios. The weight alpha counts as a constant in the
 * derivative.
 *
 * @param gradient receives the derivative with respect to the predicted left, top, right and bottom
 * @returns at most 1, which it is for equal boxes
 * @see Zheng et al. 2020, "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression", equations 7-12
 */
export function completeIou(predicted: Corners, truth: Corners, gradient: Float64Array): number {
  const [left, top, right, bottom] = predicted;
  const width = Math.max(right - left, LEAST);
  const height = Math.max(bottom - top, LEAST);
  const trueWidth = Math.max(truth[2] - truth[0], LEAST);
  const trueHeight = Math.max(truth[3] - truth[1], LEAST);

  const sharedWidth = Math.max(0, Math.min(right, truth[2]) - Math.max(left, truth[0]));
  const sharedHeight = Math.max(0, Math.min(bottom, truth[3]) - Math.max(top, truth[1]));
  const shared = sharedWidth * sharedHeight;
  const union = width * height + trueWidth * trueHeight - shared;
  const iou = shared / union;

  const spanWidth = Math.max(right, truth[2]) - Math.min(left, truth[0]);
  const spanHeight = Math.max(bottom, truth[3]) - Math.min(top, truth[1]);
  const diagonal = spanWidth ** 2 + spanHeight ** 2 + LEAST;
  const offX = (left + right - truth[0] - truth[2]) / 2;
  const offY = (top + bottom - truth[1] - truth[3]) / 2;
  const distance = offX ** 2 + offY ** 2;

  const turn = Math.atan(trueWidth / trueHeight) - Math.atan(width / height);
  const aspect = (4 / Math.PI ** 2) * turn ** 2;
  const alpha = aspect / (1 - iou + aspect + LEAST);

  // each term: d/d(shared), d/d(width), d/d(height), then the corners
  const perShared = (union + shared) / union ** 2;
  const perArea = -shared / union ** 2;
  const perTurn = (-alpha * 8 * turn) / Math.PI ** 2;
  const square = width ** 2 + height ** 2;
  const perWidth = perArea * height + (perTurn * -height) / square;
  const perHeight = perArea * width + (perTurn * width) / square;
  const wide = right - left > LEAST ? perWidth : 0;
  const high = bottom - top > LEAST ? perHeight : 0;
  const touches = sharedWidth > 0 && sharedHeight > 0;
  const inWidth = touches ? perShared * sharedHeight : 0;
  const inHeight = touches ? perShared * sharedWidth : 0;
  const perSpan = (2 * distance) / diagonal ** 2;
  gradient[0] = -wide - (left > truth[0] ? inWidth : 0) - offX / diagonal - (left < truth[0] ? perSpan * spanWidth : 0);
  gradient[1] = -high - (top > truth[1] ? inHeight : 0) - offY / diagonal - (top < truth[1] ? perSpan * spanHeight : 0);
  gradient[2] =
    wide + (right < truth[2] ? inWidth : 0) - offX / diagonal + (right > truth[2] ? perSpan * spanWidth : 0);
  gradient[3] =
    high + (bottom < truth[3] ? inHeight : 0) - offY / diagonal + (bottom > truth[3] ? perSpan * spanHeight : 0);
  return iou - distance / diagonal - alpha * aspect;
}
