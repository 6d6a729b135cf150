/** What the node tests share: real Node-RED by node-red-node-test-helper, temporary folders, and a model trained once. */
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { cp, mkdtemp, readdir } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Node, NodeAPI } from 'node-red';
import type { Inspection } from '../../engine/domain';
import { simulatePart } from '../../engine/simulator';
import { openStation, type Station } from '../../engine/station';

import cameraCapture = require('../../nodes/camera-capture/camera-capture');
import confidenceRouter = require('../../nodes/confidence-router/confidence-router');
import imageClassify = require('../../nodes/image-classify/image-classify');
import inspectionStation = require('../../nodes/inspection-station/inspection-station');
import patchcoreInfer = require('../../nodes/patchcore-infer/patchcore-infer');
import retrainTrigger = require('../../nodes/retrain-trigger/retrain-trigger');
import reviewQueue = require('../../nodes/review-queue/review-queue');
import yoloDetect = require('../../nodes/yolo-detect/yolo-detect');

import type { InspectionMessage, StationNode } from '../../nodes/shared';
import { removeFolder } from '../support/folders';
import { jobEnded } from '../support/jobs';

type Registration = (RED: NodeAPI) => void;

interface EventSource {
  on(event: string, listener: (...values: never[]) => void): void;
  off(event: string, listener: (...values: never[]) => void): void;
  once(event: string, listener: (...values: never[]) => void): void;
}

interface TestHelper {
  init(runtimePath: string, settings?: object): void;
  settings(settings: object): void;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  load(nodes: readonly Registration[], flow: readonly FlowNode[], credentials?: object): Promise<void>;
  unload(): Promise<void>;
  getNode(id: string): Node;
  readonly _sandbox: { resetHistory(): void };
  readonly _events: EventSource;
  readonly _redNodes: { setFlows(flow: readonly FlowNode[], credentials: object, type: string): Promise<void> };
}

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}

const helper = require('node-red-node-test-helper') as TestHelper;
helper.init(process.env.NODE_RED_PATH ?? require.resolve('node-red'));

const pack: readonly Registration[] = [
  inspectionStation,
  cameraCapture,
  patchcoreInfer,
  yoloDetect,
  imageClassify,
  confidenceRouter,
  reviewQueue,
  retrainTrigger,
  (RED) => {
    runtime = RED;
    RED.nodes.registerType('sink', function sink(this: Node, definition) {
      RED.nodes.createNode(this, definition);
      this.on('input', (message) => {
        collect(definition.id).push(message as InspectionMessage);
      });
    });
  },
];

let runtime: NodeAPI | undefined;

/** Starts Node-RED for a suite and unloads the flow after each test. */
export function useNodeRed(): void {
  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(async () => {
    collected.clear();
    await helper.unload();
    await Promise.all(folders.splice(0).map(removeFolder));
  });
}

const folders: string[] = [];

/** A new empty folder, removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'inspection-nodes-'));
  folders.push(folder);
  return folder;
}

export const TAB = 'f000000000000001';
export const STATION = 'f000000000000002';

/** The station every test flow uses, patient with a busy machine; `overrides` are its config properties. */
export function stationNode(dataFolder: string, overrides: object = {}): FlowNode {
  return {
    id: STATION,
    type: 'inspection-station',
    name: 'line',
    dataFolder,
    deadline: 60_000,
    version: 1,
    ...overrides,
  };
}

export function flowTab(): FlowNode {
  return { id: TAB, type: 'tab', label: 'test' };
}

/** A node on the test's tab. */
export function on(tab: string, node: FlowNode & { wires?: readonly (readonly string[])[] }): FlowNode {
  return { z: tab, x: 0, y: 0, wires: [], ...node };
}

/** Loads a flow into Node-RED, together with further node types. */
export async function loadFlow(
  flow: readonly FlowNode[],
  {
    credentials = {},
    nodes = [],
    userDir,
  }: { credentials?: object; nodes?: readonly Registration[]; userDir?: string } = {},
): Promise<void> {
  if (userDir !== undefined) helper.settings({ userDir });
  await helper.load([...pack, ...nodes], flow, credentials);
}

/** Stops everything, as when Node-RED ends. */
export async function unloadFlow(): Promise<void> {
  collected.clear();
  await helper.unload();
}

/** Deploys a flow in the place of the one that runs; resolves when its nodes have started. */
export async function deploy(flow: readonly FlowNode[], type: 'full' | 'nodes' = 'full'): Promise<void> {
  const started = new Promise<void>((resolve) => helper._events.once('flows:started', () => resolve()));
  await helper._redNodes.setFlows(flow, {}, type);
  await started;
}

/** Lets go of the calls and arguments that the test helper's spies keep. */
export function forgetCalls(): void {
  helper._sandbox.resetHistory();
}

export function node(id: string): Node {
  return helper.getNode(id);
}

/** Sends a message into a node. */
export function send(id: string, message: InspectionMessage): void {
  node(id).receive(message as never);
}

/** The open station of the flow that runs. */
export async function openedStation(id = STATION): Promise<Station> {
  return (node(id) as StationNode).opened;
}

const collected = new Map<string, InspectionMessage[]>();

/** The messages that have reached a node of type `sink`, in order, across deploys. */
export function collect(id: string): InspectionMessage[] {
  const messages = collected.get(id) ?? [];
  collected.set(id, messages);
  return messages;
}

export interface ShownStatus {
  readonly fill?: string;
  readonly shape?: string;
  readonly text?: string;
}

/** Everything a node has shown as status since the flow was loaded, and shows from now on. */
export function statuses(id: string): ShownStatus[] {
  const shown = node(id);
  // the test helper spies on Node.status
  const spy = shown.status as unknown as { getCalls(): { thisValue: unknown; args: [ShownStatus] }[] };
  const seen = spy
    .getCalls()
    .filter(({ thisValue }) => thisValue === shown)
    .map(({ args }) => args[0]);
  (shown as unknown as EventSource).on('call:status', (call: never) => {
    seen.push((call as { args: [ShownStatus] }).args[0]);
  });
  return seen;
}

/** Warnings of a node. */
export function warnings(id: string): string[] {
  const seen: string[] = [];
  (node(id) as unknown as EventSource).on('call:warn', (call: never) => {
    seen.push(String((call as { args: [unknown] }).args[0]));
  });
  return seen;
}

/** Ids of the child processes of this pack (Linux). */
export function packProcesses(): number[] {
  return readdirSync(`/proc/${process.pid}/task`)
    .flatMap((thread) => readText(`/proc/${process.pid}/task/${thread}/children`).split(/\s+/))
    .filter((id) => id !== '' && /opti-quality|engine\/(inference|learning)/.test(readText(`/proc/${id}/cmdline`)))
    .map(Number);
}

/** A file of /proc; empty when its process has ended. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Waits until `condition` gives something truthy. */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string | (() => string) = 'the expected state',
  milliseconds = 60_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<T>;
    if (Date.now() > end) {
      throw new Error(`waited ${milliseconds} ms in vain for ${typeof what === 'string' ? what : what()}`);
    }
    await pause(10);
  }
}

/** Serves what the flow's nodes mounted on Node-RED's HTTP node root. */
export async function serveHttpNode(): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = createServer(runtime?.httpNode as unknown as RequestListener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Express application of the flow that runs. */
export function httpNode(): object {
  return runtime?.httpNode as object;
}

/** A good plate as the simulated line draws it. */
export async function goodPlate(seed = 1000): Promise<Buffer> {
  return (await simulatePart({ product: 'plate', seed, defectRate: 0 })).picture;
}

/** A broken plate. */
export async function badPlate(seed = 2000): Promise<Buffer> {
  return (await simulatePart({ product: 'plate', seed, defectRate: 1, defects: ['fracture'] })).picture;
}

export const verdictsOf = (messages: readonly InspectionMessage[]): (string | undefined)[] =>
  messages.map(({ inspection }) => (inspection as Inspection).decision?.verdict);

let trained: Promise<string> | undefined;

/** A folder with a trained and packaged model of part type `plate`, made once for all tests of the process. */
async function plateModels(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'inspection-model-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const station = await openStation(plainStation(folder));
  try {
    const { id } = await station.jobs.submit(
      { partType: 'plate', source: { kind: 'simulator', product: 'plate', count: 24, seed: 1 }, deploy: false },
      'test',
    );
    const job = await jobEnded(station.jobs, id);
    if (job.state !== 'completed') throw new Error(`training the test model: ${job.state} ${job.error?.message ?? ''}`);
  } finally {
    await station.close();
  }
  return join(folder, 'models');
}

/** A data folder that has a deployed model of part type `plate`. */
export async function folderWithPlateModel(): Promise<string> {
  trained ??= plateModels();
  const folder = await temporaryFolder();
  await cp(await trained, join(folder, 'models'), { recursive: true });
  const [version] = (await readdir(join(folder, 'models', 'plate'))).sort();
  await deployIn(folder, 'plate', version);
  return folder;
}

/** Puts a version that lies in a data folder into production there. */
export async function deployIn(folder: string, name: string, version: string): Promise<void> {
  const station = await openStation(plainStation(folder));
  try {
    await station.models.deploy(name, version, 'test');
  } finally {
    await station.close();
  }
}

function plainStation(dataFolder: string): Parameters<typeof openStation>[0] {
  const keep = { days: null, bytes: null };
  return {
    id: STATION,
    name: 'line',
    dataFolder,
    failSafe: 'NG',
    deadlineMs: 5000,
    retention: { OK: keep, NG: keep, REVIEW: keep },
    pool: { size: 1, queueLimit: 64, queuePolicy: 'reject', memoryCapMb: 512 },
  };
}
