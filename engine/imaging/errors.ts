import { type ErrorParameters, InspectionError } from '../domain';

/** Why a picture cannot be used; `parameters.cause` of {@link PictureUnreadable}. */
export type PictureFault =
  | 'empty'
  | 'not-a-picture'
  | 'unsupported-format'
  | 'truncated'
  | 'damaged'
  | 'too-large'
  | 'too-many-pixels'
  | 'too-small';

interface FaultText {
  readonly status: string;
  readonly httpStatus: number;
  readonly message: (parameters: ErrorParameters) => string;
}

const FAULTS: Readonly<Record<PictureFault, FaultText>> = {
  empty: {
    status: 'empty picture',
    httpStatus: 422,
    message: () => 'The picture has no bytes. Check that the camera or the sender finished writing it.',
  },
  'not-a-picture': {
    status: 'not a picture',
    httpStatus: 415,
    message: () =>
      'The bytes are not a JPEG or PNG picture, whatever the file is called. Send the camera file itself, as JPEG or PNG.',
  },
  'unsupported-format': {
    status: 'unsupported format',
    httpStatus: 415,
    message: ({ format }) => `The picture is ${format}, which is not supported. Set the camera to JPEG or PNG.`,
  },
  truncated: {
    status: 'truncated picture',
    httpStatus: 422,
    message: () =>
      'The picture ends before its last row. Read the file only when it is fully written, or check the connection to the camera.',
  },
  damaged: {
    status: 'damaged picture',
    httpStatus: 422,
    message: ({ detail }) =>
      `The picture cannot be decoded (${detail}). Take it again; check the storage and the cable.`,
  },
  'too-large': {
    status: 'picture too large',
    httpStatus: 413,
    message: ({ bytes, limit }) =>
      `The picture has ${bytes} bytes; at most ${limit} are accepted. Raise the JPEG compression or lower the resolution.`,
  },
  'too-many-pixels': {
    status: 'too many pixels',
    httpStatus: 422,
    message: ({ width, height, limit }) =>
      `The picture has ${width} x ${height} pixels; at most ${limit} pixels are accepted. Lower the camera's resolution.`,
  },
  'too-small': {
    status: 'picture too small',
    httpStatus: 422,
    message: ({ width, height, limit }) =>
      `The picture has ${width} x ${height} pixels; each side needs at least ${limit}. Check the camera's resolution and crop.`,
  },
};

/** A picture that cannot be used: `parameters.cause` names the fault, the message what to do about it. */
export class PictureUnreadable extends InspectionError {
  readonly fault: PictureFault;

  constructor(fault: PictureFault, parameters: ErrorParameters = {}, cause?: unknown) {
    const text = FAULTS[fault];
    super({
      code: 'picture-unreadable',
      status: text.status,
      message: text.message(parameters),
      parameters: { cause: fault, ...parameters },
      reason: 'picture-unreadable',
      httpStatus: text.httpStatus,
      cause,
    });
    this.fault = fault;
  }
}
