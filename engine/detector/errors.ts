import { InspectionError } from '../domain';

/** An ONNX model that is no detector known here, or does not say clearly enough what its output means. */
export class DetectorUnsupported extends InspectionError {
  /** @param problem what is wrong, as a sentence without its full stop */
  constructor(problem: string, cause?: unknown) {
    super({
      code: 'detector-unsupported',
      status: 'detector not supported',
      message: `The detector cannot be used: ${problem}. Export it again as ONNX with its metadata, one picture a run.`,
      parameters: { problem },
      reason: 'model-invalid',
      httpStatus: 422,
      cause,
    });
  }
}

/** There is no detector file at a path, or it cannot be read. */
export class DetectorNotFound extends InspectionError {
  constructor(path: string, detail: string, cause?: unknown) {
    super({
      code: 'detector-not-found',
      status: 'no detector',
      message: `The detector ${path} cannot be read: ${detail}. Give the path of an ONNX file or of a model package.`,
      parameters: { path, detail },
      reason: 'no-model',
      httpStatus: 404,
      cause,
    });
  }
}
