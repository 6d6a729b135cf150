import { InspectionError, InvalidInput } from '../domain';
import { defaultPictureLimits } from '../imaging';
import { Authenticator } from './authenticator';
import { BaseSource } from './base-source';
import { credentialsOf, publicUrl } from './credentials';
import { CameraUnavailable } from './errors';
import type { Frame, FrameSource } from './frame-source';
import { createAgents, type HttpAgents, type HttpAnswer, httpGet } from './http-get';

export interface HttpSourceOptions {
  /** http or https; credentials in it are used like `username` and `password`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Milliseconds for a whole capture, sign-in and redirects included; 5000 by default. */
  readonly timeoutMs?: number;
  /** Accept certificates nobody vouches for, as most cameras have. */
  readonly allowUntrustedCertificate?: boolean;
  readonly maxBytes?: number;
}

const REDIRECTS = 5;
const SIGN_INS = 3;

/**
 * Snapshots over HTTP, with basic or digest authentication as the camera asks for. Credentials go to the address' own origin
 * only, never along with a redirect to another. Of a Motion JPEG stream, the first picture is taken.
 *
 * @throws {InvalidInput} when the address is no http or https URL
 */
export function httpSource(options: HttpSourceOptions): FrameSource {
  return new HttpSource(options);
}

class HttpSource extends BaseSource {
  private readonly url: URL;
  private readonly camera: string;
  private readonly authenticator: Authenticator | null;
  private readonly agents: HttpAgents;
  private readonly timeoutMs: number;
  private readonly maxBytes: number;
  private readonly closing = new AbortController();

  constructor(options: HttpSourceOptions) {
    super();
    this.url = snapshotUrl(options.url);
    this.camera = publicUrl(this.url);
    const credentials = credentialsOf(this.url, options.username, options.password);
    this.authenticator = credentials && new Authenticator(credentials);
    this.url.username = '';
    this.url.password = '';
    this.agents = createAgents(options.allowUntrustedCertificate ?? false);
    this.timeoutMs = options.timeoutMs ?? 5_000;
    this.maxBytes = options.maxBytes ?? defaultPictureLimits.maxBytes;
  }

  async next(signal: AbortSignal): Promise<Frame> {
    signal.throwIfAborted();
    const stop = new AbortController();
    const end = (reason: unknown) => stop.abort(reason);
    const timer = setTimeout(
      () => end(this.unavailable(`no picture within ${this.timeoutMs / 1000} s. ${REACH_ADVICE}`)),
      this.timeoutMs,
    );
    const onAbort = () => end(signal.reason);
    const onClose = () => end(this.unavailable('the source was closed.'));
    signal.addEventListener('abort', onAbort, { once: true });
    this.closing.signal.addEventListener('abort', onClose, { once: true });
    if (this.closing.signal.aborted) onClose();
    try {
      const picture = await this.capture(stop.signal);
      this.tellSuccess();
      return { picture };
    } catch (thrown) {
      const error = stop.signal.aborted ? stop.signal.reason : this.explain(thrown);
      if (error !== signal.reason) this.tell('unavailable', (error as Error).message);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.closing.signal.removeEventListener('abort', onClose);
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.tell('closed');
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private async capture(signal: AbortSignal): Promise<Buffer> {
    let url = this.url;
    let redirects = 0;
    let signIns = 0;
    for (;;) {
      signal.throwIfAborted();
      const isHome = url.origin === this.url.origin;
      const authorization = (isHome && this.authenticator?.authorize(url)) || null;
      const headers = { ...HEADERS, ...(authorization ? { Authorization: authorization } : {}) };
      const answer = await httpGet(url, headers, this.agents, signal, this.maxBytes);
      if (answer.status === 200) return this.pictureOf(answer);
      if (answer.status === 401) {
        this.signIn(answer, isHome, signIns++);
      } else if (isRedirect(answer)) {
        if (++redirects > REDIRECTS) throw this.unavailable('it redirects in circles. Check the address.');
        url = this.redirected(url, answer);
      } else {
        throw this.unavailable(describeStatus(answer.status));
      }
    }
  }

  /** Prepares the next try, or throws when the credentials are missing or wrong. */
  private signIn(answer: HttpAnswer, isHome: boolean, before: number): void {
    if (!this.authenticator || !isHome) {
      throw this.unavailable('it asks for a user name and password. Set them in the camera-capture node.');
    }
    const challenge = this.authenticator.accept(answer.authenticate ?? '');
    if (challenge === 'none') {
      throw this.unavailable('it asks for a way to sign in that is not basic or digest. Change that in the camera.');
    }
    // The first refusal may be of an old nonce; a further one must say that it is only about the nonce.
    const refused = before > 0 && challenge !== 'stale';
    if (refused || before >= SIGN_INS) throw this.unavailable('it refuses the user name or password. Check both.');
  }

  private redirected(from: URL, { location }: HttpAnswer): URL {
    if (!location || !URL.canParse(location, from))
      throw this.unavailable('it redirects to nowhere. Check the address.');
    const url = new URL(location, from);
    if (!isWeb(url)) throw this.unavailable(`it redirects to a ${url.protocol} address. Check the address.`);
    url.username = '';
    url.password = '';
    return url;
  }

  private pictureOf({ body, contentType }: HttpAnswer): Buffer {
    if (body.length === 0) throw this.unavailable('it answers without a picture. Try again, or restart the camera.');
    if (isJpeg(body) || isPng(body)) return body;
    const type = contentType.split(';')[0].slice(0, 60) || 'something of no type';
    throw this.unavailable(
      `it answers with ${type}, not with a JPEG or PNG picture. Check that the address is the one for snapshots.`,
    );
  }

  private explain(error: unknown): unknown {
    if (error instanceof InspectionError) return error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    return this.unavailable(
      NETWORK_ERRORS[code] ?? (isCertificateError(code) ? CERTIFICATE_ADVICE : `${message}. ${REACH_ADVICE}`),
      error,
    );
  }

  private unavailable(detail: string, cause?: unknown): CameraUnavailable {
    return new CameraUnavailable(this.camera, detail, cause);
  }
}

const HEADERS = {
  Accept: 'image/jpeg, image/png, multipart/x-mixed-replace;q=0.5, */*;q=0.1',
  'Cache-Control': 'no-cache',
  'User-Agent': 'opti-quality',
};

const REACH_ADVICE = 'Check power, cable and network of the camera, and its address.';
const CERTIFICATE_ADVICE =
  'its certificate is not trusted. Switch on "accept untrusted certificate" when this is your camera in your own network.';

const NETWORK_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: `it refuses the connection. Check the port, and that the camera's web server is switched on.`,
  ECONNRESET: `it closed the connection before the picture was complete. ${REACH_ADVICE}`,
  ENOTFOUND: 'its name is not known in the network. Check the address.',
  EAI_AGAIN: 'its name cannot be looked up. Check the address and the name server.',
  EHOSTUNREACH: `it cannot be reached. ${REACH_ADVICE}`,
  ENETUNREACH: `it cannot be reached. ${REACH_ADVICE}`,
  ETIMEDOUT: `it does not answer. ${REACH_ADVICE}`,
};

function snapshotUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !isWeb(url)) {
    throw new InvalidInput('The address of the camera is not a URL like http://192.168.0.10/snapshot.jpg.');
  }
  return url;
}

function isWeb(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}

function isRedirect({ status }: HttpAnswer): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function isCertificateError(code: string): boolean {
  return /CERT|SELF_SIGNED|VERIFY|ALTNAME/.test(code);
}

function isJpeg(body: Buffer): boolean {
  return body[0] === 0xff && body[1] === 0xd8 && body[2] === 0xff;
}

function isPng(body: Buffer): boolean {
  return body.subarray(0, 8).toString('latin1') === '\x89PNG\r\n\x1a\n';
}

function describeStatus(status: number): string {
  switch (status) {
    case 403:
      return 'it does not allow this user to take pictures (403). Give the user that right in the camera.';
    case 404:
      return 'it has nothing at this address (404). Check the path.';
    case 503:
      return 'it is busy (503). Take pictures less often, or close other viewers.';
    default:
      return `it answers with HTTP status ${status}. Check the address and the camera.`;
  }
}
