import { InspectionError } from '../../domain';

const NOTHING = '-';

/** The program of the external trainer cannot be started. */
export class ExternalTrainerNotStarted extends InspectionError {
  constructor(program: string, detail: string) {
    super({
      code: 'external-trainer-not-started',
      status: 'external trainer not started',
      message: `The external trainer ${program} could not be started (${detail}). Check the command in the inspection-station node.`,
      parameters: { program, detail },
      httpStatus: 422,
    });
  }
}

/** The external trainer ended with an error. */
export class ExternalTrainerFailed extends InspectionError {
  constructor(code: number | null, signal: string | null, output: string) {
    const how = signal === null ? `exit code ${code}` : signal;
    super({
      code: 'external-trainer-failed',
      status: 'external trainer failed',
      message: `The external trainer ended with ${how}; nothing was changed. Its last words: ${output || NOTHING}`,
      parameters: { how, output: output || NOTHING },
      httpStatus: 422,
    });
  }
}

/** The external trainer did nothing for too long and was ended. */
export class ExternalTrainerHung extends InspectionError {
  constructor(seconds: number, output: string) {
    const minutes = Math.round((10 * seconds) / 60) / 10;
    super({
      code: 'external-trainer-hung',
      status: 'external trainer hung',
      message: `The external trainer neither printed nor finished an epoch for ${minutes} minutes and was ended; nothing was changed. Its last words: ${output || NOTHING}`,
      parameters: { minutes, output: output || NOTHING },
      httpStatus: 422,
    });
  }
}

/** The external trainer ended well and left no model. */
export class ExternalTrainerLeftNothing extends InspectionError {
  constructor(output: string) {
    super({
      code: 'external-trainer-left-nothing',
      status: 'no model from the trainer',
      message: `The external trainer ended without writing the ONNX file that {out} names; nothing was changed. Its last words: ${output || NOTHING}`,
      parameters: { output: output || NOTHING },
      httpStatus: 422,
    });
  }
}

/** What the external trainer left is no detector for these classes. */
export class ExternalModelUnusable extends InspectionError {
  constructor(detail: string, cause?: unknown) {
    super({
      code: 'external-model-unusable',
      status: 'model of the trainer unusable',
      message: `The model of the external trainer cannot be used; nothing was changed. ${detail}`,
      parameters: { detail },
      httpStatus: 422,
      cause,
    });
  }
}
