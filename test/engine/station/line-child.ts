import { systemClock, timestamp } from '../../../engine/domain';
import { encodeJpeg } from '../../../engine/imaging';
import { InspectionLedger } from '../../../engine/station';
import { openStore } from '../../../engine/store';

const LANES = 4;
const IMAGE = { width: 64, height: 64, format: 'jpeg', bytes: 0, sha256: '00' } as const;

/** Inspects parts on several lanes at once in the data folder given as argument, until it is killed. */
async function main(): Promise<void> {
  const store = await openStore({ dataFolder: process.argv[2] });
  const ledger = await InspectionLedger.open({
    store,
    station: 'station-1',
    failSafe: 'NG',
    deadlineMs: 30_000,
    clock: systemClock,
    onOpened: () => {},
    onSettled: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  const picture = await encodeJpeg(Buffer.alloc(64 * 64 * 3, 99), 64, 64);
  const lane = async () => {
    for (;;) {
      const opened = ledger.open({ partType: 'plate', trigger: { source: 'message' } });
      const part = ledger.attachPicture(opened, picture, { ...IMAGE, bytes: picture.length });
      process.send?.({ opened: part.id });
      const settled = await ledger.settle(part, {
        verdict: 'OK',
        confidence: 1,
        reasons: ['score-below-accept'],
        by: 'model',
        at: timestamp(Date.now()),
      });
      if (settled) process.send?.({ sent: part.id });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

process.on('disconnect', () => process.exit());
void main();
