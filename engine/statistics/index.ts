export { clopperPearson, type Interval } from './clopper-pearson';
export { auroc, averagePrecision, type F1Max, f1Max, type MapWithTruth, pixelAuroc, pro } from './metrics';
