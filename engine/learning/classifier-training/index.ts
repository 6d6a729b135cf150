export { type ClassPicture, classPictures } from './class-pictures';
export { type ClassifierPackaging, type PackagedClassifier, trainClassifierPackage } from './classifier-package';
export { TooFewClasses, TooFewPerClass } from './errors';
export { classifierFigures, type NamedPicture } from './figures';
export { type ClassifierTraining, LEAST_PER_CLASS, type TrainedClassifier, trainClassifier } from './train-classifier';
