import { EventEmitter } from 'node:events';
import type { InspectionError } from '../domain';
import type { PlcConnection } from './connection';

export interface HeartbeatOptions {
  readonly connection: PlcConnection;
  /** Holding register, counted from 0. */
  readonly address: number;
  readonly unit?: number;
  /** How often the register changes. */
  readonly intervalMs: number;
  /** Asked before each beat; false stops the heartbeat until it is true again. */
  readonly alive: () => boolean;
}

export interface HeartbeatEvents {
  stopped: [];
  resumed: [];
  problem: [InspectionError];
}

/**
 * Toggles a register between 0 and 1. The PLC takes the inspection for dead when the register does not change for a few
 * intervals: Node-RED gone, the connection broken, or the inspection loop stopped.
 */
export class Heartbeat extends EventEmitter<HeartbeatEvents> {
  readonly #options: HeartbeatOptions;
  #timer: NodeJS.Timeout | undefined;
  #value = 0;
  #beating = false;
  #stopped = false;
  #failed = false;

  constructor(options: HeartbeatOptions) {
    super();
    this.#options = options;
  }

  /** False while `alive` says no. */
  get running(): boolean {
    return this.#timer !== undefined && !this.#stopped;
  }

  start(): void {
    if (this.#timer) return;
    this.#options.connection.register(this);
    this.#timer = setInterval(() => void this.#beat(), this.#options.intervalMs);
  }

  async close(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#options.connection.deregister(this);
  }

  async #beat(): Promise<void> {
    const { connection, address, unit, alive } = this.#options;
    const stopped = !alive();
    if (stopped !== this.#stopped) {
      this.#stopped = stopped;
      this.emit(stopped ? 'stopped' : 'resumed');
    }
    if (stopped || this.#beating || connection.state !== 'connected') return;
    this.#beating = true;
    this.#value = 1 - this.#value;
    try {
      await connection.writeRegisters(address, [this.#value], unit);
      this.#failed = false;
    } catch (error) {
      // one report for a row of failures
      if (!this.#failed && this.#timer) this.emit('problem', error as InspectionError);
      this.#failed = true;
    } finally {
      this.#beating = false;
    }
  }
}
