import { type Inspection, InspectionError, type Trigger } from '../domain';
import type { InspectionLedger } from './ledger';

/** A picture handed in from outside, for a camera-capture node to send through its flow. */
export interface Submission {
  readonly picture: Buffer;
  readonly partType?: string;
  readonly serial?: string;
  readonly source: Extract<Trigger['source'], 'api' | 'browser'>;
}

/**
 * Takes a submission into a flow: opens the inspection, sends it on and returns it. It may throw when the picture is
 * refused; the submitter gets the error.
 */
export type IntakeHandler = (submission: Submission) => Promise<Inspection> | Inspection;

/** No node takes pictures from outside. */
export class NoIntake extends InspectionError {
  constructor() {
    super({
      code: 'no-intake',
      status: 'no intake',
      message: 'No camera-capture node of this station accepts uploads. Tick "accept uploads" in one and deploy.',
      reason: 'camera-unavailable',
      httpStatus: 503,
    });
  }
}

/** The door for pictures that come by API or browser. */
export class Intake {
  private readonly handlers: IntakeHandler[] = [];

  constructor(private readonly ledger: Pick<InspectionLedger, 'settled'>) {}

  /** Number of nodes that take pictures. */
  get size(): number {
    return this.handlers.length;
  }

  /** @returns a function that removes the handler */
  register(handle: IntakeHandler): () => void {
    this.handlers.push(handle);
    return () => {
      const place = this.handlers.indexOf(handle);
      if (place >= 0) this.handlers.splice(place, 1);
    };
  }

  /**
   * Sends a picture through the flow that takes pictures; of several, the first registered.
   *
   * @returns the inspection with its verdict
   * @throws {NoIntake} when no flow takes pictures
   */
  async submit(picture: Buffer, part: Omit<Submission, 'picture'>): Promise<Inspection> {
    const handle = this.handlers[0];
    if (!handle) throw new NoIntake();
    const inspection = await handle({ picture, ...part });
    return this.ledger.settled(inspection.id);
  }
}
