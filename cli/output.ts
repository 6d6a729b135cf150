import { InspectionError, serializeError } from '../engine/domain';

/** The command was called in a way it does not understand: exit code 2. */
export class WrongUse extends InspectionError {
  constructor(message: string) {
    super({ code: 'wrong-use', status: 'wrong use', message });
  }
}

export interface Terminal {
  /** A line of the result. */
  print(line: string): void;
  /** A line about the work, on stderr. */
  note(line: string): void;
  /** A line on stderr that the next one overwrites, where stderr is a terminal. */
  progress(line: string): void;
}

export const terminal: Terminal = {
  print: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
  progress: (line) => process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`),
};

/** What went wrong, in one line. */
export function describe(error: unknown): string {
  if (error instanceof InspectionError || error instanceof Error) return error.message;
  return String(error);
}

/** The last line of `--json` output when a command failed. */
export function errorJson(error: unknown): string {
  const { code, message, parameters } = serializeError(error);
  return JSON.stringify({ error: { code, message, parameters } });
}

/** The value below which a share of the numbers lies (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
