import { InspectionError } from '../domain';

/** Bytes that are no usable ONNX model. */
export class OnnxInvalid extends InspectionError {
  constructor(problem: string) {
    super({
      code: 'onnx-invalid',
      status: 'ONNX file invalid',
      message: `The ONNX model cannot be used: ${problem}.`,
      parameters: { problem },
      reason: 'model-invalid',
      httpStatus: 422,
    });
  }
}
