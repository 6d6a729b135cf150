import type { SimulatedPart, SimulatorOptions } from './types';

/**
 * Draws one part as a camera on the line would see it.
 *
 * @throws {InvalidInput} when an option is outside its range
 */
export async function simulatePart(options: SimulatorOptions): Promise<SimulatedPart> {
  throw new Error(`not drawn yet: ${options.product}`);
}
