export { aurocInterval, type BootstrapOptions } from './bootstrap';
export { type Calibration, type CalibrationInput, calibrate } from './calibration';
export type { CalibrationFacts, CalibrationMethod, CalibrationWishes } from './calibration-facts';
export { clopperPearson, type Interval } from './clopper-pearson';
export { conformalCount, conformalLowerRank, conformalRank } from './conformal';
export type { DetectionConfusion } from './detection-confusion';
export type { DetectionCurve } from './detection-curves';
export type { JudgedPicture, TrueBox } from './detection-matching';
export {
  type ClassMetrics,
  type DetectionMetrics,
  type DetectionMetricsOptions,
  evaluateDetections,
} from './detection-metrics';
export { dealFolds } from './folds';
export { auroc, averagePrecision, type F1Max, f1Max, type MapWithTruth, pixelAuroc, pro } from './metrics';
export { nearDuplicates, signatureOf } from './near-duplicates';
export {
  foundBoxes,
  type Paired,
  type PairedDifference,
  pairedAuroc,
  pairedMap50,
  pairedShares,
} from './paired-difference';
export { fitIsotonic, fitPlatt, fitProbability } from './probability';
export { type ProbabilityCurve, probabilityOf, type Rate, type Rates, rateOf, ratesAt } from './rates';
export type { StatementCode, StatementPart } from './statement';
export { suspects } from './suspects';
