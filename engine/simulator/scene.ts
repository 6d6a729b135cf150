import type { Layer } from './layer';
import type { DefectClass } from './types';

/** Two coordinates: units of a piece or pixels of the picture. */
export type Point = readonly [number, number];

/** Where a defect of a class may begin, in units of the part. */
export interface Site {
  readonly at: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  /** Radians: direction in which cracks and scratches run, and how far it may stray. */
  readonly direction: number;
  readonly spread: number;
  /** Units: shortest and longest crack or scratch, or radius of a stain. */
  readonly size: readonly [number, number];
}

/** What stays the same from part to part of one product, at one picture size. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  /** Pixels a unit; a picture of 1280 x 720 has one. */
  readonly scale: number;
  /** Linear RGB, interleaved. */
  readonly background: Float32Array;
  /** Where the next part is drawn: as long as the background. */
  readonly frame: Float32Array;
  /** The part without its movable element. */
  readonly body: Layer;
  /** Print on the body that sits a little differently on each part. */
  readonly print: Layer | null;
  /** The element that a misalignment displaces. */
  readonly element: Layer;
  /** Where body and element rest, in units from the picture's centre, and how much they vary. */
  readonly rest: { readonly body: Point; readonly element: Point };
  readonly jitter: {
    readonly body: Jitter;
    readonly element: Jitter;
    readonly print: Jitter;
    /** Units of bow to either side. */
    readonly bow: number;
  };
  /** Width of scratches, 1 for half a dozen units. */
  readonly scratchWidth: number;
  /** Displacement of a misaligned element: units and radians, from and to. */
  readonly misalignment: { readonly shift: readonly [number, number]; readonly turn: readonly [number, number] };
  /** Outline of the element in its own units, for the truth box. */
  readonly outline: readonly Point[];
  /** Signed distance (units) of the body's surface, holes taken away. */
  readonly surface: (u: number, v: number) => number;
  /** Signed distance (units) of the element in its own units. */
  readonly elementSurface: (u: number, v: number) => number;
  /** Whether cracks and scratches of the body end under the element. */
  readonly elementCovers: boolean;
  readonly sites: Readonly<Record<Exclude<DefectClass, 'misalignment'>, readonly Site[]>>;
  /** Fine structure of the metal, different on each part. */
  readonly grain: Float32Array;
  /** How strong the grain is. */
  readonly grainStrength: number;
  /** Highlight of the light along the picture: strength outside and inside the band, its centre and width, 0..1 of the width. */
  readonly highlight: { readonly base: number; readonly band: number; readonly centre: number; readonly width: number };
}

export interface Jitter {
  /** Units in x and y, to either side. */
  readonly shift: number;
  /** Radians, to either side. */
  readonly turn: number;
}
