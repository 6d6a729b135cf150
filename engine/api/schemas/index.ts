export { escapes, flagRequest } from './audits';
export {
  components,
  detectionThresholds,
  id,
  label,
  labelledBox,
  moment,
  name,
  problem,
  queueReason,
  reviewState,
  serial,
  thresholds,
  verdict,
} from './common';
export {
  datasetStats,
  folderImport,
  folderImportList,
  importedPage,
  importedPicture,
  importRequest,
  snapshot,
  snapshotDetail,
  snapshotList,
  snapshotRequest,
  uploadFields,
  uploadResult,
} from './datasets';
export {
  counters,
  type InspectionDetail,
  type InspectionSummary,
  inspectionDetail,
  inspectionPage,
  inspectionSummary,
  type UploadAnswer,
  uploadAnswer,
} from './inspections';
export {
  classList,
  modelDetails,
  modelKind,
  modelList,
  modelVersion,
} from './models';
export { similarPicture } from './nearest';
export {
  comparisonRequest,
  comparisonState,
  deployment,
  deploymentList,
  deployRequest,
  modelOverview,
  notesRequest,
  removedVersion,
  rollbackRequest,
  shadowAnswer,
  shadowRequest,
  shadowRun,
} from './registry';
export {
  retrainAnswer,
  retrainConditionsList,
  retrainingHistory,
  retrainRequest,
  retrainStatusList,
} from './retraining';
export {
  approvalRequest,
  labelRequest,
  lockRequest,
  nextReview,
  reviewer,
  reviewerRequest,
  reviewItem,
  reviewPage,
  reviewStats,
  undoRequest,
} from './reviews';
export { auditList, health, partTypeList, routingChange, routingList, routingSettings } from './settings';
export { backbone, backboneList, job, jobList, trainerList, trainingRequest } from './training';
