/**
 * Runs a program in the process group that it leads, and ends the whole group when the program has ended or when the process
 * that started the keeper is gone, however it went: no process of a trainer outlives its training.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import type { KeeperOrder, KeeperReport } from './keeper-messages';

/** Between asking the group to end and ending it. */
const GRACE_MS = 1000;

let program: ChildProcess | undefined;

// Meant for the group; the keeper itself stays to see it through.
process.on('SIGTERM', () => {});
process.on('SIGINT', () => {});

process.once('message', (order: KeeperOrder) => {
  const log = openSync(order.log, 'a');
  program = spawn(order.program, order.args, { cwd: order.folder, stdio: ['ignore', log, log], windowsHide: true });
  program.once('error', (error) => finish({ kind: 'not-started', detail: error.message }));
  program.once('exit', (code, signal) => finish({ kind: 'ended', code, signal }));
});

process.once('disconnect', () => {
  if (process.platform !== 'win32') process.kill(-process.pid, 'SIGTERM');
  setTimeout(endGroup, process.platform === 'win32' ? 0 : GRACE_MS);
});

function finish(report: KeeperReport): void {
  if (!process.connected) return;
  process.send?.(report, undefined, undefined, endGroup);
}

/** Everything that the program started and left, and the keeper itself. */
function endGroup(): void {
  if (process.platform !== 'win32') process.kill(-process.pid, 'SIGKILL');
  if (program?.pid !== undefined) spawnSync('taskkill', ['/pid', String(program.pid), '/T', '/F']);
  process.exit(0);
}
