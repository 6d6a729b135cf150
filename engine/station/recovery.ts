import { type Clock, type FailSafeVerdict, type Inspection, type PictureInfo, sha256Of, timestamp } from '../domain';
import { readPictureHeader } from '../imaging';
import { failSafeDecision } from '../routing';
import type { RoutedRecord, Store } from '../store';
import { failureFinding } from './failure';

export interface RecoveryOptions {
  readonly store: Pick<Store, 'inspections' | 'pictures'>;
  readonly failSafe: FailSafeVerdict;
  readonly clock: Clock;
  /** True for inspections whose verdict is known elsewhere. */
  readonly isKnown: (id: string) => boolean;
  readonly onFault: (error: unknown) => void;
}

/**
 * Gives the inspections that a crash left open their fail-safe verdict, `interrupted`, and removes what it left of
 * pictures without a record.
 *
 * @returns the inspections settled now
 */
export async function recoverOpenInspections(options: RecoveryOptions): Promise<readonly Inspection[]> {
  const { inspections, pictures } = options.store;
  const settled: Inspection[] = [];
  for (const record of await inspections.open()) {
    if (!options.isKnown(record.id)) settled.push(await interrupt(record, options));
  }
  await pictures.sweep(async (id) => (await inspections.get(id)) !== null);
  return settled;
}

async function interrupt(record: RoutedRecord, options: RecoveryOptions): Promise<Inspection> {
  const { store, failSafe, clock } = options;
  const at = timestamp(clock.now());
  const found = await store.pictures.locate(record.id, record.capturedAt);
  const picturePath = found && (await store.pictures.moveToVerdict(found, failSafe));
  const image = picturePath ? (record.image ?? (await describe(picturePath, options))) : undefined;
  const message = 'Node-RED ended before this part had its verdict.';
  const inspection: Inspection = {
    ...asInspection(record),
    image,
    findings: [...record.findings, failureFinding('interrupted', message)],
    decision: failSafeDecision(failSafe, picturePath ? ['interrupted'] : ['interrupted', 'no-picture'], at),
  };
  await store.inspections.settle(inspection, { picturePath, settledAt: at, delivered: false });
  return inspection;
}

/** The facts about a picture; undefined, and a fault, when a crash or the disk has damaged it. */
async function describe(path: string, { store, onFault }: RecoveryOptions): Promise<PictureInfo | undefined> {
  try {
    const picture = await store.pictures.read(path);
    const { format, width, height } = readPictureHeader(picture);
    return { format, width, height, bytes: picture.length, sha256: sha256Of(picture) };
  } catch (error) {
    onFault(error);
    return undefined;
  }
}

/** The inspection without what only the store knows about it. */
export function asInspection(record: Inspection & Partial<RoutedRecord>): Inspection {
  const { state: _state, picturePath: _path, settledAt: _at, route: _route, ...inspection } = record;
  return inspection;
}
