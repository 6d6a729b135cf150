import { InvalidInput, isName } from '../../engine/domain';
import type { ByteOrder, NumberType, TriggerPollerOptions, TriggerSignal, WordOrder } from '../../engine/plc';
import { readAddress, readChoice, readOptionalAddress, readUnit } from '../plc-connection/config';
import { type ConfigSchema, type NumberField, readInteger } from '../shared';

export interface PlcTriggerConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the plc-connection. */
  readonly plc: string;
  /** Id of the inspection-station that is asked after a restart about a part that waits in the PLC; may be empty. */
  readonly station: string;
  /** Empty: the connection's. */
  readonly unit: NumberField;
  readonly signal: TriggerSignal['kind'];
  /** Register, coil or input of the trigger; all addresses count from 0. */
  readonly address: NumberField;
  readonly sequenceType: NumberType;
  /** Reset the coil to acknowledge. */
  readonly resetCoil: boolean;
  readonly partTypeFrom: 'number' | 'text' | 'none';
  readonly partTypeAddress: NumberField;
  /** Registers of a part type given as text. */
  readonly partTypeLength: NumberField;
  /** Names of the part type numbers: `1=plate, 2=cable-end`. */
  readonly partTypes: string;
  /** Empty: the PLC gives no serial number. */
  readonly serialAddress: NumberField;
  readonly serialLength: NumberField;
  /** Register the sequence is written into to acknowledge; empty: none. */
  readonly acknowledgeAddress: NumberField;
  /** Register of the result's sequence; empty: none. */
  readonly resultAddress: NumberField;
  /** Milliseconds. */
  readonly pollInterval: NumberField;
  readonly wordOrder: WordOrder;
  readonly byteOrder: ByteOrder;
}

export const schema: ConfigSchema<PlcTriggerConfig> = {
  defaults: {
    name: '',
    plc: '',
    station: '',
    unit: '',
    signal: 'sequence',
    address: 0,
    sequenceType: 'uint16',
    resetCoil: true,
    partTypeFrom: 'number',
    partTypeAddress: 1,
    partTypeLength: 8,
    partTypes: '',
    serialAddress: 2,
    serialLength: 10,
    acknowledgeAddress: 12,
    resultAddress: 21,
    pollInterval: 100,
    wordOrder: 'big',
    byteOrder: 'big',
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/** The configuration with its texts read and checked. */
export interface TriggerSettings {
  readonly poller: Omit<TriggerPollerOptions, 'connection'>;
  /** Part types by their number in the PLC. */
  readonly partTypes: ReadonlyMap<number, string>;
}

/**
 * Reads and checks what the editor's form gives as text.
 *
 * @throws {InvalidInput} naming the setting and what it must be
 */
export function readTriggerSettings(config: PlcTriggerConfig): TriggerSettings {
  const sequenceType = readChoice('sequence type', config.sequenceType, ['uint16', 'uint32'] as const);
  const signal = readSignal(config, sequenceType);
  const resultAddress = readOptionalAddress('result sequence', config.resultAddress);
  const acknowledgeAddress = readOptionalAddress('acknowledge', config.acknowledgeAddress);
  const serialAddress = readOptionalAddress('serial number', config.serialAddress);
  return {
    poller: {
      unit: readUnit(config.unit),
      signal,
      partType: readPartTypePlace(config),
      serial:
        serialAddress === null
          ? null
          : { address: serialAddress, length: readInteger('serial number (registers)', config.serialLength, 1, 60) },
      acknowledge: acknowledgeAddress === null ? null : { address: acknowledgeAddress },
      result: resultAddress === null ? null : { address: resultAddress, type: sequenceType },
      pollMs: readInteger('poll interval (ms)', config.pollInterval, 10, 60_000),
      wordOrder: readChoice('word order', config.wordOrder, ['big', 'little'] as const),
      byteOrder: readChoice('byte order', config.byteOrder, ['big', 'little'] as const),
    },
    partTypes: readPartTypes(config.partTypes),
  };
}

function readSignal(config: PlcTriggerConfig, type: NumberType): TriggerSignal {
  const kind = readChoice('trigger', config.signal, ['sequence', 'coil', 'discrete-input'] as const);
  const address = readAddress('trigger', config.address);
  if (kind === 'sequence') return { kind, address, type };
  return kind === 'coil' ? { kind, address, reset: config.resetCoil } : { kind, address };
}

function readPartTypePlace(config: PlcTriggerConfig): TriggerPollerOptions['partType'] {
  const kind = readChoice('part type', config.partTypeFrom, ['number', 'text', 'none'] as const);
  if (kind === 'none') return null;
  const address = readAddress('part type', config.partTypeAddress);
  if (kind === 'number') return { kind, address };
  return { kind, address, length: readInteger('part type (registers)', config.partTypeLength, 1, 60) };
}

/** Reads `1=plate, 2=cable-end`. */
function readPartTypes(text: string): ReadonlyMap<number, string> {
  const pairs = text
    .split(/[,;\n]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const match = /^(\d{1,5})\s*=\s*(\S+)$/.exec(pair);
      if (!match || Number(match[1]) > 0xffff || !isName(match[2])) {
        throw new InvalidInput(`A part type must look like 1=plate, not ${JSON.stringify(pair)}.`);
      }
      return [Number(match[1]), match[2]];
    }),
  );
}
