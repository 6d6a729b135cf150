export { simulatePart } from './simulate';
export {
  DEFECT_CLASSES,
  type DefectClass,
  SIMULATED_PRODUCTS,
  type SimulatedDefect,
  type SimulatedPart,
  type SimulatedProduct,
  type SimulatedTruth,
  type SimulatorOptions,
} from './types';
