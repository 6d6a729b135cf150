import { connect, type Socket } from 'node:net';
import ModbusRTU from 'modbus-serial';

export type PlcTransport =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'rtu';
      /** Serial device, for example `/dev/ttyUSB0` or `COM3`. */
      readonly path: string;
      readonly baudRate: number;
      readonly dataBits: 7 | 8;
      readonly stopBits: 1 | 2;
      readonly parity: 'none' | 'even' | 'odd';
    };

/** An open line to a device. */
export interface Line {
  readonly client: ModbusRTU;
  /** Called once when the line goes down by itself. */
  onDown(listener: (cause: string) => void): void;
  /** Takes the line down; resolves when the socket or serial port is closed. */
  close(): Promise<void>;
}

/** The device's name in messages. */
export function describeTransport(transport: PlcTransport): string {
  return transport.kind === 'tcp' ? `${transport.host}:${transport.port}` : transport.path;
}

/** Opens a line; rejects with a plain Error that tells the cause. */
export async function openLine(transport: PlcTransport, timeoutMs: number): Promise<Line> {
  return transport.kind === 'tcp' ? openTcp(transport, timeoutMs) : openRtu(transport, timeoutMs);
}

/**
 * The socket is opened and watched here and lent to modbus-serial: modbus-serial itself reports no `close` after a socket
 * error, and leaves the socket of an attempt that timed out.
 */
async function openTcp(transport: Extract<PlcTransport, { kind: 'tcp' }>, timeoutMs: number): Promise<Line> {
  const socket = await openSocket(transport.host, transport.port, timeoutMs);
  let cause = 'the device closed the connection';
  socket.on('error', (error) => {
    cause = error.message;
  });
  const client = new ModbusRTU();
  client.on('error', () => undefined);
  await client.linkTCP(socket, { port: transport.port });
  let closing = false;
  return {
    client,
    onDown(listener) {
      if (socket.destroyed) setImmediate(() => listener(cause));
      else socket.once('close', () => (closing ? undefined : listener(cause)));
    },
    close() {
      closing = true;
      return new Promise((resolve) => {
        if (socket.closed) return resolve();
        socket.once('close', () => resolve());
        socket.destroy();
      });
    },
  };
}

function openSocket(host: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no connection within ${timeoutMs} ms`));
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve(socket);
    });
    const failed = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.once('error', failed);
  });
}

async function openRtu(transport: Extract<PlcTransport, { kind: 'rtu' }>, timeoutMs: number): Promise<Line> {
  const { path, baudRate, dataBits, stopBits, parity } = transport;
  const client = new ModbusRTU();
  let down: ((cause: string) => void) | undefined;
  let cause = 'the serial port was closed';
  client.on('error', (error) => {
    cause = error instanceof Error ? error.message : String(error);
    down?.(cause);
  });
  client.on('close', () => down?.(cause));
  const close = () =>
    new Promise<void>((resolve) => {
      down = undefined;
      if (!client.isOpen) return resolve();
      client.close(() => resolve());
    });
  const opened = client.connectRTUBuffered(path, { baudRate, dataBits, stopBits, parity } as never);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the serial port did not open within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([opened, late]);
  } catch (error) {
    opened.then(close, () => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    client,
    onDown(listener) {
      down = (reason) => {
        down = undefined;
        listener(reason);
      };
    },
    close,
  };
}
