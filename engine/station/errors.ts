import { InspectionError, type ModelKind } from '../domain';

/** No model of a kind is deployed for a part type. */
export class NoModel extends InspectionError {
  constructor(partType: string, kind: ModelKind = 'patchcore') {
    const what = kind === 'patchcore' ? 'model' : kind;
    super({
      code: 'no-model',
      status: `no ${what} for ${partType}`,
      message: `No ${what} is deployed for part type ${partType}. Train one, or deploy a version, on the Train page.`,
      parameters: { partType, ...(kind !== 'patchcore' && { cause: kind }) },
      reason: 'no-model',
      httpStatus: 409,
    });
  }
}

/** So many verdicts wait for the database that the journal does not hold them all. */
export class JournalFull extends InspectionError {
  constructor(count: number) {
    super({
      code: 'journal-full',
      status: 'too many verdicts unrecorded',
      message: `${count} verdicts wait for the database, more than the journal beside it holds: should Node-RED crash now, some are sent again. Make the database usable: free disk space, or close the program that locks it.`,
      parameters: { count },
    });
  }
}

/** The database took nothing for so long that the record of a verdict is lost. */
export class RecordGivenUp extends InspectionError {
  constructor(id: string, limit: number) {
    super({
      code: 'record-given-up',
      status: 'a record is lost',
      message: `More than ${limit} verdicts wait for the database. That of inspection ${id} was given, but its record is lost. Make the database usable: free disk space, or close the program that locks it.`,
      parameters: { id, limit },
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

/** What a model compared a part with cannot be told. */
export class NoNearest extends InspectionError {
  constructor(id: string) {
    super({
      code: 'no-nearest',
      status: 'no similar picture',
      message: `No most similar OK picture is known for inspection ${id}: no anomaly model judged it, or the version that did keeps no pictures of what it knows, or is no longer here. Versions trained from now on keep them.`,
      parameters: { id },
      httpStatus: 404,
    });
  }
}
