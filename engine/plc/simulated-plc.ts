import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ServerTCP } from 'modbus-serial';
import { InspectionError, InvalidInput, type Verdict } from '../domain';
import { encodeAscii } from './codecs';
import type { LampColour } from './lamps';
import { VERDICT_CODES } from './result-writer';

/**
 * What stands where in the simulated PLC. Addresses count from 0; registers are holding registers (40001 is register 0).
 * Registers and coils end at 63: beyond it the PLC answers with exception 2.
 */
export const SIMULATED_PLC_MAP = {
  registers: {
    triggerSequence: 0,
    partType: 1,
    serial: 2,
    serialLength: 10,
    acknowledge: 12,
    resultVerdict: 20,
    resultSequence: 21,
    resultError: 22,
    resultConfidence: 23,
    heartbeat: 30,
  },
  coils: { green: 0, red: 1, yellow: 2, blue: 3, buzzer: 4, trigger: 8 },
  discreteInputs: { partPresent: 0 },
  size: 64,
} as const;

export interface SimulatedPlcOptions {
  /** `127.0.0.1` unless told: the simulated PLC is reachable from this machine only. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Seconds from one part to the next while the cycle runs; 3 unless told. */
  readonly cycleSeconds?: number;
  /** How long the PLC waits for a result before it counts a timeout; 10 unless told. */
  readonly resultTimeoutSeconds?: number;
  /** Part type number of the parts; 1 unless told. */
  readonly partType?: number;
  /** Serial numbers are this and the count, for example SIM-000123; at most 14 characters; `SIM-` unless told. */
  readonly serialPrefix?: string;
}

export interface SimulatedResult {
  readonly sequence: number;
  /** Null for a code that is no verdict's. */
  readonly verdict: Verdict | null;
  readonly errorCode: number;
  /** 0..1 */
  readonly confidence: number;
  /** `valid` answers the trigger that waits; `duplicate` and `unexpected` answer none. */
  readonly kind: 'valid' | 'duplicate' | 'unexpected';
  /** From trigger to result; null unless valid. */
  readonly milliseconds: number | null;
}

export interface SimulatedCounts {
  readonly triggers: number;
  readonly acknowledged: number;
  readonly ok: number;
  readonly ng: number;
  readonly review: number;
  readonly timeouts: number;
  readonly duplicates: number;
  readonly unexpected: number;
}

export type SimulatedLamps = Readonly<Record<LampColour | 'buzzer', boolean>>;

/** A write request as it arrived. */
export interface ReceivedWrite {
  readonly kind: 'coil' | 'registers';
  readonly address: number;
  readonly values: readonly (number | boolean)[];
}

export interface SimulatedPlcEvents {
  trigger: [{ readonly sequence: number; readonly serial: string; readonly partType: number }];
  acknowledged: [number];
  result: [SimulatedResult];
  /** No result came in time. */
  timeout: [number];
  lamps: [SimulatedLamps];
  heartbeat: [number];
  write: [ReceivedWrite];
}

/** The port is taken, or the address is not this machine's. */
export class SimulatedPlcFailed extends InspectionError {
  /** @param error of the operating system */
  constructor(host: string, port: number, error: NodeJS.ErrnoException | undefined) {
    const isTaken = error?.code === 'EADDRINUSE';
    const cause = isTaken ? 'port-taken' : (error?.message ?? 'unknown');
    super({
      code: 'simulated-plc-failed',
      status: isTaken ? `port ${port} not available: in use` : `port ${port} not available`,
      message: isTaken
        ? `The simulated PLC cannot listen on ${host}:${port}: another program uses the port, perhaps a second Node-RED with the same flow. ` +
          'Until one of the two has another port, a plc-connection to it talks to the PLC of that program. Set a free ' +
          'port here and the same one in the plc-connection, or stop the other program.'
        : `The simulated PLC cannot listen on ${host}:${port} (${cause}). Check the address, and choose another port.`,
      parameters: { host, port, cause },
    });
  }
}

const REGISTERS = SIMULATED_PLC_MAP.registers;
const COILS = SIMULATED_PLC_MAP.coils;
const ILLEGAL_ADDRESS = { modbusErrorCode: 2 };
const SERIAL_DIGITS = 6;

/**
 * A PLC with a line behind it, as a Modbus TCP server: raises triggers, waits for their results, counts, and shows the lamps.
 * It drives the stock flow and the tests where no hardware is there.
 */
export class SimulatedPlc extends EventEmitter<SimulatedPlcEvents> {
  readonly #options: Required<SimulatedPlcOptions>;
  readonly #registers = new Uint16Array(SIMULATED_PLC_MAP.size);
  readonly #coils = new Array<boolean>(SIMULATED_PLC_MAP.size).fill(false);
  readonly #inputs = new Array<boolean>(SIMULATED_PLC_MAP.size).fill(false);
  #server: ServerTCP | null = null;
  #port = 0;
  #frozen = false;
  #cycleSeconds: number;
  #cycleTimer: NodeJS.Timeout | undefined;
  #resultTimer: NodeJS.Timeout | undefined;
  #cycling = false;
  #waiting: { sequence: number; since: number } | null = null;
  #lastAnswered = 0;
  #lampsChanged = false;
  #counts = {
    triggers: 0,
    acknowledged: 0,
    ok: 0,
    ng: 0,
    review: 0,
    timeouts: 0,
    duplicates: 0,
    unexpected: 0,
  };

  constructor(options: SimulatedPlcOptions) {
    super();
    this.#options = {
      host: '127.0.0.1',
      cycleSeconds: 3,
      resultTimeoutSeconds: 10,
      partType: 1,
      serialPrefix: 'SIM-',
      ...options,
    };
    // refuses a prefix that is too long or not ASCII before the first part
    encodeAscii(this.#options.serialPrefix + '0'.repeat(SERIAL_DIGITS), REGISTERS.serialLength);
    this.#cycleSeconds = this.#options.cycleSeconds;
  }

  /** The port it listens on; 0 before it does. */
  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server !== null;
  }

  get counts(): SimulatedCounts {
    return { ...this.#counts };
  }

  get lamps(): SimulatedLamps {
    const { green, red, yellow, blue, buzzer } = COILS;
    const lit = (coil: number) => this.#coils[coil];
    return { green: lit(green), red: lit(red), yellow: lit(yellow), blue: lit(blue), buzzer: lit(buzzer) };
  }

  get cycling(): boolean {
    return this.#cycling;
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#server?.socks.size ?? 0;
  }

  /** @throws {SimulatedPlcFailed} when the port is not available */
  async listen(): Promise<void> {
    const { host } = this.#options;
    const port = this.#port || this.#options.port;
    // modbus-serial takes the number 0 for "none told"; as text it reaches the operating system, which picks a free port
    const server = new ServerTCP(this.#vector(), { host, port: (port === 0 ? '0' : port) as number });
    server.on('socketError', () => undefined);
    server.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => {
      server.once('serverError', (error) => reject(new SimulatedPlcFailed(host, port, error ?? undefined)));
      server.once('initialized', () => resolve());
    });
    this.#port = (server as unknown as { _server: { address(): { port: number } } })._server.address().port;
    this.#server = server;
  }

  /** Stops listening and hangs up on all clients; memory, counts and port stay for a later `listen`. */
  async hangUp(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Stops the cycle and listening. */
  async close(): Promise<void> {
    this.stopCycle();
    clearTimeout(this.#resultTimer);
    this.#waiting = null;
    await this.hangUp();
  }

  /** While frozen, the PLC keeps its connections and answers nothing, like one whose program hangs. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen;
  }

  /** Raises a trigger every `seconds`; the next part waits for the result, or the timeout, of the one before. */
  startCycle(seconds = this.#cycleSeconds): void {
    if (!(seconds >= 0.05 && seconds <= 3600)) {
      throw new InvalidInput(`A cycle takes 0.05 to 3600 seconds, not ${seconds}.`, { seconds });
    }
    this.#cycleSeconds = seconds;
    this.#cycling = true;
    clearInterval(this.#cycleTimer);
    this.#cycleTimer = setInterval(() => {
      if (!this.#waiting) this.trigger();
    }, seconds * 1000);
  }

  stopCycle(): void {
    this.#cycling = false;
    clearInterval(this.#cycleTimer);
  }

  /** A part arrives now. Returns its sequence. */
  trigger(part: { readonly partType?: number; readonly serial?: string } = {}): number {
    this.#giveUpWaiting();
    const sequence =
      this.#registers[REGISTERS.triggerSequence] >= 0xffff ? 1 : this.#registers[REGISTERS.triggerSequence] + 1;
    const partType = part.partType ?? this.#options.partType;
    const serial = part.serial ?? this.#options.serialPrefix + String(sequence).padStart(SERIAL_DIGITS, '0');
    const text = encodeAscii(serial, REGISTERS.serialLength);
    this.#registers[REGISTERS.partType] = partType;
    this.#registers.set(text, REGISTERS.serial);
    this.#registers[REGISTERS.triggerSequence] = sequence;
    this.#coils[COILS.trigger] = true;
    this.#inputs[SIMULATED_PLC_MAP.discreteInputs.partPresent] = true;
    this.#counts.triggers += 1;
    this.#waiting = { sequence, since: Date.now() };
    this.#resultTimer = setTimeout(() => this.#giveUpWaiting(), this.#options.resultTimeoutSeconds * 1000);
    this.emit('trigger', { sequence, serial, partType });
    return sequence;
  }

  getRegisters(address: number, count = 1): number[] {
    return Array.from(this.#registers.subarray(address, address + count));
  }

  /** What the PLC's own program writes; no event. */
  setRegister(address: number, value: number): void {
    this.#registers[address] = value;
  }

  getCoil(address: number): boolean {
    return this.#coils[address];
  }

  setCoil(address: number, value: boolean): void {
    this.#coils[address] = value;
  }

  setInput(address: number, value: boolean): void {
    this.#inputs[address] = value;
  }

  #giveUpWaiting(): void {
    clearTimeout(this.#resultTimer);
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#inputs[SIMULATED_PLC_MAP.discreteInputs.partPresent] = false;
    if (!waiting) return;
    this.#counts.timeouts += 1;
    this.emit('timeout', waiting.sequence);
  }

  #vector() {
    return {
      getCoil: (address: number): boolean | Promise<boolean> => this.#answer(() => this.#coils[checked(address)]),
      getDiscreteInput: (address: number): boolean | Promise<boolean> =>
        this.#answer(() => this.#inputs[checked(address)]),
      getHoldingRegister: (address: number): number | Promise<number> =>
        this.#answer(() => this.#registers[checked(address)]),
      getInputRegister: (address: number): number | Promise<number> =>
        this.#answer(() => this.#registers[checked(address)]),
      setCoil: (address: number, value: boolean): void | Promise<void> =>
        this.#answer(() => this.#writeCoil(checked(address), value)),
      setRegister: (address: number, value: number): void | Promise<void> =>
        this.#answer(() => this.#writeRegisters(checked(address), [value])),
      setRegisterArray: (address: number, values: number[]): void | Promise<void> =>
        this.#answer(() => {
          checked(address + values.length - 1);
          this.#writeRegisters(address, values);
        }),
    } as ConstructorParameters<typeof ServerTCP>[0];
  }

  #answer<Value>(act: () => Value): Value | Promise<Value> {
    return this.#frozen ? new Promise<Value>(() => undefined) : act();
  }

  #writeCoil(address: number, value: boolean): void {
    const lamp = address <= COILS.buzzer;
    const before = this.#coils[address];
    this.#coils[address] = value;
    this.emit('write', { kind: 'coil', address, values: [value] });
    if (lamp && before !== value) this.#announceLamps();
  }

  /** Once for all coils of a request: they are written one after the other. */
  #announceLamps(): void {
    if (this.#lampsChanged) return;
    this.#lampsChanged = true;
    setImmediate(() => {
      this.#lampsChanged = false;
      this.emit('lamps', this.lamps);
    });
  }

  #writeRegisters(address: number, values: readonly number[]): void {
    this.#registers.set(values, address);
    this.emit('write', { kind: 'registers', address, values });
    const touches = (register: number) => register >= address && register < address + values.length;
    if (touches(REGISTERS.acknowledge)) {
      this.#counts.acknowledged += 1;
      this.emit('acknowledged', this.#registers[REGISTERS.acknowledge]);
    }
    if (touches(REGISTERS.heartbeat)) this.emit('heartbeat', this.#registers[REGISTERS.heartbeat]);
    if (touches(REGISTERS.resultSequence)) this.#takeResult();
  }

  #takeResult(): void {
    const [code, sequence, errorCode, confidence] = this.getRegisters(REGISTERS.resultVerdict, 4);
    const verdict = (Object.keys(VERDICT_CODES) as Verdict[]).find((name) => VERDICT_CODES[name] === code) ?? null;
    const waiting = this.#waiting;
    const valid = waiting?.sequence === sequence && verdict !== null;
    const kind = valid ? 'valid' : sequence === this.#lastAnswered ? 'duplicate' : 'unexpected';
    const milliseconds = valid ? Date.now() - waiting.since : null;
    if (valid) {
      clearTimeout(this.#resultTimer);
      this.#waiting = null;
      this.#lastAnswered = sequence;
      this.#inputs[SIMULATED_PLC_MAP.discreteInputs.partPresent] = false;
      this.#counts[verdict.toLowerCase() as 'ok' | 'ng' | 'review'] += 1;
    } else this.#counts[kind === 'duplicate' ? 'duplicates' : 'unexpected'] += 1;
    this.emit('result', { sequence, verdict, errorCode, confidence: confidence / 1000, kind, milliseconds });
  }

  /** The client connections, for tests of what a broken line does. */
  get sockets(): Socket[] {
    return [...(this.#server?.socks.keys() ?? [])];
  }
}

function checked(address: number): number {
  if (address >= SIMULATED_PLC_MAP.size) throw ILLEGAL_ADDRESS;
  return address;
}
