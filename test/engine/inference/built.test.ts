import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { packageRoot } from '../../../engine/domain';

describe('ComputePool as built JavaScript', function () {
  this.timeout(180_000);
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'opti-quality-built-'));
    await writeFile(join(folder, 'package.json'), '{}');
    for (const room of ['domain', 'inference']) await build(join(packageRoot, 'engine', room), join(folder, room));
    await writeFile(join(folder, 'tasks.js'), 'exports.tasks = { file: async () => process.argv[1] };');
    await writeFile(join(folder, 'main.js'), main);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it('forks the built child, without a TypeScript loader', async () => {
    const env = { ...process.env, NODE_PATH: join(packageRoot, 'node_modules') };
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.js')], { env });
    assert.equal(stdout.trim(), join(folder, 'inference', 'child.js'));
  });
});

const main = `
const { join } = require('node:path');
const { ComputePool } = require('./inference');
const pool = new ComputePool({
  size: 1, queueLimit: 1, queuePolicy: 'reject', memoryCapBytes: 1e6, taskModules: [join(__dirname, 'tasks')],
});
pool.run('file', null).then((file) => console.log(file)).finally(() => pool.close());
`;

async function build(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const file of await readdir(from)) {
    const source = await readFile(join(from, file), 'utf8');
    const options = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
    const { outputText } = transpileModule(source, { compilerOptions: options });
    await writeFile(join(to, file.replace(/\.ts$/, '.js')), outputText);
  }
}
