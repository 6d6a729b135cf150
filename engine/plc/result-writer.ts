import { EventEmitter } from 'node:events';
import { type InspectionError, InvalidInput, plcErrorCode, type ReasonCode, type Verdict } from '../domain';
import { encodeNumber, maximumOf, type NumberType, registersOf, type WordOrder } from './codecs';
import type { PlcConnection } from './connection';

/** The numbers a PLC reads for a verdict; 0 means that there is none yet. */
export const VERDICT_CODES: Readonly<Record<Verdict, number>> = { OK: 1, NG: 2, REVIEW: 3 };

/**
 * Where a result stands in the PLC, one register after the other: verdict code, sequence (one or two registers), error
 * code, and confidence x 1000 when `confidence` is set. A result is the PLC's to use when the sequence equals the trigger's.
 */
export interface ResultBlock {
  /** Holding register of the verdict code, counted from 0. */
  readonly address: number;
  readonly sequenceType: NumberType;
  readonly wordOrder?: WordOrder;
  readonly confidence: boolean;
}

/** Where the sequence of a result block stands. */
export function resultSequenceAddress(block: ResultBlock): number {
  return block.address + 1;
}

export interface PlcResult {
  readonly sequence: number;
  readonly verdict: Verdict;
  readonly reasons: readonly ReasonCode[];
  /** 0..1 */
  readonly confidence: number;
}

/** The registers of a result block. */
export function encodeResult(result: PlcResult, block: ResultBlock): number[] {
  if (result.sequence > maximumOf(block.sequenceType)) {
    throw new InvalidInput(`Sequence ${result.sequence} does not fit ${block.sequenceType}.`, {
      sequence: result.sequence,
    });
  }
  const registers = [
    VERDICT_CODES[result.verdict],
    ...encodeNumber(result.sequence, block.sequenceType, block.wordOrder),
    plcErrorCode(result.reasons),
  ];
  if (block.confidence) registers.push(Math.round(Math.min(1, Math.max(0, result.confidence)) * 1000));
  return registers;
}

/** How many registers a result block takes. */
export function lengthOfBlock(block: ResultBlock): number {
  return 2 + registersOf(block.sequenceType) + (block.confidence ? 1 : 0);
}

export interface ResultWriterOptions {
  readonly connection: PlcConnection;
  readonly block: ResultBlock;
  readonly unit?: number;
  /** Wait before a refused or unanswered write is tried again; 1000 unless told. */
  readonly retryMs?: number;
}

export interface ResultWriterEvents {
  /** A result stands in the PLC; `late` when it did not get there at the first attempt. */
  written: [PlcResult, { readonly late: boolean }];
  /** A kept result failed again, in another way than before; it is tried on. The first failure is thrown by `write`. */
  problem: [InspectionError, PlcResult];
  /** A kept result was never written, because a newer one took its place. */
  superseded: [PlcResult];
}

/**
 * Writes results into the PLC, each in one request, so that the PLC never sees a verdict with another part's sequence. The
 * last result that did not get there is kept and written when the device is back: the PLC may still wait for it.
 */
export class ResultWriter extends EventEmitter<ResultWriterEvents> {
  readonly #options: ResultWriterOptions;
  #pending: PlcResult | null = null;
  /** How the last attempt for the pending result failed. */
  #failure: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = true;

  constructor(options: ResultWriterOptions) {
    super();
    this.#options = options;
  }

  start(): void {
    if (!this.#closed) return;
    this.#closed = false;
    this.#options.connection.on('connected', this.#retry);
    this.#options.connection.register(this);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#options.connection.off('connected', this.#retry);
    await this.#options.connection.deregister(this);
  }

  /** The result that is still to be written, if any. */
  get pending(): PlcResult | null {
    return this.#pending;
  }

  /** Takes over a result that another writer could not write: tried now, and whenever the device is back. */
  resume(result: PlcResult): void {
    this.#pending ??= result;
    if (this.#options.connection.state === 'connected') this.#retry();
  }

  /**
   * Writes a result. When that fails the result is kept, tried again, and the error thrown.
   *
   * @throws {InvalidInput} when the result does not fit the block; then it is not kept
   */
  async write(result: PlcResult): Promise<void> {
    encodeResult(result, this.#options.block);
    if (this.#pending) this.emit('superseded', this.#pending);
    this.#pending = result;
    this.#failure = null;
    clearTimeout(this.#timer);
    await this.#attempt(result, false);
  }

  readonly #retry = () => {
    const result = this.#pending;
    if (!result || this.#closed) return;
    clearTimeout(this.#timer);
    const before = this.#failure;
    this.#attempt(result, true).catch((error: InspectionError) => {
      if (!this.#closed && error.code !== before) this.emit('problem', error, result);
    });
  };

  async #attempt(result: PlcResult, late: boolean): Promise<void> {
    const { connection, block, unit, retryMs } = this.#options;
    try {
      await connection.writeRegisters(block.address, encodeResult(result, block), unit);
    } catch (error) {
      if (this.#pending === result && !this.#closed) {
        this.#failure = (error as InspectionError).code;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(this.#retry, retryMs ?? 1000);
      }
      throw error;
    }
    if (this.#pending === result) this.#pending = null;
    this.emit('written', result, { late });
  }
}
