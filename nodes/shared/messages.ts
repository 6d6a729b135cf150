import type { NodeMessage } from 'node-red';
import { type Finding, type Inspection, InvalidInput } from '../../engine/domain';

/** A message between the nodes of the pack: `payload` is the encoded picture, never changed in place. */
export interface InspectionMessage extends NodeMessage {
  payload?: unknown;
  inspection?: Inspection;
  [property: string]: unknown;
}

/**
 * The inspection a message carries.
 *
 * @throws {InvalidInput} when the message did not pass a camera-capture node, or lost its findings on the way
 */
export function inspectionOf(message: InspectionMessage): Inspection {
  const { inspection } = message;
  if (typeof inspection !== 'object' || inspection === null || typeof inspection.id !== 'string') {
    throw new InvalidInput('The message carries no inspection. Wire this node behind a camera-capture node.');
  }
  if (!Array.isArray(inspection.findings)) {
    throw new InvalidInput('msg.inspection has no list of findings. Send on msg.inspection as it came.');
  }
  return inspection;
}

/**
 * The encoded picture a message carries.
 *
 * @throws {InvalidInput} when `payload` is no Buffer
 */
export function pictureOf(message: InspectionMessage): Buffer {
  if (Buffer.isBuffer(message.payload)) return message.payload;
  throw new InvalidInput('msg.payload is no picture (Buffer). Wire this node behind a camera-capture node.');
}

/** The message with one more finding; the original and its inspection stay as they are. */
export function withFinding(message: InspectionMessage, finding: Finding): InspectionMessage {
  const inspection = inspectionOf(message);
  return { ...message, inspection: { ...inspection, findings: [...inspection.findings, finding] } };
}
