import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './project.mjs';

const require = createRequire(import.meta.url);

/** Groups that run side by side: they wait for processes and browsers much of their time. */
const SIDE_BY_SIDE = Math.min(2, availableParallelism());

/**
 * Runs each group of tests in a mocha process of its own (a leak in one cannot spoil the next), two at a time where there are
 * two processors; prints each when it is done, then the failed tests once more, so that the end of a log tells them, and the
 * closing line `N passed, N failed, N skipped`; sets the exit code.
 *
 * @param groups  names with their files, as globs relative to the package; begun in this order
 * @param options `node`: the Node.js to run; `env`: variables to add
 */
export async function runTests(groups, { node = process.execPath, env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'test-counts-'));
  const total = { passes: 0, failures: 0, pending: 0 };
  const failed = [];
  const left = [...groups];
  const worker = async () => {
    for (let group = left.shift(); group !== undefined; group = left.shift()) {
      const [name, files] = group;
      const countsFile = join(folder, `${groups.indexOf(group)}.json`);
      const started = Date.now();
      console.log(`${name}: begun`);
      const { status, output } = await runMocha(node, files, { ...process.env, ...env, TEST_COUNTS_FILE: countsFile });
      const minutes = ((Date.now() - started) / 60_000).toFixed(1);
      process.stdout.write(`\n== ${name}, ${minutes} min\n${output}\n`);
      const counts = readCounts(countsFile);
      for (const key of Object.keys(total)) total[key] += counts[key];
      failed.push(...counts.failed.map((failure) => `${name}: ${failure}`));
      if (status !== 0 && counts.failures === 0) {
        failed.push(`${name}: the test process ended with ${status} without a failed test; counted as one failure.`);
        total.failures += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  rmSync(folder, { recursive: true });
  if (failed.length > 0) console.log(`\nFailed:\n\n${failed.join('\n\n')}`);
  console.log(`\n${total.passes} passed, ${total.failures} failed, ${total.pending} skipped`);
  process.exitCode = total.failures === 0 && total.passes > 0 ? 0 : 1;
}

function runMocha(node, files, env) {
  const mocha = require.resolve('mocha/bin/mocha.js');
  const reporter = join(root, 'test/reporter.cjs');
  const child = spawn(node, ['--import', 'tsx', mocha, '--reporter', reporter, '--timeout', '180000', files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  competeWithTrainings(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ status: code ?? signal, output }));
  });
}

/**
 * Gives the tests the priority that trainings have, the lowest: beside tests of another group that want both processors, a
 * training would otherwise wait until they are done.
 */
function competeWithTrainings({ pid }) {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // it could not be started, which is told otherwise
  }
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passes: 0, failures: 0, pending: 0, failed: [] };
  }
}
