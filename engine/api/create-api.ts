import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiContext } from './api-station';

/** Where the API lives under Node-RED's HTTP node root. */
export const API_PATH = '/inspection/api';

/** An express handler (4 and 5), written without express. */
export type ApiHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;

/** The part of an express application or router that is used. */
export interface ApiRouter {
  use(path: string, handler: ApiHandler): unknown;
}

/** The whole API as one handler; mounted below any path, it answers every request itself. */
export function createApi(_context: ApiContext): ApiHandler {
  return (_request, response) => {
    response.statusCode = 503;
    response.end();
  };
}

/** Mounts the API at `/inspection/api`. */
export function mountApi(router: ApiRouter, context: ApiContext): void {
  router.use(API_PATH, createApi(context));
}
