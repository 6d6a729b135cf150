import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Dispatcher, EnvHttpProxyAgent, fetch } from 'undici';
import { InvalidInput } from '../domain';
import { fileNameOf, type PulledBackbone } from './catalogue';

/** What a source gave, from a place in the file on. */
export interface Delivery {
  /** Where the content begins; 0 when the source cannot go on from the middle. */
  readonly from: number;
  /** Size of the whole file, where the source tells. */
  readonly total: number | null;
  readonly content: AsyncIterable<Uint8Array>;
  /** What identifies this very file at this source, to go on with nothing else. */
  readonly validator: string | null;
}

/** The source answered, and will not give it, or not now. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly transient: boolean,
    /** When the source wishes to be asked again. */
    readonly afterMilliseconds: number | null = null,
  ) {
    super(message);
  }
}

/** The part asked for does not exist: what is there is longer than the file. */
export class OutOfRange extends Error {}

export interface Timeouts {
  readonly connectMs: number;
  /** Longest silence, before the answer and within it. */
  readonly silenceMs: number;
}

/**
 * Where a backbone is pulled from: its own address, or the file of the same name on a mirror.
 *
 * @param mirror base address: http, https or file
 * @throws {InvalidInput} when the mirror is no such address
 */
export function sourceOf(entry: PulledBackbone, mirror?: string): URL {
  if (!mirror) return new URL(entry.url);
  const base = URL.canParse(mirror) ? new URL(mirror) : null;
  if (base === null || !/^(https?|file):$/.test(base.protocol)) {
    throw new InvalidInput(
      `The mirror ${JSON.stringify(mirror)} is no address: give one that begins with https://, http:// or file://.`,
      { mirror },
    );
  }
  base.pathname = `${base.pathname.replace(/\/$/, '')}/${encodeURIComponent(fileNameOf(entry))}`;
  return base;
}

/** An address without user, password and query, for messages. */
export function shown(source: URL): string {
  return `${source.protocol}//${source.host}${source.pathname}`;
}

/**
 * What requests go through; null for a source that needs no network. Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY as
 * they are when it is made. Must be destroyed.
 *
 * @throws {InvalidInput} when a proxy variable is no address
 */
export function connect(source: URL, { connectMs, silenceMs }: Timeouts): Dispatcher | null {
  if (source.protocol === 'file:') return null;
  try {
    return new EnvHttpProxyAgent({
      connect: { timeout: connectMs },
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      proxyTunnel: false,
    });
  } catch (error) {
    throw new InvalidInput(
      `HTTP_PROXY or HTTPS_PROXY is no address (${(error as Error).message}): it looks like http://proxy.plant:8080.`,
    );
  }
}

/**
 * Asks for a file from a place on.
 *
 * @param validator from an earlier delivery: another file at the same address is then given from its beginning
 * @throws {Refusal | OutOfRange} and whatever the network throws
 */
export async function ask(
  source: URL,
  from: number,
  validator: string | null,
  dispatcher: Dispatcher | null,
  signal?: AbortSignal,
): Promise<Delivery> {
  return source.protocol === 'file:'
    ? readLocal(source, from, signal)
    : request(source, from, validator, dispatcher, signal);
}

async function readLocal(source: URL, from: number, signal?: AbortSignal): Promise<Delivery> {
  const path = fileURLToPath(source);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Refusal(error.code === 'ENOENT' ? 'there is no such file' : error.message, false);
  });
  if (!found.isFile()) throw new Refusal('it is no file', false);
  if (from > found.size) throw new OutOfRange();
  return { from, total: found.size, content: createReadStream(path, { start: from, signal }), validator: null };
}

async function request(
  source: URL,
  from: number,
  validator: string | null,
  dispatcher: Dispatcher | null,
  signal?: AbortSignal,
): Promise<Delivery> {
  const address = new URL(source);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (address.username) {
    const credentials = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    address.username = '';
    address.password = '';
  }
  if (from > 0) {
    headers.range = `bytes=${from}-`;
    if (validator) headers['if-range'] = validator;
  }
  const response = await fetch(address, { headers, dispatcher: dispatcher ?? undefined, signal });
  if (response.status !== 200 && response.status !== 206) {
    await response.body?.cancel();
    if (response.status === 416) throw new OutOfRange();
    const transient = [408, 425, 429, 500, 502, 503, 504].includes(response.status);
    throw new Refusal(
      `it answers ${response.status} ${response.statusText}`.trim(),
      transient,
      retryAfter(response.headers),
    );
  }
  if (response.body === null) throw new Refusal('it answers with nothing', true);
  if (/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) {
    await response.body.cancel();
    throw new Refusal('it answers with a web page in place of the file: a login page of the network, perhaps', false);
  }
  const etag = response.headers.get('etag');
  const strong = etag !== null && !etag.startsWith('W/') ? etag : null;
  const content = response.body as AsyncIterable<Uint8Array>;
  if (response.status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
    if (Number(start) !== from) {
      await response.body.cancel();
      throw new OutOfRange();
    }
    return { from, total: total === '*' ? null : Number(total), content, validator: strong };
  }
  const length = response.headers.get('content-length');
  const encoded = response.headers.has('content-encoding');
  return { from: 0, total: length === null || encoded ? null : Number(length), content, validator: strong };
}

function retryAfter(headers: { get(name: string): string | null }): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
