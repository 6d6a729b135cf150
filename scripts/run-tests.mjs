import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './project.mjs';

const require = createRequire(import.meta.url);

/**
 * Runs each group of tests in a mocha process of its own (a leak in one cannot spoil the next), prints the closing line
 * `N passed, N failed, N skipped` and sets the exit code.
 *
 * @param groups  names with their files, as globs relative to the package
 * @param options `node`: the Node.js to run; `env`: variables to add
 */
export function runTests(groups, { node = process.execPath, env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'test-counts-'));
  const total = { passes: 0, failures: 0, pending: 0 };
  for (const [name, files] of groups) {
    console.log(`\n== ${name}`);
    const countsFile = join(folder, 'counts.json');
    rmSync(countsFile, { force: true });
    const { status } = spawnSync(
      node,
      [
        '--import',
        'tsx',
        require.resolve('mocha/bin/mocha.js'),
        '--reporter',
        join(root, 'test/reporter.cjs'),
        '--timeout',
        '60000',
        files,
      ],
      { cwd: root, stdio: 'inherit', env: { ...process.env, ...env, TEST_COUNTS_FILE: countsFile } },
    );
    const counts = readCounts(countsFile);
    for (const key of Object.keys(total)) total[key] += counts[key];
    if (status !== 0 && counts.failures === 0) {
      console.error(`${name}: the test process ended with ${status} without a failed test; counted as one failure.`);
      total.failures += 1;
    }
  }
  rmSync(folder, { recursive: true });
  console.log(`\n${total.passes} passed, ${total.failures} failed, ${total.pending} skipped`);
  process.exitCode = total.failures === 0 && total.passes > 0 ? 0 : 1;
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passes: 0, failures: 0, pending: 0 };
  }
}
