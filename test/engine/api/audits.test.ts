import assert from 'node:assert/strict';
import type { Problem } from '../../../engine/api';
import { newId, type ReviewItem } from '../../../engine/domain';
import { type EscapeEstimate, ReviewIntake } from '../../../engine/review';
import { type Line, openLine, type RunningApi, serveApi } from './line';

describe('the API of what comes into the review queue', function () {
  this.timeout(120_000);
  let line: Line;
  let api: RunningApi;

  before(async () => {
    line = await openLine();
    api = await serveApi(() => [line.station]);
  });
  after(async () => {
    await api.close();
    await line.close();
  });

  const get = (path: string) => fetch(api.url + path);
  const flag = (body: object) =>
    fetch(`${api.url}/labeling-queue/flag`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  async function problem(response: Promise<Response>, status: number, code: string): Promise<void> {
    const answer = await response;
    assert.deepEqual([answer.status, ((await answer.json()) as Problem).code], [status, code]);
  }

  it('puts a passed part before a person that somebody flags', async () => {
    const { id } = await line.inspect(0.5, { partType: 'flagged' });
    const response = await flag({ inspectionId: id, reviewer: 'Kim', note: 'a dent' });
    assert.equal(response.status, 200);
    const item = (await response.json()) as ReviewItem & { picture: string };
    assert.deepEqual([item.id, item.state, item.queueReasons[0], item.note], [id, 'pending', 'flagged', 'Kim: a dent']);
    assert.equal(item.picture, `/inspection/api/inspections/${id}/picture`);
    const list = await get('/labeling-queue?queueReason=flagged&partType=flagged');
    assert.deepEqual(
      ((await list.json()) as { items: ReviewItem[] }).items.map((one) => one.id),
      [id],
    );
    const audit = (await (await get(`/audit?subject=${id}`)).json()) as { items: { action: string; actor: string }[] };
    assert.deepEqual([audit.items[0].action, audit.items[0].actor], ['review.flag', 'anonymous']);
  });

  it('says why a part cannot be flagged', async () => {
    await problem(flag({ inspectionId: newId() }), 404, 'not-found');
    await problem(flag({ inspectionId: 'last' }), 400, 'invalid-input');
    await problem(flag({}), 400, 'invalid-input');
    const { id } = await line.inspect(0.5);
    await flag({ inspectionId: id });
    await line.reviews.label(id, { label: 'OK' }, 'Ada');
    await problem(flag({ inspectionId: id }), 409, 'already-decided');
  });

  it('estimates escapes from the random audit, by part type and week', async () => {
    const labels = ['OK', 'NG', 'OK', 'OK'] as const;
    for (const label of labels) {
      const part = await line.inspect(0.5, { partType: 'audited' });
      await line.reviews.add(part, { queueReasons: ['audit-sample'] });
      await line.reviews.label(part.id, { label }, 'Ada');
    }
    const odd = await line.inspect(0.5, { partType: 'audited' });
    await line.reviews.add(odd, { queueReasons: ['flagged'] });
    await line.reviews.label(odd.id, { label: 'NG' }, 'Ada');

    const response = await get('/labeling-queue/escape-estimate?partType=audited&bound=0.05&weeks=4');
    assert.equal(response.status, 200);
    const { bound, confidence, items, total } = (await response.json()) as EscapeEstimate;
    assert.deepEqual([bound, confidence, items.length, total.length], [0.05, 0.95, 1, 1]);
    const { week, ...share } = items[0];
    assert.match(week, /^\d{4}-W\d\d$/);
    assert.deepEqual(share, total[0]);
    assert.deepEqual([share.audited, share.bad, share.share], [4, 1, 0.25]);
    // scipy 1.17.1: binomtest(1, 4).proportion_ci(0.95, 'exact'), and the least n with beta.ppf(0.975, 2, n - 1) <= 0.05
    assert.ok(Math.abs(share.low - 0.0063094632) < 1e-9 && Math.abs(share.high - 0.8058795503) < 1e-9);
    assert.equal(share.missing, 106);
  });

  it('refuses bounds and spans that make no sense', async () => {
    for (const query of ['bound=0', 'bound=1', 'bound=x', 'weeks=0', 'weeks=1.5']) {
      await problem(get(`/labeling-queue/escape-estimate?${query}`), 400, 'invalid-input');
    }
  });

  it('counts what the queue did not take, by cause, for today', async () => {
    const intake = new ReviewIntake(line.reviews, line.store, { of: () => null, recent: () => [] });
    const part = await line.inspect(0.5, { partType: 'declined' });
    await intake.offer(part, { node: 'node-1', settings: { quotaDay: 0 } });
    const response = await get('/labeling-queue/stats?partType=declined');
    const { declined } = (await response.json()) as { declined: Record<string, number> };
    assert.deepEqual(declined, { 'quota-hour': 0, 'quota-day': 1, 'quota-reason': 0, similar: 0 });
  });
});
