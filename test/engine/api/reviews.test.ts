import assert from 'node:assert/strict';
import type { Problem } from '../../../engine/api';
import { newId, type QueueReason, type ReviewItem, type ReviewStats } from '../../../engine/domain';
import { type Line, openLine, type RunningApi, serveApi } from './line';

describe('the review queue over HTTP', function () {
  this.timeout(120_000);
  let line: Line;
  let api: RunningApi;
  /** Who is logged in; nobody unless told. */
  let user: string | undefined;

  before(async () => {
    line = await openLine();
    api = await serveApi(
      () => [line.station],
      (app) =>
        app.use((request, _response, next) => {
          if (user !== undefined) Object.assign(request, { user: { username: user } });
          next();
        }),
    );
  });
  afterEach(() => {
    user = undefined;
  });
  after(async () => {
    await api.close();
    await line.close();
  });

  const get = (path: string) => fetch(api.url + path);
  const post = (path: string, body: unknown = {}) =>
    fetch(api.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  async function read<T = ReviewItem>(response: Promise<Response>): Promise<T> {
    const answer = await response;
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text) as T;
  }
  async function problem(response: Promise<Response>, status: number, code: string): Promise<Problem> {
    const answer = await response;
    const body = (await answer.json()) as Problem;
    assert.deepEqual([answer.status, body.code], [status, code], body.detail);
    return body;
  }
  const next = async (query: string) =>
    (await read<{ item: ReviewItem | null }>(get(`/labeling-queue/next?${query}`))).item;

  /** Items of a part type of their own. */
  async function queue(partType: string, count: number, queueReasons: readonly QueueReason[] = ['sent']) {
    const base = await line.inspect(0.5, { partType });
    const items: ReviewItem[] = [];
    for (let index = 0; index < count; index++) {
      const information = (index + 1) / (count + 1);
      items.push(await line.reviews.add({ ...base, id: newId() }, { queueReasons, information }));
    }
    return items.map(({ id }) => id);
  }

  it('lets a second person approve a label or reject it, and the labeller label it anew', async () => {
    const [id] = await queue('approved', 1);
    await read(post(`/labeling-queue/${id}/label`, { label: 'NG', reviewer: 'Ada', modelMistake: true }));
    const same = await problem(post(`/labeling-queue/${id}/approve`, { reviewer: 'ada' }), 403, 'same-person');
    assert.deepEqual(same.parameters, { id, reviewer: 'Ada' });
    const rejected = await read(post(`/labeling-queue/${id}/reject`, { reviewer: 'Bob', note: 'only dust' }));
    assert.deepEqual(
      [
        rejected.state,
        rejected.label,
        rejected.reviewer,
        rejected.approver,
        rejected.approvalNote,
        rejected.modelMistake,
      ],
      ['rejected', 'NG', 'Ada', 'Bob', 'only dust', true],
    );
    await problem(post(`/labeling-queue/${id}/approve`, { reviewer: 'Bob' }), 409, 'not-labelled');
    await problem(post(`/labeling-queue/${id}/undo`), 409, 'approved-already');
    const again = await read(post(`/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'Ada' }));
    assert.deepEqual([again.state, again.approver, again.modelMistake], ['labelled', null, false]);
    assert.equal((await read(post(`/labeling-queue/${id}/approve`, { reviewer: 'Bob' }))).state, 'approved');
    const { items } = await read<{ items: ReviewItem[] }>(get('/labeling-queue?state=approved&partType=approved'));
    assert.deepEqual([items.length, items[0].id, items[0].approver], [1, id, 'Bob']);
    const audit = await read<{ items: { action: string }[] }>(get(`/audit?subject=${id}`));
    assert.deepEqual(audit.items.map(({ action }) => action).reverse(), [
      'review.label',
      'review.reject',
      'review.label',
      'review.approve',
    ]);
  });

  it('knows the same person by the session, whatever name is claimed', async () => {
    const [id] = await queue('sessions', 1);
    user = 'grace';
    await read(post(`/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'Ada' }));
    await problem(post(`/labeling-queue/${id}/approve`, { reviewer: 'Bob' }), 403, 'same-person');
    user = 'bob';
    assert.equal((await read(post(`/labeling-queue/${id}/approve`))).approver, 'bob');
  });

  it('undoes one item, until somebody has approved it', async () => {
    const [first, second] = await queue('undone', 2);
    for (const id of [first, second]) await read(post(`/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'Ada' }));
    assert.equal((await read(post(`/labeling-queue/${first}/undo`))).state, 'pending');
    await problem(post(`/labeling-queue/${first}/undo`), 409, 'nothing-to-undo');
    await problem(post(`/labeling-queue/${newId()}/undo`), 404, 'not-found');
    await read(post(`/labeling-queue/${second}/approve`, { reviewer: 'Bob' }));
    await problem(post('/labeling-queue/undo', { id: second }), 409, 'approved-already');
  });

  it('locks what a person looks at, and tells others who it is and until when', async () => {
    const [id] = await queue('locked', 1);
    const locked = await read(post(`/labeling-queue/${id}/lock`, { reviewer: 'Ada', seconds: 60 }));
    assert.equal(locked.lock?.reviewer, 'Ada');
    const left = Date.parse(locked.lock.until) - Date.now();
    assert.ok(left > 50_000 && left <= 60_000, String(left));
    const refusal = await problem(post(`/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'Bob' }), 409, 'locked');
    assert.deepEqual(refusal.parameters, { id, reviewer: 'Ada', until: locked.lock.until });
    await problem(post(`/labeling-queue/${id}/lock`, { reviewer: 'Bob' }), 409, 'locked');
    await problem(post(`/labeling-queue/${id}/skip`, { reviewer: 'Bob' }), 409, 'locked');
    assert.notEqual((await read(post(`/labeling-queue/${id}/unlock`, { reviewer: 'Bob' }))).lock, null);
    assert.equal((await read(post(`/labeling-queue/${id}/unlock`, { reviewer: 'Ada' }))).lock, null);
    assert.equal((await read(post(`/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'Bob' }))).reviewer, 'Bob');
    await problem(post(`/labeling-queue/${id}/lock`, { reviewer: 'Ada', seconds: 0 }), 400, 'invalid-input');
    await problem(post(`/labeling-queue/${newId()}/lock`, { reviewer: 'Ada' }), 404, 'not-found');
  });

  it('gives each person another next item, by age or information, of a reason or a part type', async () => {
    const ids = await queue('next', 3, ['novel', 'near-threshold']);
    assert.equal((await next('partType=next&reviewer=Ada'))?.id, ids[0]);
    assert.equal((await next('partType=next&reviewer=Bob&order=information'))?.id, ids[2]);
    assert.equal((await next(`partType=next&reviewer=Ada&except=${ids[0]}`))?.id, ids[1]);
    assert.equal(await next(`partType=next&reviewer=Ada&except=${ids[0]},${ids[1]}`), null);
    assert.equal(await next('partType=next&reviewer=Cleo'), null);
    assert.equal((await next('partType=next&reviewer=Bob&queueReason=novel'))?.lock?.reviewer, 'Bob');
    assert.equal(await next('partType=next&reviewer=Bob&queueReason=drift'), null);
    await problem(get('/labeling-queue/next?order=chance'), 400, 'invalid-input');
    await problem(get('/labeling-queue/next?except=none'), 400, 'invalid-input');
  });

  it('filters by reason and reviewer, and orders by information, page by page', async () => {
    const ids = await queue('filtered', 3, ['drift']);
    await read(post(`/labeling-queue/${ids[1]}/label`, { label: 'OK', reviewer: 'Filterer' }));
    const list = async (query: string) => {
      const page = await read<{ items: ReviewItem[]; nextCursor: string | null }>(get(`/labeling-queue?${query}`));
      return { ids: page.items.map(({ id }) => id), nextCursor: page.nextCursor };
    };
    const first = await list('partType=filtered&state=pending&queueReason=drift&order=information&limit=1');
    assert.deepEqual(first.ids, [ids[2]]);
    const rest = `partType=filtered&state=pending&queueReason=drift&order=information&cursor=${first.nextCursor}`;
    assert.deepEqual(await list(rest), { ids: [ids[0]], nextCursor: null });
    assert.deepEqual((await list('reviewer=Filterer')).ids, [ids[1]]);
    await problem(get(`/labeling-queue?state=labelled&cursor=${first.nextCursor}`), 400, 'invalid-input');
    await problem(get('/labeling-queue?queueReason=bored'), 400, 'invalid-input');
  });

  it('tells how many wait and why, who decided what, and how far people agree', async () => {
    const ids = await queue('counted', 5, ['audit-sample']);
    for (const [index, label] of (['NG', 'OK', 'OK'] as const).entries()) {
      await read(post(`/labeling-queue/${ids[index]}/label`, { label, reviewer: 'Ada' }));
    }
    await read(post(`/labeling-queue/${ids[0]}/approve`, { reviewer: 'Bob' }));
    await read(post(`/labeling-queue/${ids[1]}/reject`, { reviewer: 'Bob' }));
    await read(post(`/labeling-queue/${ids[3]}/skip`, { reviewer: 'Ada' }));
    const stats = await read<ReviewStats>(get('/labeling-queue/stats?partType=counted'));
    assert.deepEqual(
      [stats.pending, stats.labelled, stats.approved, stats.rejected, stats.skipped, stats.waitingAudits],
      [1, 1, 1, 1, 1, 1],
    );
    assert.equal(stats.perReason['audit-sample'], 1);
    assert.deepEqual(stats.perReviewer, [{ reviewer: 'Ada', labelled: 1, approved: 1, rejected: 1 }]);
    assert.deepEqual([stats.agreement, stats.overrideRate], [0.5, 0.5]);
    const later = await read<ReviewStats>(get('/labeling-queue/stats?partType=counted&from=2100-01-01T00:00:00Z'));
    assert.deepEqual([later.pending, later.labelled, later.agreement], [1, 0, null]);
    await problem(get('/labeling-queue/stats?from=yesterday'), 400, 'invalid-input');
  });

  it('lets no item be decided twice by two people who work through the queue at once', async () => {
    const ids = await queue('race', 40);
    const decided: string[] = [];
    // each has several requests under way, as with an item shown and others loaded ahead
    const work = async (reviewer: string) => {
      const mine = new Set<string>();
      const one = async () => {
        for (;;) {
          const item = await next(`partType=race&reviewer=${reviewer}&except=${[...mine].join(',') || newId()}`);
          if (item === null) return;
          assert.equal(item.lock?.reviewer, reviewer);
          if (mine.has(item.id)) continue;
          mine.add(item.id);
          await read(post(`/labeling-queue/${item.id}/label`, { label: 'OK', reviewer }));
          decided.push(item.id);
        }
      };
      await Promise.all([one(), one(), one()]);
      return mine;
    };
    const [ada, bob] = await Promise.all([work('Ada'), work('Bob')]);
    assert.deepEqual([...decided].sort(), [...ids].sort());
    assert.deepEqual(
      [...ada].filter((id) => bob.has(id)),
      [],
    );
    assert.ok(ada.size > 0 && bob.size > 0, `${ada.size} and ${bob.size}`);
    for (const [reviewer, mine] of [
      ['Ada', ada],
      ['Bob', bob],
    ] as const) {
      for (const id of mine) assert.equal((await read(get(`/labeling-queue/${id}`))).reviewer, reviewer);
    }
    const entries = await line.store.audit.list({ action: 'review.label', limit: 500 });
    assert.equal(entries.filter(({ subject }) => ids.includes(subject)).length, ids.length, 'one entry for each item');
  });

  it('lets one of two win who decide the same item at the same moment', async () => {
    for (const id of await queue('contested', 10)) {
      const answers = await Promise.all([
        post(`/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'Ada' }),
        post(`/labeling-queue/${id}/label`, { label: 'NG', reviewer: 'Bob' }),
        post(`/labeling-queue/${id}/skip`, { reviewer: 'Cleo' }),
      ]);
      const won = answers.filter(({ status }) => status === 200).length;
      const labels = answers.slice(0, 2).filter(({ status }) => status === 200).length;
      assert.equal(labels, 1);
      assert.ok(won <= 2);
      assert.equal((await read(get(`/labeling-queue/${id}`))).state, 'labelled');
    }
  });
});
