/**
 * The times expected were computed with another implementation: Python's zoneinfo on the IANA time zone data, for
 * example `datetime(2026, 10, 26, 2, 30, tzinfo=ZoneInfo('Europe/Berlin'))` in UTC; where the clock jumps, `zdump -v` gives
 * the moment.
 */
import assert from 'node:assert/strict';
import { checkQuietHours, quietUntil } from '../../../../engine/learning/retraining/quiet-hours';
import { checkSchedule, lastTime, nextTime } from '../../../../engine/learning/retraining/schedule';

const at = (text: string) => Date.parse(text);
const told = (time: number | null) => (time === null ? null : new Date(time).toISOString().replace(':00.000Z', 'Z'));

/** The next times of a schedule. */
function times(cron: string, timeZone: string, after: string, count: number): (string | null)[] {
  const found: (string | null)[] = [];
  let from: number | null = at(after);
  for (let index = 0; index < count && from !== null; index++) {
    from = nextTime({ cron, timeZone }, from);
    found.push(told(from));
  }
  return found;
}

describe('schedule of retrainings', () => {
  it('comes at the same time of day in summer and in winter', () => {
    assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-10-23T12:00Z', 3), [
      '2026-10-24T00:30Z',
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    assert.deepEqual(times('0 6 * * *', 'Europe/Berlin', '2026-03-27T12:00Z', 2), [
      '2026-03-28T05:00Z',
      '2026-03-29T04:00Z',
    ]);
    assert.deepEqual(times('0 2 * * *', 'Asia/Kolkata', '2026-03-28T12:00Z', 1), ['2026-03-28T20:30Z']);
  });

  it('comes after the gap when daylight saving skips its time', () => {
    assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00Z', 3), [
      '2026-03-28T01:30Z',
      '2026-03-29T01:00Z', // 02:00 is followed by 03:00, says zdump
      '2026-03-30T00:30Z',
    ]);
  });

  it('comes once when its time occurs twice', () => {
    assert.deepEqual(times('15 1 * * *', 'America/New_York', '2026-10-31T00:00Z', 3), [
      '2026-10-31T05:15Z',
      '2026-11-01T05:15Z',
      '2026-11-02T06:15Z',
    ]);
    // half an hour of daylight saving: 01:45 occurs twice
    assert.deepEqual(times('45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T00:00Z', 3), [
      '2026-04-03T14:45Z',
      '2026-04-04T14:45Z',
      '2026-04-05T15:15Z',
    ]);
  });

  it('finds the last time that has passed, the moment itself included', () => {
    const nightly = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    const since = at('2026-10-20T00:00Z');
    assert.equal(told(lastTime(nightly, since, at('2026-10-26T01:29:59Z'))), '2026-10-25T00:30Z');
    assert.equal(told(lastTime(nightly, since, at('2026-10-26T01:30:00Z'))), '2026-10-26T01:30Z');
    assert.equal(told(lastTime(nightly, since, at('2026-10-26T09:00:00.500Z'))), '2026-10-26T01:30Z');
    assert.equal(lastTime(nightly, at('2026-10-26T01:30Z'), at('2026-10-26T09:00Z')), null);
    assert.equal(told(lastTime(nightly, since, at('2026-03-29T01:00:00Z'))), null);
  });

  it('refuses what is no schedule, no time zone, or never comes', () => {
    const check = (cron: string, timeZone = 'UTC') => checkSchedule({ cron, timeZone }, at('2026-01-01T00:00Z'));
    check('0 2 * * 1-5');
    assert.throws(() => check('every night'), { code: 'invalid-input', message: /"every night" is not understood/ });
    assert.throws(() => check('0 25 * * *'), { code: 'invalid-input' });
    assert.throws(() => check('0 0 2 * * *'), { code: 'invalid-input' }, 'seconds');
    assert.throws(() => check('0 0 31 2 *'), { message: /never comes/ });
    assert.throws(() => check('0 2 * * *', 'Mars/Olympus'), { message: /no time zone "Mars\/Olympus"/ });
  });
});

describe('quiet hours', () => {
  const night = [{ from: '22:00', to: '06:00' }];
  const until = (hours: typeof night, timeZone: string, text: string) => told(quietUntil(hours, timeZone, at(text)));

  it('go over midnight, from their first minute to before their last', () => {
    assert.equal(until(night, 'UTC', '2026-06-01T21:59:59Z'), null);
    assert.equal(until(night, 'UTC', '2026-06-01T22:00Z'), '2026-06-02T06:00Z');
    assert.equal(until(night, 'UTC', '2026-06-02T05:59:59Z'), '2026-06-02T06:00Z');
    assert.equal(until(night, 'UTC', '2026-06-02T06:00Z'), null);
    assert.equal(until([{ from: '06:00', to: '14:00' }], 'UTC', '2026-06-02T06:30Z'), '2026-06-02T14:00Z');
  });

  it('end by the clock on the wall, when daylight saving begins or ends within them', () => {
    assert.equal(until(night, 'Europe/Berlin', '2026-03-28T21:30Z'), '2026-03-29T04:00Z');
    assert.equal(until(night, 'Europe/Berlin', '2026-10-24T20:30Z'), '2026-10-25T05:00Z');
  });

  it('end when the last of several that touch each other ends', () => {
    const shifts = [...night, { from: '05:30', to: '08:15' }];
    assert.equal(until(shifts, 'UTC', '2026-06-01T23:00Z'), '2026-06-02T08:15Z');
  });

  it('are refused when they are none, or leave no time', () => {
    const refused = (hours: typeof night, message: RegExp) => {
      assert.throws(() => checkQuietHours(hours), { code: 'invalid-input', message });
    };
    checkQuietHours([]);
    refused([{ from: '10 pm', to: '06:00' }], /written as 22:00/);
    refused([{ from: '24:00', to: '06:00' }], /written as 22:00/);
    refused([{ from: '06:00', to: '06:00' }], /no length/);
    refused([...night, { from: '06:00', to: '22:00' }], /whole day/);
  });
});
