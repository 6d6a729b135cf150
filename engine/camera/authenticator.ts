import { randomBytes } from 'node:crypto';
import { type Challenge, parseChallenges } from './challenges';
import type { Credentials } from './credentials';
import { digestAuthorization, digestStrength } from './digest';

/** Signs requests to one server with basic or digest authentication, and keeps the server's nonce for the next ones. */
export class Authenticator {
  private challenge: Challenge | null = null;
  private cnonce = '';
  private count = 0;

  constructor(private readonly credentials: Credentials) {}

  /** The Authorization header for a GET, or null before the server asked for one. */
  authorize(url: URL): string | null {
    if (!this.challenge) return null;
    const { username, password } = this.credentials;
    if (this.challenge.scheme === 'basic') {
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    }
    this.count++;
    const uri = `${url.pathname}${url.search}`;
    const request = { method: 'GET', uri, count: this.count, cnonce: this.cnonce };
    return digestAuthorization(this.challenge.parameters, this.credentials, request);
  }

  /**
   * Takes the strongest of the offered challenges.
   *
   * @param header WWW-Authenticate
   * @returns `stale` when the server only wants a newer nonce, `none` when it offers nothing known here
   */
  accept(header: string): 'new' | 'stale' | 'none' {
    const [strongest] = parseChallenges(header)
      .filter((challenge) => strength(challenge) >= 0)
      .sort((a, b) => strength(b) - strength(a));
    if (!strongest) return 'none';
    this.challenge = strongest;
    this.cnonce = randomBytes(16).toString('base64url');
    this.count = 0;
    return strongest.parameters.stale?.toLowerCase() === 'true' ? 'stale' : 'new';
  }
}

/** Any digest is better than basic, which sends the password itself; -1 for what is not known. */
function strength({ scheme, parameters }: Challenge): number {
  if (scheme === 'basic') return 0;
  if (scheme !== 'digest') return -1;
  const digest = digestStrength(parameters.algorithm);
  return digest < 0 ? -1 : digest + 1;
}
