import { createHash } from 'node:crypto';
import type { Credentials } from './credentials';

/** RFC 7616 algorithm names, weakest first, and the hashes they stand for. */
const HASHES: Readonly<Record<string, string>> = { md5: 'md5', 'sha-256': 'sha256', 'sha-512-256': 'sha512-256' };

export interface DigestRequest {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly uri: string;
  /** How many requests were made with this nonce, this one included. */
  readonly count: number;
  /** The client's own random text; the same for all requests with one nonce. */
  readonly cnonce: string;
}

/** How strong an algorithm is; -1 for one that is not known. Without a name it is MD5. */
export function digestStrength(algorithm = 'MD5'): number {
  return Object.keys(HASHES).indexOf(baseOf(algorithm));
}

/**
 * The Authorization header for a digest challenge, for a request without body.
 *
 * @param challenge the parameters of the WWW-Authenticate header, names in lower case, with a known algorithm
 * @see RFC 7616, section 3.4, and section 3.4.1 of RFC 2617 for challenges without qop
 */
export function digestAuthorization(
  challenge: Readonly<Record<string, string>>,
  { username, password }: Credentials,
  { method, uri, count, cnonce }: DigestRequest,
): string {
  const { realm = '', nonce = '', opaque, algorithm } = challenge;
  const hash = (text: string) =>
    createHash(HASHES[baseOf(algorithm ?? 'MD5')])
      .update(text)
      .digest('hex');
  const nc = count.toString(16).padStart(8, '0');
  const qop = chooseQop(challenge.qop);

  const secret = hash(`${username}:${realm}:${password}`);
  const isSession = algorithm?.toLowerCase().endsWith('-sess') ?? false;
  const a1 = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = hash(qop === 'auth-int' ? `${method}:${uri}:${hash('')}` : `${method}:${uri}`);
  const response = hash(qop ? `${a1}:${nonce}:${nc}:${cnonce}:${qop}:${a2}` : `${a1}:${nonce}:${a2}`);

  const userhash = challenge.userhash?.toLowerCase() === 'true';
  const parts = [
    usernamePart(userhash ? hash(`${username}:${realm}`) : username),
    `realm=${quote(realm)}`,
    `uri=${quote(uri)}`,
    ...(algorithm ? [`algorithm=${algorithm}`] : []),
    `nonce=${quote(nonce)}`,
    ...(qop ? [`nc=${nc}`, `cnonce=${quote(cnonce)}`, `qop=${qop}`] : []),
    ...(!qop && isSession ? [`cnonce=${quote(cnonce)}`] : []),
    `response="${response}"`,
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(userhash ? ['userhash=true'] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}

function chooseQop(offered: string | undefined): 'auth' | 'auth-int' | null {
  const names = (offered ?? '').toLowerCase().split(/[\s,]+/);
  if (names.includes('auth')) return 'auth';
  return names.includes('auth-int') ? 'auth-int' : null;
}

/** A header takes ASCII only; other names go in the extended notation (RFC 8187). */
function usernamePart(username: string): string {
  if (/^[\x20-\x7e]*$/.test(username)) return `username=${quote(username)}`;
  const escaped = encodeURIComponent(username).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `username*=UTF-8''${escaped}`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function baseOf(algorithm: string): string {
  return algorithm.toLowerCase().replace(/-sess$/, '');
}
