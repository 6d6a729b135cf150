import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with the next requests, one after the other; the last one stays. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, content: Buffer) => void;

function range(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
}

function head(request: IncomingMessage, response: ServerResponse, content: Buffer): Buffer {
  const wanted = request.headers['if-range'];
  const from = wanted === undefined || wanted === etagOf(content) ? range(request) : 0;
  response.setHeader('ETag', etagOf(content));
  if (from >= content.length) {
    response.writeHead(416, { 'Content-Range': `bytes */${content.length}` });
    return Buffer.alloc(0);
  }
  const rest = content.subarray(from);
  response.setHeader('Content-Length', rest.length);
  if (from === 0) response.writeHead(200);
  else response.writeHead(206, { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` });
  return rest;
}

/** Gives the file, from the middle on too (RFC 9110, 14). */
export const whole: Behaviour = (request, response, content) => void response.end(head(request, response, content));

/** Breaks the connection after some bytes. */
export const brokenAfter =
  (bytes: number): Behaviour =>
  (request, response, content) => {
    response.write(head(request, response, content).subarray(0, bytes));
    // a client drops what it has not read yet when the connection breaks
    setTimeout(() => response.destroy(), 30);
  };

/** Gives fewer bytes than there are and ends as if that was all. */
export const truncatedTo =
  (bytes: number): Behaviour =>
  (_request, response, content) =>
    void response.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end(content.subarray(0, bytes));

/** Knows no ranges. */
export const rangeless: Behaviour = (_request, response, content) =>
  void response.writeHead(200, { 'Content-Length': content.length }).end(content);

/** Gives one byte otherwise. */
export const altered: Behaviour = (request, response, content) => {
  const other = Buffer.from(content);
  other[other.length - 1] ^= 1;
  whole(request, response, other);
};

export const refusing =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (_request, response) =>
    void response.writeHead(status, headers).end('no');

/** Says nothing more after some bytes, until the connection is closed. */
export const silentAfter =
  (bytes: number): Behaviour =>
  (request, response, content) =>
    void response.write(head(request, response, content).subarray(0, bytes));

/** A server of one file, for tests. */
export class FileServer {
  /** The header fields of each request, in their order. */
  readonly requests: { readonly url: string; readonly range?: string; readonly ifRange?: string }[] = [];
  private behaviours: readonly Behaviour[] = [whole];
  private readonly server: Server;

  constructor(readonly content: Buffer) {
    this.server = createServer((request, response) => {
      const { url = '', headers } = request;
      const ifRange = headers['if-range'] as string | undefined;
      this.requests.push({ url, ...(headers.range && { range: headers.range }), ...(ifRange && { ifRange }) });
      const [behaviour, ...rest] = this.behaviours;
      if (rest.length > 0) this.behaviours = rest;
      behaviour(request, response, this.content);
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  does(...behaviours: readonly Behaviour[]): void {
    this.requests.length = 0;
    this.behaviours = behaviours;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
