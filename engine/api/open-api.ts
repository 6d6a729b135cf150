import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../domain';
import type { BodyKind, Route } from './route';
import { components, problem } from './schemas';

type JsonObject = Record<string, unknown>;

const PROBLEM_TEXTS: Readonly<Record<number, string>> = {
  400: 'The request is not as described',
  403: 'Not allowed',
  404: 'There is no such thing',
  409: 'Not possible in the present state',
  413: 'The body is too large',
  415: 'The body is of a type that is not understood',
  422: 'The content cannot be used',
  500: 'A fault inside',
  503: 'Not possible now',
};

const TAGS: Readonly<Record<string, string>> = {
  station: 'The station as a whole',
  inspections: 'Parts, their verdicts and pictures',
  review: 'Pictures that wait for a person',
  models: 'Model versions and what is in production',
  training: 'Training jobs',
  settings: 'Settings and who changed them',
};

/**
 * The OpenAPI 3.1 description of the routes, made from the schemas the requests are checked with.
 *
 * @param serverUrl where the API is mounted
 */
export function openApiDocument(routes: readonly Route[], serverUrl: string): JsonObject {
  const book = new SchemaBook(routes);
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path][route.method.toLowerCase()] = operationOf(route, book);
  }
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Opti-Quality for Node-RED',
      version,
      description: 'Visual inspection: verdicts, pictures, review, models and training of an inspection station.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: book.components },
  };
}

function operationOf(route: Route, book: SchemaBook): JsonObject {
  return {
    operationId: route.operation,
    summary: route.summary,
    tags: [route.tag],
    parameters: [
      ...parametersOf(route.params, 'path', book),
      ...parametersOf(route.query, 'query', book),
      ...(route.stationless ? [] : [stationParameter]),
    ],
    ...(route.body ? { requestBody: requestBodyOf(route.body, book) } : {}),
    responses: responsesOf(route, book),
  };
}

const stationParameter = {
  name: 'station',
  in: 'query',
  required: false,
  description: 'Id or name of the station; the first one unless told',
  schema: { type: 'string' },
};

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query', book: SchemaBook): JsonObject[] {
  return Object.entries(schema?.shape ?? {}).map(([name, part]) => {
    const { description, ...plain } = book.of(part as z.ZodType);
    return {
      name,
      in: place,
      required: place === 'path',
      ...(description === undefined ? {} : { description }),
      schema: plain,
    };
  });
}

function requestBodyOf(body: BodyKind, book: SchemaBook): JsonObject {
  if (body.kind === 'json') {
    return { required: !body.optional, content: { 'application/json': { schema: book.of(body.schema) } } };
  }
  if (body.kind === 'file') {
    return { required: true, content: Object.fromEntries(body.mediaTypes.map((type) => [type, { schema: {} }])) };
  }
  const raw = Object.fromEntries(
    ['image/jpeg', 'image/png', 'application/octet-stream'].map((type) => [type, { schema: {} }]),
  );
  if (!body.form) return { required: true, content: raw };
  const shape = Object.entries(body.form.shape);
  const fields = shape.map(([name, part]) => [name, book.of(part as z.ZodType)]);
  const file = { type: 'string', contentMediaType: 'application/octet-stream' };
  const isMany = body.kind === 'pictures';
  const needed = shape.filter(([, part]) => !(part as z.ZodType).safeParse(undefined).success).map(([name]) => name);
  const multipart = {
    schema: {
      type: 'object',
      properties: isMany
        ? { ...Object.fromEntries(fields), files: { type: 'array', items: file } }
        : { file, ...Object.fromEntries(fields) },
      required: isMany ? [...needed, 'files'] : ['file', ...needed],
    },
  };
  if (isMany) return { required: true, content: { 'multipart/form-data': multipart } };
  return { required: true, content: { 'multipart/form-data': multipart, ...raw } };
}

function responsesOf(route: Route, book: SchemaBook): JsonObject {
  const { status, schema, mediaTypes, description } = route.success;
  const content = schema
    ? { 'application/json': { schema: book.of(schema) } }
    : Object.fromEntries((mediaTypes ?? []).map((type) => [type, { schema: {} }]));
  const responses: JsonObject = { [status]: { description, content } };
  if (mediaTypes?.some((type) => type.startsWith('image/'))) {
    responses[304] = { description: 'The client has it already (If-None-Match)' };
  }
  for (const code of problemsOf(route)) {
    responses[code] = {
      description: PROBLEM_TEXTS[code],
      content: { 'application/problem+json': { schema: book.of(problem) } },
    };
  }
  return responses;
}

function problemsOf(route: Route): readonly number[] {
  const codes = new Set([500, ...(route.problems ?? [])]);
  if (!route.stationless) codes.add(404).add(503);
  if (route.params) codes.add(404);
  if (route.query || route.body) codes.add(400);
  if (route.body) codes.add(403).add(413).add(415);
  return [...codes].sort();
}

/** The JSON schemas of everything the routes name, converted in one go. */
class SchemaBook {
  readonly components: Readonly<Record<string, JsonObject>>;
  readonly #inline = new Map<z.ZodType, JsonObject>();

  constructor(routes: readonly Route[]) {
    const registry = z.registry<{ id: string }>();
    for (const [id, schema] of components) registry.add(schema, { id });
    const inline = new Map<string, z.ZodType>();
    for (const schema of new Set(routes.flatMap(schemasOf))) {
      if (registry.has(schema)) continue;
      const id = `inline-${inline.size}`;
      inline.set(id, schema);
      registry.add(schema, { id });
    }
    const { schemas } = z.toJSONSchema(registry, { uri: reference, io: 'input', override: simplify });
    for (const [id, schema] of inline) this.#inline.set(schema, withoutHead(schemas[id]));
    this.components = Object.fromEntries([...components.keys()].map((id) => [id, withoutHead(schemas[id])]));
  }

  /** Named schemas become references. */
  of(schema: z.ZodType): JsonObject {
    for (const [id, known] of components) if (known === schema) return { $ref: reference(id) };
    const found = this.#inline.get(schema);
    if (!found) throw new Error('a schema that no route names');
    return found;
  }
}

function schemasOf(route: Route): readonly z.ZodType[] {
  const { params, query, body, success } = route;
  const parts = [params, query, body?.kind === 'picture' || body?.kind === 'pictures' ? body.form : undefined].flatMap(
    (schema) => (schema ? (Object.values(schema.shape) as z.ZodType[]) : []),
  );
  if (body?.kind === 'json') parts.push(body.schema);
  if (success.schema) parts.push(success.schema);
  return parts;
}

function reference(id: string): string {
  return `#/components/schemas/${id}`;
}

/** `format` says it; the pattern of dates is unreadable. */
function simplify({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}

function withoutHead(schema: object): JsonObject {
  const { $schema: _schema, $id: _id, ...rest } = schema as JsonObject;
  return rest;
}
