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

/** A verdict made by the station that no router of the flow takes. */
export class NoOutlet extends InspectionError {
  constructor(id: string, route: string) {
    super({
      code: 'no-outlet',
      status: 'a verdict waits for its router',
      message: `The station has given inspection ${id} its verdict, but flow tab ${JSON.stringify(route)} has no confidence-router, and there are others whose parts it must not be taken for. Put a confidence-router on the tab of the camera-capture node. Until then the verdict is kept.`,
      parameters: { id, route },
    });
  }
}
