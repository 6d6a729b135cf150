import { trainDetector } from './train-detector';
import { serveTraining } from './training-child';

serveTraining(trainDetector);
