/**
 * Starts the inspection line: builds when a source is newer than the build, starts Node-RED with the stock flow and
 * prints where dashboard, editor and API are. The port comes from PORT (1880), the user folder from USER_DIR (.userdir).
 */
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildIsStale, root } from './project.mjs';

const require = createRequire(import.meta.url);
const base = `http://localhost:${process.env.PORT ?? 1880}`;

if (buildIsStale()) {
  console.log('Building ...');
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'inherit' });
}

const nodeRed = spawn(process.execPath, [require.resolve('node-red/red.js'), '--settings', join(root, 'settings.js')], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => nodeRed.kill(signal));
nodeRed.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 0)));

await answers('/dashboard');
console.log(`
  Dashboard   ${base}/dashboard
  Editor      ${base}/
  API         ${base}/inspection/api/health   (described by ${base}/inspection/api/openapi.json)
`);

/** Waits until Node-RED serves the path. Whether a station opened is said in the log, by the nodes and by the API. */
async function answers(path) {
  for (;;) {
    const answer = await fetch(`${base}${path}`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
