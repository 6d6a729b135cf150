import type { SimulatedPlcOptions } from '../../engine/plc';
import { type ConfigSchema, type NumberField, readInteger, readNumber } from '../shared';

export interface PlcSimulatorConfig {
  readonly version: number;
  readonly name: string;
  /** Address it listens on. */
  readonly host: string;
  readonly port: NumberField;
  /** Raise triggers from the start. */
  readonly cycle: boolean;
  readonly cycleSeconds: NumberField;
  /** Seconds the simulated PLC waits for a result. */
  readonly resultTimeout: NumberField;
  /** Part type number of the parts. */
  readonly partType: NumberField;
  readonly serialPrefix: string;
}

export const schema: ConfigSchema<PlcSimulatorConfig> = {
  defaults: {
    name: '',
    host: '127.0.0.1',
    port: 1502,
    cycle: true,
    cycleSeconds: 5,
    resultTimeout: 10,
    partType: 1,
    serialPrefix: 'SIM-',
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
export function readSimulatorSettings(config: PlcSimulatorConfig): Required<SimulatedPlcOptions> {
  return {
    host: config.host.trim() || '127.0.0.1',
    port: readInteger('port', config.port, 0, 65_535),
    cycleSeconds: readNumber('cycle (s)', config.cycleSeconds, 0.05, 3600),
    resultTimeoutSeconds: readNumber('result timeout (s)', config.resultTimeout, 0.1, 3600),
    partType: readInteger('part type', config.partType, 0, 65_535),
    serialPrefix: config.serialPrefix,
  };
}
