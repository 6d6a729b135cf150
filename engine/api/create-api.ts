import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { InspectionError } from '../domain';
import { defaultPictureLimits } from '../imaging';
import { actorOf } from './actor';
import type { ApiContext, ApiStation } from './api-station';
import { type FormLimits, readFormFiles } from './form-files';
import { ClientGone, type Problem, type ProblemDetail, problemOf, RequestRefused } from './problem';
import { type IncomingRequest, type PictureBody, parserRefusal, readFile, readJson, readPicture } from './request-body';
import { type Answer, type BodyKind, type Match, matchPath, type Route, type RouteInput } from './route';
import { routes } from './routes';

/** Where the API lives under Node-RED's HTTP node root. */
export const API_PATH = '/inspection/api';

/** An express handler (4 and 5), written without express. */
export type ApiHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;

/** The part of an express application or router that is used. */
export interface ApiRouter {
  use(path: string, handler: ApiHandler): unknown;
}

const JSON_LIMIT_BYTES = 1024 * 1024;
/** Pictures taken at the same time; each may have 32 MiB. */
const UPLOAD_LIMIT = 16;
/** Files taken in at the same time: each may keep a disk busy for long. */
const FILE_LIMIT = 2;
/** Of a form with many pictures. */
const FORM_LIMITS: FormLimits = { fileBytes: defaultPictureLimits.maxBytes, files: 1000, fieldBytes: JSON_LIMIT_BYTES };
/** How much of a refused body is still read and dropped, so that the client gets to read the answer. */
const DRAIN_LIMIT_BYTES = 2 * defaultPictureLimits.maxBytes;
const DRAIN_LIMIT_MS = 5000;

/** Mounts the API at `/inspection/api`. */
export function mountApi(router: ApiRouter, context: ApiContext): void {
  router.use(API_PATH, createApi(context));
}

/**
 * The whole API as one handler. Mounted below any path it answers every request itself, also those for unknown paths,
 * and never throws; errors that are nobody's input go to `context.onError`.
 */
export function createApi(context: ApiContext): ApiHandler {
  const uploads: Uploads = { pictures: 0, files: 0 };
  return (request, response) => {
    serve(context, uploads, request, response).catch((error) => context.onError?.(error));
  };
}

/**
 * An express error handler for an application whose body parser runs before the API: answers what that refuses of the
 * API's requests with a problem document, and passes everything else on.
 *
 * @param basePath where the API is mounted, for example `/inspection/api`
 */
export function createParserErrorHandler(basePath: string) {
  return (
    error: unknown,
    request: IncomingMessage & { readonly originalUrl?: string },
    response: ServerResponse,
    next: (error: unknown) => void,
  ): void => {
    const ofApi = (request.originalUrl ?? request.url ?? '').startsWith(`${basePath}/`);
    const refusal = ofApi ? parserRefusal(error, request, JSON_LIMIT_BYTES) : null;
    if (refusal === null || response.headersSent) next(error);
    else sendProblem(request, response, problemOf(refusal), refusal.headers);
  };
}

async function serve(
  context: ApiContext,
  uploads: Uploads,
  request: IncomingRequest,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => {}); // The client went away while the answer was on its way.
  try {
    await send(request, response, await answer(context, uploads, request, response));
  } catch (error) {
    if (error instanceof ClientGone) return;
    const problem = problemOf(error);
    if (problem.status === 500) context.onError?.(error);
    if (response.headersSent) response.destroy();
    else sendProblem(request, response, problem, error instanceof RequestRefused ? error.headers : {});
  }
}

async function answer(
  context: ApiContext,
  uploads: Uploads,
  request: IncomingRequest,
  response: ServerResponse,
): Promise<Answer> {
  const { path, query } = splitUrl(request.url ?? '/');
  const { route, params } = findRoute(request, path);
  refuseCrossSite(request);
  const station = route.stationless ? undefined : chooseStation(context.stations(), query.get('station'));
  const checked = {
    context,
    routes,
    station: station as ApiStation,
    params: checkParams(route, params),
    query: checkQuery(route, query),
    actor: actorOf(request),
    link: linkMaker(request, query.get('station')),
    request,
    response,
  };
  const handle = async (): Promise<Answer> => {
    const input: RouteInput<unknown, unknown, unknown> = {
      ...checked,
      body: route.body && (await readBody(route.body, request)),
    };
    return route.handle(input as RouteInput<never, never, never>);
  };
  switch (route.body?.kind) {
    case 'picture':
      return asUpload(uploads, 'pictures', UPLOAD_LIMIT, handle);
    case 'file':
    case 'pictures':
      return asUpload(uploads, 'files', FILE_LIMIT, handle);
    default:
      return handle();
  }
}

/** How many are being taken in. */
interface Uploads {
  pictures: number;
  files: number;
}

/** Bounds what is taken in at once: each counts from its first byte until it is answered. */
async function asUpload(
  uploads: Uploads,
  what: keyof Uploads,
  most: number,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  if (uploads[what] >= most) {
    throw new RequestRefused(
      503,
      'busy',
      'busy',
      `${most} ${what} are being uploaded or worked on already. Send this one again in a second.`,
      { headers: { 'Retry-After': '1' } },
    );
  }
  uploads[what] += 1;
  try {
    return await handle();
  } finally {
    uploads[what] -= 1;
  }
}

function findRoute(request: IncomingRequest, path: string): Match {
  const matches = matchPath(routes, path);
  if (matches.length === 0) {
    throw new RequestRefused(
      404,
      'unknown-route',
      'unknown route',
      `There is nothing at ${JSON.stringify(path)}. The routes are described in ${API_PATH}/openapi.json.`,
    );
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const match = matches.find((candidate) => candidate.route.method === method);
  if (match) return match;
  const methods = matches.map((candidate) => candidate.route.method);
  const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  throw new RequestRefused(
    405,
    'method-not-allowed',
    'method not allowed',
    `${request.method} is not possible here. Use ${allowed.join(' or ')}.`,
    { headers: { Allow: allowed.join(', ') } },
  );
}

/** Pages of other sites cannot make a browser act on this station. */
function refuseCrossSite(request: IncomingRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return;
  // over plain HTTP browsers say nothing of the site, but name the origin
  if (site !== 'cross-site' && isOwnOrigin(request)) return;
  throw new RequestRefused(
    403,
    'cross-site',
    'cross-site request',
    'Pages of other sites may not change anything here.',
  );
}

/** True without an `Origin`, as programs ask, and for one that is the host asked for, by a proxy in front too. */
function isOwnOrigin({ headers }: IncomingRequest): boolean {
  if (headers.origin === undefined) return true;
  if (!URL.canParse(headers.origin)) return false;
  const { protocol, host } = new URL(headers.origin);
  const forwarded = headers['x-forwarded-host'];
  return [headers.host, ...(Array.isArray(forwarded) ? forwarded : [forwarded])].some(
    (own) => own !== undefined && URL.canParse(`${protocol}//${own}`) && new URL(`${protocol}//${own}`).host === host,
  );
}

function chooseStation(stations: readonly ApiStation[], wanted: string | null): ApiStation {
  if (stations.length === 0) {
    throw new RequestRefused(
      503,
      'no-station',
      'no station',
      'No inspection station runs. Add an inspection-station node, or see why it did not open, and deploy.',
    );
  }
  if (wanted === null) return stations[0];
  const found =
    stations.find(({ options }) => options.id === wanted) ?? stations.find(({ options }) => options.name === wanted);
  if (found) return found;
  const names = stations.map(({ options }) => options.name || options.id);
  throw new RequestRefused(
    404,
    'unknown-station',
    'unknown station',
    `There is no station ${JSON.stringify(wanted)}. There is: ${names.join(', ')}.`,
  );
}

function checkParams(route: Route, encoded: Readonly<Record<string, string>>): unknown {
  const params = Object.fromEntries(Object.entries(encoded).map(([key, text]) => [key, decode(text)]));
  if (!route.params) return params;
  const result = route.params.safeParse(params);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  const key = String(path[0]);
  throw new RequestRefused(404, 'not-found', 'not found', `${JSON.stringify(params[key])} ${message}.`, {
    parameters: { [key]: params[key] },
  });
}

function checkQuery(route: Route, query: URLSearchParams): unknown {
  const values: Record<string, string> = {};
  const errors: ProblemDetail[] = [];
  for (const [key, text] of query) {
    if (key === 'station') continue;
    if (Object.hasOwn(values, key)) errors.push({ pointer: key, detail: 'is there twice' });
    else if (!route.query || !Object.hasOwn(route.query.shape, key)) {
      errors.push({ pointer: key, detail: 'is no parameter of this route' });
    } else values[key] = text;
  }
  const result = route.query?.safeParse(values);
  if (result && !result.success) errors.push(...detailsOf(result.error, (path) => path.join('.')));
  if (errors.length > 0) throw invalidInput('query parameters', errors);
  return result?.data ?? {};
}

async function readBody(kind: BodyKind, request: IncomingRequest): Promise<unknown> {
  if (kind.kind === 'file') return readFile(request, kind.mediaTypes);
  if (kind.kind === 'pictures') {
    const { fields, files } = await readFormFiles(request, FORM_LIMITS);
    return { fields: checkFields(kind.form, fields), files };
  }
  if (kind.kind === 'picture') {
    const body = await readPicture(request, defaultPictureLimits.maxBytes, kind.form !== undefined);
    return kind.form ? checkForm(kind.form, body) : body;
  }
  const value = await readJson(request, JSON_LIMIT_BYTES);
  if (value === undefined && !kind.optional) {
    throw new RequestRefused(400, 'missing-body', 'missing body', 'The request needs a JSON body.');
  }
  const result = kind.schema.safeParse(value === undefined ? {} : value);
  if (result.success) return result.data;
  throw invalidInput('body', detailsOf(result.error, pointer));
}

function checkForm(form: z.ZodObject, body: PictureBody): PictureBody {
  return { picture: body.picture, fields: checkFields(form, body.fields) as Record<string, string> };
}

function checkFields(form: z.ZodObject, fields: Readonly<Record<string, string>>): unknown {
  const result = form.safeParse(fields);
  if (!result.success) throw invalidInput('form', detailsOf(result.error, pointer));
  return result.data;
}

function invalidInput(what: string, errors: readonly ProblemDetail[]): RequestRefused {
  const told = errors.slice(0, 5).map(({ pointer: place, detail }) => `${place} ${detail}`);
  return new RequestRefused(
    400,
    'invalid-input',
    'invalid input',
    `The ${what} must be as described in openapi.json: ${told.join('; ')}.`,
    {
      errors,
    },
  );
}

function detailsOf(error: z.ZodError, place: (path: PropertyKey[]) => string): ProblemDetail[] {
  return error.issues.map(({ path, message }) => ({ pointer: place(path), detail: message }));
}

/** A JSON pointer as a URI fragment (RFC 6901, 6). */
function pointer(path: PropertyKey[]): string {
  return `#${path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
}

async function send(request: IncomingRequest, response: ServerResponse, result: Answer): Promise<void> {
  if (result.kind === 'stream') return;
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (result.kind === 'json') {
    response.statusCode = result.status;
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.setHeader('Cache-Control', 'no-store');
    response.end(JSON.stringify(result.body));
    return;
  }
  if (result.kind === 'file') {
    await sendFile(request, response, result);
    return;
  }
  const matched = matchesEtag(request.headers['if-none-match'], result.etag);
  const data = matched ? undefined : await result.load();
  response.setHeader('ETag', result.etag);
  response.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
  if (data === undefined) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader('Content-Type', result.type);
  response.setHeader('Content-Length', data.length);
  response.end(data);
}

/** Sends a file at the pace of the client; what fails on the way cuts the connection, so that no half file looks whole. */
async function sendFile(
  request: IncomingRequest,
  response: ServerResponse,
  { type, name, content }: Extract<Answer, { kind: 'file' }>,
): Promise<void> {
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
  response.setHeader('Cache-Control', 'no-store');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  await pipeline(content(), response).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ERR_STREAM_PREMATURE_CLOSE' ? new ClientGone() : error;
  });
}

/** RFC 9110, 13.1.2: a list of tags or `*`, compared weakly. */
function matchesEtag(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false;
  return field.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

function sendProblem(
  request: IncomingRequest,
  response: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>>,
): void {
  response.statusCode = problem.status;
  for (const [field, value] of Object.entries(headers)) response.setHeader(field, value);
  response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const body = JSON.stringify(problem);
  if (request.complete) {
    response.end(body);
    return;
  }
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.write(body);
  // its end closes the connection, and a client that still sends would lose the answer
  drain(request, () => response.end());
}

/** Drops the rest of a body, within limits. @param onEnd called when nothing more comes */
function drain(request: IncomingRequest, onEnd: () => void): void {
  let bytes = 0;
  const timer = setTimeout(() => request.destroy(), DRAIN_LIMIT_MS);
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DRAIN_LIMIT_BYTES) request.destroy();
  });
  request.on('error', () => {});
  request.once('end', onEnd);
  request.once('close', () => {
    clearTimeout(timer);
    onEnd();
  });
  request.resume();
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?');
  if (mark < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new InspectionError({
      code: 'malformed-path',
      status: 'malformed path',
      message: `${JSON.stringify(text)} in the path is not valid percent-encoding.`,
      httpStatus: 400,
      cause,
    });
  }
}

function linkMaker(request: IncomingRequest, station: string | null): (path: string) => string {
  const base = (request as { baseUrl?: string }).baseUrl ?? API_PATH;
  if (station === null) return (path) => `${base}${path}`;
  const choice = `station=${encodeURIComponent(station)}`;
  return (path) => `${base}${path}${path.includes('?') ? '&' : '?'}${choice}`;
}
