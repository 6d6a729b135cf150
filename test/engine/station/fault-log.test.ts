import assert from 'node:assert/strict';
import { InspectionError, timestamp } from '../../../engine/domain';
import { openStation } from '../../../engine/station';
import { FaultLog } from '../../../engine/station/fault-log';
import { waitFor } from '../../support/wait';
import { temporaryFolder, undoAfter, undoAll } from '../store/support';
import { decision } from './support';

class DiskFull extends InspectionError {
  constructor() {
    super({ code: 'store-disk-full', status: 'disk full', message: 'Full.', parameters: { folder: '/data' } });
  }
}

describe("a station's log of faults", () => {
  afterEach(undoAll);

  function logAt(start: number): { log: FaultLog; pass(milliseconds: number): string } {
    let now = start;
    const log = new FaultLog({ now: () => now });
    return {
      log,
      pass: (milliseconds) => {
        now += milliseconds;
        return timestamp(now);
      },
    };
  }

  it('tells code and parameters, so that others can say it in their language', () => {
    const { log } = logAt(Date.UTC(2026, 0, 2));
    assert.deepEqual(log.add(new DiskFull()), {
      code: 'store-disk-full',
      message: 'Full.',
      parameters: { folder: '/data' },
    });
    assert.deepEqual(log.add(new Error('oops')), { code: 'internal-error', message: 'oops' });
    assert.deepEqual(log.list[1].parameters, { folder: '/data' });
  });

  it('has something recent until a part that came later goes well, for five minutes at most', () => {
    const { log, pass } = logAt(Date.UTC(2026, 0, 2));
    const before = pass(0);
    pass(1000);
    log.add(new DiskFull());
    assert.equal(log.hasRecent, true);
    log.wentWell(before);
    assert.equal(log.hasRecent, true, 'a part that came before the fault proves nothing');
    log.wentWell(pass(1000));
    assert.equal(log.hasRecent, false);
    pass(1000);
    log.add(new DiskFull());
    assert.equal(log.hasRecent, true);
    pass(5 * 60_000);
    assert.equal(log.hasRecent, false);
  });

  it('makes the station healthy again with the next part a model judges', async () => {
    const forever = { days: null, bytes: null };
    const station = await openStation({
      id: 'station-1',
      name: 'Line 1',
      dataFolder: await temporaryFolder(),
      failSafe: 'NG',
      deadlineMs: 3_600_000,
      retention: { OK: forever, NG: forever, REVIEW: forever },
      pool: { size: 1, queueLimit: 16, queuePolicy: 'reject', memoryCapMb: 256, threads: 1 },
    });
    undoAfter(() => station.close());
    const stop = station.events.on('lamp', () => {
      throw new Error('broken listener');
    });
    station.events.emit('lamp', { node: 'a', colour: null, flashing: false, connected: true });
    stop();
    assert.equal(station.health().state, 'degraded');
    const [{ at }] = station.health().faults;
    await waitFor('the next millisecond', () => timestamp(Date.now()) > at);
    const part = { partType: 'plate', trigger: { source: 'message' } } as const;
    await station.inspections.settle(station.inspections.open(part), decision('OK'));
    assert.equal(station.health().state, 'ok');
    assert.match(station.health().faults[0].message, /broken listener/);
  });
});
