import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CurvePoint } from '../../domain';
import { forkModule } from '../../inference';
import { QUIET_ENVIRONMENT } from './command';
import { ExternalTrainerFailed, ExternalTrainerHung, ExternalTrainerNotStarted } from './errors';
import type { KeeperOrder, KeeperReport } from './keeper-messages';
import { readResults } from './results';

export interface ProgramRun {
  readonly program: string;
  readonly args: readonly string[];
  /** Where it runs, and where its output is kept. */
  readonly folder: string;
  /** Folder that its results.csv appears in, at any depth up to three. */
  readonly results: string;
  /** Without output and without a new epoch for so long it hangs. */
  readonly patienceSeconds: number;
  readonly onEpochs: (curve: readonly CurvePoint[]) => void;
  readonly signal?: AbortSignal;
}

const KEEPER = join(__dirname, 'keeper');
const LOOK_MS = 500;
/** The keeper ends its group within a second. */
const KEEPER_GRACE_MS = 1700;
const KEPT_OUTPUT = 8192;
const TOLD_LINES = 12;
const TOLD_CHARACTERS = 1500;

/**
 * Runs a trainer to its end and tells of its epochs. When it is cancelled or hangs, all its processes are ended within two
 * seconds; when this process dies, they are as well.
 *
 * @throws {ExternalTrainerNotStarted | ExternalTrainerFailed | ExternalTrainerHung}
 * @throws whatever `signal` was aborted with
 */
export async function runProgram(run: ProgramRun): Promise<CurvePoint[]> {
  const { program, folder, results, patienceSeconds, onEpochs, signal } = run;
  signal?.throwIfAborted();
  await mkdir(results, { recursive: true });
  const log = join(folder, 'output.log');
  const keeper = startKeeper({ program, args: [...run.args], folder, log });
  const hung = new AbortController();
  let alive = performance.now();
  let seen = '';
  let epochs = 0;
  let isOver = false;
  const look = async () => {
    const curve = await readResults(results);
    const state = `${await sizeOf(log)} ${curve.length}`;
    if (state !== seen) alive = performance.now();
    seen = state;
    if (isOver) return;
    if (curve.length > epochs) onEpochs(curve);
    epochs = Math.max(epochs, curve.length);
    if (performance.now() - alive > 1000 * patienceSeconds) hung.abort();
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  try {
    const report = await Promise.race([keeper.report, aborted(hung.signal), aborted(signal)]);
    if (report === null) {
      await keeper.end();
      signal?.throwIfAborted();
      throw new ExternalTrainerHung(patienceSeconds, await lastOutput(log));
    }
    if (report.kind === 'not-started') throw new ExternalTrainerNotStarted(program, report.detail);
    if (report.code !== 0) throw new ExternalTrainerFailed(report.code, report.signal, await lastOutput(log));
    const curve = await readResults(results);
    if (curve.length > epochs) onEpochs(curve);
    return curve;
  } finally {
    isOver = true;
    clearInterval(timer);
    await keeper.end();
  }
}

/** What the trainer printed last. */
export async function outputOf(folder: string): Promise<string> {
  return lastOutput(join(folder, 'output.log'));
}

function startKeeper(order: KeeperOrder) {
  const child = forkModule(KEEPER, [], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, ...QUIET_ENVIRONMENT },
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const report = new Promise<KeeperReport>((resolve) => {
    child.once('message', (message: KeeperReport) => resolve(message));
    child.once('error', (error) => resolve({ kind: 'not-started', detail: error.message }));
    // without a report it was ended from outside, and took the group with it or not
    child.once('close', (code, signal) => resolve({ kind: 'ended', code: code ?? 1, signal }));
  });
  child.send(order, () => {});
  const end = async () => {
    if (child.connected) child.disconnect();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, KEEPER_GRACE_MS);
    });
    await Promise.race([gone, late]);
    clearTimeout(timer);
    if (child.exitCode === null && child.signalCode === null) killGroup(child.pid);
  };
  return { report, end };
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // it is gone
  }
}

/** Resolves, never rejects. */
function aborted(signal: AbortSignal | undefined): Promise<null> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve(null);
    else signal?.addEventListener('abort', () => resolve(null), { once: true });
  });
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The last lines printed, without progress bars drawn over one another and without control characters. */
async function lastOutput(log: string): Promise<string> {
  const size = await sizeOf(log);
  if (size === 0) return '';
  const file = await open(log, 'r');
  try {
    const bytes = Buffer.alloc(Math.min(size, KEPT_OUTPUT));
    await file.read(bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes
      .toString('utf8')
      .split('\n')
      .map((line) => plainLine(line.split('\r').findLast((part) => part.trim() !== '') ?? ''))
      .filter((line) => line !== '');
    return lines.slice(-TOLD_LINES).join('\n').slice(-TOLD_CHARACTERS);
  } finally {
    await file.close();
  }
}

function plainLine(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '').trim();
}
