/** What the browser tests share: a real Node-RED with the dashboard and the widget nodes, and a headless Chromium. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import type { NodeAPI } from 'node-red';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../../engine/domain';
import { BrowserCameras } from '../../engine/station';
import { waitFor } from '../support/wait';
import { MockStation } from './mock-station';

export const WIDGETS = {
  'ui-inspection-view': { path: 'line', component: 'UIInspectionView' },
  'ui-review-queue': { path: 'review', component: 'UIReviewQueue' },
  'ui-camera': { path: 'camera', component: 'UICamera' },
  'ui-training': { path: 'train', component: 'UITraining' },
  'ui-models': { path: 'models', component: 'UIModels' },
  'ui-retraining': { path: 'retraining', component: 'UIRetraining' },
  'ui-routing-settings': { path: 'settings', component: 'UIRoutingSettings' },
} as const;

export type WidgetType = keyof typeof WIDGETS;
export type ThemeName = 'dark' | 'light';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const BROWSER_ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'];

const THEMES = {
  dark: { surface: '#1a1d20', primary: '#9fb3c4', bgPage: '#101214', groupBg: '#1d2125', groupOutline: '#2f353b' },
  light: { surface: '#3d4650', primary: '#3d4650', bgPage: '#e7e9eb', groupBg: '#f6f7f8', groupOutline: '#d3d7da' },
} as const;

/** Skips the suite where Chromium is missing, unless the tests must run. */
export function needChromium(context: Context): void {
  if (existsSync(CHROMIUM) || process.env.OPTI_QUALITY_REQUIRE_BROWSER === '1') return;
  console.log(`      Chromium is not at ${CHROMIUM}: browser tests skipped (CHROMIUM_PATH names another place)`);
  context.skip();
}

/** @param extra more command line switches, for example those of the fake camera */
export function launchBrowser(extra: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: [...BROWSER_ARGUMENTS, ...extra] });
}

/** A page of the dashboard, and what went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly errors: readonly string[];
}

export async function openPage(
  browser: Browser,
  address: string,
  options: {
    readonly locale?: string;
    readonly width?: number;
    readonly height?: number;
    readonly camera?: boolean;
  } = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    locale: options.locale ?? 'en-US',
    timezoneId: 'Europe/Berlin',
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    permissions: options.camera ? ['camera'] : [],
    // or the dashboard's notice that it works offline lies over the page, at some moment of a slow test
    serviceWorkers: 'block',
    hasTouch: (options.width ?? 1440) < 600,
  });
  const page = await context.newPage();
  // Functions handed to the page call this helper of the TypeScript loader.
  await page.addInitScript('globalThis.__name = (value) => value');
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      errors.push(message.text());
  });
  await page.goto(address);
  return { page, context, errors };
}

export interface Dashboard {
  readonly station: MockStation;
  readonly cameras: BrowserCameras;
  /** Messages the widget nodes sent, newest last. */
  readonly sent: Record<string, unknown>[];
  address(widget: WidgetType, theme?: ThemeName): string;
  close(): Promise<void>;
}

interface NodeRed {
  init(server: Server, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly httpAdmin: unknown;
  readonly httpNode: unknown;
}

/**
 * Node-RED in this process, with a dashboard page for each widget and theme. Only one at a time: the dashboard keeps its
 * server in the module.
 */
export async function startDashboard(): Promise<Dashboard> {
  const folder = await mkdtemp(join(tmpdir(), 'inspection-dashboard-'));
  const station = new MockStation();
  const cameras = new BrowserCameras();
  const sent: Record<string, unknown>[] = [];
  await writePack(folder, station, cameras, sent);
  await writeFile(join(folder, 'flows.json'), JSON.stringify(flow()));

  const express = require('express') as (() => ExpressApp) & (() => ExpressApp);
  const app = express();
  const server = createServer(app as never);
  const RED = require('node-red') as NodeRed;
  RED.init(server, {
    userDir: folder,
    flowFile: 'flows.json',
    nodesDir: [join(folder, 'pack')],
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    logging: { console: { level: process.env.LOG_LEVEL ?? 'fatal' } },
    editorTheme: { tours: false },
    telemetry: { enabled: false },
  });
  app.use('/', RED.httpAdmin);
  app.use('/', RED.httpNode);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await RED.start();
  const { port } = server.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;
  const setup = `${base}/dashboard/_setup`;
  await waitFor(setup, async () => (await fetch(setup).catch(() => undefined))?.ok);

  return {
    station,
    cameras,
    sent,
    address: (widget, theme = 'dark') => `${base}/dashboard/${theme}-${WIDGETS[widget].path}`,
    close: async () => {
      station.cut();
      cameras.close();
      await RED.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface ExpressApp {
  use(path: string, handler: unknown): void;
}

/** Where the generated pack finds what this process made; its nodes are loaded by Node-RED with plain require. */
const STATE = Symbol.for('opti-quality.browser-tests');

/** A package with the widget nodes as they are in the sources, and a station without a store. */
async function writePack(
  folder: string,
  station: MockStation,
  cameras: BrowserCameras,
  sent: Record<string, unknown>[],
): Promise<void> {
  const pack = join(folder, 'pack');
  await mkdir(pack, { recursive: true });
  await symlink(join(packageRoot, 'resources'), join(pack, 'resources'));
  const types = Object.keys(WIDGETS) as WidgetType[];
  const nodes = Object.fromEntries([...types, 'inspection-station'].map((type) => [type, `${type}.js`]));
  const widgets = Object.fromEntries(
    types.map((type) => [type, { output: `${type}.umd.js`, component: WIDGETS[type].component }]),
  );
  await writeFile(
    join(pack, 'package.json'),
    JSON.stringify({
      name: '@opti-quality/node-red-dashboard-2-inspection',
      version: '0.0.0',
      'node-red': { nodes },
      'node-red-dashboard-2': { version: '1.31.0', widgets },
    }),
  );
  for (const type of types) {
    const source = JSON.stringify(join(packageRoot, 'nodes', type, type));
    await writeFile(join(pack, `${type}.js`), `module.exports = require(${source});\n`);
    await writeFile(join(pack, `${type}.html`), `<script type="text/html" data-template-name="${type}"></script>\n`);
  }
  await writeFile(join(pack, 'inspection-station.html'), '');
  await writeFile(
    join(pack, 'inspection-station.js'),
    `module.exports = (RED) => global[Symbol.for('opti-quality.browser-tests')](RED);\n`,
  );
  const holder = globalThis as unknown as Record<symbol, (RED: NodeAPI) => void>;
  holder[STATE] = (RED) => registerStation(RED, station, cameras, sent);
}

function registerStation(
  RED: NodeAPI,
  station: MockStation,
  cameras: BrowserCameras,
  sent: Record<string, unknown>[],
): void {
  (RED.httpNode as unknown as ExpressApp).use('/inspection/api', station.handle);
  RED.nodes.registerType('inspection-station', function (this: object, config) {
    RED.nodes.createNode(this as never, config);
    const inspections = {
      get: async (id: string) => {
        const found = station.inspections.find((one) => one.id === id);
        const decision = found && { verdict: found.verdict, confidence: 0.8, reasons: found.reasons };
        return found && { ...found, decision, trigger: { source: 'browser' }, settledAt: new Date().toISOString() };
      },
    };
    Object.assign(this, { opened: Promise.resolve({ browserCameras: cameras, store: { inspections } }) });
  });
  RED.nodes.registerType('message-collector', function (this: object, config) {
    RED.nodes.createNode(this as never, config);
    (this as { on(event: string, listener: (...values: never[]) => void): void }).on(
      'input',
      (message: Record<string, unknown>, _send: unknown, done: () => void) => {
        sent.push(message);
        done();
      },
    );
  });
}

function flow(): object[] {
  const sizes = {
    pagePadding: '12px',
    groupGap: '12px',
    groupBorderRadius: '6px',
    widgetGap: '12px',
    density: 'default',
  };
  const nodes: object[] = [
    { id: 'f0000000000000f0', type: 'tab', label: 'Widgets' },
    { id: 'f0000000000000f1', type: 'inspection-station', name: 'Line 1' },
    {
      id: 'f0000000000000f2',
      type: 'ui-base',
      name: 'Inspection',
      path: '/dashboard',
      includeClientData: true,
      acceptsClientConfig: [],
      showPathInSidebar: false,
      navigationStyle: 'default',
    },
    { id: 'f0000000000000f3', type: 'message-collector', z: 'f0000000000000f0', wires: [] },
  ];
  (Object.keys(THEMES) as ThemeName[]).forEach((theme, shade) => {
    const themeId = `f0000000000000e${shade}`;
    nodes.push({ id: themeId, type: 'ui-theme', name: theme, colors: THEMES[theme], sizes });
    (Object.keys(WIDGETS) as WidgetType[]).forEach((type, index) => {
      nodes.push(...widgetPage(type, theme, themeId, `${shade}${index}`));
    });
  });
  return nodes;
}

function widgetPage(type: WidgetType, theme: ThemeName, themeId: string, suffix: string): object[] {
  const page = `f00000000000a0${suffix}`;
  const group = `f00000000000b0${suffix}`;
  const shown = { visible: 'true', disabled: 'false' };
  return [
    {
      id: page,
      type: 'ui-page',
      name: `${type} ${theme}`,
      ui: 'f0000000000000f2',
      path: `/${theme}-${WIDGETS[type].path}`,
      icon: 'home',
      layout: 'grid',
      theme: themeId,
      order: Number(suffix) + 1,
      breakpoints: [
        { name: 'Default', px: '0', cols: '3' },
        { name: 'Tablet', px: '576', cols: '6' },
        { name: 'Small Desktop', px: '768', cols: '9' },
        { name: 'Desktop', px: '1024', cols: '12' },
      ],
      ...shown,
    },
    { id: group, type: 'ui-group', name: type, page, width: '12', height: '1', order: 1, showTitle: false, ...shown },
    {
      id: `f00000000000c0${suffix}`,
      type,
      z: 'f0000000000000f0',
      version: 1,
      group,
      order: 1,
      width: 0,
      height: 0,
      station: 'f0000000000000f1',
      language: 'auto',
      wires: [['f0000000000000f3']],
    },
  ];
}
