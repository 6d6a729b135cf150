import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { widgetConfig } from './vite.config.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** The widget types: one folder each under ui/widgets. */
export async function widgetTypes() {
  const entries = await readdir(join(here, 'widgets'), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(here, 'widgets', entry.name, 'index.ts')))
    .map((entry) => entry.name)
    .sort();
}

/** Builds every widget into `<package>/resources/<type>.umd.js`. */
export async function buildWidgets() {
  for (const type of await widgetTypes()) await build(widgetConfig(type));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWidgets();
