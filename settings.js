/**
 * Node-RED settings for running the inspection line from this checkout (`npm start`).
 * A plant's own Node-RED needs none of this: there the package is installed from the palette or by npm.
 */
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const userDir = process.env.USER_DIR ?? join(__dirname, '.userdir');
const flowFile = 'flows.json';

/** How the pages of the stock flow are called where the system does not speak English; they can be renamed in the editor. */
const pageNames = {
  de: {
    Line: 'Linie',
    Review: 'Nachprüfung',
    Train: 'Training',
    Models: 'Modelle',
    Settings: 'Einstellungen',
    Camera: 'Kamera',
  },
};

if (!existsSync(join(userDir, flowFile))) {
  mkdirSync(userDir, { recursive: true });
  const flow = JSON.parse(readFileSync(join(__dirname, 'flows', 'inspection-line.json'), 'utf8'));
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  const names = pageNames[(LC_ALL || LC_MESSAGES || LANG || '').slice(0, 2)] ?? {};
  for (const node of flow) if (node.type === 'ui-page') node.name = names[node.name] ?? node.name;
  writeFileSync(join(userDir, flowFile), `${JSON.stringify(flow, null, 2)}\n`);
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
