import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type Inspection, StationClosed, type Verdict } from '../../../engine/domain';
import type { InspectionLedger } from '../../../engine/station';
import { type Store, StoreUnavailable } from '../../../engine/store';
import { waitFor } from '../../support/wait';
import { temporaryStore, undoAll } from '../store/support';
import { decision, IMAGE, openLedger, smallPicture } from './support';

/** What happens to one part on its way. */
interface Fate {
  readonly picture: boolean;
  readonly delay: number;
  readonly deadlineMs: number;
  /** Verdicts that arrive, in this order: more than one is a duplicate, none a lost message. */
  readonly verdicts: readonly Verdict[];
  readonly cameraFails: boolean;
}

interface Scenario {
  readonly fates: readonly Fate[];
  /** For each call of the store in turn: how long it takes and whether it fails. */
  readonly weather: readonly { readonly delay: number; readonly fails: boolean }[];
  /** Milliseconds after which the station is closed and opened again, as a redeploy does. */
  readonly redeploys: readonly number[];
  readonly outlet: boolean;
}

const fate: fc.Arbitrary<Fate> = fc.record({
  picture: fc.boolean(),
  delay: fc.integer({ min: 0, max: 60 }),
  deadlineMs: fc.constantFrom(50, 80, 2000),
  verdicts: fc.array(fc.constantFrom<Verdict>('OK', 'NG', 'REVIEW'), { maxLength: 3 }),
  cameraFails: fc.boolean(),
});

const scenario: fc.Arbitrary<Scenario> = fc.record({
  fates: fc.array(fate, { minLength: 1, maxLength: 8 }),
  weather: fc.array(fc.record({ delay: fc.integer({ min: 0, max: 80 }), fails: fc.boolean() }), { maxLength: 12 }),
  redeploys: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 2 }),
  outlet: fc.boolean(),
});

/** The store with bad weather: calls fail or take their time, before or after they have done their work. */
function stormy(real: Store, weather: Scenario['weather']): Store {
  let calls = 0;
  const through = (method: (...args: never[]) => Promise<unknown>) => ({
    value: async (...args: never[]) => {
      const { delay, fails } = weather[calls++] ?? { delay: 0, fails: false };
      const late = delay > 40;
      if (delay > 0 && !late) await sleep(delay);
      if (fails && !late) throw new StoreUnavailable('disk-full', 'injected before the work');
      const result = await method(...args);
      if (late) await sleep(delay);
      if (fails && late) throw new StoreUnavailable('disk-full', 'injected after the work');
      return result;
    },
  });
  const { inspections, pictures } = real;
  return {
    ...real,
    inspections: Object.create(inspections, {
      insertOpen: through(inspections.insertOpen.bind(inspections)),
      settle: through(inspections.settle.bind(inspections)),
    }),
    pictures: Object.create(pictures, {
      save: through(pictures.save.bind(pictures)),
      moveToVerdict: through(pictures.moveToVerdict.bind(pictures)),
    }),
  };
}

/** A verdict that comes while the station closes is refused; its part is settled as interrupted. */
async function unlessClosed(settling: Promise<Inspection | null>): Promise<Inspection | null> {
  return settling.catch((error) => {
    if (error instanceof StationClosed) return null;
    throw error;
  });
}

async function run({ fates, weather, redeploys, outlet }: Scenario, store: Store, picture: Buffer): Promise<void> {
  const emitted: Inspection[] = [];
  const opened: string[] = [];
  let ledger: InspectionLedger;
  const openAgain = async (of: Store) => {
    ({ ledger } = await openLedger(of));
    if (outlet) ledger.registerOutlet({ route: '', emit: (inspection) => emitted.push(inspection) });
  };
  const send = (settled: Inspection | null) => {
    if (settled) emitted.push(settled);
  };
  const inspect = async ({ picture: hasPicture, delay, deadlineMs, verdicts, cameraFails }: Fate) => {
    let part = ledger.open({ partType: 'plate', trigger: { source: 'message' }, deadlineMs });
    opened.push(part.id);
    if (hasPicture) part = ledger.attachPicture(part, picture, IMAGE);
    await sleep(delay);
    if (cameraFails) await unlessClosed(ledger.fail(part, 'camera-unavailable', 'injected'));
    await Promise.all(
      verdicts.map(async (verdict) => send(await unlessClosed(ledger.settle(part, decision(verdict))))),
    );
  };

  await openAgain(stormy(store, weather));
  const parts = Promise.all(fates.map(inspect));
  for (const after of redeploys) {
    await sleep(after);
    await ledger!.close();
    await openAgain(store);
  }
  await parts;
  await waitFor('all verdicts', () => ledger.size === 0 && ledger.unrecorded === 0);
  await ledger!.close();
  await openAgain(store);
  if (!outlet) ledger!.registerOutlet({ route: '', emit: (inspection) => emitted.push(inspection) });
  await waitFor('the kept ones', () => emitted.length >= opened.length);
  await sleep(10); // time for one too many
  await ledger!.close();
  assert.deepEqual(await store.inspections.undelivered(), []);

  assert.deepEqual(emitted.map(({ id }) => id).sort(), [...opened].sort(), 'one verdict for each trigger');
  for (const sent of emitted) {
    const record = await store.inspections.get(sent.id);
    assert.deepEqual(record?.decision, sent.decision, 'the record is what was sent');
    const wished = fates[opened.indexOf(sent.id)].verdicts;
    if (sent.decision?.verdict === 'OK') assert.ok(wished.includes('OK') && sent.decision.by === 'model');
    if (record?.picturePath) await store.pictures.read(record.picturePath);
  }
}

describe('whatever happens', function () {
  this.timeout(600_000);
  afterEach(undoAll);

  it('there is exactly one verdict for each trigger, and it is the one on record', async () => {
    const picture = await smallPicture();
    await fc.assert(
      fc.asyncProperty(scenario, async (told) => {
        try {
          await run(told, await temporaryStore(), picture);
        } finally {
          await undoAll();
        }
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 25), seed: Number(process.env.PROPERTY_SEED ?? 1) },
    );
  });
});
