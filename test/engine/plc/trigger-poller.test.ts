import assert from 'node:assert/strict';
import { InvalidInput } from '../../../engine/domain';
import {
  encodeAscii,
  type MissedReason,
  type PlcConnection,
  type PlcTrigger,
  SIMULATED_PLC_MAP,
  type SimulatedPlc,
  skippedBetween,
  TriggerPoller,
  type TriggerPollerOptions,
} from '../../../engine/plc';
import { Cleanup, connectionTo, startPlc, until } from './support';

const map = SIMULATED_PLC_MAP.registers;
const coil = SIMULATED_PLC_MAP.coils.trigger;

const bySequence: Omit<TriggerPollerOptions, 'connection'> = {
  signal: { kind: 'sequence', address: map.triggerSequence, type: 'uint16' },
  partType: { kind: 'number', address: map.partType },
  serial: { address: map.serial, length: map.serialLength },
  acknowledge: { address: map.acknowledge },
  result: { address: map.resultSequence, type: 'uint16' },
  pollMs: 10,
  retryMs: 30,
};

/** More requests than any poll makes. */
const MORE_THAN_A_POLL = 4;

/** Gives a function that waits until the poller has looked once more, from the beginning to the end. */
function watchPolls(connection: PlcConnection): () => Promise<void> {
  let requests = 0;
  for (const kind of ['readHoldingRegisters', 'readCoils', 'readDiscreteInputs'] as const) {
    const read = connection[kind].bind(connection) as (...values: number[]) => Promise<never>;
    connection[kind] = (...values) => read(...(values as number[])).finally(() => (requests += 1));
  }
  return () => {
    const enough = requests + MORE_THAN_A_POLL;
    return until(() => requests >= enough, 'a whole poll');
  };
}

const byCoil: Omit<TriggerPollerOptions, 'connection'> = {
  ...bySequence,
  signal: { kind: 'coil', address: coil, reset: true },
  acknowledge: null,
};

describe('trigger poller', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function watch(
    plc: SimulatedPlc,
    { responseTimeoutMs, ...options }: Partial<TriggerPollerOptions> & { responseTimeoutMs?: number } = {},
    base = bySequence,
  ) {
    const connection = connectionTo(cleanup, plc.port, responseTimeoutMs === undefined ? {} : { responseTimeoutMs });
    const polled = watchPolls(connection);
    const poller = cleanup.add(new TriggerPoller({ ...base, ...options, connection }), (it) => it.close());
    const triggers: PlcTrigger[] = [];
    const missed: [number, MissedReason][] = [];
    poller.on('trigger', (trigger) => triggers.push(trigger));
    poller.on('missed', ({ count, reason }) => missed.push([count, reason]));
    const news: string[] = [];
    poller.on('problem', ({ code }) => news.push(code));
    poller.on('recovered', () => news.push('recovered'));
    poller.start();
    await until(() => connection.state === 'connected', 'connected');
    return { poller, connection, polled, triggers, missed, news };
  }

  const answer = (plc: SimulatedPlc, sequence: number) => plc.setRegister(map.resultSequence, sequence);

  it('reports a part with its type and serial number and acknowledges it', async () => {
    const plc = await startPlc(cleanup, { partType: 7 });
    const { triggers } = await watch(plc);
    plc.trigger({ serial: 'SN-0815' });
    await until(() => plc.counts.acknowledged === 1, 'acknowledged');
    assert.deepEqual(triggers, [{ sequence: 1, partTypeNumber: 7, serial: 'SN-0815' }]);
    assert.deepEqual(plc.getRegisters(map.acknowledge), [1]);
  });

  it('reads a part in one request', async () => {
    const plc = await startPlc(cleanup);
    const { connection, polled, triggers } = await watch(plc);
    plc.trigger();
    await until(() => triggers.length === 1, 'a trigger');
    const reads: number[][] = [];
    const read = connection.readHoldingRegisters.bind(connection);
    connection.readHoldingRegisters = (address, count, unit) => {
      reads.push([address, count]);
      return read(address, count, unit);
    };
    // the read under way is not among them, and must not be the one that sees the part
    await polled();
    plc.trigger();
    await until(() => triggers.length === 2, 'the next trigger');
    assert.deepEqual([...new Set(reads.map(String))], ['0,12']);
  });

  it('reports each sequence once however often it is polled, and nothing for 0', async () => {
    const plc = await startPlc(cleanup);
    const { polled, triggers } = await watch(plc);
    await polled();
    assert.deepEqual(triggers, []);
    for (const count of [1, 2]) {
      plc.trigger();
      await until(() => triggers.length >= count, 'the part');
      await polled();
    }
    assert.deepEqual(
      triggers.map(({ sequence }) => sequence),
      [1, 2],
    );
  });

  it('counts the parts it never saw', async () => {
    const plc = await startPlc(cleanup);
    const { poller, triggers, missed } = await watch(plc);
    plc.trigger();
    await until(() => triggers.length === 1, 'the first');
    plc.setRegister(map.triggerSequence, 5);
    await until(() => triggers.length === 2, 'the next');
    assert.deepEqual(missed, [[3, 'jump']]);
    assert.equal(poller.missed, 3);
  });

  it('knows how many sequences lie between two, over the end of the range too', () => {
    assert.equal(skippedBetween(1, 2, 0xffff), 0);
    assert.equal(skippedBetween(1, 4, 0xffff), 2);
    assert.equal(skippedBetween(0xffff, 1, 0xffff), 0);
    assert.equal(skippedBetween(0xfffe, 2, 0xffff), 2);
    assert.equal(skippedBetween(500, 1, 0xffff), 0, 'a PLC that began anew');
  });

  it('does not inspect a part again after a restart when its result stands in the PLC', async () => {
    const plc = await startPlc(cleanup);
    plc.trigger();
    answer(plc, 1);
    const { polled, triggers, missed } = await watch(plc);
    await polled();
    assert.deepEqual([triggers, missed], [[], []]);
    plc.trigger();
    await until(() => triggers.length === 1, 'the next part');
    assert.equal(triggers[0].sequence, 2);
  });

  it('inspects a part that came while Node-RED was away', async () => {
    const plc = await startPlc(cleanup);
    plc.trigger();
    answer(plc, 1);
    plc.setRegister(map.acknowledge, 1);
    plc.trigger();
    const { triggers } = await watch(plc);
    await until(() => triggers.length === 1, 'the waiting part');
    assert.equal(triggers[0].sequence, 2);
  });

  it('does not inspect twice what was accepted before a restart, and says that it has no result', async () => {
    const plc = await startPlc(cleanup);
    plc.trigger();
    plc.setRegister(map.acknowledge, 1);
    const { triggers, missed } = await watch(plc);
    await until(() => missed.length === 1, 'the report');
    assert.deepEqual(missed, [[1, 'unanswered']]);
    assert.deepEqual(triggers, []);
  });

  it('asks at the start whether a part without result is inspected already, until it is told', async () => {
    const plc = await startPlc(cleanup);
    plc.trigger({ serial: 'A' });
    const asked: (string | undefined)[] = [];
    const isTaken = async ({ serial }: PlcTrigger) => {
      asked.push(serial);
      if (asked.length === 1) throw new InvalidInput('not yet');
      return true;
    };
    const { triggers, missed, news } = await watch(plc, { acknowledge: null, isTaken });
    await until(() => asked.length === 2, 'both questions');
    plc.trigger({ serial: 'B' });
    await until(() => triggers.length === 1, 'the next part');
    assert.deepEqual([asked, triggers[0].serial, missed], [['A', 'A'], 'B', []]);
    assert.deepEqual(news, ['invalid-input', 'recovered']);
  });

  it('takes the first sequence for seen when neither result nor acknowledgement is known', async () => {
    const plc = await startPlc(cleanup);
    plc.trigger();
    const { polled, triggers } = await watch(plc, { result: null, acknowledge: null });
    await polled();
    assert.deepEqual(triggers, []);
    plc.trigger();
    await until(() => triggers.length === 1, 'the next part');
  });

  it('goes on after the PLC was gone: nothing twice, nothing lost in silence', async () => {
    const plc = await startPlc(cleanup);
    const { connection, triggers, missed } = await watch(plc);
    plc.trigger();
    await until(() => triggers.length === 1, 'the first part');
    await plc.hangUp();
    await until(() => connection.state !== 'connected', 'lost');
    plc.trigger();
    plc.trigger();
    await plc.listen();
    await until(() => triggers.length === 2, 'the part that waits');
    assert.equal(triggers[1].sequence, 3);
    assert.deepEqual(missed, [[1, 'jump']]);
  });

  it('repeats an acknowledgement that did not get through, without reporting the part again', async () => {
    const plc = await startPlc(cleanup);
    const { poller, polled, triggers, news } = await watch(plc, { responseTimeoutMs: 300 });
    poller.once('trigger', () => plc.freeze(true));
    plc.trigger();
    await until(() => news.length > 0, 'a failed acknowledgement');
    assert.equal(plc.counts.acknowledged, 0);
    plc.freeze(false);
    await until(() => plc.counts.acknowledged > 0, 'acknowledged');
    await polled();
    assert.equal(triggers.length, 1);
  });

  it('reports a row of the same failure once', async () => {
    const plc = await startPlc(cleanup);
    const { polled, news } = await watch(plc, { partType: { kind: 'number', address: 90 } });
    await until(() => news.length > 0, 'the problem');
    await polled();
    assert.deepEqual(news, ['plc-illegal-address']);
  });

  it('says when a failure is over', async () => {
    const plc = await startPlc(cleanup);
    const { polled, news } = await watch(plc, { responseTimeoutMs: 300 });
    await polled();
    plc.freeze(true);
    await until(() => news.length > 0, 'the problem');
    plc.freeze(false);
    await until(() => news.includes('recovered'), 'the end of it');
    assert.equal(news[0], 'plc-timeout');
  });

  it('refuses registers too far apart for one request', () => {
    const connection = connectionTo(cleanup, 1);
    assert.throws(
      () => new TriggerPoller({ ...bySequence, serial: { address: 120, length: 10 }, connection }),
      /130 registers/,
    );
  });

  it('reads a 32-bit sequence and a part type as text', async () => {
    const plc = await startPlc(cleanup);
    plc.setRegister(40, 0);
    encodeAscii('cable-a', 4).forEach((register, index) => {
      plc.setRegister(42 + index, register);
    });
    const { polled, triggers } = await watch(plc, {
      signal: { kind: 'sequence', address: 40, type: 'uint32' },
      partType: { kind: 'text', address: 42, length: 4 },
      serial: null,
      acknowledge: { address: 50 },
      result: null,
      wordOrder: 'little',
    });
    await polled();
    plc.setRegister(41, 2);
    await until(() => triggers.length === 1, 'a trigger');
    assert.deepEqual(triggers, [{ sequence: 0x20000, partTypeText: 'cable-a' }]);
    await until(() => plc.getRegisters(51)[0] === 2, 'acknowledged');
  });

  it('reports the edge of a coil, resets it, and goes on counting from the result in the PLC', async () => {
    const plc = await startPlc(cleanup);
    answer(plc, 41);
    const { polled, triggers } = await watch(plc, {}, byCoil);
    await polled();
    plc.trigger({ serial: 'A' });
    await until(() => !plc.getCoil(coil), 'reset');
    plc.trigger({ serial: 'B' });
    await until(() => triggers.length === 2, 'two parts');
    assert.deepEqual(
      triggers.map(({ sequence, serial }) => [sequence, serial]),
      [
        [42, 'A'],
        [43, 'B'],
      ],
    );
  });

  it('takes a coil that is on at the start for a part that waits, when it resets coils', async () => {
    const plc = await startPlc(cleanup);
    plc.setCoil(coil, true);
    const { triggers } = await watch(plc, {}, byCoil);
    await until(() => triggers.length === 1 && !plc.getCoil(coil), 'the part');
  });

  it('reports the edge of an input once, and does not trust a level it finds', async () => {
    const plc = await startPlc(cleanup);
    plc.setInput(0, true);
    const { polled, triggers, missed } = await watch(plc, { signal: { kind: 'discrete-input', address: 0 } }, byCoil);
    await until(() => missed.length === 1, 'the report');
    assert.deepEqual(missed, [[1, 'edge-unseen']]);
    await polled();
    assert.deepEqual(triggers, []);
    plc.setInput(0, false);
    await polled();
    plc.setInput(0, true);
    await until(() => triggers.length > 0, 'the part');
    await polled();
    assert.equal(triggers.length, 1);
  });
});
