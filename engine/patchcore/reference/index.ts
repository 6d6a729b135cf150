export { type BoxMatch, matchBoxes } from './box-matching';
export { compareWithReference, ReferenceComparer, type ReferenceResult, WRONG_PART_SCORE } from './compare';
export { ReferenceMismatch, ReferenceMissing, ReferenceUnreadable } from './errors';
export { ReferenceLibrary } from './reference-library';
export {
  packReference,
  ReferenceModel,
  type ReferencePackage,
} from './reference-model';
export {
  type ReferencePackageResult,
  type ReferencePackageTraining,
  trainReferencePackage,
} from './reference-training';
export { scoreAgainstReference } from './score';
export { DEFAULT_REFERENCE_SETTINGS } from './settings';
export {
  type GoldenPair,
  type ReferencePair,
  type ReferenceTraining,
  type ReferenceTrainingResult,
  type ReferenceTrial,
  trainReference,
} from './training';
export { boxOf, classNames, type LabelledBox, readYoloLabels } from './yolo-labels';
