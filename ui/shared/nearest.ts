import type { Box } from './types';

/** What `GET /inspections/{id}/nearest` answers: the OK picture whose patch is closest to the worst patch of a part. */
export interface NearestPicture {
  readonly model: { readonly name: string; readonly version: string };
  /** Between the two patches, as the model measures. */
  readonly distance: number;
  /** The worst patch, in pixels of the inspected picture. */
  readonly place: Box;
  readonly source: {
    readonly name: string;
    /** Size of the original OK picture, in whose pixels `place` is; what is served is smaller. */
    readonly width: number;
    readonly height: number;
    readonly place: Box;
    /** Null when the model does not keep it. */
    readonly pictureUrl: string | null;
  };
}
