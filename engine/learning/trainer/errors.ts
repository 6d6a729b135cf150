import { InspectionError } from '../../domain';
import type { OnnxNode } from '../../onnx';

/** A gradient would have to pass an operator that the trainer cannot differentiate. */
export class UntrainableOperator extends InspectionError {
  constructor(node: OnnxNode, detail = 'it has no rule for this operator') {
    const name = node.name || node.output[0];
    super({
      code: 'untrainable-operator',
      status: `cannot train through ${node.opType}`,
      message:
        `The model cannot be trained through its operator ${node.opType} (${name}): ${detail}. ` +
        'Train the head alone, or use another model.',
      parameters: { operator: node.opType, node: name, detail },
      reason: 'model-invalid',
      httpStatus: 422,
    });
  }
}
