import assert from 'node:assert/strict';
import {
  encodeResult,
  Heartbeat,
  LineWatch,
  type PlcConnectionOptions,
  type PlcResult,
  PlcUnavailable,
  type ReceivedWrite,
  ResultWriter,
  SIMULATED_PLC_MAP,
  type SimulatedPlc,
  type SimulatedResult,
} from '../../../engine/plc';
import { Cleanup, connectionTo, pause, startPlc, until } from './support';

const map = SIMULATED_PLC_MAP.registers;
const block = { address: map.resultVerdict, sequenceType: 'uint16', confidence: true } as const;
const ng: PlcResult = { sequence: 1, verdict: 'NG', reasons: ['score-above-reject'], confidence: 0.87 };

describe('result writer', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function writerTo(plc: SimulatedPlc, options: Partial<PlcConnectionOptions> = {}) {
    const connection = connectionTo(cleanup, plc.port, options);
    const writer = cleanup.add(new ResultWriter({ connection, block, retryMs: 30 }), (it) => it.close());
    writer.start();
    await until(() => connection.state === 'connected', 'connected');
    return { writer, connection };
  }

  it('writes verdict, sequence, error code and confidence in exactly one write', async () => {
    const plc = await startPlc(cleanup);
    const { writer } = await writerTo(plc);
    const writes: ReceivedWrite[] = [];
    plc.on('write', (write) => writes.push(write));
    plc.trigger();
    await writer.write(ng);
    assert.deepEqual(writes, [{ kind: 'registers', address: map.resultVerdict, values: [2, 1, 0, 870] }]);
    assert.equal(plc.counts.ng, 1);
  });

  it('tells the PLC why a fail-safe verdict fell', () => {
    const reasons = ['deadline-exceeded'] as const;
    assert.deepEqual(encodeResult({ sequence: 3, verdict: 'NG', reasons, confidence: 0 }, block), [2, 3, 101, 0]);
  });

  it('lays a 32-bit sequence over two registers', () => {
    const wide = { address: 0, sequenceType: 'uint32', wordOrder: 'little', confidence: false } as const;
    assert.deepEqual(encodeResult({ ...ng, sequence: 0x10002 }, wide), [2, 2, 1, 0]);
  });

  it('refuses a sequence that does not fit, and keeps nothing of it', async () => {
    const plc = await startPlc(cleanup);
    const { writer } = await writerTo(plc);
    await assert.rejects(writer.write({ ...ng, sequence: 0x10000 }), /uint16/);
    assert.equal(writer.pending, null);
  });

  it('keeps the last result while the PLC is away and writes it when it is back', async () => {
    const plc = await startPlc(cleanup);
    const { writer, connection } = await writerTo(plc);
    const superseded: number[] = [];
    writer.on('superseded', ({ sequence }) => superseded.push(sequence));
    const late = new Promise<boolean>((resolve) => writer.once('written', (_, how) => resolve(how.late)));
    await plc.hangUp();
    await until(() => connection.state !== 'connected', 'lost');
    await assert.rejects(writer.write(ng), PlcUnavailable);
    await assert.rejects(writer.write({ ...ng, sequence: 2, verdict: 'OK' }), PlcUnavailable);
    await plc.listen();
    assert.equal(await late, true);
    assert.deepEqual(plc.getRegisters(map.resultVerdict, 2), [1, 2]);
    assert.deepEqual(superseded, [1]);
    assert.equal(writer.pending, null);
  });

  it('tries again when the PLC answers nothing', async () => {
    const plc = await startPlc(cleanup);
    const { writer } = await writerTo(plc, { responseTimeoutMs: 300 });
    const results: SimulatedResult[] = [];
    plc.on('result', (result) => results.push(result));
    plc.trigger();
    plc.freeze(true);
    await assert.rejects(writer.write(ng));
    plc.freeze(false);
    await until(() => writer.pending === null, 'written');
    assert.deepEqual(
      results.map(({ kind, verdict }) => [kind, verdict]),
      [['valid', 'NG']],
    );
  });
});

describe('heartbeat', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  function beat(plc: SimulatedPlc, alive: () => boolean) {
    const connection = connectionTo(cleanup, plc.port);
    const heartbeat = cleanup.add(new Heartbeat({ connection, address: map.heartbeat, intervalMs: 15, alive }), (it) =>
      it.close(),
    );
    const beats: number[] = [];
    plc.on('heartbeat', (value) => beats.push(value));
    heartbeat.start();
    return { heartbeat, beats };
  }

  it('toggles its register', async () => {
    const plc = await startPlc(cleanup);
    const { beats } = beat(plc, () => true);
    await until(() => beats.length >= 4, 'four beats');
    assert.deepEqual(beats.slice(0, 4), [1, 0, 1, 0]);
  });

  it('stops when the inspection loop stops, and goes on when it turns again', async () => {
    const plc = await startPlc(cleanup);
    const watch = new LineWatch();
    const { heartbeat, beats } = beat(plc, () => !watch.stalled);
    const told: string[] = [];
    heartbeat.on('stopped', () => told.push('stopped'));
    heartbeat.on('resumed', () => told.push('resumed'));
    await until(() => beats.length > 0, 'a beat');
    watch.expect('1', Date.now() + 30);
    await until(() => told.length === 1, 'stopped');
    const then = beats.length;
    await pause(80);
    assert.ok(beats.length <= then + 1, 'no more than the beat under way');
    watch.answered('1');
    await until(() => beats.length > then + 1, 'beats again');
    assert.deepEqual(told, ['stopped', 'resumed']);
  });

  it('stops when it is closed', async () => {
    const plc = await startPlc(cleanup);
    const { heartbeat, beats } = beat(plc, () => true);
    await until(() => beats.length > 0, 'a beat');
    await heartbeat.close();
    // a beat may be under way as long as its connection is there
    await until(() => plc.clients === 0, 'no connection left');
    const then = beats.length;
    await pause(60);
    assert.equal(beats.length, then);
  });
});

describe('line watch', () => {
  let now = 0;
  const clock = { now: () => now };
  beforeEach(() => {
    now = 0;
  });

  it('stalls when an answer is overdue', () => {
    const watch = new LineWatch(clock);
    watch.expect('a', 100);
    assert.equal(watch.stalled, false);
    now = 101;
    assert.equal(watch.stalled, true);
    watch.answered('a');
    assert.equal(watch.stalled, false);
  });

  it('forgives a lost part once a later one is answered', () => {
    const watch = new LineWatch(clock);
    watch.expect('lost', 100);
    watch.expect('next', 200);
    now = 150;
    assert.equal(watch.overdue, 1);
    watch.answered('next');
    assert.equal(watch.stalled, false);
  });

  it('ignores answers nobody waits for', () => {
    const watch = new LineWatch(clock);
    watch.expect('a', 100);
    watch.answered('z');
    now = 101;
    assert.equal(watch.stalled, true);
  });
});
