import { type ErrorParameters, InspectionError, type ReviewLock, type ReviewState } from '../domain';

/** What keeps the store from working. */
export type StoreTrouble =
  | 'read-only'
  | 'disk-full'
  | 'locked'
  | 'in-use'
  | 'corrupt'
  | 'newer-schema'
  | 'not-a-folder'
  | 'closed'
  | 'failed';

/** The database or the data folder cannot be used. */
export class StoreUnavailable extends InspectionError {
  constructor(
    readonly trouble: StoreTrouble,
    message: string,
    parameters: ErrorParameters = {},
    cause?: unknown,
  ) {
    super({
      code: `store-${trouble}`,
      status: `store: ${trouble.replaceAll('-', ' ')}`,
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

/** Another person is looking at a review item. */
export class Locked extends InspectionError {
  constructor(id: string, { reviewer, until }: ReviewLock) {
    super({
      code: 'locked',
      status: `${reviewer} is looking at it`,
      message: `${reviewer} is looking at review item ${id} until ${until}. Take another one, or wait until it is free.`,
      parameters: { id, reviewer, until },
      httpStatus: 409,
    });
  }
}

/** There is no label of a review item that could be approved or rejected. */
export class NotLabelled extends InspectionError {
  constructor(id: string, state: ReviewState) {
    super({
      code: 'not-labelled',
      status: 'no label to approve',
      message: `Review item ${id} is ${state}: only a label that nobody has approved or rejected can be.`,
      parameters: { id, state },
      httpStatus: 409,
    });
  }
}

/** Who labelled an item may not approve or reject the label. */
export class SamePerson extends InspectionError {
  constructor(id: string, reviewer: string) {
    super({
      code: 'same-person',
      status: 'a second person is needed',
      message: `${reviewer} labelled review item ${id}, so that somebody else must approve or reject the label.`,
      parameters: { id, reviewer },
      httpStatus: 403,
    });
  }
}

/** Two people cannot be told apart when one of them has no name. */
export class NameNeeded extends InspectionError {
  constructor(id: string) {
    super({
      code: 'name-needed',
      status: 'a name is needed',
      message:
        `The label of review item ${id} can be approved only when both people are named. ` +
        'Approve with a name; where the label itself has none, reject it and label anew.',
      parameters: { id },
      httpStatus: 403,
    });
  }
}

/** A decision that a second person has looked at stays. */
export class ApprovedAlready extends InspectionError {
  constructor(id: string, approver: string) {
    super({
      code: 'approved-already',
      status: 'approved already',
      message: `${approver} has approved or rejected the label of review item ${id}, so that it cannot be undone.`,
      parameters: { id, approver },
      httpStatus: 409,
    });
  }
}

/** A label that a data set has taken stays. */
export class UsedAlready extends InspectionError {
  constructor(id: string, snapshot: string) {
    super({
      code: 'used-already',
      status: 'used for training already',
      message: `The label of review item ${id} is in data set ${snapshot}, so that it cannot be undone. A second person can reject it.`,
      parameters: { id, snapshot },
      httpStatus: 409,
    });
  }
}

/** A deleted picture that was imported again cannot come back beside itself. */
export class PictureThere extends InspectionError {
  constructor(id: string, twin: string) {
    super({
      code: 'picture-there',
      status: 'picture is there already',
      message: `Imported picture ${id} cannot be restored: the same picture was imported again as ${twin}. Delete that one first.`,
      parameters: { id, twin },
      httpStatus: 409,
    });
  }
}

const TROUBLES: Readonly<Record<string, StoreTrouble>> = {
  SQLITE_BUSY: 'locked',
  SQLITE_LOCKED: 'locked',
  SQLITE_FULL: 'disk-full',
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  SQLITE_READONLY: 'read-only',
  SQLITE_PERM: 'read-only',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  SQLITE_CORRUPT: 'corrupt',
  SQLITE_NOTADB: 'corrupt',
  ENOTDIR: 'not-a-folder',
  EEXIST: 'not-a-folder',
};

/** A system or database error as one the user can act on; errors that are one already pass unchanged. */
export function storeError(error: unknown, dataFolder: string): InspectionError {
  if (error instanceof InspectionError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const trouble = (typeof code === 'string' && TROUBLES[code]) || 'failed';
  return new StoreUnavailable(trouble, advice(trouble, dataFolder, causeOf(error)), { folder: dataFolder }, error);
}

/** The database's own words, without the statement and its values that knex puts before them. */
function causeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(text.lastIndexOf(' - SQLITE_') + 1).replace(/^- /, '');
}

function advice(trouble: StoreTrouble, folder: string, detail: string): string {
  switch (trouble) {
    case 'read-only':
      return `The data folder ${folder} cannot be written (${detail}). Give the user that runs Node-RED write access, or choose another folder.`;
    case 'disk-full':
      return `The disk of the data folder ${folder} is full (${detail}). Free space or shorten the retention; verdicts are recorded again as soon as there is room.`;
    case 'locked':
      return `The database in ${folder} is locked by another program (${detail}). Close the program that holds it; verdicts are recorded as soon as it lets go.`;
    case 'corrupt':
      return `The database in ${folder} is damaged (${detail}). Put it back from a backup, or move it away to begin a new one; the pictures stay.`;
    case 'not-a-folder':
      return `The data folder ${folder} cannot be made because something else has its name (${detail}). Choose another folder.`;
    default:
      return `The store in ${folder} failed: ${detail}.`;
  }
}
