import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput, plcErrorCode } from '../../engine/domain';
import {
  PlcConnection,
  type ReceivedWrite,
  SIMULATED_PLC_MAP,
  SimulatedPlc,
  type SimulatedResult,
} from '../../engine/plc';
import * as connection from '../../nodes/plc-connection/config';
import type { PlcConnectionNode } from '../../nodes/plc-connection/plc-link';
import * as result from '../../nodes/plc-result/config';
import * as simulator from '../../nodes/plc-simulator/config';
import * as trigger from '../../nodes/plc-trigger/config';
import { type ConfigSchema, migrateConfig, type SavedConfig } from '../../nodes/shared';
import * as tower from '../../nodes/tower-light/config';
import { freePort } from '../support/free-port';
import { closePlcs, judged, loadPlcFlow, PLC, plcNode, simulatedPlc } from './plc-support';
import {
  collect,
  deploy,
  flowTab,
  node,
  on,
  openedStation,
  STATION,
  send,
  stationNode,
  statuses,
  TAB,
  temporaryFolder,
  unloadFlow,
  until,
  useNodeRed,
  warnings,
} from './support';

const map = SIMULATED_PLC_MAP.registers;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('PLC nodes', () => {
  useNodeRed();
  afterEach(async () => {
    await unloadFlow();
    await closePlcs();
  });

  const triggerNode = (overrides: object = {}) => ({
    id: 'trigger',
    type: 'plc-trigger',
    plc: PLC,
    pollInterval: 10,
    ...overrides,
  });
  const resultNode = (overrides: object = {}) => ({ id: 'result', type: 'plc-result', plc: PLC, ...overrides });
  const device = () => (node(PLC) as PlcConnectionNode).device!.connection;
  const connected = () => until(() => device().state === 'connected', 'the connection');
  const fromPlc = (sequence: number) => ({ source: 'plc', sequence, node: 'trigger' }) as const;

  describe('plc-connection', () => {
    it('connects only for nodes that use it', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port)]);
      assert.deepEqual([device().users, device().state], [0, 'closed']);
    });

    it('serves all nodes on one connection and closes it with the last', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), triggerNode(), resultNode()]);
      await connected();
      await until(() => plc.clients === 1, 'one client');
      await unloadFlow();
      await until(() => plc.clients === 0, 'no client');
    });

    it('leaks no socket in 20 deploys', async () => {
      const plc = await simulatedPlc();
      for (let round = 0; round < 20; round += 1) {
        await loadPlcFlow([
          plcNode(plc.port),
          triggerNode(),
          resultNode(),
          { id: 'tower', type: 'tower-light', plc: PLC },
        ]);
        if (round % 4 === 0) await connected();
        await unloadFlow();
      }
      await until(() => plc.clients === 0, 'no client');
    });

    it('tells once that the PLC is gone, and that it is back', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), triggerNode()]);
      await connected();
      const warned = warnings(PLC);
      const shown = statuses('trigger');
      let attempts = 0;
      device().on('error', () => {
        attempts += 1;
      });
      await plc.hangUp();
      await until(() => shown.some(({ fill }) => fill === 'red'), 'the status');
      await until(() => attempts >= 3, 'attempts in vain');
      await plc.listen();
      await until(() => shown.at(-1)?.fill === 'green', 'the status again');
      assert.ok(warned.length <= 2, `${warned}`);
      assert.match(warned[0], /No connection to 127\.0\.0\.1/);
    });

    it('marks nodes whose PLC is not chosen', async () => {
      await loadPlcFlow([triggerNode({ plc: '' }), resultNode({ plc: '' })]);
      const errors: unknown[] = [];
      (node('result') as unknown as { on(event: string, listener: (call: unknown) => void): void }).on(
        'call:error',
        (call) => errors.push(call),
      );
      send('result', judged('OK', fromPlc(1)));
      await until(() => errors.length > 0, 'the error');
    });
  });

  describe('plc-trigger', () => {
    it('sends what camera-capture needs', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), triggerNode({ partTypes: '1=plate, 2=cable-end' })]);
      const messages = collect('out');
      await connected();
      plc.trigger({ partType: 2, serial: 'SN-1' });
      plc.setRegister(map.resultSequence, 0);
      await until(() => plc.counts.acknowledged === 1, 'acknowledged');
      await until(() => messages.length === 1, 'the message');
      const { topic, payload, partType, serial, trigger: from } = messages[0];
      assert.deepEqual(
        { topic, payload, partType, serial, from },
        {
          topic: 'trigger',
          payload: 1,
          partType: 'cable-end',
          serial: 'SN-1',
          from: { source: 'plc', sequence: 1, node: 'trigger' },
        },
      );
    });

    it('uses a part type number without a name as it is', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), triggerNode()]);
      const messages = collect('out');
      await connected();
      plc.trigger({ partType: 9 });
      await until(() => messages.length === 1, 'the message');
      assert.equal(messages[0].partType, '9');
    });

    it('tells in status and by an error that triggers were missed', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), triggerNode()]);
      const messages = collect('out');
      const shown = statuses('trigger');
      await connected();
      plc.trigger();
      await until(() => messages.length === 1, 'the first');
      plc.setRegister(map.triggerSequence, 4);
      await until(() => messages.length === 2, 'the second');
      assert.ok(shown.some(({ fill, text }) => fill === 'yellow' && text?.includes('2 triggers missed')));
    });

    it('does not send a part again after a deploy', async () => {
      const plc = await simulatedPlc();
      const flow = [plcNode(plc.port), triggerNode()];
      await loadPlcFlow(flow);
      await connected();
      plc.trigger();
      await until(() => plc.counts.acknowledged === 1, 'acknowledged');
      await unloadFlow();
      await loadPlcFlow(flow);
      const messages = collect('out');
      const shown = statuses('trigger');
      await until(() => shown.some(({ text }) => text?.includes('1 triggers missed')), 'the part to be seen');
      assert.deepEqual(messages, []);
    });

    describe('over a restart, with a station', () => {
      /** A line whose PLC gets no acknowledgement: only the station knows which part is underway. */
      const line = (plc: SimulatedPlc, dataFolder: string, station = STATION) => [
        stationNode(dataFolder),
        plcNode(plc.port),
        triggerNode({ station, acknowledgeAddress: '' }),
        { id: 'router', type: 'confidence-router', station: STATION, wires: [['result'], ['result'], ['result']] },
        resultNode({ heartbeat: false }),
      ];
      const settled = (sequence: number, serial: string) => {
        const { inspection } = judged('OK', fromPlc(sequence));
        const part = { partType: 'plate', serial, trigger: inspection!.trigger };
        return openedStation().then(async ({ inspections }) =>
          inspections.settle(inspections.open(part), inspection!.decision!),
        );
      };

      it('gives a part that was interrupted its one verdict', async () => {
        const plc = await simulatedPlc();
        const flow = line(plc, await temporaryFolder());
        await loadPlcFlow(flow);
        const first = collect('out');
        await connected();
        plc.trigger();
        await until(() => first.length === 1, 'the part');
        const { inspections } = await openedStation();
        inspections.open({ partType: 'plate', trigger: fromPlc(1), route: TAB });
        await unloadFlow();
        const results: SimulatedResult[] = [];
        plc.on('result', (result) => results.push(result));
        await loadPlcFlow(flow);
        const messages = collect('out');
        await until(() => messages.some(({ plcResult }) => plcResult), 'the verdict by the router');
        await pause(100);
        assert.deepEqual(
          messages.filter(({ topic }) => topic === 'trigger'),
          [],
        );
        assert.deepEqual(
          results.map(({ sequence, verdict, errorCode, kind }) => [sequence, verdict, errorCode, kind]),
          [[1, 'NG', 110, 'valid']],
        );
      });

      it('writes a verdict that never reached the PLC', async () => {
        const plc = await simulatedPlc();
        const flow = line(plc, await temporaryFolder());
        await loadPlcFlow(flow);
        const messages = collect('out');
        await connected();
        plc.trigger({ serial: 'SN-1' });
        await until(() => messages.length === 1, 'the part');
        await plc.hangUp();
        await until(() => device().state !== 'connected', 'the loss');
        const warned: unknown[] = [];
        // not by the spies, which are gone while the flow stops
        node('result').warn = (text) => warned.push(text);
        send('result', { inspection: (await settled(1, 'SN-1'))! });
        await until(() => messages.length === 2, 'the message');
        await unloadFlow();
        assert.match(warned.join(), /sequence 1 has not reached the PLC/);
        await loadPlcFlow(flow);
        const after = collect('out');
        await plc.listen();
        await until(() => plc.counts.ok === 1, 'the result');
        await pause(60);
        assert.deepEqual(after, []);
      });

      it('inspects a part of another serial number with the same sequence', async () => {
        const plc = await simulatedPlc();
        const flow = line(plc, await temporaryFolder());
        await loadPlcFlow(flow);
        await settled(1, 'SN-OLD');
        await unloadFlow();
        plc.trigger({ serial: 'SN-NEW' });
        await loadPlcFlow(flow);
        const messages = collect('out');
        await until(() => messages.length === 1, 'the part');
        assert.equal(messages[0].serial, 'SN-NEW');
      });
    });

    it('reports the edge of a coil', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), triggerNode({ signal: 'coil', address: 8, acknowledgeAddress: '' })]);
      const messages = collect('out');
      await connected();
      plc.trigger({ serial: 'C-1' });
      await until(() => messages.length === 1 && !plc.getCoil(8), 'the message and the reset');
      assert.equal(messages[0].serial, 'C-1');
    });
  });

  describe('plc-result', () => {
    it('writes the verdict in exactly one write and passes the message on', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), resultNode({ heartbeat: false })]);
      const messages = collect('out');
      await connected();
      const writes: ReceivedWrite[] = [];
      plc.on('write', (write) => writes.push(write));
      send('result', judged('NG', fromPlc(7)));
      await until(() => messages.length === 1, 'the message');
      assert.deepEqual(writes, [{ kind: 'registers', address: 20, values: [2, 7, 0, 500] }]);
      assert.deepEqual(messages[0].plcResult, { sequence: 7, verdictCode: 2, errorCode: 0, written: true });
    });

    it('tells the PLC why a fail-safe verdict fell', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), resultNode({ heartbeat: false })]);
      const messages = collect('out');
      await connected();
      const message = judged('NG', fromPlc(1));
      const decision = { ...message.inspection!.decision!, reasons: ['no-model'] as const, by: 'failsafe' as const };
      send('result', { ...message, inspection: { ...message.inspection!, decision } });
      await until(() => messages.length === 1, 'the message');
      assert.equal(plc.getRegisters(map.resultError)[0], plcErrorCode(['no-model']));
    });

    it('does not write parts the PLC did not trigger, nor audit samples', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), resultNode({ heartbeat: false })]);
      const messages = collect('out');
      await connected();
      const writes: ReceivedWrite[] = [];
      plc.on('write', (write) => writes.push(write));
      send('result', judged('OK'));
      send('result', { ...judged('OK', fromPlc(1)), topic: 'audit' });
      await until(() => messages.length === 2, 'both messages');
      assert.deepEqual(writes, []);
    });

    it('counts by itself when it is told to', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), resultNode({ heartbeat: false, sequenceFrom: 'count' })]);
      const messages = collect('out');
      await connected();
      send('result', judged('OK'));
      send('result', judged('OK'));
      await until(() => messages.length === 2, 'both messages');
      assert.deepEqual(plc.getRegisters(map.resultVerdict, 2), [1, 2]);
    });

    it('does not count what comes late: the PLC would take it for the part in front of it', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([
        plcNode(plc.port),
        resultNode({ heartbeat: false, sequenceFrom: 'count' }),
        { ...resultNode({ heartbeat: false }), id: 'echo' },
      ]);
      const messages = collect('out');
      await connected();
      send('result', { ...judged('NG'), late: true });
      send('result', judged('OK'));
      await until(() => messages.length === 2, 'both messages');
      assert.equal(messages[0].plcResult, undefined);
      assert.deepEqual(plc.getRegisters(map.resultVerdict, 2), [1, 1]);
      send('echo', { ...judged('NG', fromPlc(7)), late: true });
      await until(() => messages.length === 3, 'the third');
      assert.deepEqual(plc.getRegisters(map.resultVerdict, 2), [2, 7], "the PLC's own number says whose it is");
    });

    it('passes the message on while the PLC is away, and writes the result when it is back', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), resultNode({ heartbeat: false })]);
      const messages = collect('out');
      await connected();
      await plc.hangUp();
      await until(() => device().state !== 'connected', 'the loss');
      send('result', judged('OK', fromPlc(3)));
      await until(() => messages.length === 1, 'the message');
      assert.equal((messages[0].plcResult as { written: boolean }).written, false);
      await plc.listen();
      await until(() => plc.getRegisters(map.resultSequence)[0] === 3, 'the result');
    });

    it('writes a second, different result for a sequence only when the PLC gave it anew', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), resultNode({ heartbeat: false })]);
      const messages = collect('out');
      const shown = statuses('result');
      await connected();
      const writes: ReceivedWrite[] = [];
      plc.on('write', (write) => writes.push(write));
      const first = judged('NG', fromPlc(7));
      const other = judged('OK', fromPlc(7));
      const second = { ...other, inspection: { ...other.inspection!, id: '01JD0000000000000000000001' } };
      send('result', first);
      await until(() => messages.length === 1, 'the first');
      send('result', second);
      await until(() => messages.length === 2, 'the second');
      assert.equal((messages[1].plcResult as { written: boolean }).written, false);
      assert.ok(shown.some(({ fill, text }) => fill === 'red' && text?.includes('#7')));
      send('result', first);
      await until(() => messages.length === 3, 'the first once more');
      assert.equal(writes.length, 1);
      await pause(5);
      send('result', { ...second, inspection: { ...second.inspection, capturedAt: new Date().toISOString() } });
      await until(() => messages.length === 4, 'the next part of that sequence');
      assert.deepEqual(
        writes.map(({ values }) => values.slice(0, 2)),
        [
          [2, 7],
          [1, 7],
        ],
      );
    });

    it('hands the result it could not write to the node that takes its place', async () => {
      const plc = await simulatedPlc();
      const flow = [plcNode(plc.port), resultNode({ heartbeat: false })];
      await loadPlcFlow(flow);
      const messages = collect('out');
      await connected();
      await plc.hangUp();
      await until(() => device().state !== 'connected', 'the loss');
      send('result', judged('OK', fromPlc(3)));
      await until(() => messages.length === 1, 'the message');
      await deploy(
        [
          flowTab(),
          flow[0],
          on(TAB, { ...flow[1], name: 'renamed', wires: [['out']] }),
          on(TAB, { id: 'out', type: 'sink' }),
        ],
        'nodes',
      );
      await plc.listen();
      await until(() => plc.getRegisters(map.resultSequence)[0] === 3, 'the result');
    });

    it('beats while triggers get their results, and stops when one gets none', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([plcNode(plc.port), triggerNode(), resultNode({ heartbeatInterval: 50, answerLimit: 0.2 })]);
      const messages = collect('out');
      const shown = statuses('result');
      let beats = 0;
      plc.on('heartbeat', () => {
        beats += 1;
      });
      await connected();
      await until(() => beats >= 2, 'beats');
      plc.trigger();
      await until(() => messages.length === 1, 'the trigger');
      await until(() => shown.some(({ text }) => text?.includes('heartbeat stopped')), 'the status');
      const then = beats;
      await pause(200);
      assert.ok(beats <= then + 1, 'no more than the beat under way');
      send('result', judged('NG', fromPlc(1)));
      await until(() => beats > then + 2, 'beats again');
    });

    it('stops the heartbeat when the station leaves an inspection without verdict', async () => {
      const plc = await simulatedPlc();
      await loadPlcFlow([
        stationNode(await temporaryFolder()),
        plcNode(plc.port),
        resultNode({ heartbeatInterval: 50, station: STATION }),
      ]);
      const shown = statuses('result');
      const station = await openedStation();
      await connected();
      const { inspection } = judged('OK');
      const overdue = { ...inspection!, deadlineAt: new Date(Date.now() - 900).toISOString() };
      station.events.emit('inspection-opened', overdue);
      await until(() => shown.some(({ text }) => text?.includes('heartbeat stopped')), 'the status');
      station.events.emit('inspection-settled', overdue);
      await until(() => shown.at(-1)?.fill === 'green', 'the status again');
    });
  });

  it('takes no trigger and gives no heartbeat before the station is open', async () => {
    const folder = join(await temporaryFolder(), 'a-file');
    await writeFile(folder, 'no folder');
    const plc = await simulatedPlc();
    await loadPlcFlow([
      stationNode(folder),
      plcNode(plc.port),
      triggerNode({ station: STATION }),
      resultNode({ heartbeatInterval: 50, station: STATION }),
    ]);
    const messages = collect('out');
    const shown = statuses('result');
    let beats = 0;
    plc.on('heartbeat', () => {
      beats += 1;
    });
    await connected();
    plc.trigger();
    await until(() => shown.some(({ text }) => text?.includes('station is not open')), 'the status');
    await pause(200);
    assert.deepEqual([beats, messages, plc.counts.acknowledged], [0, [], 0]);
    await rm(folder);
    await openedStation();
    await until(() => beats >= 2 && messages.length === 1, 'beats and the part');
    await until(() => shown.at(-1)?.fill === 'green', 'the status again');
  });

  describe('plc-simulator', () => {
    it('shows as messages what the PLC sees', async () => {
      await loadPlcFlow([
        { id: 'sim', type: 'plc-simulator', port: 0, cycle: false, wires: [['seen'], ['lamps']] },
        { id: 'seen', type: 'sink', wires: [] },
        { id: 'lamps', type: 'sink', wires: [] },
      ]);
      const seen = collect('seen');
      const shown = statuses('sim');
      const port = Number(
        await until(() => shown.map(({ text }) => /port (\d+)/.exec(text ?? '')?.[1]).at(-1), 'port'),
      );
      const results: SimulatedResult[] = [];
      await talkTo(port, async (write) => {
        send('sim', { payload: { serial: 'X' } });
        await until(() => seen.length === 1, 'the trigger');
        await write(20, [1, 1, 0, 900]);
      });
      await until(() => seen.length === 2, 'the result');
      results.push(seen[1].payload as SimulatedResult);
      assert.deepEqual(
        seen.map(({ topic }) => topic),
        ['trigger', 'result'],
      );
      assert.deepEqual([results[0].verdict, results[0].kind, results[0].confidence], ['OK', 'valid', 0.9]);
    });

    it('gets exactly one result for each part from a whole line, fail-safe as long as there is no model', async () => {
      const port = await freePort();
      const inStation = { version: 1, station: STATION };
      await loadPlcFlow([
        stationNode(await temporaryFolder()),
        plcNode(port),
        { id: 'sim', type: 'plc-simulator', port, cycle: true, cycleSeconds: 0.05, resultTimeout: 60 },
        triggerNode({ partTypes: '1=plate', wires: [['camera']] }),
        { id: 'camera', type: 'camera-capture', ...inStation, source: 'simulator', wires: [['infer']] },
        { id: 'infer', type: 'patchcore-infer', ...inStation, wires: [['router'], []] },
        { id: 'router', type: 'confidence-router', ...inStation, wires: [['result'], ['result'], ['result']] },
        resultNode({ station: STATION, wires: [[]] }),
      ]);
      const seen = collect('out');
      const results = () => seen.filter(({ topic }) => topic === 'result').map((m) => m.payload as SimulatedResult);
      await until(() => results().length >= 3, 'three results');
      const noModel = plcErrorCode(['no-model']);
      assert.deepEqual(
        results()
          .slice(0, 3)
          .map(({ sequence, verdict, errorCode, kind }) => [sequence, verdict, errorCode, kind]),
        [1, 2, 3].map((sequence) => [sequence, 'NG', noModel, 'valid']),
      );
    });

    it('starts and stops its cycle by message and frees its port on close', async () => {
      const port = await freePort();
      const flow = [{ id: 'sim', type: 'plc-simulator', port, cycle: false }];
      await loadPlcFlow(flow);
      const messages = collect('out');
      send('sim', { topic: 'start', payload: 0.05 });
      await until(() => messages.length > 0, 'a trigger');
      send('sim', { topic: 'stop' });
      await unloadFlow();
      await loadPlcFlow(flow);
      const shown = statuses('sim');
      send('sim', { topic: 'trigger' });
      await until(() => shown.some(({ text }) => text?.includes('1 parts')), 'the part');
    });

    it('says that its port is taken, and takes it when it is free', async () => {
      const other = await simulatedPlc();
      await loadPlcFlow([{ id: 'sim', type: 'plc-simulator', port: other.port, cycle: false }]);
      const shown = statuses('sim');
      await until(
        () => shown.some(({ fill, text }) => fill === 'red' && text?.includes('not available')),
        'the status',
      );
    });
  });
});

/** Lets `act` write registers as a Modbus client of its own. */
async function talkTo(
  port: number,
  act: (write: (address: number, values: number[]) => Promise<void>) => Promise<void>,
): Promise<void> {
  const client = new PlcConnection({ transport: { kind: 'tcp', host: '127.0.0.1', port } });
  client.register(act);
  try {
    await until(() => client.state === 'connected', 'the client');
    await act((address, values) => client.writeRegisters(address, values));
  } finally {
    await client.close();
  }
}

describe('PLC node configurations', () => {
  const schemas: Record<string, ConfigSchema<unknown>> = {
    'plc-connection': connection.schema,
    'plc-trigger': trigger.schema,
    'plc-result': result.schema,
    'tower-light': tower.schema,
    'plc-simulator': simulator.schema,
  };
  for (const [type, schema] of Object.entries(schemas)) {
    it(`brings a ${type} without a version up to version 1 and fills in the defaults`, () => {
      assert.deepEqual(migrateConfig(schema, { name: 'mine' }), { ...schema.defaults, name: 'mine', version: 1 });
    });

    it(`leaves a ${type} of version 1 as it is, and refuses one of a newer release`, () => {
      const saved = { ...schema.defaults, name: 'mine', version: 1 };
      assert.deepEqual(migrateConfig(schema, saved), saved);
      assert.throws(() => migrateConfig(schema, { version: 99 }), RangeError);
    });
  }

  const readTrigger = (change: SavedConfig) =>
    trigger.readTriggerSettings(migrateConfig(trigger.schema, change) as trigger.PlcTriggerConfig);
  const readResult = (change: SavedConfig) =>
    result.readResultSettings(migrateConfig(result.schema, change) as result.PlcResultConfig);
  const readConnection = (change: SavedConfig) =>
    connection.readConnectionSettings(migrateConfig(connection.schema, change) as connection.PlcConnectionConfig);
  const readTower = (change: SavedConfig) =>
    tower.readTowerLightSettings(migrateConfig(tower.schema, change) as tower.TowerLightConfig);

  it('fits the defaults of all nodes to the simulated PLC', () => {
    const { poller } = readTrigger({});
    assert.deepEqual(poller.signal, { kind: 'sequence', address: map.triggerSequence, type: 'uint16' });
    assert.deepEqual(poller.partType, { kind: 'number', address: map.partType });
    assert.deepEqual(poller.serial, { address: map.serial, length: map.serialLength });
    assert.deepEqual(poller.acknowledge, { address: map.acknowledge });
    assert.deepEqual(poller.result, { address: map.resultSequence, type: 'uint16' });
    assert.equal(readResult({}).block.address, map.resultVerdict);
    assert.equal(readResult({}).heartbeat?.address, map.heartbeat);
    const { coilGreen, coilRed, coilYellow, coilBlue, coilBuzzer } = tower.schema.defaults;
    const { green, red, yellow, blue, buzzer } = SIMULATED_PLC_MAP.coils;
    assert.deepEqual([coilGreen, coilRed, coilYellow, coilBlue, coilBuzzer], [green, red, yellow, blue, buzzer]);
  });

  it('reads numbers typed as text and leaves out what is empty', () => {
    const { poller, partTypes } = readTrigger({
      unit: '5',
      address: '10',
      serialAddress: '',
      acknowledgeAddress: '',
      resultAddress: '',
      partTypes: '1=plate; 3 = cable-end',
    });
    assert.equal(poller.unit, 5);
    assert.equal(poller.signal.address, 10);
    assert.deepEqual([poller.serial, poller.acknowledge, poller.result], [null, null, null]);
    assert.deepEqual(
      [...partTypes],
      [
        [1, 'plate'],
        [3, 'cable-end'],
      ],
    );
    assert.equal(readTrigger({ unit: '' }).poller.unit, undefined);
  });

  const wrong: [string, () => unknown][] = [
    ['a port above 65535', () => readConnection({ port: 70000 })],
    ['a host that is empty', () => readConnection({ host: ' ' })],
    ['a serial line without port', () => readConnection({ transport: 'rtu', serialPort: '' })],
    ['an unknown transport', () => readConnection({ transport: 'usb' })],
    ['a longest wait shorter than the first', () => readConnection({ reconnectMin: 500, reconnectMax: 100 })],
    ['a unit id of 300', () => readConnection({ unit: 300 })],
    ['an unknown signal', () => readTrigger({ signal: 'light' })],
    ['a part type list that cannot be read', () => readTrigger({ partTypes: 'plate' })],
    ['a part type name with a path in it', () => readTrigger({ partTypes: '1=../x' })],
    ['polling every millisecond', () => readTrigger({ pollInterval: 1 })],
    ['a heartbeat inside the result block', () => readResult({ address: 30, heartbeatAddress: 31 })],
    ['an unknown lamp device', () => readTower({ profile: 'neon' })],
    ['two lamps on one coil', () => readTower({ coilGreen: 1, coilRed: 1 })],
    ['a sixth tier', () => readTower({ profile: 'patlite', tierRed: 6 })],
    ['an unknown idle lamp', () => readTower({ idle: 'pink' })],
    ['a register value above 65535', () => readTower({ profile: 'registers', registerRedOn: 70000 })],
  ];
  for (const [what, read] of wrong) {
    it(`refuses ${what}`, () => assert.throws(read, InvalidInput));
  }

  it('refuses a serial number prefix that does not fit its registers', () => {
    const settings = simulator.readSimulatorSettings({
      ...simulator.schema.defaults,
      version: 1,
      serialPrefix: 'A-PREFIX-TOO-LONG-',
    });
    assert.throws(() => new SimulatedPlc(settings), InvalidInput);
  });
});
