import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InspectionDetail, UploadAnswer } from '../../../engine/api';
import type { BankDetails } from '../../../engine/api/model-details';
import { matchPath } from '../../../engine/api/route';
import { routes } from '../../../engine/api/routes';
import {
  type DeploymentRecord,
  type Finding,
  type Inspection,
  type Job,
  type ShadowRun,
  timestamp,
} from '../../../engine/domain';
import { inspectPicture } from '../../../engine/imaging';
import { decide } from '../../../engine/routing';
import { simulatePart } from '../../../engine/simulator';
import { openStation, type Station } from '../../../engine/station';
import { jobEnded, TRAINING_LIMIT_MS } from '../../support/jobs';
import { waitFor } from '../../support/wait';
import { type RunningApi, serveApi } from './line';

describe('the API of a real station', function () {
  this.timeout(TRAINING_LIMIT_MS + 60_000);
  let dataFolder: string;
  let station: Station;
  let api: RunningApi;
  let open: boolean;

  before(async () => {
    dataFolder = await mkdtemp(join(tmpdir(), 'api-station-'));
    station = await openStation({
      id: 'station',
      name: 'Station',
      dataFolder,
      failSafe: 'NG',
      deadlineMs: 3_600_000,
      retention: {
        OK: { days: null, bytes: null },
        NG: { days: null, bytes: null },
        REVIEW: { days: null, bytes: null },
      },
      pool: { size: 1, queueLimit: 50, queuePolicy: 'reject', memoryCapMb: 256 },
    });
    open = true;
    station.intake.register(({ picture, partType, serial }) => takeIn(picture, partType ?? 'plate', serial));
    api = await serveApi(() => (open ? [station] : []));
  });
  after(async () => {
    await api.close();
    await station.close();
    await rm(dataFolder, { recursive: true, force: true });
    assert.deepEqual(api.errors, []);
  });

  /** What the nodes of a flow do with an uploaded part. */
  async function takeIn(picture: Buffer, partType: string, serial?: string): Promise<Inspection> {
    const info = await station.inspectPicture(picture);
    const opened = station.inspections.open({ partType, serial, trigger: { source: 'api' } });
    const inspection = station.inspections.attachPicture(opened, picture, info);
    void analyse(picture, inspection);
    return inspection;
  }

  async function analyse(picture: Buffer, inspection: Inspection): Promise<void> {
    const finding = await station.scoreAnomaly(picture, inspection, 'test').catch(
      (error): Finding => ({
        kind: 'failure',
        node: 'test',
        reason: error.reason,
        message: error.message,
        milliseconds: { total: 0 },
      }),
    );
    const findings = [finding];
    const settings = { thresholds: null, failSafe: 'NG', auditShare: 0 } as const;
    const decision = decide(findings, settings, Math.random, timestamp(Date.now()));
    await station.inspections.settle({ ...inspection, findings }, decision);
  }

  async function call<T>(method: string, path: string, body?: unknown, status = 200): Promise<T> {
    const response = await fetch(api.url + path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    assert.equal(response.status, status, JSON.stringify(answer));
    checkAgainstDescription(method, path, answer);
    return answer as T;
  }

  async function upload(picture: Buffer, status = 200): Promise<UploadAnswer> {
    const response = await fetch(`${api.url}/upload/?partType=plate`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: new Uint8Array(picture),
    });
    const answer = (await response.json()) as UploadAnswer;
    assert.equal(response.status, status, JSON.stringify(answer));
    return answer;
  }

  it('gives the fail-safe verdict while there is no model', async () => {
    const { picture } = await simulatePart({ product: 'plate', seed: 500, defectRate: 0 });
    const answer = await upload(picture);
    assert.deepEqual(
      [answer.verdict, answer.reasons, answer.threshold_used, answer.status],
      ['NG', ['no-model'], null, 'auto_validated'],
    );
    await call('GET', `/inspections/${answer.id}`);
  });

  it('trains, deploys, inspects, and serves picture, thumbnail and heat map', async () => {
    const source = { kind: 'simulator', product: 'plate', count: 12 };
    const job = await call<Job>('POST', '/training/start', { partType: 'plate', source, deploy: true }, 202);
    const done = await waitFor(
      'the training',
      async () => {
        const now = await call<Job>('GET', `/training/jobs/${job.id}`);
        return now.endedAt !== null && now;
      },
      TRAINING_LIMIT_MS,
    );
    assert.deepEqual([done.state, done.version], ['completed', '1'], done.error?.message);
    const { items } = await call<{ items: { deployed: boolean }[] }>('GET', '/models/list?partType=plate');
    assert.deepEqual(
      items.map(({ deployed }) => deployed),
      [true],
    );

    const { picture } = await simulatePart({ product: 'plate', seed: 501, defectRate: 1 });
    const answer = await upload(picture);
    assert.ok(answer.score !== null && answer.score > 0);
    assert.ok(answer.threshold_used !== null && answer.threshold_used > 0);
    const detail = await call<InspectionDetail>('GET', `/inspections/${answer.id}`);
    assert.deepEqual([detail.width, detail.height, detail.by], [1280, 720, 'model']);
    assert.equal(detail.findings[0].model?.version, '1');

    const load = async (path: string) => {
      const response = await fetch(new URL(path, api.url));
      assert.equal(response.status, 200, path);
      return Buffer.from(await response.arrayBuffer());
    };
    assert.deepEqual(await load(detail.picture!), picture);
    assert.equal((await inspectPicture(await load(detail.thumbnail!))).width, 320);
    const map = await inspectPicture(await load(detail.map!));
    assert.equal(map.format, 'png');
    assert.ok(Math.abs(map.width / map.height - 1280 / 720) < 0.02, `${map.width} x ${map.height}`);
  });

  it('answers ten clients at once', async () => {
    const parts = await Promise.all(
      Array.from({ length: 10 }, (_, index) => simulatePart({ product: 'plate', seed: 600 + index, defectRate: 0.5 })),
    );
    const answers = await Promise.all(parts.map(({ picture }) => upload(picture)));
    assert.equal(new Set(answers.map(({ id }) => id)).size, 10);
    for (const [index, { id, score }] of answers.entries()) {
      assert.ok(score !== null);
      const { image } = await call<InspectionDetail>('GET', `/inspections/${id}`);
      assert.equal(image?.sha256, (await inspectPicture(parts[index].picture)).sha256);
    }
  });

  it('refuses a truncated picture with a problem, and opens no inspection', async () => {
    const { picture } = await simulatePart({ product: 'plate', seed: 501, defectRate: 0 });
    const before = await call<{ items: unknown[] }>('GET', '/inspections?limit=500');
    await upload(picture.subarray(0, picture.length / 2), 422);
    const after = await call<{ items: unknown[] }>('GET', '/inspections?limit=500');
    assert.equal(after.items.length, before.items.length);
  });

  it('goes back to the version before, with the same scores as before', async () => {
    const { picture } = await simulatePart({ product: 'plate', seed: 502, defectRate: 0 });
    const before = await upload(picture);
    const source = { kind: 'simulator', product: 'plate', count: 8, seed: 300 };
    const options = { input: { width: 160, height: 128 }, roi: { x: 0.1, y: 0.2, width: 0.8, height: 0.7 } };
    const request = { partType: 'plate', source, deploy: true, options };
    const { id } = await call<Job>('POST', '/training/start', request, 202);
    await jobEnded(station.jobs, id);
    const made = await call<BankDetails>('GET', '/models/plate/versions/2');
    assert.deepEqual([made.input, made.viewing.roi], [{ ...options.input, mode: 'stretch' }, options.roi]);
    const between = await upload(picture);
    assert.notEqual(between.score, before.score);
    const started = performance.now();
    const record = await call<DeploymentRecord>('POST', '/models/plate/rollback');
    console.log(`      roll-back over HTTP: ${Math.round(performance.now() - started)} ms`);
    assert.deepEqual([record.version, record.previousVersion, record.action], ['1', '2', 'rollback']);
    assert.equal((await upload(picture)).score, before.score);
    const { items } = await call<{ items: DeploymentRecord[] }>('GET', '/models/plate/history');
    assert.deepEqual(
      items.map(({ version }) => version),
      ['1', '2', '1'],
    );
  });

  it('lets a candidate look at the next part beside the version in production', async () => {
    const started = await call<ShadowRun>('POST', '/models/plate/shadow', { version: '2', parts: 1 }, 201);
    assert.deepEqual([started.state, started.against], ['running', '1']);
    const { picture } = await simulatePart({ product: 'plate', seed: 503, defectRate: 0 });
    const part = await upload(picture);
    const run = await waitFor(
      'the candidate',
      async () => {
        const { shadow } = await call<{ shadow: ShadowRun }>('GET', '/models/plate/shadow');
        return shadow.state === 'completed' && shadow;
      },
      TRAINING_LIMIT_MS,
    );
    assert.deepEqual([run.seen, run.skipped, run.report.pictures], [1, 0, 1]);
    for (const item of run.report.items) assert.deepEqual([item.id, item.scoreBefore], [part.id, part.score]);
  });

  it('answers as it is described', async () => {
    for (const path of [
      '/health',
      '/inspections',
      '/counters',
      '/counters?since=day',
      '/labeling-queue',
      '/labeling-queue/stats',
      '/models/list',
      '/models/plate',
      '/models/plate/shadow',
      '/models/compare?name=plate&versions=1,2',
      '/models/plate/versions/1',
      '/models/plate/versions/2',
      '/part-types',
      '/training/jobs',
      '/settings/routing',
      '/audit',
    ]) {
      await call('GET', path);
    }
    await call('PUT', '/settings/routing/plate', { auditShare: 0.1 });
  });

  it('says 503 when the station is closed', async () => {
    open = false;
    const answer = await call<{ code: string }>('GET', '/health', undefined, 503);
    assert.equal(answer.code, 'no-station');
  });
});

/** Parses a successful answer with the schema the route describes it by. */
function checkAgainstDescription(method: string, path: string, answer: unknown): void {
  if ((answer as { type?: string }).type?.startsWith('urn:problem-type:')) return;
  const described = matchPath(routes, path.split('?')[0]).find(({ route }) => route.method === method)?.route;
  const parsed = described?.success.schema?.safeParse(answer);
  assert.ok(parsed?.success, `${method} ${path}: ${parsed?.error?.message}`);
  assert.deepEqual(parsed.data, answer, `${method} ${path} answers something it does not describe`);
}
