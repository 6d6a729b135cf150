import { EventEmitter } from 'node:events';
import type { InspectionError, Verdict } from '../domain';
import type { PlcConnection } from './connection';
import { PlcUnavailable } from './errors';
import type { LampProfile } from './lamp-profiles';
import { DARK, LAMP_COLOURS, type LampColour, type LampMode, type LampState, sameLamps } from './lamps';

/** A lamp to show steadily, or nothing. */
export type SteadyLamp = LampColour | 'off';

export interface TowerLightOptions {
  /** Null: messages only, nothing is written. */
  readonly device: {
    readonly connection: PlcConnection;
    readonly profile: LampProfile;
    /** Unit id; the connection's unless told. */
    readonly unit?: number;
  } | null;
  /** How long a verdict stays lit, in milliseconds; 0: until the next one. */
  readonly holdMs: number;
  /** What is lit while there is nothing to show. */
  readonly idle: SteadyLamp;
  /** What is lit when the verdicts stop coming: on close and after a lost connection. */
  readonly failSafe: SteadyLamp;
  /** After a lost connection: show the fail-safe colour until the next verdict, or the last verdict again. */
  readonly afterLoss: 'fail-safe' | 'last';
  readonly buzzer: { readonly onNg: boolean; readonly onFault: boolean; readonly milliseconds: number };
  /** All lamps are written again this often, against changes by others; 0: never. 10 s unless told. */
  readonly refreshMs?: number;
  /** Half a flashing period; 500 unless told. */
  readonly flashMs?: number;
  /** How long each step of the lamp test lasts; 700 unless told. */
  readonly testStepMs?: number;
  /** Wait before a failed write is tried again; 1000 unless told. */
  readonly retryMs?: number;
}

export type LampSignal = 'idle' | 'busy' | 'ok' | 'ng' | 'review' | 'waiting' | 'fault' | 'fail-safe' | 'lamp-test';

/** What the tower light shall show now, and whether the device can be told. */
export interface LampReport {
  readonly signal: LampSignal;
  /** The lamp that tells most: the fault's, the verdict's, else the waiting or idle one. */
  readonly colour: LampColour | 'off';
  readonly flashing: boolean;
  readonly lamps: LampState;
  /** Null when nothing is written (messages only). */
  readonly connected: boolean | null;
}

export interface TowerLightEvents {
  /** What shall be shown, or whether it can be, changed. */
  change: [LampReport];
  /** The device refused or missed a write; it is tried again. */
  problem: [InspectionError];
  /** All lamps are written after a problem. */
  recovered: [];
}

const VERDICT_LAMPS: Readonly<Record<Verdict, { signal: LampSignal; colour: LampColour }>> = {
  OK: { signal: 'ok', colour: 'green' },
  NG: { signal: 'ng', colour: 'red' },
  REVIEW: { signal: 'review', colour: 'yellow' },
};

const TEST_STEPS: readonly LampState[] = [
  ...(['red', 'yellow', 'green', 'blue'] as const).map((colour) => ({ ...DARK, [colour]: 'on' as LampMode })),
  { green: 'on', red: 'on', yellow: 'on', blue: 'on', buzzer: true },
];

/**
 * Holds what a tower light shall show and keeps the device at it: changes are written as they come, everything after a
 * reconnect and every `refreshMs`. What shall be shown, most telling first: a fault (red, flashing), the last verdict (OK
 * green, NG red, REVIEW yellow), the fail-safe colour after a lost connection, the idle colour; blue is lit beside these
 * while parts wait for a person.
 */
export class TowerLight extends EventEmitter<TowerLightEvents> {
  readonly #options: Required<TowerLightOptions>;
  #verdict: Verdict | null = null;
  #fault = false;
  #lost = false;
  #busy = false;
  #waiting = false;
  #buzzing = false;
  #testStep: number | null = null;
  #phase = true;
  #written: LampState | null = null;
  #writing = false;
  #lastWrite: Promise<void> = Promise.resolve();
  #problem = false;
  #closed = true;
  #reported: string | null = null;
  #holdTimer: NodeJS.Timeout | undefined;
  #buzzerTimer: NodeJS.Timeout | undefined;
  #testTimer: NodeJS.Timeout | undefined;
  #flashTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #refreshTimer: NodeJS.Timeout | undefined;

  constructor(options: TowerLightOptions) {
    super();
    this.#options = { refreshMs: 10_000, flashMs: 500, testStepMs: 700, retryMs: 1000, ...options };
  }

  /** Registers with the connection and begins to drive. */
  start(): void {
    if (!this.#closed) return;
    this.#closed = false;
    const { device, refreshMs } = this.#options;
    if (device) {
      device.connection.on('connected', this.#onConnected);
      device.connection.on('disconnected', this.#onDisconnected);
      device.connection.register(this);
      if (refreshMs > 0) this.#refreshTimer = setInterval(() => this.#rewrite(), refreshMs);
    }
    this.#update();
    if (device?.connection.state === 'connected') this.#onConnected();
  }

  /**
   * Writes the fail-safe colour when the device can be reached, then leaves the connection. Takes at most
   * `withinMs` milliseconds.
   */
  async close(withinMs = 3000): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of [this.#holdTimer, this.#buzzerTimer, this.#testTimer, this.#retryTimer]) clearTimeout(timer);
    clearInterval(this.#refreshTimer);
    clearInterval(this.#flashTimer);
    const { device } = this.#options;
    if (!device) return;
    device.connection.off('connected', this.#onConnected);
    device.connection.off('disconnected', this.#onDisconnected);
    let limit: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, withinMs);
    });
    await Promise.race([this.#writeFailSafe(), tooLate]);
    clearTimeout(limit);
    await device.connection.deregister(this);
  }

  /** Shows a verdict; ends a lamp test and the fail-safe colour. */
  show(verdict: Verdict): void {
    this.#verdict = verdict;
    this.#lost = false;
    this.#busy = false;
    this.#endTest();
    clearTimeout(this.#holdTimer);
    if (this.#options.holdMs > 0) {
      this.#holdTimer = setTimeout(() => {
        this.#verdict = null;
        this.#update();
      }, this.#options.holdMs);
    }
    if (verdict === 'NG' && this.#options.buzzer.onNg) this.#buzz();
    this.#update();
  }

  /** A part is being inspected: the verdict of the one before goes dark. */
  busy(): void {
    clearTimeout(this.#holdTimer);
    this.#verdict = null;
    this.#busy = true;
    this.#update();
  }

  /** Lights blue while parts wait for a person. */
  waiting(waiting: boolean): void {
    this.#waiting = waiting;
    this.#update();
  }

  /** Flashes red until `clearFault`. */
  fault(): void {
    if (!this.#fault && this.#options.buzzer.onFault) this.#buzz();
    this.#fault = true;
    this.#endTest();
    this.#update();
  }

  clearFault(): void {
    this.#fault = false;
    this.#update();
  }

  /** Ends the fault, the verdict, the buzzer and the fail-safe colour: back to idle. */
  clear(): void {
    clearTimeout(this.#holdTimer);
    clearTimeout(this.#buzzerTimer);
    this.#fault = false;
    this.#verdict = null;
    this.#lost = false;
    this.#busy = false;
    this.#buzzing = false;
    this.#endTest();
    this.#update();
  }

  /** Lights each lamp in turn, then all with the buzzer, and goes back to what shall be shown. */
  test(): void {
    this.#endTest();
    const step = (index: number) => {
      this.#testStep = index < TEST_STEPS.length ? index : null;
      if (this.#testStep !== null) this.#testTimer = setTimeout(() => step(index + 1), this.#options.testStepMs);
      this.#update();
    };
    step(0);
  }

  report(): LampReport {
    const lamps = this.#lamps();
    const { signal, colour } = this.#signal();
    const connection = this.#options.device?.connection;
    return {
      signal,
      colour,
      flashing: colour !== 'off' && lamps[colour] === 'flashing',
      lamps,
      connected: connection ? connection.state === 'connected' : null,
    };
  }

  #signal(): { signal: LampSignal; colour: LampColour | 'off' } {
    if (this.#testStep !== null) {
      const colour = LAMP_COLOURS.find((lamp) => TEST_STEPS[this.#testStep!][lamp] === 'on') ?? 'off';
      return { signal: 'lamp-test', colour };
    }
    if (this.#fault) return { signal: 'fault', colour: 'red' };
    if (this.#verdict) return VERDICT_LAMPS[this.#verdict];
    if (this.#lost) return { signal: 'fail-safe', colour: this.#options.failSafe };
    if (this.#waiting) return { signal: 'waiting', colour: 'blue' };
    if (this.#busy) return { signal: 'busy', colour: 'off' };
    return { signal: 'idle', colour: this.#options.idle };
  }

  #lamps(): LampState {
    if (this.#testStep !== null) return TEST_STEPS[this.#testStep];
    const lamps: Record<LampColour, LampMode> & { buzzer: boolean } = { ...DARK, buzzer: this.#buzzing };
    if (this.#fault) lamps.red = 'flashing';
    else if (this.#verdict) lamps[VERDICT_LAMPS[this.#verdict].colour] = 'on';
    else if (this.#lost) light(lamps, this.#options.failSafe);
    else if (!this.#busy) light(lamps, this.#options.idle);
    if (this.#waiting) lamps.blue = 'on';
    return lamps;
  }

  #endTest(): void {
    clearTimeout(this.#testTimer);
    this.#testStep = null;
  }

  #buzz(): void {
    if (this.#options.buzzer.milliseconds <= 0) return;
    clearTimeout(this.#buzzerTimer);
    this.#buzzing = true;
    this.#buzzerTimer = setTimeout(() => {
      this.#buzzing = false;
      this.#update();
    }, this.#options.buzzer.milliseconds);
  }

  readonly #onConnected = () => {
    this.#written = null;
    this.#update();
  };

  readonly #onDisconnected = () => {
    this.#written = null;
    if (this.#options.afterLoss === 'fail-safe') {
      clearTimeout(this.#holdTimer);
      this.#verdict = null;
      this.#lost = true;
    }
    this.#update();
  };

  #rewrite(): void {
    this.#written = null;
    this.#write();
  }

  /** Brings report, flashing and device in line with what shall be shown. */
  #update(): void {
    if (this.#closed) return;
    const report = this.report();
    const key = JSON.stringify(report);
    if (key !== this.#reported) {
      this.#reported = key;
      this.emit('change', report);
    }
    this.#flash();
    this.#write();
  }

  #flash(): void {
    const { device, flashMs } = this.#options;
    if (!device) return;
    const lamps = this.#lamps();
    const needed = LAMP_COLOURS.some((colour) => lamps[colour] === 'flashing' && !device.profile.flashes.has(colour));
    if (needed && !this.#flashTimer) {
      this.#phase = true;
      this.#flashTimer = setInterval(() => {
        this.#phase = !this.#phase;
        this.#write();
      }, flashMs);
    } else if (!needed && this.#flashTimer) {
      clearInterval(this.#flashTimer);
      this.#flashTimer = undefined;
    }
  }

  /** The lamps as they are written: those the device cannot flash are on or off by phase. */
  #target(): LampState {
    const lamps = { ...this.#lamps() };
    const { profile } = this.#options.device!;
    for (const colour of LAMP_COLOURS) {
      if (lamps[colour] === 'flashing' && !profile.flashes.has(colour)) lamps[colour] = this.#phase ? 'on' : 'off';
    }
    return lamps;
  }

  #write(): void {
    if (this.#closed || this.#writing || this.#options.device?.connection.state !== 'connected') return;
    this.#lastWrite = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    try {
      while (!this.#closed) {
        const target = this.#target();
        if (this.#written && sameLamps(this.#written, target)) break;
        await this.#send(target);
      }
      this.#writing = false;
      if (this.#problem) {
        this.#problem = false;
        this.emit('recovered');
      }
    } catch (error) {
      this.#writing = false;
      this.#written = null;
      if (this.#closed) return;
      this.#problem = true;
      this.emit('problem', error as InspectionError);
      if (error instanceof PlcUnavailable) return;
      clearTimeout(this.#retryTimer);
      this.#retryTimer = setTimeout(() => this.#write(), this.#options.retryMs);
    }
  }

  async #send(target: LampState): Promise<void> {
    const { connection, profile, unit } = this.#options.device!;
    const before = this.#written;
    for (const write of profile.writes(target, before)) await connection.write(write, unit);
    // a reconnect or refresh meanwhile set `#written` to null: then all is written once more
    if (this.#written === before) this.#written = target;
  }

  async #writeFailSafe(): Promise<void> {
    await this.#lastWrite;
    const lamps = { ...DARK };
    light(lamps, this.#options.failSafe);
    this.#written = null;
    // a device that cannot be reached keeps what it shows; its own watchdog has to act
    await this.#send(lamps).catch(() => undefined);
  }
}

function light(lamps: { -readonly [colour in LampColour]: LampMode }, lamp: SteadyLamp): void {
  if (lamp !== 'off') lamps[lamp] = 'on';
}
