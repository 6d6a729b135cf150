import { trainAnomalyModel } from './train-anomaly-model';
import { serveTraining } from './training-child';

serveTraining(trainAnomalyModel);
