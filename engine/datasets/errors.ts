import { InspectionError } from '../domain';

/** A dataset that cannot be read as a whole. */
export class DatasetUnreadable extends InspectionError {
  constructor(path: string, detail: string, cause?: unknown) {
    super({
      code: 'dataset-unreadable',
      status: 'dataset not readable',
      message: `The dataset ${path} cannot be read: ${detail}`,
      parameters: { path, detail },
      httpStatus: 422,
      cause,
    });
  }
}

/** A dataset that cannot be written in a format or to a place. */
export class DatasetNotWritable extends InspectionError {
  constructor(folder: string, detail: string, cause?: unknown) {
    super({
      code: 'dataset-not-writable',
      status: 'dataset not writable',
      message: `The dataset cannot be written to ${folder}: ${detail}`,
      parameters: { folder, detail },
      httpStatus: 422,
      cause,
    });
  }
}

/** The labels of one picture cannot be used; the picture is left out and named. */
export class LabelFault extends Error {
  constructor(
    /** Path of the label file. */
    readonly file: string,
    reason: string,
    readonly fault: 'label' | 'unknown-class' = 'label',
  ) {
    super(reason);
  }
}
