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
