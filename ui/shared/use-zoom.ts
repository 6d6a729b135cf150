import { onBeforeUnmount, onMounted, type Ref, ref } from 'vue';
import type { Point } from './box-geometry';
import { panned, pinched, type View, WHOLE, wheelFactor, ZOOM_STEP, zoomed } from './picture-view';

export interface Zoom {
  /** Two fingers are on the picture: whatever one of them began is off. */
  readonly pinching: Ref<boolean>;
  /** The next drag moves the picture. */
  readonly panning: Ref<boolean>;
  zoom(factor: number): void;
  /** True when the key was used. */
  useKey(event: KeyboardEvent): boolean;
}

const PAN_STEP = 0.15;
const PANS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: PAN_STEP, y: 0 },
  ArrowRight: { x: -PAN_STEP, y: 0 },
  ArrowUp: { x: 0, y: PAN_STEP },
  ArrowDown: { x: 0, y: -PAN_STEP },
};

/**
 * Zoom and pan by wheel, mouse, fingers and keys: the wheel zooms at the pointer, the middle button or the space bar with
 * the left one drags, so do two fingers, and one finger on the zoomed picture where nothing else takes it.
 *
 * @param stage where gestures are taken
 * @param frame what a view is relative to: the whole picture fits it
 * @param on    false: nothing is taken
 */
export function useZoom(
  stage: Ref<HTMLElement | null>,
  frame: Ref<HTMLElement | null>,
  view: Ref<View>,
  on: () => boolean,
): Zoom {
  const pinching = ref(false);
  const panning = ref(false);
  let dragged: Point | null = null;
  let fingers: readonly Point[] = [];

  const isZoomed = (): boolean => view.value.zoom > 1;

  function shareOf({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }): Point {
    const { left, top, width, height } = (frame.value as HTMLElement).getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }
  function panTo(now: Point, before: Point): void {
    view.value = panned(view.value, { x: now.x - before.x, y: now.y - before.y });
  }

  function turn(event: WheelEvent): void {
    // At the whole picture the page scrolls on.
    if (!on() || frame.value === null || (event.deltaY > 0 && !isZoomed())) return;
    event.preventDefault();
    view.value = zoomed(view.value, wheelFactor(event), shareOf(event));
  }

  function press(event: PointerEvent): void {
    const pans = event.pointerType === 'mouse' && (event.button === 1 || (event.button === 0 && panning.value));
    if (!pans || !on() || frame.value === null || !isZoomed()) return;
    event.preventDefault();
    event.stopPropagation();
    (stage.value as HTMLElement).setPointerCapture(event.pointerId);
    dragged = shareOf(event);
  }
  function drag(event: PointerEvent): void {
    if (dragged === null || event.pointerType !== 'mouse') return;
    const now = shareOf(event);
    panTo(now, dragged);
    dragged = now;
  }
  function release(event: PointerEvent): void {
    if (event.pointerType === 'mouse') dragged = null;
  }
  /** Or the browser scrolls by itself. */
  function pressMiddle(event: MouseEvent): void {
    if (event.button === 1 && on() && isZoomed()) event.preventDefault();
  }

  function touch(event: TouchEvent): void {
    // Of one finger only what nothing below has taken.
    const taken = event.touches.length === 1 && (event.defaultPrevented || !isZoomed());
    fingers = !on() || frame.value === null || taken ? [] : Array.from(event.touches, shareOf).slice(0, 2);
    pinching.value = fingers.length === 2;
    if (pinching.value && event.cancelable) event.preventDefault();
  }
  function slide(event: TouchEvent): void {
    if (fingers.length === 0 || frame.value === null) return;
    if (event.cancelable) event.preventDefault();
    const now = Array.from(event.touches, shareOf).slice(0, fingers.length);
    if (now.length === 1 && fingers.length === 1) panTo(now[0], fingers[0]);
    if (now.length === 2) {
      const { width, height } = frame.value.getBoundingClientRect();
      view.value = pinched(view.value, [fingers[0], fingers[1]], [now[0], now[1]], { width, height });
    }
    fingers = now;
  }

  function useKey(event: KeyboardEvent): boolean {
    if (!on()) return false;
    if (event.key === '+' || event.key === '=') zoom(ZOOM_STEP);
    else if (event.key === '-' || event.key === '_') zoom(1 / ZOOM_STEP);
    else if (event.key === '0') view.value = WHOLE;
    else if (event.key === ' ' && isZoomed()) panning.value = true;
    else if (event.shiftKey && event.key in PANS && isZoomed()) view.value = panned(view.value, PANS[event.key]);
    else return false;
    return true;
  }
  function zoom(factor: number): void {
    view.value = zoomed(view.value, factor);
  }
  function holdSpace(event: KeyboardEvent): void {
    if (event.key === ' ' && panning.value) event.preventDefault();
  }
  function letGo(event: Event): void {
    if (!(event instanceof KeyboardEvent) || event.key === ' ') panning.value = false;
  }

  onMounted(() => {
    const area = stage.value as HTMLElement;
    area.addEventListener('wheel', turn, { passive: false });
    area.addEventListener('pointerdown', press, { capture: true });
    area.addEventListener('pointermove', drag);
    area.addEventListener('pointerup', release);
    area.addEventListener('pointercancel', release);
    area.addEventListener('mousedown', pressMiddle);
    area.addEventListener('touchstart', touch, { passive: false });
    area.addEventListener('touchmove', slide, { passive: false });
    area.addEventListener('touchend', touch);
    area.addEventListener('touchcancel', touch);
    window.addEventListener('keydown', holdSpace);
    window.addEventListener('keyup', letGo);
    window.addEventListener('blur', letGo);
  });
  onBeforeUnmount(() => {
    window.removeEventListener('keydown', holdSpace);
    window.removeEventListener('keyup', letGo);
    window.removeEventListener('blur', letGo);
  });

  return { pinching, panning, zoom, useKey };
}
