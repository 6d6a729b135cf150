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
