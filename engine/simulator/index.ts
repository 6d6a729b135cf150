export {
  GOOD_CLASS,
  labelledBoxes,
  SIMULATED_CLASSES,
  type SimulatedClass,
  type SimulatedDatasetWish,
  type SimulatedFile,
  type SimulatedPicture,
  simulatedDataset,
  writeSimulatedDataset,
} from './dataset';
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
