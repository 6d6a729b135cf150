import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { ServerSerial } from 'modbus-serial';
import { PlcConnection, PlcException, PlcTimeout } from '../../../engine/plc';
import { Cleanup, until } from './support';

/** Two pseudo-terminals joined like a null-modem cable; prints their names. Node.js cannot open such a pair itself. */
const NULL_MODEM = `
import os, select, tty
one, other = os.openpty(), os.openpty()
for end in (*one, *other): tty.setraw(end)
os.write(1, (os.ttyname(one[1]) + ' ' + os.ttyname(other[1])).encode())
while True:
    for end in select.select([one[0], other[0]], [], [])[0]:
        os.write(other[0] if end == one[0] else one[0], os.read(end, 1024))
`;

const possible =
  process.platform === 'linux' && spawnSync('python3', ['-c', 'import os, tty; os.openpty()']).status === 0;

describe('PLC connection over a serial line', () => {
  const cleanup = new Cleanup();
  const registers = [10, 20, 30, 40];
  let silent = false;
  let connection: PlcConnection;

  before(async function () {
    if (!possible) {
      console.log('      skipped: a pair of pseudo-terminals needs Linux and python3');
      this.skip();
    }
    const cable: ChildProcess = cleanup.add(spawn('python3', ['-c', NULL_MODEM]), (it) => {
      it.kill();
    });
    const [line] = (await once(cable.stdout!, 'data')) as [Buffer];
    const [devicePath, ourPath] = line.toString().trim().split(' ');
    const answer = <Value>(act: () => Value) => (silent ? new Promise<Value>(() => undefined) : act());
    const server = new ServerSerial(
      {
        getHoldingRegister: (address: number) =>
          answer(() => {
            if (address >= registers.length) throw { modbusErrorCode: 2 };
            return registers[address];
          }) as number,
        setRegister: (address: number, value: number) =>
          answer(() => {
            registers[address] = value;
          }) as undefined,
      },
      { path: devicePath, baudRate: 115200, unitID: 3 } as never,
    );
    server.on('error', () => undefined);
    await once(server, 'initialized');
    cleanup.add(server, (it) => new Promise<void>((resolve) => it.close(() => resolve())));
    connection = cleanup.add(
      new PlcConnection({
        transport: { kind: 'rtu', path: ourPath, baudRate: 115200, dataBits: 8, stopBits: 1, parity: 'none' },
        unit: 3,
        responseTimeoutMs: 1000,
      }),
      (it) => it.close(),
    );
    connection.register(cleanup);
    await until(() => connection.state === 'connected', 'the serial port open');
  });
  after(() => cleanup.run());

  it('reads and writes registers', async () => {
    assert.deepEqual(await connection.readHoldingRegisters(0, 3), [10, 20, 30]);
    await connection.writeRegisters(1, [21, 31]);
    assert.deepEqual(await connection.readHoldingRegisters(0, 4), [10, 21, 31, 40]);
  });

  it('names an exception', async () => {
    await assert.rejects(connection.readHoldingRegisters(9, 1), PlcException);
  });

  it('keeps the port open when one unit does not answer, and goes on with the others', async () => {
    await assert.rejects(connection.readHoldingRegisters(0, 1, 9), PlcTimeout);
    await assert.rejects(connection.readHoldingRegisters(0, 1, 9), PlcTimeout);
    await assert.rejects(connection.readHoldingRegisters(0, 1, 9), PlcTimeout);
    assert.equal(connection.state, 'connected');
    assert.deepEqual(await connection.readHoldingRegisters(0, 1), [10]);
  });

  it('survives a device that falls silent', async () => {
    silent = true;
    await assert.rejects(connection.readHoldingRegisters(0, 1), PlcTimeout);
    silent = false;
    assert.deepEqual(await connection.readHoldingRegisters(0, 1), [10]);
  });
});
