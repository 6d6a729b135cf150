import type { Route } from '../route';
import { archiveRoutes } from './archives';
import { auditRoutes } from './audits';
import { backboneRoutes } from './backbones';
import { comparisonRoutes } from './comparisons';
import { datasetRoutes } from './datasets';
import { eventRoutes } from './events';
import { inspectionRoutes } from './inspections';
import { modelRoutes } from './models';
import { nearestRoutes } from './nearest';
import { partTypeRoutes } from './part-types';
import { retrainingRoutes } from './retraining';
import { reviewRoutes } from './reviews';
import { settingsRoutes } from './settings';
import { stationRoutes } from './station';
import { trainingRoutes } from './training';
import { uploadRoutes } from './upload';

/** The route table: requests are served from it, and the OpenAPI document is made from it. */
export const routes: readonly Route[] = [
  ...stationRoutes,
  ...uploadRoutes,
  ...inspectionRoutes,
  ...nearestRoutes,
  ...reviewRoutes,
  ...auditRoutes,
  ...modelRoutes,
  ...comparisonRoutes,
  ...partTypeRoutes,
  ...archiveRoutes,
  ...backboneRoutes,
  ...trainingRoutes,
  ...retrainingRoutes,
  ...datasetRoutes,
  ...settingsRoutes,
  ...eventRoutes,
];
