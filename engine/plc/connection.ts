import { EventEmitter } from 'node:events';
import type ModbusRTU from 'modbus-serial';
import { type InspectionError, InvalidInput, type Random } from '../domain';
import { Backoff } from './backoff';
import { PlcAnswerInvalid, PlcException, PlcOverload, PlcTimeout, PlcUnavailable } from './errors';
import { describeTransport, type Line, openLine, type PlcTransport } from './transport';

export interface PlcConnectionOptions {
  readonly transport: PlcTransport;
  /** Unit id of requests that name none, 0..255; 1 unless told. */
  readonly unit?: number;
  /** How long the device may take to answer; 1000 unless told. */
  readonly responseTimeoutMs?: number;
  /** 3000 unless told. */
  readonly connectTimeoutMs?: number;
  /** How many requests may wait; 64 unless told. */
  readonly queueLimit?: number;
  /** How long a request may wait for its turn; 5000 unless told. */
  readonly queueTimeoutMs?: number;
  /** First wait before a new attempt to connect; 500 unless told. */
  readonly reconnectMinMs?: number;
  /** Longest wait before a new attempt; 30000 unless told. */
  readonly reconnectMaxMs?: number;
  /** So many unanswered requests in a row end a TCP connection, which may be half-open; 2 unless told. */
  readonly timeoutsBeforeReconnect?: number;
  readonly random?: Random;
}

/** `closed`: nobody uses it; `waiting`: an attempt failed, the next one is due. */
export type PlcState = 'closed' | 'connecting' | 'connected' | 'waiting';

export interface PlcConnectionEvents {
  state: [PlcState];
  connected: [];
  /** The connection was there and is lost. */
  disconnected: [InspectionError];
  /** An attempt to connect failed. Emitted only when somebody listens. */
  error: [InspectionError];
}

/** One write request, as the drivers describe it. */
export type PlcWrite =
  | { readonly kind: 'coils'; readonly address: number; readonly values: readonly boolean[] }
  | { readonly kind: 'registers'; readonly address: number; readonly values: readonly number[] };

type Callback = (error: (Error & { modbusCode?: number }) | null, result: unknown) => void;

interface Job {
  readonly label: string;
  send(client: ModbusRTU, callback: Callback): void;
  resolve(result: unknown): void;
  reject(error: InspectionError): void;
  timer?: NodeJS.Timeout;
  settled: boolean;
}

/** After a serial request that got no answer, a late answer must not be taken for the next one's: modbus-serial cannot tell. */
const SERIAL_REST_MS = 100;

/**
 * The one connection to a device, shared by all who use it: opened when the first user registers, closed when the last one
 * leaves, opened again with growing waits when it breaks. One request is under way at a time, the others wait in a bounded
 * queue; a request never outlives its connection and is never repeated by itself.
 */
export class PlcConnection extends EventEmitter<PlcConnectionEvents> {
  /** The device's name in messages. */
  readonly device: string;
  readonly #options: Required<Omit<PlcConnectionOptions, 'random'>>;
  readonly #users = new Set<object>();
  readonly #backoff: Backoff;
  #state: PlcState = 'closed';
  #line: Line | null = null;
  /** Counts attempts, so that a late event of an earlier line is known as such. */
  #attempt = 0;
  #reconnects = 0;
  #wasConnected = false;
  #timer: NodeJS.Timeout | undefined;
  #queue: Job[] = [];
  #current: Job | null = null;
  #timeouts = 0;
  #lastError: InspectionError | null = null;

  constructor(options: PlcConnectionOptions) {
    super();
    this.setMaxListeners(0);
    this.#options = {
      transport: options.transport,
      unit: options.unit ?? 1,
      responseTimeoutMs: options.responseTimeoutMs ?? 1000,
      connectTimeoutMs: options.connectTimeoutMs ?? 3000,
      queueLimit: options.queueLimit ?? 64,
      queueTimeoutMs: options.queueTimeoutMs ?? 5000,
      reconnectMinMs: options.reconnectMinMs ?? 500,
      reconnectMaxMs: options.reconnectMaxMs ?? 30_000,
      timeoutsBeforeReconnect: options.timeoutsBeforeReconnect ?? 2,
    };
    this.device = describeTransport(options.transport);
    this.#backoff = new Backoff(this.#options.reconnectMinMs, this.#options.reconnectMaxMs, options.random);
  }

  get state(): PlcState {
    return this.#state;
  }

  /** How often the connection came back after it was lost. */
  get reconnects(): number {
    return this.#reconnects;
  }

  get users(): number {
    return this.#users.size;
  }

  /** Why the last attempt or connection ended; null while all is well. */
  get lastError(): InspectionError | null {
    return this.#lastError;
  }

  /** Counts `user` in; the first one opens the connection. */
  register(user: object): void {
    this.#users.add(user);
    if (this.#state === 'closed') void this.#connect();
  }

  /** Counts `user` out; resolves when, after the last one, the connection is closed. */
  async deregister(user: object): Promise<void> {
    if (!this.#users.delete(user) || this.#users.size > 0) return;
    await this.close();
  }

  /** Closes the connection whoever uses it. */
  async close(): Promise<void> {
    this.#users.clear();
    this.#attempt += 1;
    clearTimeout(this.#timer);
    const line = this.#line;
    this.#line = null;
    this.#wasConnected = false;
    this.#lastError = null;
    this.#backoff.reset();
    this.#rejectAll(new PlcUnavailable(this.device, 'the connection was closed'));
    this.#setState('closed');
    await line?.close();
  }

  /** @param count 1..125 */
  async readHoldingRegisters(address: number, count: number, unit?: number): Promise<number[]> {
    checkRange(address, count, 125);
    const label = `read holding registers ${span(address, count)}`;
    const result = await this.#request(label, (client, done) =>
      client.writeFC3(this.#unit(unit), address, count, done),
    );
    return (result as { data: number[] }).data;
  }

  /** @param count 1..125 */
  async readInputRegisters(address: number, count: number, unit?: number): Promise<number[]> {
    checkRange(address, count, 125);
    const label = `read input registers ${span(address, count)}`;
    const result = await this.#request(label, (client, done) =>
      client.writeFC4(this.#unit(unit), address, count, done),
    );
    return (result as { data: number[] }).data;
  }

  /** @param count 1..2000 */
  async readCoils(address: number, count: number, unit?: number): Promise<boolean[]> {
    checkRange(address, count, 2000);
    const label = `read coils ${span(address, count)}`;
    const result = await this.#request(label, (client, done) =>
      client.writeFC1(this.#unit(unit), address, count, done),
    );
    return (result as { data: boolean[] }).data.slice(0, count);
  }

  /** @param count 1..2000 */
  async readDiscreteInputs(address: number, count: number, unit?: number): Promise<boolean[]> {
    checkRange(address, count, 2000);
    const label = `read discrete inputs ${span(address, count)}`;
    const result = await this.#request(label, (client, done) =>
      client.writeFC2(this.#unit(unit), address, count, done),
    );
    return (result as { data: boolean[] }).data.slice(0, count);
  }

  /** Writes one register (function 6) or several in one request (function 16, at most 123). */
  async writeRegisters(address: number, values: readonly number[], unit?: number): Promise<void> {
    checkRange(address, values.length, 123);
    const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value > 0xffff);
    if (wrong !== undefined) throw new InvalidInput(`A register cannot hold ${wrong}: 0 to 65535 is allowed.`);
    const label = `write registers ${span(address, values.length)}`;
    await (values.length === 1
      ? this.#request(
          label,
          (client, done) => client.writeFC6(this.#unit(unit), address, values[0], done),
          (echo) => echo.address === address && echo.value === values[0],
        )
      : this.#request(
          label,
          (client, done) => client.writeFC16(this.#unit(unit), address, [...values], done),
          (echo) => echo.address === address && echo.length === values.length,
        ));
  }

  /** Writes one coil (function 5) or several in one request (function 15, at most 1968). */
  async writeCoils(address: number, values: readonly boolean[], unit?: number): Promise<void> {
    checkRange(address, values.length, 1968);
    const label = `write coils ${span(address, values.length)}`;
    await (values.length === 1
      ? this.#request(
          label,
          (client, done) => client.writeFC5(this.#unit(unit), address, values[0], done),
          (echo) => echo.address === address && echo.state === values[0],
        )
      : this.#request(
          label,
          (client, done) => client.writeFC15(this.#unit(unit), address, [...values], done),
          (echo) => echo.address === address && echo.length === values.length,
        ));
  }

  /** Executes one described write. */
  async write(write: PlcWrite, unit?: number): Promise<void> {
    if (write.kind === 'coils') await this.writeCoils(write.address, write.values, unit);
    else await this.writeRegisters(write.address, write.values, unit);
  }

  #unit(unit: number | undefined): number {
    return unit ?? this.#options.unit;
  }

  #request(
    label: string,
    send: (client: ModbusRTU, callback: Callback) => void,
    echoes?: (echo: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<unknown> {
    if (this.#state !== 'connected') {
      return Promise.reject(new PlcUnavailable(this.device, this.#causeOfAbsence()));
    }
    if (this.#queue.length >= this.#options.queueLimit) {
      return Promise.reject(new PlcOverload(this.device, this.#options.queueLimit));
    }
    return new Promise((resolve, reject) => {
      const job: Job = {
        label,
        send,
        settled: false,
        resolve: (result) => {
          if (!echoes || echoes(result as Record<string, unknown>)) resolve(result);
          else reject(new PlcAnswerInvalid(this.device, label, 'it confirmed another write'));
        },
        reject,
      };
      job.timer = setTimeout(() => {
        this.#queue = this.#queue.filter((other) => other !== job);
        settle(job);
        reject(new PlcTimeout(this.device, label, this.#options.queueTimeoutMs, 'queue'));
      }, this.#options.queueTimeoutMs);
      this.#queue.push(job);
      this.#next();
    });
  }

  #causeOfAbsence(): string {
    if (this.#state === 'closed') return 'the connection is closed';
    const cause = this.#lastError?.parameters.cause;
    return cause === undefined ? 'the connection is being opened' : String(cause);
  }

  #next(): void {
    if (this.#current || this.#state !== 'connected' || !this.#line) return;
    const job = this.#queue.shift();
    if (!job) return;
    const attempt = this.#attempt;
    clearTimeout(job.timer);
    this.#current = job;
    // an answer that came while this process was busy lies there unread, and counts
    job.timer = setTimeout(() => {
      setImmediate(() => job.settled || this.#unanswered(job));
    }, this.#options.responseTimeoutMs);
    try {
      job.send(this.#line.client, (error, result) => {
        if (attempt === this.#attempt && !job.settled) this.#answered(job, error, result);
      });
    } catch (error) {
      this.#answered(job, error instanceof Error ? error : new Error(String(error)), null);
    }
  }

  #answered(job: Job, error: (Error & { modbusCode?: number }) | null, result: unknown): void {
    settle(job);
    this.#current = null;
    if (error && error.modbusCode === undefined) {
      const invalid = new PlcAnswerInvalid(this.device, job.label, error.message);
      job.reject(invalid);
      if (this.#options.transport.kind === 'tcp') this.#lost('it sent an invalid answer');
      else this.#restThenNext();
      return;
    }
    this.#timeouts = 0;
    this.#backoff.reset();
    if (error) job.reject(new PlcException(this.device, job.label, error.modbusCode!));
    else job.resolve(result);
    this.#next();
  }

  #unanswered(job: Job): void {
    settle(job);
    this.#current = null;
    job.reject(new PlcTimeout(this.device, job.label, this.#options.responseTimeoutMs));
    this.#timeouts += 1;
    if (this.#options.transport.kind === 'rtu') this.#restThenNext();
    else if (this.#timeouts >= this.#options.timeoutsBeforeReconnect) {
      this.#lost(`${this.#timeouts} requests in a row got no answer`);
    } else this.#next();
  }

  #restThenNext(): void {
    const rest: Job = {
      label: 'rest',
      send: () => undefined,
      resolve: () => undefined,
      reject: () => undefined,
      settled: false,
    };
    this.#current = rest;
    rest.timer = setTimeout(() => {
      if (this.#current !== rest) return;
      this.#current = null;
      this.#next();
    }, SERIAL_REST_MS);
  }

  async #connect(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#setState('connecting');
    let line: Line;
    try {
      line = await openLine(this.#options.transport, this.#options.connectTimeoutMs);
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(error instanceof Error ? error.message : String(error));
      return;
    }
    if (attempt !== this.#attempt) {
      await line.close();
      return;
    }
    this.#line = line;
    this.#timeouts = 0;
    this.#lastError = null;
    if (this.#wasConnected) this.#reconnects += 1;
    this.#wasConnected = true;
    line.onDown((cause) => {
      if (attempt === this.#attempt) this.#lost(cause);
    });
    this.#setState('connected');
    this.emit('connected');
    this.#next();
  }

  #failed(cause: string): void {
    const error = new PlcUnavailable(this.device, cause);
    this.#lastError = error;
    this.#scheduleAttempt();
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  #lost(cause: string): void {
    const line = this.#line;
    if (!line) return;
    this.#line = null;
    this.#attempt += 1;
    const error = new PlcUnavailable(this.device, cause);
    this.#lastError = error;
    void line.close();
    this.#rejectAll(error);
    this.#scheduleAttempt();
    this.emit('disconnected', error);
  }

  #scheduleAttempt(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), this.#backoff.next());
    this.#setState('waiting');
  }

  #rejectAll(error: InspectionError): void {
    const jobs = this.#current ? [this.#current, ...this.#queue] : this.#queue;
    this.#current = null;
    this.#queue = [];
    for (const job of jobs) {
      settle(job);
      job.reject(error);
    }
  }

  #setState(state: PlcState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.emit('state', state);
  }
}

function settle(job: Job): void {
  job.settled = true;
  clearTimeout(job.timer);
}

function span(address: number, count: number): string {
  return count === 1 ? String(address) : `${address} to ${address + count - 1}`;
}

function checkRange(address: number, count: number, limit: number): void {
  if (!Number.isInteger(address) || address < 0 || address > 0xffff) {
    throw new InvalidInput(`${address} is no Modbus address: 0 to 65535 is allowed.`, { address });
  }
  if (!Number.isInteger(count) || count < 1 || count > limit || address + count > 0x10000) {
    throw new InvalidInput(
      `One request holds 1 to ${limit} values up to address 65535, not ${count} from ${address}.`,
      {
        address,
        count,
      },
    );
  }
}
