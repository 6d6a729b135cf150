/**
 * Node-RED settings for running the inspection line from this checkout (`npm start`).
 * A plant's own Node-RED needs none of this: there the package is installed from the palette or by npm.
 */
const { cpSync, existsSync, mkdirSync } = require('node:fs');
const { join } = require('node:path');

const userDir = process.env.USER_DIR ?? join(__dirname, '.userdir');
const flowFile = 'flows.json';

if (!existsSync(join(userDir, flowFile))) {
  mkdirSync(userDir, { recursive: true });
  cpSync(join(__dirname, 'flows', 'inspection-line.json'), join(userDir, flowFile));
}

module.exports = {
  userDir,
  flowFile,
  nodesDir: [__dirname],
  uiPort: Number(process.env.PORT ?? 1880),
  uiHost: process.env.HOST ?? '127.0.0.1',
  flowFilePretty: true,
  logging: { console: { level: process.env.LOG_LEVEL ?? 'info', metrics: false, audit: false } },
  editorTheme: { projects: { enabled: false }, tours: false },
  telemetry: { enabled: false },
  externalModules: { palette: { allowInstall: true } },
  dashboard: { maxHttpBufferSize: 5e6 },
};
