import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';

/** A test starts up to two dozen processes, which takes long beside other work. */
export const CLI_LIMIT_MS = 600_000;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line tool from its sources, to its end. */
export function optiQuality(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const entry = join(packageRoot, 'cli', 'opti-quality.ts');
  const options = { cwd: packageRoot, env: { ...process.env, ...environment } };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', entry, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** What the last line of `--json` output says. */
export function lastLine<T>({ stdout }: Outcome): T {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}
