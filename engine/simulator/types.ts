import type { Box, Label } from '../domain';

export const SIMULATED_PRODUCTS = ['plate', 'cable-end'] as const;
/** `plate`: a brushed-metal plate with a printed label and holes; `cable-end`: a cable with a crimped ring terminal. */
export type SimulatedProduct = (typeof SIMULATED_PRODUCTS)[number];

export const DEFECT_CLASSES = ['fracture', 'stain', 'misalignment', 'scratch'] as const;
export type DefectClass = (typeof DEFECT_CLASSES)[number];

export interface SimulatorOptions {
  readonly product: SimulatedProduct;
  /** Whole number; the same seed and options give the same bytes. */
  readonly seed: number;
  /** Pixels, 320..2560; 1280 unless told. */
  readonly width?: number;
  /** Pixels, 180..1440; 720 unless told. */
  readonly height?: number;
  /** Chance that the part has a defect, 0..1. Whether this part has one follows from the seed. */
  readonly defectRate: number;
  /** The classes to choose from; all unless told. */
  readonly defects?: readonly DefectClass[];
  /** Strength of the change of light from part to part, 0..3, 1 unless told; 0 keeps it constant. */
  readonly lightJitter?: number;
  /** Strength of the change of position and rotation, 0..3, 1 unless told; 0 keeps it constant. */
  readonly positionJitter?: number;
}

export interface SimulatedDefect {
  readonly label: DefectClass;
  /** Whole pixels of the picture; encloses what is visible of the defect. */
  readonly box: Box;
}

/** What is true of a simulated part. Plain JSON. */
export interface SimulatedTruth {
  readonly product: SimulatedProduct;
  readonly seed: number;
  readonly label: Label;
  readonly defects: readonly SimulatedDefect[];
}

export interface SimulatedPart {
  /** JPEG. */
  readonly picture: Buffer;
  readonly truth: SimulatedTruth;
}
