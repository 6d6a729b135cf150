import { EventEmitter } from 'node:events';
import { type InspectionError, InvalidInput } from '../domain';
import {
  type ByteOrder,
  decodeAscii,
  decodeNumber,
  encodeNumber,
  maximumOf,
  type NumberType,
  registersOf,
  type WordOrder,
} from './codecs';
import type { PlcConnection } from './connection';
import { PlcException } from './errors';

/** How the PLC says that a part is there. Addresses count from 0. */
export type TriggerSignal =
  /** A register that changes with each part; 0: none yet. */
  | { readonly kind: 'sequence'; readonly address: number; readonly type: NumberType }
  /** A coil or input that goes on; a coil is reset to acknowledge when `reset` is set. */
  | { readonly kind: 'coil'; readonly address: number; readonly reset: boolean }
  | { readonly kind: 'discrete-input'; readonly address: number };

export interface TriggerPollerOptions {
  readonly connection: PlcConnection;
  readonly unit?: number;
  readonly signal: TriggerSignal;
  /** Where the part type stands: a number in one register, or text. */
  readonly partType:
    | { readonly kind: 'number'; readonly address: number }
    | { readonly kind: 'text'; readonly address: number; readonly length: number }
    | null;
  /** Where the serial number stands, and in how many registers (two characters each). */
  readonly serial: { readonly address: number; readonly length: number } | null;
  /** Register the sequence is written into once the part is accepted. */
  readonly acknowledge: { readonly address: number } | null;
  /** Register of the result block's sequence: a sequence that stands there is answered already. */
  readonly result: { readonly address: number; readonly type: NumberType } | null;
  /** From the start of one poll to the start of the next. */
  readonly pollMs: number;
  /** Wait after a poll the device refused; 2000 unless told. */
  readonly retryMs?: number;
  /**
   * Asked once after the start about a sequence that stands in the PLC without a result: true when its part is inspected
   * already, or was. Such a part is not reported. When it fails, the part is not reported until it answers.
   */
  readonly isTaken?: (part: PlcTrigger) => Promise<boolean>;
  readonly wordOrder?: WordOrder;
  readonly byteOrder?: ByteOrder;
}

export interface PlcTrigger {
  /** The PLC's sequence, or a count of the parts where the PLC gives none. */
  readonly sequence: number;
  readonly partTypeNumber?: number;
  readonly partTypeText?: string;
  readonly serial?: string;
}

/**
 * Why a trigger was not inspected: `jump`: the sequence jumped, the parts between were never seen; `unanswered`: it was
 * accepted before a restart, has no result, and `isTaken` does not know it; `edge-unseen`: the signal was on already when the connection came up, so it
 * is not known whether a part came meanwhile.
 */
export type MissedReason = 'jump' | 'unanswered' | 'edge-unseen';

export interface TriggerPollerEvents {
  /** A part is there. Listeners are called before the trigger is acknowledged. */
  trigger: [PlcTrigger];
  missed: [{ readonly count: number; readonly reason: MissedReason; readonly total: number }];
  /** A poll or acknowledgement failed; reported once for a row of the same failure. */
  problem: [InspectionError];
  recovered: [];
}

/** The span of registers a poll reads at once. */
interface ReadPlan {
  readonly address: number;
  readonly count: number;
}

/**
 * Looks for the PLC's trigger by polling. With a sequence register all of a part's data are read in the same request as the
 * sequence, so they belong together as long as the PLC writes the sequence last.
 *
 * A part is reported once: a sequence that is acknowledged or has its result already, for example after a restart of
 * Node-RED, is not reported again. Where neither register is given, the value found at the first poll counts as seen.
 */
export class TriggerPoller extends EventEmitter<TriggerPollerEvents> {
  readonly #options: TriggerPollerOptions;
  readonly #plan: ReadPlan | null;
  #closed = true;
  #timer: NodeJS.Timeout | undefined;
  #polling = false;
  /** Last sequence seen; null before the first poll. */
  #last: number | null = null;
  /** True until the first poll after a connect: the sequence may be one that is answered already. */
  #fresh = true;
  /** Level of the coil or input at the last poll; null after a connect. */
  #level: boolean | null = null;
  /** Counts parts where the PLC gives no sequence; null until the result block was read. */
  #count: number | null = null;
  #owedAcknowledgement: number | null = null;
  #owedReset = false;
  #missed = 0;
  #problem: string | null = null;

  /** @throws {InvalidInput} when the registers of one part do not fit one request */
  constructor(options: TriggerPollerOptions) {
    super();
    this.#options = options;
    this.#plan = planRead(options);
  }

  /** Parts the PLC announced and nobody inspected, since the poller was made. */
  get missed(): number {
    return this.#missed;
  }

  start(): void {
    if (!this.#closed) return;
    this.#closed = false;
    this.#options.connection.on('connected', this.#onConnected);
    this.#options.connection.register(this);
    if (this.#options.connection.state === 'connected') this.#onConnected();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#options.connection.off('connected', this.#onConnected);
    await this.#options.connection.deregister(this);
  }

  readonly #onConnected = () => {
    this.#level = null;
    this.#fresh = true;
    this.#schedule(0);
  };

  #schedule(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.#poll(), milliseconds);
  }

  async #poll(): Promise<void> {
    const { connection, pollMs, retryMs } = this.#options;
    if (this.#polling || connection.state !== 'connected') return;
    this.#polling = true;
    const begun = Date.now();
    let wait = pollMs;
    try {
      await this.#settleDebts();
      if (this.#options.signal.kind === 'sequence') await this.#pollSequence(this.#options.signal);
      else await this.#pollLevel(this.#options.signal);
      if (this.#problem !== null) {
        this.#problem = null;
        this.emit('recovered');
      }
    } catch (error) {
      this.#report(error as InspectionError);
      if (error instanceof PlcException) wait = retryMs ?? 2000;
    } finally {
      this.#polling = false;
      this.#schedule(Math.max(0, wait - (Date.now() - begun)));
    }
  }

  /** Repeats acknowledgements that did not get through. */
  async #settleDebts(): Promise<void> {
    if (this.#owedAcknowledgement !== null) await this.#acknowledge(this.#owedAcknowledgement);
    if (this.#owedReset) await this.#resetCoil();
  }

  async #pollSequence(signal: Extract<TriggerSignal, { kind: 'sequence' }>): Promise<void> {
    const registers = await this.#readPart();
    const at = signal.address - this.#plan!.address;
    const sequence = decodeNumber(registers, at, signal.type, this.#options.wordOrder);
    const answered =
      this.#fresh && sequence !== 0 && sequence !== this.#last && (await this.#isAnswered(sequence, registers));
    if (this.#closed) return;
    this.#fresh = false;
    if (answered) this.#last = sequence;
    if (sequence === this.#last) return;
    const before = this.#last;
    this.#last = sequence;
    if (sequence === 0) return;
    const skipped = before === null || before === 0 ? 0 : skippedBetween(before, sequence, maximumOf(signal.type));
    if (skipped > 0) this.#miss(skipped, 'jump');
    await this.#fire(sequence, registers);
  }

  /** Whether a sequence found after a connect needs no inspection any more. */
  async #isAnswered(sequence: number, registers: readonly number[]): Promise<boolean> {
    const { result, acknowledge, signal } = this.#options;
    const type = signal.kind === 'sequence' ? signal.type : 'uint16';
    const answered = result ? (await this.#readNumber(result.address, result.type)) === sequence : false;
    if (answered || this.#last !== null) return answered;
    if (await this.#options.isTaken?.(this.#partOf(sequence, registers))) return true;
    if (acknowledge && (await this.#readNumber(acknowledge.address, type)) === sequence) {
      if (result) this.#miss(1, 'unanswered');
      return true;
    }
    return !result && !acknowledge;
  }

  async #pollLevel(signal: Extract<TriggerSignal, { kind: 'coil' | 'discrete-input' }>): Promise<void> {
    const { connection, unit } = this.#options;
    const [level] = await (signal.kind === 'coil'
      ? connection.readCoils(signal.address, 1, unit)
      : connection.readDiscreteInputs(signal.address, 1, unit));
    const before = this.#level;
    if (this.#closed) return;
    const waits = signal.kind === 'coil' && signal.reset;
    if (level && before === null && !waits) {
      this.#level = level;
      this.#miss(1, 'edge-unseen');
      return;
    }
    if (!level || before === true) {
      this.#level = level;
      return;
    }
    const registers = this.#plan ? await this.#readPart() : [];
    if (this.#count === null) this.#count = await this.#lastCount();
    if (this.#closed) return;
    this.#level = level;
    this.#count = this.#count >= maximumOf('uint16') ? 1 : this.#count + 1;
    await this.#fire(this.#count, registers);
  }

  /** The count goes on from the result that stands in the PLC, so that it cannot be taken for the next part's. */
  async #lastCount(): Promise<number> {
    const { result } = this.#options;
    return result ? (await this.#readNumber(result.address, result.type)) % (maximumOf('uint16') + 1) : 0;
  }

  async #readPart(): Promise<number[]> {
    const { connection, unit } = this.#options;
    return connection.readHoldingRegisters(this.#plan!.address, this.#plan!.count, unit);
  }

  async #readNumber(address: number, type: NumberType): Promise<number> {
    const { connection, unit, wordOrder } = this.#options;
    return decodeNumber(await connection.readHoldingRegisters(address, registersOf(type), unit), 0, type, wordOrder);
  }

  #partOf(sequence: number, registers: readonly number[]): PlcTrigger {
    const { partType, serial, byteOrder } = this.#options;
    const part = (from: { address: number }, length: number) =>
      registers.slice(from.address - this.#plan!.address, from.address - this.#plan!.address + length);
    return {
      sequence,
      ...(partType?.kind === 'number' ? { partTypeNumber: part(partType, 1)[0] } : {}),
      ...(partType?.kind === 'text' ? { partTypeText: decodeAscii(part(partType, partType.length), byteOrder) } : {}),
      ...(serial ? { serial: decodeAscii(part(serial, serial.length), byteOrder) } : {}),
    };
  }

  async #fire(sequence: number, registers: readonly number[]): Promise<void> {
    const { acknowledge, signal } = this.#options;
    this.#owedAcknowledgement = acknowledge ? sequence : null;
    this.#owedReset = signal.kind === 'coil' && signal.reset;
    this.emit('trigger', this.#partOf(sequence, registers));
    await this.#settleDebts();
  }

  async #acknowledge(sequence: number): Promise<void> {
    const { connection, acknowledge, signal, unit, wordOrder } = this.#options;
    const type = signal.kind === 'sequence' ? signal.type : 'uint16';
    await connection.writeRegisters(acknowledge!.address, encodeNumber(sequence, type, wordOrder), unit);
    if (this.#owedAcknowledgement === sequence) this.#owedAcknowledgement = null;
  }

  async #resetCoil(): Promise<void> {
    const { connection, signal, unit } = this.#options;
    await connection.writeCoils(signal.address, [false], unit);
    this.#owedReset = false;
    // the next part may set it before the next poll: that is a new edge
    this.#level = false;
  }

  #miss(count: number, reason: MissedReason): void {
    this.#missed += count;
    this.emit('missed', { count, reason, total: this.#missed });
  }

  #report(error: InspectionError): void {
    if (this.#closed || this.#problem === error.code) return;
    this.#problem = error.code;
    this.emit('problem', error);
  }
}

/**
 * How many sequences lie between two: 1 to `maximum`, then 1 again. A step of more than half the range backwards is a PLC
 * that began anew; nothing was missed then.
 */
export function skippedBetween(before: number, after: number, maximum: number): number {
  const steps = (((after - before) % maximum) + maximum) % maximum;
  return steps > maximum / 2 ? 0 : Math.max(0, steps - 1);
}

function planRead(options: TriggerPollerOptions): ReadPlan | null {
  const { signal, partType, serial } = options;
  const spans = [
    ...(signal.kind === 'sequence' ? [{ from: signal.address, length: registersOf(signal.type) }] : []),
    ...(partType ? [{ from: partType.address, length: partType.kind === 'text' ? partType.length : 1 }] : []),
    ...(serial ? [{ from: serial.address, length: serial.length }] : []),
  ];
  if (spans.length === 0) return null;
  const first = Math.min(...spans.map(({ from }) => from));
  const end = Math.max(...spans.map(({ from, length }) => from + length));
  if (end - first > 125) {
    throw new InvalidInput(
      `Sequence, part type and serial number span ${end - first} registers; one request reads 125 at most. Put them closer together in the PLC.`,
    );
  }
  return { address: first, count: end - first };
}
