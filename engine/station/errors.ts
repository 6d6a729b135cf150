import { InspectionError } from '../domain';

/** No model is deployed for a part type. */
export class NoModel extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'no-model',
      status: `no model for ${partType}`,
      message: `No model is deployed for part type ${partType}. Train one or deploy a version on the Models page.`,
      parameters: { partType },
      reason: 'no-model',
      httpStatus: 409,
    });
  }
}

/** The station is closing or closed. */
export class StationClosed extends InspectionError {
  constructor() {
    super({
      code: 'station-closed',
      status: 'station closed',
      message: 'The inspection station is closed. Try again when it has been deployed.',
      reason: 'interrupted',
      httpStatus: 503,
    });
  }
}

/** An inspection that this station has never opened. */
export class UnknownInspection extends InspectionError {
  constructor(id: string) {
    super({
      code: 'unknown-inspection',
      status: 'unknown inspection',
      message: `This station has not opened inspection ${JSON.stringify(id)}. Wire the node behind a camera-capture node of the same station.`,
      parameters: { id },
      httpStatus: 409,
    });
  }
}
