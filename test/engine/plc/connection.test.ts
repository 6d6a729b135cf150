import assert from 'node:assert/strict';
import {
  PlcAnswerInvalid,
  PlcConnection,
  PlcException,
  PlcOverload,
  PlcTimeout,
  PlcUnavailable,
} from '../../../engine/plc';
import { Backoff } from '../../../engine/plc/backoff';
import { Cleanup, connectionTo, pause, rawServer, startPlc, until } from './support';

describe('PLC connection', () => {
  const cleanup = new Cleanup();
  const user = {};
  afterEach(() => cleanup.run());

  async function connected(port: number, options = {}): Promise<PlcConnection> {
    const connection = connectionTo(cleanup, port, options);
    connection.register(user);
    await until(() => connection.state === 'connected', 'connected');
    return connection;
  }

  it('connects on the first user and disconnects on the last', async () => {
    const plc = await startPlc(cleanup);
    const connection = connectionTo(cleanup, plc.port);
    assert.equal(connection.state, 'closed');
    const other = {};
    connection.register(user);
    connection.register(other);
    await until(() => connection.state === 'connected' && plc.clients === 1, 'one client');
    await connection.deregister(user);
    assert.equal(connection.state, 'connected');
    await connection.deregister(other);
    assert.equal(connection.state, 'closed');
    await until(() => plc.clients === 0, 'no client');
  });

  it('reads and writes registers and coils', async () => {
    const plc = await startPlc(cleanup);
    const connection = await connected(plc.port);
    await connection.writeRegisters(40, [1, 0xffff, 3]);
    await connection.writeRegisters(43, [4]);
    assert.deepEqual(await connection.readHoldingRegisters(40, 4), [1, 0xffff, 3, 4]);
    assert.deepEqual(await connection.readInputRegisters(41, 1), [0xffff]);
    await connection.writeCoils(10, [true, false, true]);
    await connection.writeCoils(11, [true]);
    assert.deepEqual(await connection.readCoils(10, 4), [true, true, true, false]);
    plc.setInput(5, true);
    assert.deepEqual(await connection.readDiscreteInputs(4, 3), [false, true, false]);
  });

  it('has one request under way at a time', async () => {
    let pending = 0;
    let most = 0;
    const port = await rawServer(cleanup, (request, reply) => {
      pending += request.length / 12;
      most = Math.max(most, pending);
      setTimeout(() => {
        pending -= 1;
        reply(oneRegister(request, 7));
      }, 3);
    });
    const connection = await connected(port);
    const answers = await Promise.all(Array.from({ length: 10 }, () => connection.readHoldingRegisters(0, 1)));
    assert.deepEqual(answers.flat(), new Array(10).fill(7));
    assert.equal(most, 1);
  });

  it('comes back after the PLC was gone and counts it', async () => {
    const plc = await startPlc(cleanup);
    const connection = await connected(plc.port);
    const events: string[] = [];
    connection.on('connected', () => events.push('connected'));
    connection.on('disconnected', () => events.push('disconnected'));
    connection.on('error', () => events.push('error'));
    await plc.hangUp();
    await until(() => events.includes('error'), 'a failed attempt');
    await assert.rejects(connection.readCoils(0, 1), (error: Error) => {
      assert.ok(error instanceof PlcUnavailable);
      assert.match(error.message, /ECONNREFUSED/);
      return true;
    });
    await plc.listen();
    await until(() => connection.state === 'connected', 'connected again');
    assert.equal(events[0], 'disconnected');
    assert.equal(events.at(-1), 'connected');
    assert.equal(connection.reconnects, 1);
    assert.deepEqual(await connection.readCoils(0, 1), [false]);
  });

  it('waits longer from attempt to attempt, with jitter', () => {
    const waits = (random: number) => {
      const backoff = new Backoff(20, 80, () => random);
      return Array.from({ length: 4 }, () => backoff.next());
    };
    assert.deepEqual(waits(1), [20, 40, 80, 80]);
    assert.deepEqual(waits(0), [10, 20, 40, 40]);
  });

  it('draws a wait for each attempt that failed', async () => {
    const plc = await startPlc(cleanup);
    const port = plc.port;
    await plc.hangUp();
    let [drawn, failed] = [0, 0];
    const random = () => {
      drawn += 1;
      return 1;
    };
    const connection = connectionTo(cleanup, port, { random });
    connection.on('error', () => {
      failed += 1;
    });
    connection.register(user);
    await until(() => failed >= 3, 'three attempts');
    assert.equal(drawn, failed);
  });

  it('gives up a half-open connection whose device answers nothing, and serves the next users', async () => {
    const plc = await startPlc(cleanup);
    const connection = await connected(plc.port, { responseTimeoutMs: 300 });
    plc.freeze(true);
    let lost = 0;
    connection.on('disconnected', () => {
      lost += 1;
    });
    const answers = await Promise.allSettled([
      connection.readCoils(0, 1),
      connection.readCoils(1, 1),
      connection.readCoils(2, 1),
    ]);
    const errors = answers.map((answer) => (answer.status === 'rejected' ? answer.reason : null));
    assert.ok(errors[0] instanceof PlcTimeout);
    assert.ok(errors[1] instanceof PlcTimeout);
    assert.ok(errors[2] instanceof PlcUnavailable);
    assert.equal(lost, 1);
    plc.freeze(false);
    await until(() => connection.state === 'connected', 'connected again');
    assert.deepEqual(await connection.readCoils(0, 1), [false]);
  });

  it('does not take a late answer for the next request', async () => {
    let first: Buffer | undefined;
    const port = await rawServer(cleanup, (request, reply) => {
      if (first === undefined) {
        first = request;
        return;
      }
      reply(oneRegister(first, 1));
      reply(oneRegister(request, 2));
    });
    const connection = await connected(port, { responseTimeoutMs: 500 });
    await assert.rejects(connection.readHoldingRegisters(0, 1), PlcTimeout);
    assert.deepEqual(await connection.readHoldingRegisters(0, 1), [2]);
  });

  it('takes an answer that came in time though this process was too busy to read it', async () => {
    const port = await rawServer(cleanup, (request, reply) => {
      reply(oneRegister(request, 7));
      for (const end = Date.now() + 400; Date.now() < end; );
    });
    const connection = await connected(port, { responseTimeoutMs: 200 });
    assert.deepEqual(await connection.readHoldingRegisters(0, 1), [7]);
  });

  it('calls garbage garbage and starts over with a new connection', async () => {
    let garbage = true;
    const port = await rawServer(cleanup, (request, reply) =>
      reply(
        garbage ? Buffer.concat([request.subarray(0, 2), Buffer.from([0, 0, 0, 3, 9, 9, 9])]) : oneRegister(request, 7),
      ),
    );
    const connection = await connected(port);
    await assert.rejects(connection.readHoldingRegisters(0, 1), PlcAnswerInvalid);
    garbage = false;
    await until(() => connection.state === 'connected', 'connected again');
    assert.deepEqual(await connection.readHoldingRegisters(0, 1), [7]);
  });

  it('survives an answer that is no Modbus at all', async () => {
    const port = await rawServer(cleanup, (_, reply) => reply(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const connection = await connected(port, { timeoutsBeforeReconnect: 1, responseTimeoutMs: 300 });
    await assert.rejects(connection.readHoldingRegisters(0, 1), (error) =>
      [PlcTimeout, PlcAnswerInvalid].some((type) => error instanceof type),
    );
  });

  it('refuses an echo that confirms another write', async () => {
    const port = await rawServer(cleanup, (request, reply) =>
      reply(Buffer.concat([request.subarray(0, 6), Buffer.from([1, 6, 0, 99, 0, 1])])),
    );
    const connection = await connected(port);
    await assert.rejects(connection.writeRegisters(5, [1]), PlcAnswerInvalid);
  });

  it('names the Modbus exception and what to check', async () => {
    const plc = await startPlc(cleanup);
    const connection = await connected(plc.port);
    await assert.rejects(connection.readHoldingRegisters(200, 1), (error: Error) => {
      assert.ok(error instanceof PlcException);
      assert.equal(error.exceptionCode, 2);
      assert.match(error.message, /exception 2 \(illegal data address\).*check/i);
      return true;
    });
    assert.equal(connection.state, 'connected');
  });

  it('bounds its queue in number and in time', async () => {
    const plc = await startPlc(cleanup);
    const connection = await connected(plc.port, { queueLimit: 2, queueTimeoutMs: 50, responseTimeoutMs: 200 });
    plc.freeze(true);
    const underWay = assert.rejects(connection.readCoils(0, 1));
    const waiting = [connection.readCoils(1, 1), connection.readCoils(2, 1)];
    const refused = connection.readCoils(3, 1);
    await assert.rejects(refused, PlcOverload);
    for (const request of waiting) {
      await assert.rejects(request, (error: Error) => {
        assert.ok(error instanceof PlcTimeout);
        assert.equal(error.code, 'plc-queue-timeout');
        return true;
      });
    }
    await underWay;
  });

  it('leaves no request unanswered when it is closed', async () => {
    const plc = await startPlc(cleanup);
    const connection = await connected(plc.port);
    plc.freeze(true);
    const requests = [connection.readCoils(0, 1), connection.readCoils(1, 1)].map((request) =>
      assert.rejects(request, PlcUnavailable),
    );
    await connection.deregister(user);
    await Promise.all(requests);
  });

  it('serves two masters on one PLC', async () => {
    const plc = await startPlc(cleanup);
    const one = await connected(plc.port);
    const other = await connected(plc.port);
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await one.writeRegisters(40, [index]);
        await other.writeRegisters(41, [index]);
      }),
    );
    assert.equal(plc.clients, 2);
    assert.deepEqual(plc.getRegisters(40, 2), [19, 19]);
  });

  it('leaks no socket when it is opened and closed many times', async () => {
    const plc = await startPlc(cleanup);
    for (let round = 0; round < 20; round += 1) {
      const connection = connectionTo(cleanup, plc.port);
      connection.register(user);
      if (round % 2 === 0) await until(() => connection.state === 'connected', 'connected');
      await connection.deregister(user);
    }
    await until(() => plc.clients === 0, 'no socket left');
  });

  it('stops trying when its last user leaves while the device is away', async () => {
    const plc = await startPlc(cleanup);
    const port = plc.port;
    await plc.hangUp();
    const connection = connectionTo(cleanup, port);
    let attempts = 0;
    connection.on('error', () => {
      attempts += 1;
    });
    connection.register(user);
    await until(() => attempts > 0, 'an attempt');
    await connection.deregister(user);
    const then = attempts;
    await pause(150);
    assert.equal(attempts, then);
    assert.equal(connection.state, 'closed');
  });

  it('says that a serial port is not there', async () => {
    const connection = cleanup.add(
      new PlcConnection({
        transport: { kind: 'rtu', path: '/dev/no-such-port', baudRate: 9600, dataBits: 8, stopBits: 1, parity: 'none' },
      }),
      (it) => it.close(),
    );
    const failed = new Promise<Error>((resolve) => connection.once('error', resolve));
    connection.register(user);
    const error = await failed;
    assert.ok(error instanceof PlcUnavailable);
    assert.match(error.message, /\/dev\/no-such-port/);
  });
});

/** The answer to a request for one holding register of unit 1. */
function oneRegister(request: Buffer, value: number): Buffer {
  return Buffer.concat([request.subarray(0, 4), Buffer.from([0, 5, 1, 3, 2, 0, value])]);
}
