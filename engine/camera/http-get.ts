import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { PictureUnreadable } from '../imaging';
import { JpegSplitter } from './jpeg-splitter';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | null;
  readonly authenticate: string | null;
  /** Of an answer that is no success, at most the first bytes. */
  readonly body: Buffer;
}

export interface HttpAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

const ERROR_BODY_BYTES = 64 * 1024;

/** Agents that keep one connection open between captures. */
export function createAgents(allowUntrustedCertificate: boolean): HttpAgents {
  const options = { keepAlive: true, maxSockets: 4, maxFreeSockets: 1 };
  return {
    http: new HttpAgent(options),
    https: new HttpsAgent({ ...options, rejectUnauthorized: !allowUntrustedCertificate }),
  };
}

/**
 * One GET, redirects not followed. Of an endless multipart stream, the first JPEG is the body.
 *
 * @throws {PictureUnreadable} (too-large) for a body above `maxBytes`
 * @throws the socket's error, or an error of code ECONNRESET when the answer is cut short
 */
export async function httpGet(
  url: URL,
  headers: Readonly<Record<string, string>>,
  agents: HttpAgents,
  signal: AbortSignal,
  maxBytes: number,
): Promise<HttpAnswer> {
  const response = await connect(url, headers, agents, signal);
  try {
    const status = response.statusCode ?? 0;
    const contentType = response.headers['content-type'] ?? '';
    const body = await readBody(response, status === 200, contentType, maxBytes);
    const { location = null, 'www-authenticate': authenticate = null } = response.headers;
    return { status, contentType, location, authenticate, body };
  } finally {
    if (!response.complete) response.destroy();
  }
}

/** A camera may close a kept connection at any moment, also in the one the next request goes out: that one is sent again. */
async function connect(
  url: URL,
  headers: Readonly<Record<string, string>>,
  agents: HttpAgents,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (;;) {
    let reused = false;
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { headers, signal };
        const request =
          url.protocol === 'https:'
            ? httpsRequest(url, { ...options, agent: agents.https })
            : httpRequest(url, { ...options, agent: agents.http });
        request.on('response', resolve);
        request.on('error', (error) => {
          reused = request.reusedSocket;
          reject(error);
        });
        request.end();
      });
    } catch (error) {
      if (!reused || (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }
}

async function readBody(
  response: IncomingMessage,
  isPicture: boolean,
  contentType: string,
  maxBytes: number,
): Promise<Buffer> {
  const tooLarge = (bytes: number) => new PictureUnreadable('too-large', { bytes, limit: maxBytes });
  if (isPicture && /^multipart\//i.test(contentType)) return firstJpeg(response, maxBytes);
  const announced = Number(response.headers['content-length'] ?? 0);
  if (isPicture && announced > maxBytes) throw tooLarge(announced);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (isPicture && length > maxBytes) throw tooLarge(length);
    if (!isPicture && length > ERROR_BODY_BYTES) break;
  }
  return Buffer.concat(chunks, length);
}

async function firstJpeg(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const splitter = new JpegSplitter(maxBytes);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let picture: Buffer | null = null;
    splitter.push(chunk, 0, (frame) => {
      picture ??= Buffer.from(frame.bytes);
    });
    if (picture) return picture;
  }
  return Buffer.alloc(0);
}
