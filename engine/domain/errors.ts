import type { ReasonCode } from './verdict';

export type ErrorParameters = Readonly<Record<string, string | number>>;

export interface ErrorText {
  /** Stable, kebab-case; the key of the translations (`errors.<code>.status`, `errors.<code>.message`). */
  readonly code: string;
  /** A few words for a node's status. */
  readonly status: string;
  /** What happened and what to do. */
  readonly message: string;
  readonly parameters?: ErrorParameters;
  /** The reason a failure finding or a fail-safe verdict carries. */
  readonly reason?: ReasonCode;
  /** HTTP status for the API, 500 unless told. */
  readonly httpStatus?: number;
  readonly cause?: unknown;
}

/** Something that failed and needs a person. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  /** For translations, see `ErrorText`. */
  readonly parameters?: ErrorParameters;
}

/** An error a user can act on. Rooms derive their own types from it. */
export class InspectionError extends Error {
  readonly code: string;
  readonly status: string;
  readonly parameters: ErrorParameters;
  readonly reason: ReasonCode;
  readonly httpStatus: number;

  constructor(text: ErrorText) {
    super(text.message, text.cause === undefined ? undefined : { cause: text.cause });
    this.name = new.target.name;
    this.code = text.code;
    this.status = text.status;
    this.parameters = text.parameters ?? {};
    this.reason = text.reason ?? 'internal-error';
    this.httpStatus = text.httpStatus ?? 500;
  }
}

/** The error as plain data, to cross a process boundary. */
export function serializeError(error: unknown): ErrorText {
  if (error instanceof InspectionError) {
    const { code, status, message, parameters, reason, httpStatus } = error;
    return { code, status, message, parameters, reason, httpStatus };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal-error', status: 'internal error', message };
}

/** What of an error is kept for people. */
export function faultOf(error: unknown): Fault {
  const { code, message, parameters = {} } = serializeError(error);
  return { code, message, ...(Object.keys(parameters).length > 0 && { parameters }) };
}

/** The reason code for anything thrown. */
export function reasonOf(error: unknown): ReasonCode {
  return error instanceof InspectionError ? error.reason : 'internal-error';
}

/** Input that breaks a documented limit or form. */
export class InvalidInput extends InspectionError {
  constructor(message: string, parameters: ErrorParameters = {}) {
    super({ code: 'invalid-input', status: 'invalid input', message, parameters, httpStatus: 400 });
  }
}

/** A part type that cannot be a folder's name. */
export class PartTypeInvalid extends InspectionError {
  constructor(partType: unknown) {
    const given = JSON.stringify(partType) ?? String(partType);
    super({
      code: 'part-type-invalid',
      status: 'part type not usable',
      message: `The part type ${given} is not usable: letters, digits, ".", "_" and "-", 1 to 64 characters.`,
      parameters: { partType: given },
      reason: 'part-type-invalid',
      httpStatus: 400,
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

/** Something asked for by id or name does not exist. */
export class NotFound extends InspectionError {
  constructor(what: string, id: string) {
    super({
      code: 'not-found',
      status: `${what} not found`,
      message: `There is no ${what} ${JSON.stringify(id)}.`,
      parameters: { what, id },
      httpStatus: 404,
    });
  }
}
