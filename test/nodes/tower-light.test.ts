import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReviewItem, TowerLightState } from '../../engine/domain';
import type { LampReport, SimulatedPlc } from '../../engine/plc';
import type { Station } from '../../engine/station';
import type { PlcConnectionNode } from '../../nodes/plc-connection/plc-link';
import { closePlcs, judged, loadPlcFlow, PLC, plcNode, simulatedPlc } from './plc-support';
import {
  collect,
  deploy,
  flowTab,
  node,
  openedStation,
  STATION,
  send,
  stationNode,
  statuses,
  temporaryFolder,
  unloadFlow,
  until,
  useNodeRed,
} from './support';

describe('tower-light', () => {
  useNodeRed();
  afterEach(async () => {
    await unloadFlow();
    await closePlcs();
  });

  const towerNode = (overrides: object = {}) => ({ id: 'tower', type: 'tower-light', plc: PLC, ...overrides });
  const messagesOnly = (overrides: object = {}) => towerNode({ profile: 'messages', plc: '', ...overrides });
  const device = () => (node(PLC) as PlcConnectionNode).device!.connection;
  const lit = (plc: SimulatedPlc) =>
    Object.entries(plc.lamps)
      .filter(([, on]) => on)
      .map(([lamp]) => lamp)
      .join('+');
  /** The tower light hears its station, and has counted the waiting parts once. */
  const following = async (station: Station) => {
    await until(() => station.events.listenerCount('review-changed') > 0, 'the tower light at the station');
    await station.reviews.stats();
  };
  const reports = (messages: { payload?: unknown }[]) => messages.map(({ payload }) => payload as LampReport);

  it('lights the lamp of the verdict and leaves the fail-safe colour on close', async () => {
    const plc = await simulatedPlc();
    await loadPlcFlow([plcNode(plc.port), towerNode()]);
    await until(() => device().state === 'connected', 'the connection');
    send('tower', judged('OK'));
    await until(() => lit(plc) === 'green', 'green');
    send('tower', judged('REVIEW'));
    await until(() => lit(plc) === 'yellow', 'yellow');
    await unloadFlow();
    assert.equal(lit(plc), 'red');
    await until(() => plc.clients === 0, 'no client');
  });

  it('takes no notice of audit samples', async () => {
    await loadPlcFlow([messagesOnly()]);
    const messages = collect('out');
    send('tower', { ...judged('OK'), topic: 'audit' });
    send('tower', judged('NG'));
    await until(() => reports(messages).at(-1)?.signal === 'ng', 'red');
    assert.equal(
      reports(messages).some(({ signal }) => signal === 'ok'),
      false,
    );
  });

  it('takes no notice of a verdict that comes late', async () => {
    await loadPlcFlow([messagesOnly()]);
    const messages = collect('out');
    send('tower', judged('OK'));
    await until(() => reports(messages).at(-1)?.signal === 'ok', 'green');
    send('tower', { ...judged('NG'), late: true });
    send('tower', { topic: 'waiting', payload: 1 });
    await until(() => reports(messages).at(-1)?.lamps.blue === 'on', 'what came after it');
    assert.equal(
      reports(messages).some(({ signal }) => signal === 'ng'),
      false,
    );
  });

  it('obeys fault, clear, waiting, queue, busy and lamp-test', async () => {
    await loadPlcFlow([messagesOnly()]);
    const messages = collect('out');
    const last = () => reports(messages).at(-1);
    const expect = (topic: string, payload: unknown, signal: string) => {
      send('tower', { topic, payload });
      return until(() => last()?.signal === signal, signal);
    };
    await expect('fault', '', 'fault');
    assert.equal(last()?.flashing, true);
    await expect('clear', '', 'idle');
    await expect('waiting', true, 'waiting');
    assert.equal(last()?.colour, 'blue');
    await expect('queue', { pending: 0, labelled: 1, skipped: 0 }, 'idle');
    send('tower', judged('OK'));
    await until(() => last()?.signal === 'ok', 'green');
    await expect('busy', '', 'busy');
    await expect('lamp-test', '', 'lamp-test');
    assert.equal(last()?.connected, null);
  });

  it('refuses a message without verdict', async () => {
    await loadPlcFlow([messagesOnly()]);
    const shown = statuses('tower');
    send('tower', { payload: 1 });
    await until(() => shown.some(({ fill }) => fill === 'red'), 'the status');
  });

  it('shows in its status that the tower is away, and writes all lamps when it is back', async () => {
    const plc = await simulatedPlc();
    await loadPlcFlow([plcNode(plc.port), towerNode()]);
    const messages = collect('out');
    const shown = statuses('tower');
    await until(() => device().state === 'connected', 'the connection');
    send('tower', judged('OK'));
    await until(() => lit(plc) === 'green', 'green');
    await plc.hangUp();
    await until(() => shown.at(-1)?.fill === 'red', 'the status');
    await until(() => reports(messages).at(-1)?.connected === false, 'the report');
    plc.setCoil(4, true);
    await plc.listen();
    await until(() => lit(plc) === 'red', 'the fail-safe colour alone');
    send('tower', judged('OK'));
    await until(() => lit(plc) === 'green', 'green');
    await until(() => shown.at(-1)?.fill === 'green', 'the status again');
  });

  it('shows the faults of its station until a model judges again, and tells the station its lamps', async () => {
    await loadPlcFlow([stationNode(await temporaryFolder()), messagesOnly({ station: STATION })]);
    const messages = collect('out');
    const station = await openedStation();
    const lamps: TowerLightState[] = [];
    station.events.on('lamp', (lamp) => lamps.push(lamp));
    await following(station);
    station.events.emit('fault', { code: 'store-unavailable', message: 'disk full' });
    await until(() => reports(messages).at(-1)?.signal === 'fault', 'the fault');
    assert.deepEqual(lamps.at(-1), { node: 'tower', colour: 'red', flashing: true, connected: true });
    station.events.emit('inspection-settled', judged('OK').inspection!);
    await until(() => reports(messages).at(-1)?.signal === 'idle', 'the end of it');
    assert.deepEqual(lamps.at(-1), { node: 'tower', colour: null, flashing: false, connected: true });
  });

  it('takes its lamps from the station when it is removed', async () => {
    const folder = await temporaryFolder();
    await loadPlcFlow([stationNode(folder), messagesOnly({ station: STATION })]);
    const station = await openedStation();
    await until(() => station.lamps().length === 1, 'the lamps');
    const told: TowerLightState[] = [];
    station.events.on('lamp', (lamp) => told.push(lamp));
    await deploy([flowTab(), stationNode(folder)], 'nodes');
    assert.deepEqual(station.lamps(), []);
    assert.deepEqual([told.at(-1)?.node, told.at(-1)?.removed], ['tower', true]);
  });

  it('shows a fault while its station cannot open', async () => {
    const folder = join(await temporaryFolder(), 'a-file');
    await writeFile(folder, 'no folder');
    await loadPlcFlow([stationNode(folder), messagesOnly({ station: STATION })]);
    const messages = collect('out');
    await until(() => reports(messages).at(-1)?.signal === 'fault', 'the fault');
    assert.equal(reports(messages).at(-1)?.flashing, true);
    send('tower', { topic: 'clear' });
    await until(() => reports(messages).filter(({ signal }) => signal === 'fault').length === 2, 'the fault again');
    await rm(folder);
    await openedStation();
    await until(() => reports(messages).at(-1)?.signal === 'idle', 'the end of it');
  });

  it('keeps a fault told by message until it is cleared by message', async () => {
    await loadPlcFlow([stationNode(await temporaryFolder()), messagesOnly({ station: STATION })]);
    const messages = collect('out');
    const station = await openedStation();
    await following(station);
    send('tower', { topic: 'fault' });
    await until(() => reports(messages).at(-1)?.signal === 'fault', 'the fault');
    station.events.emit('inspection-settled', judged('OK').inspection!);
    send('tower', { topic: 'waiting', payload: 1 });
    await until(() => reports(messages).at(-1)?.lamps.blue === 'on', 'blue beside it');
    assert.equal(reports(messages).at(-1)?.signal, 'fault');
  });

  it('lights blue while parts of its station wait for a person', async () => {
    await loadPlcFlow([stationNode(await temporaryFolder()), messagesOnly({ station: STATION })]);
    const messages = collect('out');
    const station = await openedStation();
    await following(station);
    const stats = station.reviews.stats.bind(station.reviews);
    station.reviews.stats = async () => ({ ...(await stats()), pending: 2 });
    station.events.emit('review-changed', {} as ReviewItem);
    await until(() => reports(messages).at(-1)?.signal === 'waiting', 'blue');
    station.reviews.stats = stats;
    station.events.emit('review-changed', {} as ReviewItem);
    await until(() => reports(messages).at(-1)?.signal === 'idle', 'dark');
  });
});
