import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';
import { freePort } from './free-port';

export interface NodeRedOptions {
  readonly userDir: string;
  /** Node-RED settings file; this checkout's settings.js unless told. */
  readonly settings?: string;
  /** Written as the flow file before the start; without it the stock flow is used. */
  readonly flow?: readonly unknown[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  /** A path that answers 200 when all is up. */
  readonly readyPath?: string;
}

/** Node-RED in a process of its own, as a user runs it. */
export interface RunningNodeRed {
  readonly base: string;
  readonly process: ChildProcess;
  /** All it has printed so far. */
  output(): string;
  /** Ends it and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** One that is starting may take a connection and never answer on it. */
const ANSWER_LIMIT_MS = 10_000;
const START_LIMIT_MS = 120_000;

export async function startNodeRed(options: NodeRedOptions): Promise<RunningNodeRed> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  mkdirSync(options.userDir, { recursive: true });
  if (options.flow) writeFileSync(join(options.userDir, 'flows.json'), JSON.stringify(options.flow));

  const settings = options.settings ?? join(packageRoot, 'settings.js');
  const child = spawn(
    process.execPath,
    [...(options.nodeArguments ?? []), require.resolve('node-red/red.js'), '--settings', settings],
    {
      cwd: options.userDir,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, PORT: String(port), USER_DIR: options.userDir, ...options.env },
    },
  );
  let printed = '';
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdout?.on('data', (chunk) => {
    printed += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    printed += chunk;
  });

  const running: RunningNodeRed = {
    base,
    process: child,
    output: () => printed,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await exited;
    },
  };
  await answers(`${base}${options.readyPath ?? '/inspection/api/health'}`, running);
  return running;
}

async function answers(url: string, nodeRed: RunningNodeRed): Promise<void> {
  const end = Date.now() + START_LIMIT_MS;
  while (Date.now() < end && nodeRed.process.exitCode === null && nodeRed.process.signalCode === null) {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) }).catch(() => null);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await nodeRed.stop('SIGKILL');
  throw new Error(`Node-RED did not answer at ${url}:\n${nodeRed.output()}`);
}
