import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { ResultWriter, SIMULATED_PLC_MAP, SimulatedPlc, SimulatedPlcFailed, TriggerPoller } from '../../../engine/plc';
import { Cleanup, connectionTo, pause, startPlc, until } from './support';

const map = SIMULATED_PLC_MAP.registers;

describe('simulated PLC', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  it('runs a cycle in which every trigger gets exactly one result', async () => {
    const plc = await startPlc(cleanup);
    const connection = connectionTo(cleanup, plc.port);
    const writer = cleanup.add(
      new ResultWriter({
        connection,
        block: { address: map.resultVerdict, sequenceType: 'uint16', confidence: true },
      }),
      (it) => it.close(),
    );
    const poller = cleanup.add(
      new TriggerPoller({
        connection,
        signal: { kind: 'sequence', address: map.triggerSequence, type: 'uint16' },
        partType: null,
        serial: null,
        acknowledge: { address: map.acknowledge },
        result: { address: map.resultSequence, type: 'uint16' },
        pollMs: 5,
      }),
      (it) => it.close(),
    );
    poller.on('trigger', ({ sequence }) => {
      void writer.write({ sequence, verdict: sequence % 3 === 0 ? 'NG' : 'OK', reasons: [], confidence: 1 });
    });
    writer.start();
    poller.start();
    plc.startCycle(0.05);
    await until(() => plc.counts.ok + plc.counts.ng >= 6, 'six results');
    plc.stopCycle();
    const { timeouts, duplicates, unexpected, ng } = plc.counts;
    assert.deepEqual({ timeouts, duplicates, unexpected, ng }, { timeouts: 0, duplicates: 0, unexpected: 0, ng: 2 });
  });

  it('counts a timeout when no result comes, and goes on', async () => {
    const plc = await startPlc(cleanup, { resultTimeoutSeconds: 0.05 });
    const timeouts: number[] = [];
    plc.on('timeout', (sequence) => timeouts.push(sequence));
    plc.startCycle(0.05);
    await until(() => timeouts.length >= 2, 'two timeouts');
    assert.deepEqual(timeouts.slice(0, 2), [1, 2]);
  });

  it('tells a duplicate and an unexpected result from a valid one', async () => {
    const plc = await startPlc(cleanup);
    const connection = connectionTo(cleanup, plc.port);
    connection.register(plc);
    await until(() => connection.state === 'connected', 'connected');
    const kinds: string[] = [];
    plc.on('result', ({ kind }) => kinds.push(kind));
    plc.trigger();
    for (const sequence of [1, 1, 9]) await connection.writeRegisters(map.resultVerdict, [1, sequence, 0, 0]);
    assert.deepEqual(kinds, ['valid', 'duplicate', 'unexpected']);
  });

  it('says that its port is taken, that clients reach the other program, and what to change', async () => {
    const first = await startPlc(cleanup);
    const second = cleanup.add(new SimulatedPlc({ port: first.port }), (it) => it.close());
    await assert.rejects(second.listen(), (error: SimulatedPlcFailed) => {
      assert.ok(error instanceof SimulatedPlcFailed);
      assert.equal(error.status, `port ${first.port} not available: in use`);
      assert.match(
        error.message,
        /another program uses the port.*a plc-connection to it talks to.*Set a free port here/,
      );
      assert.equal(error.parameters.cause, 'port-taken');
      return true;
    });
    assert.equal(second.listening, false);
  });

  it('survives a client that sends nonsense', async () => {
    const plc = await startPlc(cleanup);
    const socket = connect(plc.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const header = (length: number) => [0, 1, 0, 0, length >> 8, length & 0xff];
    for (const functionCode of [1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43, 99]) {
      for (const body of [[], [0], [0, 0, 0, 0], [0, 0, 0xff, 0xff], [0, 0, 0, 2, 4, 0, 0], [0, 0, 0, 8, 1]]) {
        socket.write(Buffer.from([...header(2 + body.length), 1, functionCode, ...body]));
      }
    }
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await pause(50);
    socket.destroy();
    const connection = connectionTo(cleanup, plc.port);
    connection.register(plc);
    await until(() => connection.state === 'connected', 'connected');
    assert.deepEqual(await connection.readCoils(0, 1), [false]);
  });
});
