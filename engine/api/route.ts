import type { ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { ApiContext, ApiStation } from './api-station';
import type { FilesBody } from './form-files';
import type { IncomingRequest, PictureBody } from './request-body';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a route's code gets: everything checked against the route's schemas. */
export interface RouteInput<Params, Query, Body> {
  readonly context: ApiContext;
  /** The table the route itself stands in. */
  readonly routes: readonly Route[];
  readonly station: ApiStation;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Who acts. */
  readonly actor: string;
  /** The address of another resource of the same station, as the client reaches it. */
  link(path: string): string;
  readonly request: IncomingRequest;
  readonly response: ServerResponse;
}

/** What a route answers. */
export type Answer =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  | {
      /** A picture that never changes under its address. */
      readonly kind: 'picture';
      readonly type: 'image/jpeg' | 'image/png';
      readonly etag: string;
      load(): Promise<Buffer>;
    }
  /** A file that is made while it is sent. */
  | { readonly kind: 'file'; readonly type: string; readonly name: string; content(): AsyncIterable<Uint8Array> }
  /** The route has taken over the response. */
  | { readonly kind: 'stream' };

export type BodyKind =
  | { readonly kind: 'json'; readonly schema: z.ZodType; readonly optional?: boolean }
  /** An encoded picture: raw, or (`form`) in the field `file` of a form with these text fields. */
  | { readonly kind: 'picture'; readonly form?: z.ZodObject }
  /** A form with these text fields before any number of pictures, which are given to the route as they come. */
  | { readonly kind: 'pictures'; readonly form: z.ZodObject }
  /** A file of any size, given to the route as it comes. */
  | { readonly kind: 'file'; readonly mediaTypes: readonly string[] };

/** One operation: the source of both its handling and its description. */
export interface Route {
  readonly method: Method;
  /** With parameters in braces: `/inspections/{id}`. */
  readonly path: string;
  readonly operation: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: BodyKind;
  /** Success: its status, and the schema of its JSON or its media types. */
  readonly success: {
    readonly status: number;
    readonly schema?: z.ZodType;
    readonly mediaTypes?: readonly string[];
    readonly description: string;
  };
  /** Problems this operation has of its own; those of its parameters and body are added. */
  readonly problems?: readonly number[];
  /** True when it needs no station. */
  readonly stationless?: boolean;
  handle(input: RouteInput<never, never, never>): Promise<Answer>;
}

type Infer<Schema> = Schema extends z.ZodType ? z.infer<Schema> : Record<string, never>;
type InferBody<Body> = Body extends { kind: 'json'; schema: infer Schema }
  ? Infer<Schema>
  : Body extends { kind: 'picture' }
    ? PictureBody
    : Body extends { kind: 'pictures'; form: infer Form }
      ? { readonly fields: Infer<Form>; readonly files: FilesBody['files'] }
      : Body extends { kind: 'file' }
        ? AsyncIterable<Uint8Array>
        : undefined;

interface TypedRoute<Params, Query, Body> extends Omit<Route, 'params' | 'query' | 'body' | 'handle'> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  handle(input: RouteInput<Infer<Params>, Infer<Query>, InferBody<Body>>): Promise<Answer>;
}

/** Defines a route whose code is typed by its schemas. */
export function route<
  const Params extends z.ZodObject | undefined = undefined,
  const Query extends z.ZodObject | undefined = undefined,
  const Body extends BodyKind | undefined = undefined,
>(definition: TypedRoute<Params, Query, Body>): Route {
  return definition as unknown as Route;
}

export function json(body: unknown, status = 200): Answer {
  return { kind: 'json', status, body };
}

/** A route that matches a path, with the texts of its parameters, still encoded. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * All routes whose path matches, whatever their method. Fixed segments go before parameters, so that
 * `/labeling-queue/stats` is never taken for an id. A slash at the end makes no difference.
 */
export function matchPath(routes: readonly Route[], path: string): readonly Match[] {
  const segments = split(path);
  const matches = routes.flatMap((candidate) => {
    const params = matchSegments(split(candidate.path), segments);
    return params ? [{ route: candidate, params }] : [];
  });
  const fewest = Math.min(...matches.map((match) => Object.keys(match.params).length));
  return matches.filter((match) => Object.keys(match.params).length === fewest);
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith('{')) params[part.slice(1, -1)] = segments[index];
    else if (part !== segments[index]) return null;
  }
  return params;
}

function split(path: string): readonly string[] {
  return path.replace(/^\//, '').replace(/\/$/, '').split('/');
}
