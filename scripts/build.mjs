/**
 * Builds the package: engine, nodes and command line to dist/, editor files and catalogs beside the nodes' runtime,
 * dashboard widgets to resources/.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildWidgets } from '../ui/build.mjs';
import { root, stampFile } from './project.mjs';

const require = createRequire(import.meta.url);
const languages = readdirSync(join(root, 'locales'));

compile();
await buildEditors();
await buildWidgets();
copyStockFlow();
writeFileSync(stampFile, '');

function compile() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  chmodSync(join(root, 'dist/cli/opti-quality.js'), 0o755);
}

/** Joins each node's form and its bundled editor script to the html Node-RED looks for beside the runtime file. */
async function buildEditors() {
  const types = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))['node-red'].nodes);
  await Promise.all(types.map(buildEditor));
}

async function buildEditor(type) {
  const source = join(root, 'nodes', type);
  const target = join(root, 'dist/nodes', type);
  const { outputFiles } = await build({
    entryPoints: [join(source, 'editor.ts')],
    bundle: true,
    format: 'iife',
    target: 'es2020',
    write: false,
    legalComments: 'none',
  });
  const form = readFileSync(join(source, 'editor.html'), 'utf8').trim();
  const script = outputFiles[0].text.trim();
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, `${type}.html`), `${form}\n\n<script type="text/javascript">\n${script}\n</script>\n`);

  cpSync(join(root, 'icons', `${type}.svg`), join(target, 'icons', `${type}.svg`));
  for (const language of languages) {
    for (const extension of ['json', 'html']) {
      const file = `${type}.${extension}`;
      cpSync(join(root, 'locales', language, file), join(target, 'locales', language, file));
    }
  }
}

/** The stock flow is offered in the editor's Import dialog too. */
function copyStockFlow() {
  const flow = join(root, 'flows/inspection-line.json');
  if (existsSync(flow)) cpSync(flow, join(root, 'examples/00 - Inspection line.json'));
}
