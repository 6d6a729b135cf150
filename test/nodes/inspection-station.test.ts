import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { StoreUnavailable } from '../../engine/store';
import type { StationNode } from '../../nodes/shared';
import { TRAINING_LIMIT_MS } from '../support/jobs';
import {
  collect,
  deploy,
  flowTab,
  folderWithPlateModel,
  forgetCalls,
  goodPlate,
  httpNode,
  loadFlow,
  node,
  on,
  openedStation,
  packProcesses,
  STATION,
  send,
  serveHttpNode,
  stationNode,
  statuses,
  TAB,
  temporaryFolder,
  unloadFlow,
  until,
  useNodeRed,
} from './support';

describe('inspection-station', () => {
  useNodeRed();

  it('opens its data folder below the user folder of Node-RED', async () => {
    const userDir = await temporaryFolder();
    await loadFlow([stationNode('')], { userDir });
    const station = await openedStation();
    assert.equal(station.options.dataFolder, join(userDir, 'opti-quality'));
    assert.ok(readdirSync(join(userDir, 'opti-quality')).includes('inspection.sqlite'));
  });

  it('passes its settings on', async () => {
    const folder = await temporaryFolder();
    await loadFlow([
      stationNode(folder, {
        failSafe: 'REVIEW',
        deadline: '700',
        retentionOkDays: '3',
        retentionNgMb: '2',
        poolSize: '2',
      }),
    ]);
    const { options } = await openedStation();
    assert.equal(options.failSafe, 'REVIEW');
    assert.equal(options.deadlineMs, 700);
    assert.equal(options.pool.size, 2);
    assert.deepEqual(options.retention.OK, { days: 3, bytes: null });
    assert.deepEqual(options.retention.NG, { days: null, bytes: 2 * 1024 * 1024 });
  });

  it('serves the API on the HTTP node root, once, for the station that is open', async () => {
    const folder = await temporaryFolder();
    const flow = [flowTab(), stationNode(folder)];
    await loadFlow(flow);
    await openedStation();
    const app = httpNode();
    const server = await serveHttpNode();
    try {
      const before = await (await fetch(`${server.url}/inspection/api/health`)).json();
      for (let round = 0; round < 3; round++) await deploy(flow);
      await openedStation();
      assert.equal(httpNode(), app);
      const after = await (await fetch(`${server.url}/inspection/api/health`)).json();
      assert.notDeepEqual(after, before, 'answered by the station opened last');
      const layers = routerStack(app).filter((path) => path.includes('inspection'));
      assert.equal(layers.length, 1);
    } finally {
      await server.close();
    }
  });

  it('encrypts exported models with the key of its credentials, and keeps the key to itself', async function () {
    this.timeout(2 * TRAINING_LIMIT_MS);
    const folder = await folderWithPlateModel();
    const modelKey = 'a pass phrase of people';
    await loadFlow([stationNode(folder)], { credentials: { [STATION]: { modelKey } } });
    const station = await openedStation();
    const server = await serveHttpNode();
    try {
      const models = `${server.url}/inspection/api/models`;
      const [{ name, version }] = await station.models.list();
      const exported = await fetch(`${models}/${name}/versions/${version}/export?encrypted=true`);
      assert.equal(exported.status, 200);
      const body = Buffer.from(await exported.arrayBuffer());
      assert.equal(body.includes('manifest'), false);
      const headers = { 'content-type': 'application/octet-stream' };
      const imported = await fetch(`${models}/import`, { method: 'POST', headers, body });
      assert.equal(imported.status, 201);
      const { version: taken } = (await imported.json()) as { version: string };
      assert.equal((await station.models.deploy(name, taken, 'test')).version, taken);
      const told = JSON.stringify([station.health(), await station.store.audit.list()]);
      assert.equal(told.includes(modelKey), false);
    } finally {
      await server.close();
    }
  });

  it('takes the model key of the environment when it has none, and runs on without one that is not usable', async () => {
    const folder = await temporaryFolder();
    process.env.OPTI_QUALITY_MODEL_KEY = '00'.repeat(32);
    try {
      await loadFlow([stationNode(folder)]);
      assert.deepEqual((await openedStation()).options.modelKey, { kind: 'bytes', bytes: Buffer.alloc(32) });
    } finally {
      delete process.env.OPTI_QUALITY_MODEL_KEY;
    }
    await unloadFlow();
    await loadFlow([stationNode(folder)], { credentials: { [STATION]: { modelKey: 'short' } } });
    assert.equal((await openedStation()).options.modelKey, null);
  });

  it('answers the API with a problem when its own opening failed', async () => {
    await loadFlow([stationNode(await temporaryFolder(), { deadline: 'soon' })]);
    const server = await serveHttpNode();
    try {
      const response = await fetch(`${server.url}/inspection/api/inspections`);
      assert.equal(response.headers.get('content-type')?.split(';')[0], 'application/problem+json');
      assert.ok(response.status >= 400);
    } finally {
      await server.close();
    }
  });

  it('shows the nodes that use it why it could not open', async () => {
    const folder = join(await temporaryFolder(), 'a-file');
    await writeFile(folder, 'no folder');
    await loadFlow([
      flowTab(),
      stationNode(folder),
      on(TAB, { id: 'catch', type: 'catch', scope: null, wires: [['errors']] }),
      on(TAB, { id: 'errors', type: 'sink' }),
      on(TAB, { id: 'camera', type: 'camera-capture', station: STATION, source: 'payload' }),
    ]);
    const trouble = await until(() => (node(STATION) as StationNode).trouble?.error, 'the trouble');
    assert.ok(trouble instanceof StoreUnavailable);
    send('camera', { payload: await goodPlate() });
    const errors = await until(() => collect('errors').find(({ error }) => error));
    assert.match(String((errors.error as Error).message), /data folder/);
  });

  it('opens by itself when what kept it from opening is over, and its nodes work', async () => {
    const folder = join(await temporaryFolder(), 'a-file');
    await writeFile(folder, 'no folder');
    await loadFlow([
      flowTab(),
      stationNode(folder),
      on(TAB, { id: 'catch', type: 'catch', scope: null, wires: [['errors']] }),
      on(TAB, { id: 'errors', type: 'sink' }),
      on(TAB, { id: 'camera', type: 'camera-capture', station: STATION, source: 'payload', wires: [['pictures']] }),
      on(TAB, { id: 'pictures', type: 'sink' }),
    ]);
    const shown = statuses('camera');
    await until(() => shown.at(-1)?.fill === 'red', 'the trouble at the camera');
    const told = collect('errors').length;
    await rm(folder);
    assert.equal((await openedStation()).options.dataFolder, folder);
    assert.equal((node(STATION) as StationNode).trouble?.error, null);
    await until(() => shown.at(-1)?.fill !== 'red', 'the end of it');
    send('camera', { payload: await goodPlate() });
    await until(() => collect('pictures').length === 1, 'a picture');
    assert.equal(collect('errors').length, told);
  });

  it('ends while it waits to try again', async () => {
    const folder = join(await temporaryFolder(), 'a-file');
    await writeFile(folder, 'no folder');
    await loadFlow([stationNode(folder)]);
    const { opened, trouble } = node(STATION) as StationNode;
    await until(() => trouble?.error, 'the trouble');
    await unloadFlow();
    await assert.rejects(opened, StoreUnavailable);
  });

  it('shows the nodes that use it what is wrong with its settings', async () => {
    await loadFlow([
      flowTab(),
      stationNode(await temporaryFolder(), { poolSize: 'many' }),
      on(TAB, { id: 'catch', type: 'catch', scope: null, wires: [['errors']] }),
      on(TAB, { id: 'errors', type: 'sink' }),
      on(TAB, { id: 'router', type: 'confidence-router', station: STATION }),
    ]);
    send('router', { topic: 'set-audit-share', payload: { partType: 'a', auditShare: 0 } });
    const { error } = await until(() => collect('errors')[0]);
    assert.match(String((error as Error).message), /"processes" must be a number from 1 to 16/);
  });

  it('refuses a data folder that another station holds, and names it', async () => {
    const folder = await temporaryFolder();
    const other = 'f000000000000009';
    await loadFlow([stationNode(folder), { ...stationNode(folder), id: other }]);
    await openedStation();
    await assert.rejects((node(other) as StationNode).opened, /belongs to the station f000000000000002 already/);
  });

  it('waits for a folder that another station is about to leave', async () => {
    const folder = await temporaryFolder();
    await loadFlow([stationNode(folder)]);
    const leaving = await openedStation();
    const close = leaving.close.bind(leaving);
    // longer than Node-RED is made to wait
    Object.assign(leaving, { close: () => pause(5500).then(close) });
    const other = 'f000000000000009';
    await deploy([{ ...stationNode(folder), id: other }]);
    const taking = await openedStation(other);
    assert.equal(taking.options.dataFolder, folder);
    assert.equal(leaving.health().state, 'closed');
  });

  it('does not open in a folder it cannot write', async function () {
    if (process.getuid?.() === 0) this.skip(); // root may write anywhere
    const folder = await temporaryFolder();
    await chmod(folder, 0o500);
    await loadFlow([stationNode(join(folder, 'data'))]);
    const trouble = await until(() => (node(STATION) as StationNode).trouble?.error, 'the trouble');
    assert.match(trouble.message, /write access/);
    await chmod(folder, 0o700);
  });

  it('survives 50 deploys without leaking processes, handles or memory', async function () {
    this.timeout(600_000);
    const folder = await folderWithPlateModel();
    const flow = [
      flowTab(),
      stationNode(folder),
      on(TAB, {
        id: 'camera',
        type: 'camera-capture',
        station: STATION,
        source: 'payload',
        partType: 'plate',
        wires: [['infer']],
      }),
      on(TAB, { id: 'infer', type: 'patchcore-infer', station: STATION, wires: [['router'], []] }),
      on(TAB, { id: 'router', type: 'confidence-router', station: STATION, wires: [['sink'], ['sink'], ['sink']] }),
      on(TAB, { id: 'queue', type: 'review-queue', station: STATION, wires: [[], []] }),
      on(TAB, { id: 'sink', type: 'sink' }),
    ];
    await loadFlow(flow);
    const picture = await goodPlate();
    const round = async () => {
      await openedStation();
      const before = collect('sink').length;
      send('camera', { payload: picture });
      await until(() => collect('sink').length > before);
      await deploy(flow);
    };
    for (let warmUp = 0; warmUp < 5; warmUp++) await round();
    await openedStation();
    const before = resources();
    for (let deploys = 0; deploys < 50; deploys++) await round();
    await openedStation();
    let after = resources();
    await until(
      () => {
        after = resources();
        const { children, files, handles, heap } = after;
        const isAsBefore = children <= before.children && files <= before.files + 2 && handles <= before.handles + 2;
        return isAsBefore && heap < before.heap + 8e6;
      },
      () => `resources as before: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`,
    );
    assert.equal(collect('sink').length, 55);

    await unloadFlow();
    await until(() => packProcesses().length === 0, 'no child process left');
  });

  it('ends while it is still opening', async () => {
    const folder = await temporaryFolder();
    await mkdir(folder, { recursive: true });
    await loadFlow([stationNode(folder)]);
    await unloadFlow();
    await loadFlow([stationNode(folder)]);
    assert.equal((await openedStation()).options.dataFolder, folder);
  });
});

const collectGarbage = (() => {
  setFlagsFromString('--expose_gc');
  return runInNewContext('gc') as () => void;
})();

function resources(): { children: number; files: number; handles: number; heap: number } {
  forgetCalls();
  collectGarbage();
  return {
    children: packProcesses().length,
    files: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout' && kind !== 'Immediate').length,
    heap: process.memoryUsage().heapUsed,
  };
}

/** The mounted paths of an express 4 or 5 application, as far as it tells them. */
function routerStack(app: object): string[] {
  const { _router: router } = app as { _router?: { stack: { regexp?: RegExp }[] } };
  return (router?.stack ?? []).map(({ regexp }) => String(regexp ?? ''));
}
