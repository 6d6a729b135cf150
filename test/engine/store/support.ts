import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { type Inspection, newId, timestamp, type Verdict } from '../../../engine/domain';
import { openStore, type Store, type StoreOptions } from '../../../engine/store';

export const PICTURE = Buffer.from('not decoded by the store, so any bytes serve');

const undos: (() => Promise<unknown>)[] = [];

/** Runs `undo` after the test that is running; `undoAll` belongs into `afterEach`. */
export function undoAfter(undo: () => Promise<unknown>): void {
  undos.push(undo);
}

export async function undoAll(): Promise<void> {
  for (const undo of undos.splice(0).reverse()) await undo();
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'opti-store-'));
  undoAfter(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function temporaryStore(options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore({ ...options, dataFolder: options.dataFolder ?? (await temporaryFolder()) });
  undoAfter(() => store.close());
  return store;
}

export function inspection(changes: Partial<Inspection> = {}): Inspection {
  const capturedAt = changes.capturedAt ?? timestamp(Date.now());
  return {
    id: changes.capturedAt === undefined ? newId() : ulid(Date.parse(capturedAt)),
    station: 'station-1',
    partType: 'plate',
    trigger: { source: 'message' },
    capturedAt,
    deadlineAt: timestamp(Date.parse(capturedAt) + 2000),
    image: { width: 4, height: 3, format: 'jpeg', bytes: PICTURE.length, sha256: '00' },
    findings: [],
    ...changes,
  };
}

export function decided(verdict: Verdict, changes: Partial<Inspection> = {}): Inspection {
  const decision = { verdict, confidence: 1, reasons: [], by: 'model', at: timestamp(Date.now()) } as const;
  return inspection({ decision, ...changes });
}

/** Stores a picture and its verdict as the station does. */
export async function record(store: Store, settled: Inspection, picture = PICTURE): Promise<string> {
  const saved = await store.pictures.save(settled.id, settled.capturedAt, picture, 'jpeg');
  const picturePath = await store.pictures.moveToVerdict(saved, settled.decision!.verdict);
  const withSize = { ...settled, image: { ...settled.image!, bytes: picture.length } };
  await store.inspections.settle(withSize, { picturePath, settledAt: timestamp(Date.now()), delivered: true });
  return picturePath;
}
