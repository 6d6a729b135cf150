export { type BoxMatch, matchBoxes } from './box-matching';
export { compareWithReference, ReferenceComparer, type ReferenceResult } from './compare';
export { ReferenceMismatch, ReferenceMissing } from './errors';
export { ReferenceLibrary } from './reference-library';
export { DEFAULT_REFERENCE_SETTINGS, type ReferenceSettings, referenceSettings } from './settings';
export {
  type ReferencePair,
  type ReferenceTraining,
  type ReferenceTrainingResult,
  type ReferenceTrial,
  trainReference,
} from './training';
