import type { FrameSource } from './frame-source';

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

export function httpSource(_options: HttpSourceOptions): FrameSource {
  throw new Error('under construction');
}
