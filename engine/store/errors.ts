import { InspectionError } from '../domain';

/** The database or the data folder cannot be used. */
export class StoreUnavailable extends InspectionError {
  constructor(
    readonly trouble:
      | 'read-only'
      | 'disk-full'
      | 'locked'
      | 'in-use'
      | 'corrupt'
      | 'newer-schema'
      | 'not-a-folder'
      | 'driver-missing'
      | 'closed'
      | 'failed',
    message: string,
    parameters: Record<string, string | number> = {},
    cause?: unknown,
  ) {
    super({
      code: `store-${trouble}`,
      status: `store: ${trouble.replace('-', ' ')}`,
      message,
      parameters,
      reason: 'not-recorded',
      httpStatus: 503,
      cause,
    });
  }
}

/** A review item has a label already. */
export class AlreadyDecided extends InspectionError {
  constructor(id: string, label: string) {
    super({
      code: 'already-decided',
      status: 'already decided',
      message: `Review item ${id} is labelled ${label} already. Undo that decision first.`,
      parameters: { id, label },
      httpStatus: 409,
    });
  }
}
