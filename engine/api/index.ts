export type { ApiContext, ApiEvents, ApiStation } from './api-station';
export { API_PATH, type ApiHandler, type ApiRouter, createApi, createParserErrorHandler, mountApi } from './create-api';
export { openApiDocument } from './open-api';
export type { Problem } from './problem';
export type { InspectionDetail, InspectionSummary, UploadAnswer } from './schemas';
