export type { ApiContext, ApiEventName, ApiStation } from './api-station';
export { API_PATH, type ApiHandler, type ApiRouter, createApi, mountApi } from './create-api';
