import { type SimulatedPart, type SimulatorOptions, simulatePart } from './index';

/** Handlers for the compute child. */
export const tasks = {
  simulate: (options: SimulatorOptions): Promise<SimulatedPart> => simulatePart(options),
};
