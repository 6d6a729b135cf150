import { InspectionError } from '../../domain';

/** A picture and its golden picture cannot be compared. The part is not judged, so it fails safe. */
export class ReferenceMismatch extends InspectionError {
  constructor(picture: { width: number; height: number }, reference: { width: number; height: number }) {
    const sizes = {
      width: picture.width,
      height: picture.height,
      referenceWidth: reference.width,
      referenceHeight: reference.height,
    };
    super({
      code: 'reference-mismatch',
      status: 'golden picture does not fit',
      message:
        `The picture has ${sizes.width} x ${sizes.height} pixels, its golden picture ${sizes.referenceWidth} x ` +
        `${sizes.referenceHeight}: they cannot show the same part in the same view. Take both with the same camera and crop.`,
      parameters: sizes,
      reason: 'reference-mismatch',
      httpStatus: 422,
    });
  }
}

/** There is no golden picture for a part. The part is not judged, so it fails safe. */
export class ReferenceMissing extends InspectionError {
  /** @param place what was looked for: a serial number, a file or a folder */
  constructor(place: string, detail: string) {
    super({
      code: 'reference-missing',
      status: 'no golden picture',
      message:
        `There is no golden picture for ${place}: ${detail}. Put one into the folder of golden pictures, named like the ` +
        'serial number (SERIAL.png or .jpg), send it in msg.reference, or train the model with one for all parts.',
      parameters: { place, detail },
      reason: 'reference-missing',
      httpStatus: 422,
    });
  }
}

/** A golden picture that cannot be decoded: the part cannot be judged, and the picture of the part is not to blame. */
export class ReferenceUnreadable extends InspectionError {
  constructor(cause: InspectionError) {
    super({
      code: 'reference-unreadable',
      status: 'golden picture unreadable',
      message: `The golden picture cannot be read: ${cause.message}`,
      parameters: { detail: cause.message },
      reason: 'reference-missing',
      httpStatus: 422,
      cause,
    });
  }
}
