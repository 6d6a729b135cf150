import { createServer, type Server, type Socket } from 'node:net';
import { PlcConnection, type PlcConnectionOptions, SimulatedPlc, type SimulatedPlcOptions } from '../../../engine/plc';

/** Undoes what a test began, last first, also when the test failed. */
export class Cleanup {
  readonly #undos: (() => Promise<void> | void)[] = [];

  add<Thing>(thing: Thing, undo: (thing: Thing) => Promise<void> | void): Thing {
    this.#undos.push(() => undo(thing));
    return thing;
  }

  async run(): Promise<void> {
    for (const undo of this.#undos.splice(0).reverse()) await undo();
  }
}

export async function startPlc(cleanup: Cleanup, options: Partial<SimulatedPlcOptions> = {}): Promise<SimulatedPlc> {
  const plc = cleanup.add(new SimulatedPlc({ port: 0, ...options }), (it) => it.close());
  await plc.listen();
  return plc;
}

/**
 * A connection that tries again soon. It waits long for answers, so that none is missed on a busy machine: tests of a device
 * that is silent say how long.
 */
export function connectionTo(
  cleanup: Cleanup,
  port: number,
  options: Partial<PlcConnectionOptions> = {},
): PlcConnection {
  const connection = new PlcConnection({
    transport: { kind: 'tcp', host: '127.0.0.1', port },
    responseTimeoutMs: 30_000,
    connectTimeoutMs: 30_000,
    queueTimeoutMs: 30_000,
    reconnectMinMs: 20,
    reconnectMaxMs: 60,
    ...options,
  });
  return cleanup.add(connection, (it) => it.close());
}

/** A server that answers what it likes: `reply` sends bytes to whoever asked. */
export async function rawServer(
  cleanup: Cleanup,
  answer: (request: Buffer, reply: (bytes: Buffer) => void) => void,
): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (request) => answer(request, (bytes) => void socket.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(server, (it) => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => it.close(() => resolve()));
  });
  return (server.address() as { port: number }).port;
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await pause(5);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
