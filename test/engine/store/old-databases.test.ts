import assert from 'node:assert/strict';
import { makeOldDatabase } from './old-database';
import { temporaryFolder, temporaryStore, undoAll } from './support';

const AT = '2026-01-02T03:04:05.000Z';
const ID = (last: string) => `01KDYE3DK8${last.padStart(16, '0')}`;

describe('databases of older versions', function () {
  this.timeout(120_000);
  afterEach(undoAll);

  it('keep their deployments and labels where they knew neither kinds nor boxes', async () => {
    const dataFolder = await temporaryFolder();
    await makeOldDatabase(dataFolder, '0003-review-node', [
      `insert into deployments (part_type, name, version, action, actor, at) values ('a', 'a', '1', 'deploy', 'Ada', '${AT}')`,
      `insert into review_items (id, state, part_type, line_verdict, reasons, findings, label, note, created_at, decided_at, decision_order)
        values ('${ID('1')}', 'labelled', 'a', 'REVIEW', '[]', '[]', 'OK', 'dust', '${AT}', '${AT}', 1)`,
      `insert into labels (id, part_type, label, note, at) values ('${ID('1')}', 'a', 'OK', 'dust', '${AT}')`,
    ]);
    const { deployments, reviews, labels } = await temporaryStore({ dataFolder });
    const current = await deployments.current('a');
    assert.deepEqual([current?.kind, current?.name, current?.version, current?.actor], ['patchcore', 'a', '1', 'Ada']);
    const item = await reviews.get(ID('1'));
    assert.deepEqual([item?.state, item?.label, item?.boxes, item?.note], ['labelled', 'OK', null, 'dust']);
    assert.deepEqual((await labels.counts()).get('a'), { ok: 1, ng: 0, boxed: 0 });
    const detector = {
      partType: 'a',
      kind: 'detector',
      name: 'a.detector',
      version: '1',
      previousVersion: null,
    } as const;
    await deployments.add({ ...detector, action: 'deploy', actor: 'Ada', at: AT, reason: null });
    assert.deepEqual(
      (await deployments.allCurrent()).map(({ kind, name }) => [kind, name]),
      [
        ['detector', 'a.detector'],
        ['patchcore', 'a'],
      ],
    );
    assert.equal((await deployments.history('a')).length, 1);
  });

  it('get reasons, counts and the labeller of their review items', async () => {
    const dataFolder = await temporaryFolder();
    const item = (last: string, state: string, reasons: string, label: string | null, order: number | null) =>
      `insert into review_items (id, state, part_type, line_verdict, reasons, findings, label, reviewer, created_at, decision_order)
        values ('${ID(last)}', '${state}', 'a', 'OK', '${reasons}', '[]', ${label && `'${label}'`}, ${label && "'Ada'"}, '${AT}', ${order})`;
    await makeOldDatabase(dataFolder, '0005-label-boxes', [
      item('1', 'pending', '["audit-sample"]', null, null),
      item('2', 'pending', '["score-between-thresholds"]', null, null),
      item('3', 'labelled', '[]', 'NG', 1),
      `insert into labels (id, part_type, label, reviewer, at) values ('${ID('3')}', 'a', 'NG', 'Ada', '${AT}')`,
      `insert into audit (at, actor, action, subject, before, after) values ('${AT}', 'ada', 'review.label', '${ID('3')}', 'null', 'null')`,
    ]);
    const { reviews } = await temporaryStore({ dataFolder });
    const page = await reviews.list({ state: 'pending' });
    assert.deepEqual(
      page.items.map(({ id, queueReasons, lock }) => [id, queueReasons, lock]),
      [
        [ID('1'), ['audit-sample'], null],
        [ID('2'), ['sent'], null],
      ],
    );
    assert.deepEqual(
      (await reviews.list({ state: 'pending', queueReason: 'audit-sample' })).items.map(({ id }) => id),
      [ID('1')],
    );
    const stats = await reviews.stats('a');
    assert.deepEqual([stats.pending, stats.labelled, stats.overrideRate, stats.waitingAudits], [2, 1, 1, 1]);
    const approval = { approved: true, reviewer: 'Somebody', note: null };
    await assert.rejects(reviews.judge(ID('3'), approval, 'ada', AT), { code: 'same-person' });
    assert.equal((await reviews.judge(ID('3'), approval, 'bob', AT)).state, 'approved');
    assert.deepEqual((await reviews.stats()).perReviewer, [{ reviewer: 'Ada', labelled: 0, approved: 1, rejected: 0 }]);
  });

  it('keep what was said with an item that waits when it is decided and that is undone', async () => {
    const dataFolder = await temporaryFolder();
    await makeOldDatabase(dataFolder, '0011-history-indexes', [
      `insert into review_items (id, state, part_type, line_verdict, reasons, findings, note, created_at)
        values ('${ID('1')}', 'pending', 'a', 'OK', '[]', '[]', 'Kim: a dent', '${AT}')`,
    ]);
    const { reviews } = await temporaryStore({ dataFolder });
    const id = ID('1');
    await reviews.decide(id, { label: 'NG', reviewer: null, note: 'a scratch' }, 'ada', AT);
    assert.equal((await reviews.undo({ id }, 'ada', AT))?.note, 'Kim: a dent');
  });
});
