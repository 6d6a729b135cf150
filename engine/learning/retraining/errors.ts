import { InspectionError, modelNameOf, type Reason } from '../../domain';
import type { RetrainedModel } from '../../store';
import { textOf } from './reasons';

/** A retraining must not start now. */
export class NotNow extends InspectionError {
  constructor({ partType, kind }: RetrainedModel, reasons: readonly Reason[]) {
    super({
      code: 'not-now',
      status: 'not now',
      message: `Model ${modelNameOf(partType, kind)} is not trained now. ${textOf(reasons)}`,
      parameters: {
        model: modelNameOf(partType, kind),
        detail: textOf(reasons),
        codes: reasons.map(({ code }) => code).join(' '),
      },
      httpStatus: 409,
    });
  }
}

/** Nobody says how a model is retrained. */
export class NoRetrainTrigger extends InspectionError {
  constructor(partType: string, kind?: RetrainedModel['kind']) {
    const model = kind === undefined ? partType : modelNameOf(partType, kind);
    super({
      code: 'no-retrain-trigger',
      status: 'no retrain-trigger',
      message: `There is no retrain-trigger node for ${model}. Add one to a flow of this station.`,
      parameters: { model },
      httpStatus: 404,
    });
  }
}

/** Two nodes would retrain the same model. */
export class RetrainTriggerTwice extends InspectionError {
  constructor({ partType, kind }: RetrainedModel, node: string) {
    const model = modelNameOf(partType, kind);
    super({
      code: 'retrain-trigger-twice',
      status: 'is retrained already',
      message: `Model ${model} is retrained by node ${node} already. Remove one of the two, or choose another part type.`,
      parameters: { model, node },
      httpStatus: 409,
    });
  }
}
