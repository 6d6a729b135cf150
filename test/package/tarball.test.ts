import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';
import { stockFlow } from '../support/flows';
import { removeFolder } from '../support/folders';
import { type RunningNodeRed, startNodeRed } from '../support/node-red-process';

interface Manifest {
  readonly name: string;
  readonly 'node-red': { readonly nodes: Record<string, string> };
  readonly 'node-red-dashboard-2': { readonly widgets: Record<string, { readonly output: string }> };
}

interface NodeSet {
  readonly module: string;
  readonly types: readonly string[];
  readonly err?: string;
}

describe('the packed package, installed in an empty user folder', function () {
  this.timeout(600_000);
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as Manifest;
  const folder = mkdtempSync(join(tmpdir(), 'opti-quality-package-'));
  const userDir = join(folder, 'user');
  let nodeRed: RunningNodeRed;

  before(async () => {
    const [packed] = JSON.parse(
      npm(packageRoot, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
    ) as { filename: string }[];
    execFileSync('mkdir', ['-p', userDir]);
    writeFileSync(join(userDir, 'package.json'), JSON.stringify({ name: 'user', private: true }));
    npm(userDir, 'install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, packed?.filename ?? ''));

    const settings = join(folder, 'settings.js');
    writeFileSync(
      settings,
      `module.exports = { userDir: ${JSON.stringify(userDir)}, uiPort: process.env.PORT, uiHost: '127.0.0.1', flowFile: 'flows.json' };`,
    );
    nodeRed = await startNodeRed({ userDir, settings, flow: await stockFlow() });
  });

  after(async () => {
    await nodeRed?.stop();
    await removeFolder(folder);
  });

  it('gives every node type, without an error', async () => {
    const answer = await fetch(`${nodeRed.base}/nodes`, { headers: { accept: 'application/json' } });
    const sets = ((await answer.json()) as NodeSet[]).filter(({ module }) => module === manifest.name);
    assert.deepEqual(
      sets.filter(({ err }) => err !== undefined),
      [],
    );
    assert.deepEqual(sets.flatMap(({ types }) => types).sort(), Object.keys(manifest['node-red'].nodes).sort());
  });

  it('serves every dashboard widget', async () => {
    for (const { output } of Object.values(manifest['node-red-dashboard-2'].widgets)) {
      const answer = await fetch(`${nodeRed.base}/resources/${manifest.name}/${output}`);
      assert.equal(answer.status, 200, output);
    }
    const dashboard = await fetch(`${nodeRed.base}/dashboard`);
    assert.equal(dashboard.status, 200);
  });

  it('brings the command line', () => {
    const help = execFileSync(join(userDir, 'node_modules/.bin/opti-quality'), ['--help'], { encoding: 'utf8' });
    assert.match(help, /train/);
  });
});

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
