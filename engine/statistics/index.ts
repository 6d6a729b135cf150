export { type Calibration, type CalibrationInput, calibrate } from './calibration';
export type { CalibrationFacts, CalibrationMethod, CalibrationWishes } from './calibration-facts';
export { clopperPearson, type Interval } from './clopper-pearson';
export { conformalCount, conformalLowerRank, conformalRank } from './conformal';
export { auroc, averagePrecision, type F1Max, f1Max, type MapWithTruth, pixelAuroc, pro } from './metrics';
export { fitIsotonic, fitPlatt, fitProbability } from './probability';
export { type ProbabilityCurve, probabilityOf, type Rate, type Rates, ratesAt } from './rates';
export type { StatementCode, StatementPart } from './statement';
