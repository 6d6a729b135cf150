import assert from 'node:assert/strict';
import { escapeEstimate, isoWeek, missingAudits, startOfWeek } from '../../../engine/review/escape-estimate';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} != ${expected}`);

describe('the escape estimate', () => {
  // expected: scipy 1.17.1, binomtest(bad, audited).proportion_ci(0.95, 'exact')
  const intervals: [bad: number, audited: number, low: number, high: number][] = [
    [0, 10, 0, 0.30849710781876],
    [1, 312, 8.1143528148e-5, 0.0177275464213],
    [3, 500, 0.00123905754354, 0.017433673726],
    [2, 40, 0.00611364659935, 0.16919686395942],
    [200, 20000, 0.008667639013454, 0.0114775476262],
  ];
  for (const [bad, audited, low, high] of intervals) {
    it(`gives ${bad} bad of ${audited} audited parts the interval of Clopper and Pearson`, () => {
      const { total } = escapeEstimate([{ partType: 'plate', day: '2026-11-20', audited, bad }], 0.01);
      assert.equal(total[0].share, bad / audited);
      near(total[0].low, low);
      near(total[0].high, high);
    });
  }

  // expected: the least n with scipy 1.17.1 beta.ppf(0.975, bad + 1, n - bad) <= bound, less the audits made;
  // of none bad the closed form ln(0.025) / ln(1 - bound), rounded up, gives the same
  const missing: [bad: number, audited: number, bound: number, missing: number | null][] = [
    [0, 0, 0.01, 368],
    [0, 0, 0.1, 36],
    [0, 312, 0.01, 56],
    [1, 312, 0.01, 243],
    [3, 500, 0.01, 374],
    [2, 40, 0.05, 102],
    [5, 5, 0.001, 11660],
    [200, 20000, 0.01, 2958],
    [200, 20000, 0.02, 0],
    [0, 0, 1e-6, null],
  ];
  for (const [bad, audited, bound, expected] of missing) {
    it(`misses ${expected ?? 'too many'} audits for ${bound} after ${bad} bad of ${audited}`, () => {
      assert.equal(missingAudits(bad, audited, bound), expected);
    });
  }

  it('adds days up to weeks, newest first, and to a total, per part type', () => {
    const days = [
      { partType: 'plate', day: '2026-11-16', audited: 10, bad: 0 },
      { partType: 'plate', day: '2026-11-15', audited: 7, bad: 1 },
      { partType: 'plate', day: '2026-11-22', audited: 5, bad: 1 },
      { partType: 'cable', day: '2026-11-20', audited: 3, bad: 0 },
    ];
    const { items, total, bound, confidence } = escapeEstimate(days, 0.05);
    assert.deepEqual([bound, confidence], [0.05, 0.95]);
    assert.deepEqual(
      items.map(({ partType, week, audited, bad }) => [partType, week, audited, bad]),
      [
        ['cable', '2026-W47', 3, 0],
        ['plate', '2026-W47', 15, 1],
        ['plate', '2026-W46', 7, 1],
      ],
    );
    assert.deepEqual(
      total.map(({ partType, audited, bad }) => [partType, audited, bad]),
      [
        ['cable', 3, 0],
        ['plate', 22, 2],
      ],
    );
  });

  it('says nothing without audits', () => {
    assert.deepEqual(escapeEstimate([], 0.01), { bound: 0.01, confidence: 0.95, items: [], total: [] });
  });

  // expected: Python 3.11, date.fromisoformat(day).isocalendar()
  const weeks: [string, string][] = [
    ['2026-01-01', '2026-W01'],
    ['2027-01-03', '2026-W53'],
    ['2024-12-30', '2025-W01'],
    ['2021-01-03', '2020-W53'],
    ['2026-11-20', '2026-W47'],
  ];
  for (const [day, week] of weeks) it(`puts ${day} into ${week}`, () => assert.equal(isoWeek(day), week));

  it('begins weeks on Monday', () => {
    const sunday = Date.parse('2026-11-22T23:59:00Z');
    assert.equal(startOfWeek(sunday, 0), '2026-11-16T00:00:00.000Z');
    assert.equal(startOfWeek(sunday, 2), '2026-11-02T00:00:00.000Z');
  });
});
