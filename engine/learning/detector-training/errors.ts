import { InspectionError } from '../../domain';

/** There are no labelled pictures to learn from. */
export class NothingToLearn extends InspectionError {
  constructor(skipped: number) {
    super({
      code: 'nothing-to-learn',
      status: 'nothing to learn from',
      message: `No labelled picture is left to learn from (${skipped} left out). Label pictures, or check the data set.`,
      parameters: { skipped },
      httpStatus: 422,
    });
  }
}

/** The training would need more memory than it may take. */
export class TrainingMemoryExceeded extends InspectionError {
  constructor(needed: number, limit: number) {
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    super({
      code: 'training-memory-exceeded',
      status: 'too little memory to train',
      message:
        `The training would need about ${megabytes(needed)} MB and may take ${megabytes(limit)} MB. ` +
        'Choose a smaller input size or level.',
      parameters: { needed: megabytes(needed), limit: megabytes(limit) },
      httpStatus: 422,
    });
  }
}

/** What shall be gone on from was made otherwise. */
export class CheckpointOfAnother extends InspectionError {
  constructor(folder: string) {
    super({
      code: 'checkpoint-of-another',
      status: 'another training was interrupted',
      message: `The interrupted training in ${folder} had other settings, pictures, or another detector to start from. Go on with the same ones, or start anew.`,
      parameters: { folder },
      httpStatus: 409,
    });
  }
}
