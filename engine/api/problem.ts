import { basename, isAbsolute } from 'node:path';
import { type ErrorParameters, InspectionError } from '../domain';

/** One thing wrong with the input. */
export interface ProblemDetail {
  /** JSON pointer into the body (`#/thresholds/accept`), or the name of a parameter. */
  readonly pointer: string;
  readonly detail: string;
}

/** Problem details of RFC 9457. */
export interface Problem {
  /** Names the kind of problem: `urn:problem-type:opti-quality:<code>`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable, kebab-case. */
  readonly code: string;
  readonly parameters?: ErrorParameters;
  readonly errors?: readonly ProblemDetail[];
}

/** A request that cannot be answered as asked. */
export class RequestRefused extends InspectionError {
  readonly errors: readonly ProblemDetail[] | undefined;
  /** Header fields the answer needs, for example `Allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    httpStatus: number,
    code: string,
    status: string,
    message: string,
    more: { errors?: readonly ProblemDetail[]; headers?: Record<string, string>; parameters?: ErrorParameters } = {},
  ) {
    super({ code, status, message, httpStatus, parameters: more.parameters });
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

/** The client went away before its request was complete; there is nobody to answer. */
export class ClientGone extends Error {}

/**
 * The problem document for anything thrown. What is nobody's input is told without its inner text, and what the station
 * cannot do now without the paths of its machine: the log of Node-RED has both.
 */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof InspectionError)) {
    return {
      type: problemType('internal-error'),
      title: 'internal error',
      status: 500,
      detail: FAULT,
      code: 'internal-error',
    };
  }
  const status = error.httpStatus >= 400 && error.httpStatus <= 599 ? error.httpStatus : 500;
  const errors = error instanceof RequestRefused ? error.errors : undefined;
  const { detail, parameters } = told(error, status);
  return {
    type: problemType(error.code),
    title: error.status,
    status,
    detail,
    code: error.code,
    ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
    ...(errors ? { errors } : {}),
  };
}

const FAULT = 'The request could not be answered because of a fault inside. The log of Node-RED has the cause.';
const PATH = /(?<![\w:/.])(?:\/|[A-Za-z]:\\)(?:[^\s"'`(),;:]+[\\/])*[^\s"'`(),;:]*[^\s"'`(),;:.]/g;

/** The text and the parameters of an error as clients may have them. */
function told(error: InspectionError, status: number): { detail: string; parameters: ErrorParameters } {
  const { message, parameters } = error;
  if (status < 500) return { detail: message, parameters };
  if (status === 500) return { detail: FAULT, parameters: {} };
  const values = Object.values(parameters).filter((value) => typeof value === 'string' && isAbsolute(value));
  const withoutPaths = (text: string) =>
    values
      .reduce<string>((shorter, path) => shorter.replaceAll(String(path), basename(String(path))), text)
      .replaceAll(PATH, (path) => path.split(/[\\/]/).at(-1) ?? '');
  return {
    detail: withoutPaths(message),
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([key, value]) => [key, typeof value === 'string' ? withoutPaths(value) : value]),
    ),
  };
}

function problemType(code: string): string {
  return `urn:problem-type:opti-quality:${code}`;
}
