import type { Extent } from './layer';
import { clamp } from './shapes';

/** A raster of ink, 0 (none) .. 1, of the same pixels as a layer of the same extent. */
export class Ink {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;

  /** @param scale pixels a unit */
  constructor(
    private readonly extent: Extent,
    private readonly scale: number,
  ) {
    this.width = Math.ceil((extent.left + extent.right) * scale);
    this.height = Math.ceil((extent.top + extent.bottom) * scale);
    this.values = new Float32Array(this.width * this.height);
  }

  /** A line with round ends. */
  line(x0: number, y0: number, x1: number, y1: number, thickness: number, value = 1): void {
    const { scale } = this;
    const ax = (x0 + this.extent.left) * scale;
    const ay = (y0 + this.extent.top) * scale;
    const dx = (x1 - x0) * scale;
    const dy = (y1 - y0) * scale;
    const radius = (thickness * scale) / 2;
    const square = dx * dx + dy * dy || 1;
    this.eachPixel(
      Math.min(ax, ax + dx) - radius,
      Math.min(ay, ay + dy) - radius,
      Math.max(ax, ax + dx) + radius,
      Math.max(ay, ay + dy) + radius,
      (px, py) => {
        const t = clamp(((px - ax) * dx + (py - ay) * dy) / square, 0, 1);
        return (0.5 + radius - Math.hypot(px - ax - t * dx, py - ay - t * dy)) * value;
      },
      value,
    );
  }

  rectangle(x: number, y: number, width: number, height: number, value = 1): void {
    const left = (x + this.extent.left) * this.scale;
    const top = (y + this.extent.top) * this.scale;
    const right = left + width * this.scale;
    const bottom = top + height * this.scale;
    this.eachPixel(
      left,
      top,
      right,
      bottom,
      (px, py) =>
        clamp(Math.min(px - left, right - px) + 0.5, 0, 1) * clamp(Math.min(py - top, bottom - py) + 0.5, 0, 1) * value,
      value,
    );
  }

  /** Ink at a pixel of the raster. */
  at(column: number, row: number): number {
    return this.values[row * this.width + column];
  }

  private eachPixel(
    left: number,
    top: number,
    right: number,
    bottom: number,
    ink: (x: number, y: number) => number,
    most: number,
  ): void {
    const lastRow = Math.min(this.height - 1, Math.ceil(bottom));
    const lastColumn = Math.min(this.width - 1, Math.ceil(right));
    for (let row = Math.max(0, Math.floor(top) - 1); row <= lastRow; row += 1) {
      for (let column = Math.max(0, Math.floor(left) - 1); column <= lastColumn; column += 1) {
        const value = clamp(ink(column + 0.5, row + 0.5), 0, most);
        const index = row * this.width + column;
        if (value > this.values[index]) this.values[index] = value;
      }
    }
  }
}
