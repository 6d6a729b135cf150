import type { Decision, Inspection, PictureInfo, ReasonCode, Trigger } from '../domain';

export interface OpenInspection {
  readonly partType: string;
  readonly serial?: string;
  readonly trigger: Trigger;
  /** Id of the flow tab the part runs through: its verdict goes to an outlet on the same one. */
  readonly route?: string;
  /** Milliseconds to the verdict; the station's unless told. */
  readonly deadlineMs?: number;
}

/** Takes the verdicts that no node of the flow has made: deadline, failed capture, interrupted inspections. */
export interface Outlet {
  readonly route: string;
  emit(inspection: Inspection, picture?: Buffer): void;
}

/** The inspections under way. Each one gets exactly one verdict, recorded before it is sent and before its deadline. */
export declare class InspectionLedger {
  /** Inspections under way. */
  readonly size: number;
  /** Begins an inspection and its deadline. @throws {StationClosed} @throws {InvalidInput} */
  open(input: OpenInspection): Inspection;
  /**
   * Gives an inspection its picture, which is written to disk in the background.
   * @returns the inspection with `image`
   */
  attachPicture(inspection: Inspection, picture: Buffer, info: PictureInfo): Inspection;
  /**
   * Ends an inspection: picture and record are on disk when it resolves, and the caller sends the verdict on.
   *
   * When the store fails, the verdict is the fail-safe one (an NG stays NG) with the reason `not-recorded`.
   * @param inspection with all findings
   * @returns the inspection with its decision; null when it has a verdict already (deadline passed, duplicate)
   * @throws {UnknownInspection} when this station never opened it
   */
  settle(inspection: Inspection, decision: Decision): Promise<Inspection | null>;
  /** Ends an inspection with the fail-safe verdict and hands it to an outlet. @returns null when it has a verdict already */
  fail(inspection: Inspection, reason: ReasonCode, message: string): Promise<Inspection | null>;
  /** Resolves with the inspection once it has its verdict. @throws {NotFound} */
  settled(id: string): Promise<Inspection>;
  /** @returns a function that removes the outlet */
  registerOutlet(outlet: Outlet): () => void;
}
