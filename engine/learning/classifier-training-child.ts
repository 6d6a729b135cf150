import { trainClassifier } from './train-classifier';
import { serveTraining } from './training-child';

serveTraining(trainClassifier);
