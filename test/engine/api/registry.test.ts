import assert from 'node:assert/strict';
import type { Problem } from '../../../engine/api';
import { comparisonState, deployment, modelOverview, modelVersion, removedVersion } from '../../../engine/api/schemas';
import type { ComparisonState, DeploymentRecord, ModelVersion, RemovedVersion } from '../../../engine/domain';
import { writeColourClassifier } from '../../support/colour-classifier';
import { TRAINING_LIMIT_MS } from '../../support/jobs';
import { waitFor } from '../../support/wait';
import { writeVersion } from '../learning/packages';
import { aPicture, type Line, openLine, type RunningApi, serveApi } from './line';

describe('the API, of the versions of a model', function () {
  this.timeout(TRAINING_LIMIT_MS + 60_000);
  let line: Line;
  let api: RunningApi;

  before(async () => {
    line = await openLine();
    api = await serveApi(() => [line.station]);
    for (const version of ['1', '2', '3']) await writeVersion(line.dataFolder, 'plate', version);
  });
  after(async () => {
    await api.close();
    await line.close();
  });

  async function call<T>(method: string, path: string, body?: unknown, status = 200): Promise<T> {
    const response = await fetch(api.url + path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    assert.equal(response.status, status, text);
    return JSON.parse(text) as T;
  }
  async function problem(method: string, path: string, body: unknown, status: number, code: string): Promise<void> {
    assert.equal((await call<Problem>(method, path, body, status)).code, code);
  }

  it('are deployed and taken back with a reason, and told together with their history', async () => {
    await call('POST', '/models/plate/deploy', { version: '1', reason: 'the first' });
    await call('POST', '/models/plate/deploy', { version: '2' });
    const back = await call<DeploymentRecord>('POST', '/models/plate/rollback', { reason: 'too strict' });
    assert.deepEqual([back.version, back.reason], ['1', 'too strict']);
    deployment.parse(back);
    await call('POST', '/models/plate/deploy', { version: '3' });
    const overview = modelOverview.parse(await call('GET', '/models/plate'));
    assert.deepEqual([overview.deployed, overview.rollback, overview.kind], ['3', '1', 'patchcore']);
    assert.deepEqual(
      overview.history.map(({ version, reason }) => [version, reason]),
      [
        ['3', null],
        ['1', 'too strict'],
        ['2', null],
        ['1', 'the first'],
      ],
    );
    await problem('POST', '/models/plate/deploy', { version: '1', reason: 'x'.repeat(501) }, 400, 'invalid-input');
    await problem('GET', '/models/nowhere', undefined, 404, 'not-found');
  });

  it('take notes', async () => {
    const noted = await call<ModelVersion>('POST', '/models/plate/metadata', { version: '2', notes: 'new lamp' });
    assert.equal(modelVersion.parse(noted).notes, 'new lamp');
    await problem('POST', '/models/plate/metadata', { version: '9', notes: '' }, 404, 'not-found');
    await problem('POST', '/models/plate/metadata', { version: '2' }, 400, 'invalid-input');
  });

  it('are removed and restored, but for the one in production', async () => {
    await problem('DELETE', '/models/plate/3', undefined, 409, 'model-active');
    const removed = await call<RemovedVersion>('DELETE', '/models/plate/2');
    removedVersion.parse(removed);
    const { versions, removed: gone } = modelOverview.parse(await call('GET', '/models/plate'));
    assert.deepEqual(
      versions.map(({ version }) => version),
      ['3', '1'],
    );
    assert.deepEqual(gone, [removed]);
    await problem('DELETE', '/models/plate/2', undefined, 404, 'not-found');
    await problem('DELETE', '/models/plate/..%2f1', undefined, 404, 'not-found');
    const restored = await call<ModelVersion>('POST', '/models/plate/2/restore');
    assert.equal(restored.notes, 'new lamp');
    await problem('POST', '/models/plate/2/restore', {}, 404, 'not-found');
    await problem('DELETE', '/models/plate', undefined, 405, 'method-not-allowed');
  });

  it('are removed by no page of another site', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    assert.equal((await fetch(`${api.url}/models/plate/2`, { method: 'DELETE', headers })).status, 403);
  });

  it('are compared on the labelled pictures', async () => {
    const verdicts = { bad: 'NG', good: 'OK', odd: 'OK' } as const;
    const folder = (version: string) => `${line.dataFolder}/models/plate.classifier/${version}`;
    await writeColourClassifier(folder('1'), 'plate', '1');
    await writeColourClassifier(folder('2'), 'plate', '2', verdicts);
    const body = { name: 'plate.classifier', versions: ['1', '2'] };
    const path = '/models/compare?name=plate.classifier&versions=1,2';
    await problem('POST', '/models/compare', body, 409, 'nothing-to-compare-with');
    const none: ComparisonState = { state: 'none', percent: null, error: null, comparison: null };
    assert.deepEqual(await call('GET', path), none);

    const { id } = await line.inspect(1.5, { picture: await aPicture() });
    await call('POST', `/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'ada' });
    const started = await call<ComparisonState>('POST', '/models/compare', body, 202);
    assert.equal(started.state, 'running');
    const state = () => call<ComparisonState>('GET', path);
    await waitFor('the comparison', async () => (await state()).state !== 'running', TRAINING_LIMIT_MS);
    const { comparison, error } = comparisonState.parse(await state());
    assert.equal(error, null);
    assert.deepEqual(comparison?.pictures, { ok: 1, ng: 0, skipped: 0 });
    assert.deepEqual(
      comparison?.versions.map(({ version, ok, ng, thresholds }) => [version, ok.length, ng.length, thresholds]),
      [
        ['1', 1, 0, null],
        ['2', 1, 0, null],
      ],
    );

    await problem('POST', '/models/compare', { ...body, versions: ['1', '9'] }, 404, 'not-found');
    await problem('POST', '/models/compare', { ...body, versions: ['1', '1'] }, 400, 'invalid-input');
    await problem('GET', '/models/compare?name=plate&versions=1', undefined, 400, 'invalid-input');
    await problem('GET', '/models/compare?name=plate&versions=1,..', undefined, 400, 'invalid-input');
  });
});
