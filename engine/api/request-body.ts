import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import Busboy from '@fastify/busboy';
import { ClientGone, RequestRefused } from './problem';

/** A request whose body a parser in front may have read already. */
export type IncomingRequest = IncomingMessage & { readonly body?: unknown };

/** A picture with the text fields that came beside it. */
export interface PictureBody {
  readonly picture: Buffer;
  readonly fields: Readonly<Record<string, string>>;
}

const RAW_PICTURE_TYPES = ['image/jpeg', 'image/png', 'application/octet-stream'];
export const MULTIPART = 'multipart/form-data';
const FIELD_LIMIT_BYTES = 1024;
const FIELD_COUNT_LIMIT = 16;

/**
 * The JSON body; undefined when there is none.
 *
 * @throws {RequestRefused} 400 malformed, 413 too large, 415 not JSON
 * @throws {ClientGone} when the connection ended first
 */
export async function readJson(request: IncomingRequest, limitBytes: number): Promise<unknown> {
  refuseEncoding(request);
  const type = mediaType(request);
  if (wasRead(request)) {
    if (Buffer.isBuffer(request.body)) return parseJson(request.body, type);
    if (typeof request.body === 'string') return parseJson(Buffer.from(request.body), type);
    if (!hasBody(request)) return undefined;
    if (!isJson(type)) throw unsupportedType(type, ['application/json']);
    if (Buffer.byteLength(JSON.stringify(request.body)) > limitBytes) throw tooLarge(limitBytes);
    return request.body;
  }
  return parseJson(await readBytes(request, limitBytes), type);
}

/**
 * The picture of a raw image body, or of the field `file` of a multipart form.
 *
 * @throws {RequestRefused} 400 malformed or without picture, 413 too large, 415 of another type
 * @throws {ClientGone} when the connection ended first
 */
export async function readPicture(request: IncomingRequest, limitBytes: number, form: boolean): Promise<PictureBody> {
  refuseEncoding(request);
  const type = mediaType(request);
  if (form && type === MULTIPART) {
    if (wasRead(request)) throw alreadyRead();
    return readForm(request, limitBytes);
  }
  if (type === null || !RAW_PICTURE_TYPES.includes(type)) {
    throw unsupportedType(type, form ? [MULTIPART, ...RAW_PICTURE_TYPES] : RAW_PICTURE_TYPES);
  }
  if (wasRead(request)) {
    if (!Buffer.isBuffer(request.body)) throw alreadyRead();
    if (request.body.length > limitBytes) throw tooLarge(limitBytes);
    return { picture: request.body, fields: {} };
  }
  return { picture: await readBytes(request, limitBytes), fields: {} };
}

/**
 * The bytes of a raw body as they come. The connection outlives it, so that a refusal still reaches the client.
 *
 * @throws {RequestRefused} 415 of another type; 400 when another handler has read it
 * @throws {ClientGone} while it is read, when the connection ends first
 */
export function readFile(request: IncomingRequest, mediaTypes: readonly string[]): AsyncIterable<Uint8Array> {
  refuseEncoding(request);
  const type = mediaType(request);
  if (type === null || !mediaTypes.includes(type)) throw unsupportedType(type, mediaTypes);
  if (!wasRead(request)) return bytesOf(request);
  if (!Buffer.isBuffer(request.body)) throw alreadyRead();
  return Readable.from([request.body]);
}

async function* bytesOf(request: IncomingRequest): AsyncGenerator<Uint8Array> {
  try {
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    if (request.destroyed && !request.complete) throw new ClientGone();
    throw error;
  }
}

function readForm(request: IncomingRequest, limitBytes: number): Promise<PictureBody> {
  return new Promise((resolve, reject) => {
    let form: ReturnType<typeof Busboy>;
    try {
      form = Busboy({
        headers: { ...request.headers, 'content-type': request.headers['content-type'] ?? MULTIPART },
        limits: {
          fileSize: limitBytes,
          files: 1,
          fields: FIELD_COUNT_LIMIT,
          parts: FIELD_COUNT_LIMIT + 1,
          fieldSize: FIELD_LIMIT_BYTES,
          fieldNameSize: 64,
        },
      });
    } catch (error) {
      reject(malformedForm(error));
      return;
    }
    const fields: Record<string, string> = {};
    let picture: Buffer | undefined;
    let over = false;

    const settle = (outcome: () => void) => {
      if (over) return;
      over = true;
      request.unpipe(form);
      request.off('aborted', gone);
      request.off('error', gone);
      outcome();
    };
    const refuse = (error: Error) => settle(() => reject(error));
    const gone = () => refuse(new ClientGone());

    form.on('file', (name, stream) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', () => refuse(tooLarge(limitBytes)));
      stream.on('error', (error) => refuse(malformedForm(error)));
      stream.on('end', () => {
        if (name === 'file') picture = Buffer.concat(chunks);
        else refuse(invalidForm(`The picture must be in the field "file", not ${JSON.stringify(name)}.`));
      });
    });
    form.on('field', (name, value, nameTruncated, valueTruncated) => {
      if (nameTruncated || valueTruncated) refuse(invalidForm(`The field ${JSON.stringify(name)} is too long.`));
      else if (Object.hasOwn(fields, name)) refuse(invalidForm(`The field ${JSON.stringify(name)} is there twice.`));
      else Object.defineProperty(fields, name, { value, enumerable: true });
    });
    form.on('filesLimit', () => refuse(invalidForm('Send one picture per request.')));
    form.on('fieldsLimit', () => refuse(invalidForm('The form has too many fields.')));
    form.on('partsLimit', () => refuse(invalidForm('The form has too many parts.')));
    form.on('error', (error) => refuse(malformedForm(error)));
    form.on('finish', () => {
      const found = picture;
      if (found) settle(() => resolve({ picture: found, fields }));
      else refuse(invalidForm('The form has no picture: send it in the field "file", with a file name.'));
    });
    request.on('aborted', gone);
    request.on('error', gone);
    request.pipe(form);
  });
}

/** The whole body, refused as soon as it grows over the limit. */
function readBytes(request: IncomingRequest, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
      reject(tooLarge(limitBytes));
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = () => {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('aborted', onGone);
      request.off('error', onGone);
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) {
        stop();
        reject(tooLarge(limitBytes));
      } else chunks.push(chunk);
    };
    const onEnd = () => {
      stop();
      resolve(Buffer.concat(chunks));
    };
    const onGone = () => {
      stop();
      reject(new ClientGone());
    };
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('aborted', onGone);
    request.on('error', onGone);
  });
}

function parseJson(body: Buffer, type: string | null): unknown {
  if (body.length === 0) return undefined;
  if (!isJson(type)) throw unsupportedType(type, ['application/json']);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw malformedJson(error);
  }
}

function malformedJson(error: unknown): RequestRefused {
  const cause = error instanceof Error ? error.message : String(error);
  return new RequestRefused(400, 'malformed-json', 'malformed JSON', `The body is not valid JSON: ${cause}.`);
}

/**
 * What a body parser in front of the API threw (Node-RED has one for its editor), as the refusal the API itself would
 * have given; null when it is no such error.
 */
export function parserRefusal(error: unknown, request: IncomingRequest, limitBytes: number): RequestRefused | null {
  const { status } = error as { status?: unknown };
  if (status === 413) return tooLarge(limitBytes);
  if (status === 415) return unsupportedType(request.headers['content-type'] ?? null, ['application/json']);
  return status === 400 ? malformedJson(error) : null;
}

function isJson(type: string | null): boolean {
  return type === 'application/json' || type?.endsWith('+json') === true;
}

export function wasRead(request: IncomingRequest): boolean {
  return request.readableEnded || (request as { _body?: boolean })._body === true;
}

function hasBody(request: IncomingRequest): boolean {
  return Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
}

/** The media type without parameters, in lower case. */
export function mediaType(request: IncomingRequest): string | null {
  const field = request.headers['content-type'];
  return field === undefined ? null : field.split(';')[0].trim().toLowerCase();
}

export function refuseEncoding(request: IncomingRequest): void {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return;
  throw new RequestRefused(
    415,
    'unsupported-encoding',
    'unsupported encoding',
    `The content encoding ${JSON.stringify(encoding)} is not understood. Send the body uncompressed.`,
    { headers: { 'Accept-Encoding': 'identity' } },
  );
}

export function unsupportedType(type: string | null, supported: readonly string[]): RequestRefused {
  const given = type === null ? 'The request has a body without Content-Type.' : `${type} is not accepted here.`;
  return new RequestRefused(
    415,
    'unsupported-media-type',
    'unsupported media type',
    `${given} Send one of: ${supported.join(', ')}.`,
  );
}

function tooLarge(limitBytes: number): RequestRefused {
  return new RequestRefused(
    413,
    'body-too-large',
    'body too large',
    `The body is larger than ${Math.round(limitBytes / 1024)} KiB. Send a smaller one.`,
    { parameters: { limitBytes } },
  );
}

export function invalidForm(message: string): RequestRefused {
  return new RequestRefused(400, 'invalid-form', 'invalid form', message);
}

export function malformedForm(error: unknown): RequestRefused {
  const cause = error instanceof Error ? error.message : String(error);
  return new RequestRefused(400, 'malformed-form', 'malformed form', `The multipart body cannot be read: ${cause}.`);
}

export function alreadyRead(): RequestRefused {
  return new RequestRefused(
    400,
    'body-already-read',
    'body already read',
    'Another handler in front of the API has read the body. Keep body parsers off this path.',
  );
}
