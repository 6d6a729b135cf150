import { InvalidInput } from '../../engine/domain';
import { lengthOfBlock, type NumberType, type ResultBlock, type WordOrder } from '../../engine/plc';
import { readAddress, readChoice, readUnit } from '../plc-connection/config';
import { type ConfigSchema, type NumberField, readInteger, readNumber } from '../shared';

export interface PlcResultConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the plc-connection. */
  readonly plc: string;
  /** Empty: the connection's. */
  readonly unit: NumberField;
  /** Id of the inspection-station whose inspections the heartbeat watches; may be empty. */
  readonly station: string;
  /** First register of the result block; all addresses count from 0. */
  readonly address: NumberField;
  readonly sequenceType: NumberType;
  readonly wordOrder: WordOrder;
  /** Write confidence x 1000 as the block's last register. */
  readonly confidence: boolean;
  /** `trigger`: the PLC's own sequence; `count`: a count of the results since the deploy. */
  readonly sequenceFrom: 'trigger' | 'count';
  readonly heartbeat: boolean;
  readonly heartbeatAddress: NumberField;
  /** Milliseconds. */
  readonly heartbeatInterval: NumberField;
  /** Seconds from a trigger to its result; longer stops the heartbeat. */
  readonly answerLimit: NumberField;
}

export const schema: ConfigSchema<PlcResultConfig> = {
  defaults: {
    name: '',
    plc: '',
    unit: '',
    station: '',
    address: 20,
    sequenceType: 'uint16',
    wordOrder: 'big',
    confidence: true,
    sequenceFrom: 'trigger',
    heartbeat: true,
    heartbeatAddress: 30,
    heartbeatInterval: 1000,
    answerLimit: 10,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/** The configuration with its texts read and checked. */
export interface ResultSettings {
  readonly unit: number | undefined;
  readonly block: ResultBlock;
  readonly counts: boolean;
  /** Null: no heartbeat. */
  readonly heartbeat: { readonly address: number; readonly intervalMs: number } | null;
  readonly answerLimitMs: number;
}

/**
 * Reads and checks what the editor's form gives as text.
 *
 * @throws {InvalidInput} naming the setting and what it must be
 */
export function readResultSettings(config: PlcResultConfig): ResultSettings {
  const block: ResultBlock = {
    address: readAddress('result block', config.address),
    sequenceType: readChoice('sequence type', config.sequenceType, ['uint16', 'uint32'] as const),
    wordOrder: readChoice('word order', config.wordOrder, ['big', 'little'] as const),
    confidence: config.confidence,
  };
  const heartbeat = config.heartbeat
    ? {
        address: readAddress('heartbeat', config.heartbeatAddress),
        intervalMs: readInteger('heartbeat interval (ms)', config.heartbeatInterval, 50, 60_000),
      }
    : null;
  const end = block.address + lengthOfBlock(block);
  if (heartbeat && heartbeat.address >= block.address && heartbeat.address < end) {
    throw new InvalidInput(`The heartbeat lies inside the result block (registers ${block.address} to ${end - 1}).`);
  }
  return {
    unit: readUnit(config.unit),
    block,
    counts: readChoice('sequence', config.sequenceFrom, ['trigger', 'count'] as const) === 'count',
    heartbeat,
    answerLimitMs: readNumber('answer limit (s)', config.answerLimit, 0.1, 3600) * 1000,
  };
}
