import { InspectionError } from '../domain';

/** A model package or a file of it is missing, altered or not what it should be. It is never used. */
export class ModelInvalid extends InspectionError {
  constructor(folder: string, problem: string, cause?: unknown) {
    super({
      code: 'model-invalid',
      status: 'model invalid',
      message: `The model in ${folder} cannot be used: ${problem}. Deploy another version, or train the model again.`,
      parameters: { folder, problem },
      reason: 'model-invalid',
      httpStatus: 409,
      cause,
    });
  }
}

/** There is something at the place a new package should take. Nothing was written. */
export class ModelExists extends InspectionError {
  constructor(folder: string) {
    super({
      code: 'model-exists',
      status: 'model exists',
      message: `${folder} exists and is not empty. Model packages are never overwritten: choose another folder or version.`,
      parameters: { folder },
      httpStatus: 409,
    });
  }
}

/** A file is no model archive, or not the one that was exported. Nothing of it was kept. */
export class ArchiveInvalid extends InspectionError {
  constructor(problem: string, cause?: unknown) {
    super({
      code: 'archive-invalid',
      status: 'archive invalid',
      message: `The model archive cannot be used: ${problem}. Nothing was imported. Copy or export it again.`,
      parameters: { problem },
      httpStatus: 422,
      cause,
    });
  }
}

/** A newer release of this package made the archive. */
export class ArchiveTooNew extends InspectionError {
  constructor(what: 'archive' | 'manifest', format: number) {
    super({
      code: 'archive-too-new',
      status: 'archive too new',
      message: `The model archive was made by a newer version of this package (${what} format ${format}). Update this package and import it again.`,
      parameters: { what, format },
      httpStatus: 422,
    });
  }
}

/** More bytes or files than are taken. */
export class ArchiveTooLarge extends InspectionError {
  constructor(size: string, limit: string) {
    super({
      code: 'archive-too-large',
      status: 'archive too large',
      message: `The model archive has ${size}; at most ${limit} are taken. Nothing was imported. Raise the limit if you trust where it comes from.`,
      parameters: { size, limit },
      httpStatus: 413,
    });
  }
}

/** The archive is encrypted, or shall be, and there is no key. */
export class ModelKeyMissing extends InspectionError {
  constructor() {
    super({
      code: 'model-key-missing',
      status: 'no model key',
      message:
        'The model archive is encrypted, or shall be, and there is no model key. Set it at the inspection-station, by the option --key-file or as OPTI_QUALITY_MODEL_KEY.',
      httpStatus: 409,
    });
  }
}

/** The key is not the one the archive was encrypted with. */
export class ModelKeyWrong extends InspectionError {
  constructor(problem: string) {
    super({
      code: 'model-key-wrong',
      status: 'model key wrong',
      message: `The model archive cannot be opened: ${problem}. Nothing was imported. Use the key it was exported with.`,
      parameters: { problem },
      httpStatus: 422,
    });
  }
}

/** A text that cannot be a key. */
export class ModelKeyInvalid extends InspectionError {
  constructor(problem: string) {
    super({
      code: 'model-key-invalid',
      status: 'model key not usable',
      message: `The model key cannot be used: ${problem}. Give a pass phrase of at least 12 characters, or 32 random bytes as 64 hex digits or as base64.`,
      parameters: { problem },
      httpStatus: 400,
    });
  }
}

/** There is no room for a package. Nothing stays behind. */
export class NoRoom extends InspectionError {
  constructor(folder: string, cause: unknown) {
    super({
      code: 'disk-full',
      status: 'disk full',
      message: `There is no room for the model in ${folder}. Nothing of it was kept. Free space and try again.`,
      parameters: { folder },
      httpStatus: 503,
      cause,
    });
  }
}

/** There is a file where a new one should be. It was left as it is. */
export class FileExists extends InspectionError {
  constructor(path: string) {
    super({
      code: 'file-exists',
      status: 'file exists',
      message: `${path} exists. Files are never overwritten: choose another name.`,
      parameters: { path },
      httpStatus: 409,
    });
  }
}
