import { InvalidInput } from '../../engine/domain';
import type { PlcConnectionOptions, PlcTransport } from '../../engine/plc';
import { type ConfigSchema, type NumberField, readInteger } from '../shared';

export interface PlcConnectionConfig {
  readonly version: number;
  readonly name: string;
  readonly transport: 'tcp' | 'rtu';
  readonly host: string;
  readonly port: NumberField;
  /** Serial device, for example `/dev/ttyUSB0` or `COM3`. */
  readonly serialPort: string;
  readonly baudRate: NumberField;
  readonly dataBits: NumberField;
  readonly stopBits: NumberField;
  readonly parity: 'none' | 'even' | 'odd';
  /** Unit id of the nodes that name none, 0..255. */
  readonly unit: NumberField;
  /** Milliseconds. */
  readonly responseTimeout: NumberField;
  readonly connectTimeout: NumberField;
  /** First and longest wait before a new attempt to connect, in milliseconds. */
  readonly reconnectMin: NumberField;
  readonly reconnectMax: NumberField;
}

export const schema: ConfigSchema<PlcConnectionConfig> = {
  defaults: {
    name: '',
    transport: 'tcp',
    host: '127.0.0.1',
    port: 502,
    serialPort: '/dev/ttyUSB0',
    baudRate: 19200,
    dataBits: 8,
    stopBits: 1,
    parity: 'even',
    unit: 1,
    responseTimeout: 1000,
    connectTimeout: 3000,
    reconnectMin: 500,
    reconnectMax: 30000,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/**
 * Reads and checks what the editor's form gives as text.
 *
 * @throws {InvalidInput} naming the setting and its range
 */
export function readConnectionSettings(config: PlcConnectionConfig): PlcConnectionOptions {
  const reconnectMinMs = readInteger('first wait (ms)', config.reconnectMin, 10, 600_000);
  const reconnectMaxMs = readInteger('longest wait (ms)', config.reconnectMax, 10, 600_000);
  if (reconnectMaxMs < reconnectMinMs) {
    throw new InvalidInput('The longest wait before a new attempt must not be shorter than the first.');
  }
  return {
    transport: readTransport(config),
    unit: readInteger('unit id', config.unit, 0, 255),
    responseTimeoutMs: readInteger('response timeout (ms)', config.responseTimeout, 20, 60_000),
    connectTimeoutMs: readInteger('connect timeout (ms)', config.connectTimeout, 100, 60_000),
    reconnectMinMs,
    reconnectMaxMs,
  };
}

function readTransport(config: PlcConnectionConfig): PlcTransport {
  if (config.transport === 'tcp') {
    const host = config.host.trim();
    if (host === '') throw new InvalidInput('The PLC has no host. Open the plc-connection and fill it in.');
    return { kind: 'tcp', host, port: readInteger('port', config.port, 1, 65_535) };
  }
  if (config.transport !== 'rtu') {
    throw new InvalidInput(`The transport must be tcp or rtu, not ${JSON.stringify(config.transport)}.`);
  }
  const path = config.serialPort.trim();
  if (path === '') throw new InvalidInput('The PLC has no serial port. Open the plc-connection and fill it in.');
  if (!['none', 'even', 'odd'].includes(config.parity)) {
    throw new InvalidInput(`The parity must be none, even or odd, not ${JSON.stringify(config.parity)}.`);
  }
  return {
    kind: 'rtu',
    path,
    baudRate: readInteger('baud rate', config.baudRate, 300, 1_000_000),
    dataBits: readInteger('data bits', config.dataBits, 7, 8) as 7 | 8,
    stopBits: readInteger('stop bits', config.stopBits, 1, 2) as 1 | 2,
    parity: config.parity,
  };
}

/** A unit id of a node's own; undefined: the connection's. */
export function readUnit(unit: NumberField): number | undefined {
  return String(unit).trim() === '' ? undefined : readInteger('unit id', unit, 0, 255);
}

/** A register, coil or input counted from 0. */
export function readAddress(name: string, address: NumberField): number {
  return readInteger(`${name} (address)`, address, 0, 65_535);
}

/** An address that may be left empty; null: there is none. */
export function readOptionalAddress(name: string, address: NumberField): number | null {
  return String(address).trim() === '' ? null : readAddress(name, address);
}

/** @throws {InvalidInput} unless `value` is one of `choices` */
export function readChoice<Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  if (choices.includes(value as Choice)) return value as Choice;
  throw new InvalidInput(`The setting "${name}" must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}.`);
}
