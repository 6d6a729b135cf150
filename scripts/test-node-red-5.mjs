/** The node tests on Node-RED 5 and Node 24, both installed in a folder of their own (test/node-red-5). */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './project.mjs';
import { runTests } from './run-tests.mjs';

const folder = join(root, 'test/node-red-5');
execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
  cwd: folder,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});

const { resolve } = createRequire(join(folder, 'package.json'));
await runTests([['nodes on Node-RED 5', 'test/nodes/**/*.test.ts']], {
  node: join(folder, 'node_modules/.bin/node'),
  env: { NODE_RED_PATH: resolve('node-red') },
});
