import assert from 'node:assert/strict';
import type { Job, RetrainSettings } from '../../../engine/domain';
import { type Line, openLine, type RunningApi, serveApi } from './line';

const SETTINGS: RetrainSettings = {
  partType: 'plate',
  kind: 'patchcore',
  conditions: { labels: 20, drift: true, schedule: { cron: '0 2 * * *', timeZone: 'Europe/Berlin' } },
  minimumIntervalMinutes: 60,
  quietHours: [],
  timeZone: 'Europe/Berlin',
  request: { options: { update: true }, priority: -2 },
  policy: { kind: 'automatic', maxWorse: 0.01, shadow: 200 },
};

describe('/retraining', () => {
  let line: Line;
  let api: RunningApi;

  beforeEach(async () => {
    line = await openLine();
    api = await serveApi(() => [line.station]);
  });
  afterEach(async () => {
    await api.close();
    await line.close();
    assert.deepEqual(api.errors, []);
  });

  const get = async (path: string) => (await fetch(`${api.url}${path}`)).json() as Promise<{ items: never[] }>;
  const ask = async (body: object) => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${api.url}/retraining/trigger`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const register = (changes: Partial<RetrainSettings> = {}) =>
    line.retraining.register({ settings: { ...SETTINGS, ...changes }, node: 'n1', actor: 'night trainer' });

  it('tells the conditions of each model, and whether it would be trained now', async () => {
    assert.deepEqual(await get('/retraining/status'), { items: [] });
    register();
    assert.deepEqual(await get('/retraining/conditions'), { items: [{ node: 'n1', ...SETTINGS }] });
    const { items } = await get('/retraining/status?partType=plate');
    const [{ state, wouldTrain, newLabels, labelsNeeded, reasons }] = items as Record<string, unknown>[];
    assert.deepEqual([state, wouldTrain, newLabels, labelsNeeded], ['idle', true, 0, 20]);
    assert.deepEqual(
      (reasons as { code: string }[]).map(({ code }) => code),
      ['labels-missing', 'schedule-next', 'nothing-new', 'drift-starts'],
    );
    assert.deepEqual(await get('/retraining/status?partType=cup'), { items: [] });
  });

  it('starts no training that cannot be done, says why, and keeps that in the history', async () => {
    const unknown = await ask({ partType: 'plate' });
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'no-retrain-trigger']);
    register();
    const refused = await ask({ partType: 'plate' });
    assert.ok([409, 422].includes(refused.status), JSON.stringify(refused));
    const { items } = await get('/retraining/history?partType=plate&limit=5');
    const [run] = items as { outcome: string; trigger: string; actor: string; reasons: { code: string }[] }[];
    assert.deepEqual([run.outcome, run.trigger, run.actor], ['declined', 'manual', 'anonymous']);
    assert.equal(run.reasons.at(-1)?.code, refused.body.code);
  });

  it('says why not now, also to whom insists while a training runs', async () => {
    const clock = (offset: number) => new Date(Date.now() + offset).toISOString().slice(11, 16);
    const quietHours = [{ from: clock(-3_600_000), to: clock(3_600_000) }];
    register({ quietHours, timeZone: 'UTC' });
    const now = await ask({ partType: 'plate' });
    assert.deepEqual([now.status, now.body.code, now.body.title], [409, 'not-now', 'not now']);
    assert.match(String(now.body.detail), /^Model plate is not trained now\. These are quiet hours; they end at /);
    assert.deepEqual(await get('/retraining/history'), { items: [] });

    const source = { kind: 'simulator', product: 'plate', count: 200 } as const;
    const { id } = await line.jobs.submit({ partType: 'plate', source, deploy: false }, 'ada');
    const busy = await ask({ partType: 'plate', force: true });
    assert.deepEqual([busy.status, busy.body.code], [409, 'not-now']);
    await line.jobs.cancel(id, 'ada');
  });

  it('takes policy and priority of a training, and leaves logs out of lists', async () => {
    const policy = { kind: 'automatic', maxWorse: 0.02, shadow: 50 };
    const source = { kind: 'simulator', product: 'plate', count: 200 };
    const post = (more: object) =>
      fetch(`${api.url}/training/start`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ partType: 'plate', source, policy, priority: 3, ...more }),
      });
    const { id } = (await (await post({})).json()) as { id: string };
    const job = (await (await fetch(`${api.url}/training/jobs/${id}`)).json()) as Job;
    assert.deepEqual([job.request.policy, job.priority], [policy, 3]);
    assert.equal(job.log?.[0].code, 'queued');
    const [listed] = (await get('/training/jobs')).items as Record<string, unknown>[];
    assert.deepEqual([listed.id, listed.priority, listed.log], [id, 3, undefined]);
    await line.jobs.cancel(id, 'ada');
    assert.equal((await post({ priority: 11 })).status, 400);
    assert.equal((await post({ policy: { kind: 'automatic', maxWorse: 2 } })).status, 400);
    assert.equal((await post({ policy: { kind: 'always' } })).status, 400);
  });

  it('refuses what is no wish', async () => {
    assert.equal((await ask({})).status, 400);
    assert.equal((await ask({ partType: 'a/b' })).status, 400);
    assert.equal((await ask({ partType: 'plate', kind: 'oracle' })).status, 400);
  });
});
