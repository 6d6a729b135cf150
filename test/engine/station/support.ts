import { type Decision, type Inspection, systemClock, timestamp, type Verdict } from '../../../engine/domain';
import { encodeJpeg } from '../../../engine/imaging';
import { InspectionLedger, type LedgerOptions } from '../../../engine/station';
import { undoAfter } from '../store/support';

export interface Watched {
  readonly opened: Inspection[];
  readonly settled: Inspection[];
  readonly faults: unknown[];
}

/** A ledger whose parts have all the time there is, unless the test says otherwise. */
export async function openLedger(
  store: LedgerOptions['store'],
  options: Partial<LedgerOptions> = {},
): Promise<{ ledger: InspectionLedger; seen: Watched }> {
  const seen: Watched = { opened: [], settled: [], faults: [] };
  const ledger = await InspectionLedger.open({
    store,
    station: 'station-1',
    failSafe: 'NG',
    deadlineMs: 3_600_000,
    clock: systemClock,
    onOpened: (inspection) => seen.opened.push(inspection),
    onSettled: (inspection) => seen.settled.push(inspection),
    onFault: (error) => seen.faults.push(error),
    firstRetryMs: 20,
    gatherMs: 5,
    ...options,
  });
  undoAfter(() => ledger.close());
  return { ledger, seen };
}

export function decision(verdict: Verdict): Decision {
  return { verdict, confidence: 0.5, reasons: ['score-below-accept'], by: 'model', at: timestamp(Date.now()) };
}

let jpeg: Promise<Buffer> | undefined;

/** A small grey JPEG. */
export function smallPicture(): Promise<Buffer> {
  jpeg ??= encodeJpeg(Buffer.alloc(32 * 32 * 3, 128), 32, 32);
  return jpeg;
}

export const IMAGE = { width: 32, height: 32, format: 'jpeg', bytes: 0, sha256: '00' } as const;
