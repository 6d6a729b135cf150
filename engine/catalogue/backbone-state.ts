import type { ErrorParameters } from '../domain';

/** A backbone of the catalogue, as it stands on this machine. */
export interface BackboneState {
  readonly id: string;
  readonly title: string;
  /** SPDX identifier. */
  readonly licence: string;
  readonly bytes: number;
  readonly embedded: boolean;
  /** The picture size it was trained with. */
  readonly input: { readonly width: number; readonly height: number };
  readonly state: 'absent' | 'pulling' | 'verifying' | 'ready';
  /** Bytes that are there. */
  readonly received: number;
  /** Why the last pull ended without the file; null when it did not, or a new one runs. */
  readonly error: { readonly code: string; readonly message: string; readonly parameters?: ErrorParameters } | null;
}
