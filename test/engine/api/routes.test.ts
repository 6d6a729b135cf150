import assert from 'node:assert/strict';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { type ApiStation, mountApi, type Problem } from '../../../engine/api';
import type { BankDetails, ModelDetails, ReferenceDetails } from '../../../engine/api/model-details';
import { modelDetails } from '../../../engine/api/schemas';
import { shiftStart } from '../../../engine/api/shifts';
import { type Job, type ModelVersion, newId, type ReviewItem, type ReviewStats } from '../../../engine/domain';
import { type BankManifest, type UnsealedManifest, writePackage } from '../../../engine/packages';
import {
  sampleFiles,
  sampleManifest,
  sampleReference,
  sampleReferenceFiles,
  writeFirstFormat,
} from '../packages/sample';
import { aPicture, type Line, openLine, type RunningApi, serveApi } from './line';

describe('the API', () => {
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

  const get = (path: string, headers: Record<string, string> = {}) => fetch(api.url + path, { headers });
  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(api.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const post = (path: string, body: unknown = {}) => send('POST', path, body);
  async function read<T>(response: Promise<Response>, status = 200): Promise<T> {
    const answer = await response;
    const text = await answer.text();
    assert.equal(answer.status, status, text);
    return JSON.parse(text) as T;
  }
  async function problem(response: Promise<Response>, status: number, code: string): Promise<Problem> {
    const answer = await response;
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    const body = (await answer.json()) as Problem;
    assert.deepEqual([answer.status, body.code], [status, code], body.detail);
    return body;
  }

  describe('inspections', () => {
    it('are listed newest first, page by page, each once', async () => {
      const made: string[] = [];
      for (let index = 0; index < 5; index++) made.push((await line.inspect(0.5, { partType: 'paged' })).id);
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: { items: { id: string }[]; nextCursor: string | null } = await read(
          get(`/inspections?partType=paged&limit=2${query}`),
        );
        assert.ok(page.items.length <= 2);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      assert.deepEqual(seen, made.reverse());
    });

    it('are filtered by verdict, serial and time with any offset', async () => {
      const { id, capturedAt } = await line.inspect(3, { partType: 'filtered', serial: 'A 1' });
      await line.inspect(0.5, { partType: 'filtered', serial: 'A 2' });
      const ids = async (query: string) => {
        const { items } = await read<{ items: { id: string }[] }>(get(`/inspections?partType=filtered&${query}`));
        return items.map((item) => item.id);
      };
      assert.deepEqual(await ids('verdict=NG'), [id]);
      assert.deepEqual(await ids('serial=A%201'), [id]);
      const eastward = new Date(Date.parse(capturedAt) + 1 + 2 * 3600_000).toISOString().replace('Z', '+02:00');
      assert.ok(!(await ids(`from=${encodeURIComponent(eastward)}`)).includes(id));
      assert.ok((await ids(`to=${encodeURIComponent(eastward)}`)).includes(id));
    });

    it('have a summary and all their findings', async () => {
      const { id } = await line.inspect(1.5, { serial: 'S' });
      const detail = await read<Record<string, unknown>>(get(`/inspections/${id}`));
      assert.equal(detail.verdict, 'REVIEW');
      assert.equal(detail.score, 1.5);
      assert.equal(detail.normalizedScore, 0.75);
      assert.deepEqual(detail.thresholds, { accept: 1, reject: 2 });
      assert.equal((detail.findings as unknown[]).length, 1);
      assert.equal(detail.picture, `/inspection/api/inspections/${id}/picture`);
      assert.equal(detail.map, `/inspection/api/inspections/${id}/map`);
    });

    it('give links with the root the API is mounted under, and with the station that was chosen', async () => {
      const { id } = await line.inspect(0.5);
      const app = express();
      const below = await serveApi(
        () => [line.station],
        (outer) => outer.use('/plant', app),
      );
      mountApi(app, { stations: () => [line.station] });
      const root = below.url.replace('/inspection/api', '/plant/inspection/api');
      const detail = (await (await fetch(`${root}/inspections/${id}?station=Line%20one`)).json()) as {
        thumbnail: string;
      };
      assert.equal(detail.thumbnail, `/plant/inspection/api/inspections/${id}/picture?width=320&station=Line%20one`);
      const thumbnail = await fetch(new URL(detail.thumbnail, below.url));
      assert.equal(thumbnail.headers.get('content-type'), 'image/jpeg');
      await below.close();
    });

    it('are counted since a moment', async () => {
      const since = new Date().toISOString();
      await line.inspect(0.5, { partType: 'counted' });
      await line.inspect(3, { partType: 'counted' });
      const counters = await read<Record<string, unknown>>(get(`/counters?since=${since}&partType=counted`));
      assert.deepEqual([counters.ok, counters.ng, counters.review, counters.total, counters.yield], [1, 1, 0, 2, 0.5]);
      for (const span of ['shift', 'day']) {
        const { total, since: start } = await read<{ total: number; since: string }>(
          get(`/counters?since=${span}&partType=counted`),
        );
        assert.ok(total <= 2 && Date.parse(start) <= Date.now());
      }
    });
  });

  describe('pictures', () => {
    it('may be kept for ever, and are not sent again to whom has them', async () => {
      const picture = await aPicture(400, 300);
      const { id, image } = await line.inspect(0.5, { picture });
      for (const [path, type] of [
        ['picture', 'image/jpeg'],
        ['picture?width=100', 'image/jpeg'],
        ['map', 'image/png'],
      ]) {
        const first = await get(`/inspections/${id}/${path}`);
        const etag = first.headers.get('etag')!;
        assert.equal(first.status, 200);
        assert.equal(first.headers.get('content-type'), type);
        assert.equal(first.headers.get('cache-control'), 'private, max-age=31536000, immutable');
        assert.ok((await first.arrayBuffer()).byteLength > 0);
        for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
          const again = await get(`/inspections/${id}/${path}`, { 'if-none-match': known });
          assert.equal(again.status, 304);
          assert.equal(again.headers.get('etag'), etag);
          assert.equal((await again.arrayBuffer()).byteLength, 0);
        }
        assert.equal((await get(`/inspections/${id}/${path}`, { 'if-none-match': '"other"' })).status, 200);
      }
      assert.equal((await get(`/inspections/${id}/picture`)).headers.get('etag'), `"${image!.sha256}"`);
    });

    it('that are gone are not found, and their inspection has no link to them', async () => {
      const { id } = await line.inspect(0.5);
      const record = await line.store.inspections.get(id);
      await line.store.pictures.remove(record!.picturePath!);
      await problem(get(`/inspections/${id}/picture`), 404, 'not-found');
    });

    it('are asked for by HEAD without their bytes', async () => {
      const { id } = await line.inspect(0.5);
      const response = await fetch(`${api.url}/inspections/${id}/picture`, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.ok(Number(response.headers.get('content-length')) > 0);
      assert.equal((await response.arrayBuffer()).byteLength, 0);
    });
  });

  describe('review items', () => {
    it('are labelled, skipped and taken back, with who and why', async () => {
      const first = await line.inspect(1.5, { partType: 'reviewed' });
      const second = await line.inspect(1.6, { partType: 'reviewed' });
      const { items } = await read<{ items: ReviewItem[] }>(get('/labeling-queue?state=pending&partType=reviewed'));
      assert.deepEqual(
        items.map(({ id }) => id),
        [first.id, second.id],
      );

      const labelled = await read<ReviewItem & { picture: string }>(
        post(`/labeling-queue/${first.id}/label`, { label: 'OK', reviewer: 'Ada', note: 'only dust' }),
      );
      assert.deepEqual(
        [labelled.state, labelled.label, labelled.reviewer, labelled.note],
        ['labelled', 'OK', 'Ada', 'only dust'],
      );
      assert.equal(labelled.picture, `/inspection/api/inspections/${first.id}/picture`);
      await problem(post(`/labeling-queue/${first.id}/label`, { label: 'NG' }), 409, 'already-decided');
      assert.equal((await read<ReviewItem>(post(`/labeling-queue/${second.id}/skip`))).state, 'skipped');
      const stats = await read<ReviewStats>(get('/labeling-queue/stats?partType=reviewed'));
      assert.deepEqual([stats.pending, stats.labelled, stats.skipped], [0, 1, 1]);
      assert.equal((await read<ReviewItem>(post('/labeling-queue/undo'))).id, second.id);
      assert.equal((await read<ReviewItem>(get(`/labeling-queue/${second.id}`))).state, 'pending');
    });

    it("are taken back by id, or by reviewer, so that nobody takes back another's decision", async () => {
      const parts = [];
      for (let index = 0; index < 3; index++) parts.push(await line.inspect(1.5, { partType: 'shared' }));
      for (const [index, reviewer] of ['Ada', 'Ada', 'Bob'].entries()) {
        await read(post(`/labeling-queue/${parts[index].id}/label`, { label: 'OK', reviewer }));
      }
      const undone = await read<ReviewItem>(post('/labeling-queue/undo', { id: parts[0].id }));
      assert.deepEqual([undone.id, undone.state], [parts[0].id, 'pending']);
      assert.equal((await read<ReviewItem>(post('/labeling-queue/undo', { reviewer: 'Ada' }))).id, parts[1].id);
      assert.equal((await read<ReviewItem>(get(`/labeling-queue/${parts[2].id}`))).label, 'OK');
      await problem(post('/labeling-queue/undo', { id: parts[0].id }), 409, 'nothing-to-undo');
      await problem(post('/labeling-queue/undo', { id: newId() }), 404, 'not-found');
      await problem(post('/labeling-queue/undo', { id: 'last' }), 400, 'invalid-input');
    });

    it('tell the audit list who acted, whatever name the request gives', async () => {
      const { id } = await line.inspect(1.5, { partType: 'spoofed' });
      await read(post(`/labeling-queue/${id}/skip`, { reviewer: 'grace' }));
      await read(post(`/labeling-queue/${id}/label`, { label: 'OK', reviewer: 'grace' }));
      await read(post('/labeling-queue/undo', { id, reviewer: 'grace' }));
      const { items } = await read<{ items: { actor: string }[] }>(get(`/audit?subject=${id}`));
      assert.deepEqual(
        items.map(({ actor }) => actor),
        ['anonymous', 'anonymous', 'anonymous'],
      );
    });

    it('have no links to a picture that is not there', async () => {
      const part = await line.inspect(1.5, { partType: 'blind' });
      const blind = { ...part, id: newId(), image: undefined };
      const settledAt = new Date().toISOString();
      await line.store.inspections.settle(blind, { picturePath: null, settledAt, delivered: true });
      await line.reviews.add(blind);
      const links = (item: Record<string, unknown>) => [item.picture, item.thumbnail, item.map];
      const none = [null, null, null];
      assert.deepEqual(links(await read(get(`/labeling-queue/${blind.id}`))), none);
      const { items } = await read<{ items: Record<string, unknown>[] }>(get('/labeling-queue?partType=blind'));
      const shown = new Map(items.map((item) => [item.id, links(item)]));
      assert.deepEqual(shown.get(blind.id), none);
      assert.equal(shown.get(part.id)?.[0], `/inspection/api/inspections/${part.id}/picture`);
      assert.deepEqual(links(await read(post(`/labeling-queue/${blind.id}/label`, { label: 'NG' }))), none);
    });

    it('take the body-less requests of a plain client', async () => {
      const { id } = await line.inspect(1.5, { partType: 'plain' });
      const skipped = await fetch(`${api.url}/labeling-queue/${id}/skip`, { method: 'POST' });
      assert.equal(skipped.status, 200);
      assert.equal(((await skipped.json()) as ReviewItem).reviewer, 'anonymous');
    });

    it('record the user of the session, not a claimed one, as the actor', async () => {
      const checked = await serveApi(
        () => [line.station],
        (app) =>
          app.use((request, _response, next) => {
            Object.assign(request, { user: { username: 'grace' } });
            next();
          }),
      );
      await fetch(`${checked.url}/settings/routing/acted`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: '{"auditShare":0.25}',
      });
      await checked.close();
      const { items } = await read<{ items: { actor: string }[] }>(get('/audit?subject=acted'));
      assert.deepEqual(
        items.map(({ actor }) => actor),
        ['grace'],
      );
    });
  });

  describe('routing settings', () => {
    it('are changed in part, recorded with old and new value, and told', async () => {
      const told: unknown[] = [];
      const remove = line.events.on('routing-changed', (settings) => told.push(settings));
      const put = (body: unknown) => read<unknown>(send('PUT', '/settings/routing/plate', body));
      await put({ thresholds: { accept: 1, reject: 2 }, auditShare: 0.1 });
      const changed = await put({ auditShare: 0.2 });
      remove();
      assert.deepEqual(changed, { partType: 'plate', thresholds: { accept: 1, reject: 2 }, auditShare: 0.2 });
      assert.deepEqual(await put({ thresholds: null }), { partType: 'plate', thresholds: null, auditShare: 0.2 });
      assert.equal(told.length, 2);
      const { items } = await read<{ items: { before: unknown; after: unknown }[] }>(get('/audit?subject=plate'));
      assert.ok(items.length >= 3);
      const list = await read<{ items: { partType: string }[] }>(get('/settings/routing'));
      assert.ok(list.items.some(({ partType }) => partType === 'plate'));
    });

    it('appear with their part type', async () => {
      await line.inspect(0.5, { partType: 'only-inspected' });
      const { items } = await read<{ items: { partType: string }[] }>(get('/part-types'));
      assert.deepEqual(
        items.find(({ partType }) => partType === 'only-inspected'),
        {
          partType: 'only-inspected',
          deployedModel: null,
          deployedVersion: null,
          models: [],
          okPictures: 0,
          ngPictures: 0,
          boxedPictures: 0,
          routing: { partType: 'only-inspected', thresholds: null, auditShare: null },
          modelThresholds: null,
        },
      );
    });
  });

  describe('training', () => {
    it('is refused from folders outside, also through a symbolic link', async () => {
      const outside = join(tmpdir(), `outside-${newId()}`);
      await mkdir(outside);
      await symlink(outside, join(line.dataFolder, 'link'));
      for (const folder of [outside, '..', '../../etc', '/etc', 'link', 'not-there', '/not-there']) {
        const told = await problem(
          post('/training/start', { partType: 'plate', source: { kind: 'folder', folder }, deploy: false }),
          403,
          'folder-not-allowed',
        );
        assert.equal(told.parameters?.folder, folder);
      }
      await rm(outside, { recursive: true });
    });

    it('is taken from folders inside, and says when they have no pictures', async () => {
      await mkdir(join(line.dataFolder, 'good-parts'));
      await writeFile(join(line.dataFolder, 'good-parts', 'notes.txt'), 'later');
      for (const folder of ['good-parts', join(line.dataFolder, 'good-parts')]) {
        const request = { partType: 'plate', source: { kind: 'folder', folder } };
        await problem(post('/training/start', request), 400, 'invalid-input');
      }
    });

    it('says when there are no labelled pictures', async () => {
      await problem(
        post('/training/start', { partType: 'new', source: { kind: 'labelled' } }),
        422,
        'too-few-pictures',
      );
    });

    it('takes defects and a mask from inside only, too', async () => {
      const source = { kind: 'simulator', product: 'plate', count: 8 };
      for (const options of [
        { defectFolder: '..' },
        { mask: '/etc/hostname' },
        { method: 'reference', referenceFolder: '/etc' },
        { method: 'reference', referenceFolder: '.', defectFolder: '.', labelFolder: '..' },
      ]) {
        const request = { partType: 'plate', source, options };
        await problem(post('/training/start', request), 403, 'folder-not-allowed');
      }
      await mkdir(join(line.dataFolder, 'no-defects'));
      const request = { partType: 'plate', source, options: { defectFolder: 'no-defects' } };
      await problem(post('/training/start', request), 400, 'invalid-input');
    });

    it('adds to no model where none is in production', async () => {
      const source = { kind: 'simulator', product: 'plate', count: 8 };
      const request = { partType: 'plate', source, options: { update: true } };
      await problem(post('/training/start', request), 409, 'nothing-to-update');
    });

    it('lists no job that was refused', async () => {
      assert.deepEqual(await read<{ items: Job[] }>(get('/training/jobs')), { items: [] });
    });
  });

  describe('models', () => {
    it('that are not there cannot be deployed or rolled back', async () => {
      assert.deepEqual(await read(get('/models/list')), { items: [] });
      assert.deepEqual(await read(get('/models/plate/history')), { items: [] });
      await problem(post('/models/plate/deploy', { version: '1' }), 404, 'not-found');
      await problem(post('/models/plate/deploy', { version: '..' }), 400, 'invalid-input');
      await problem(post('/models/plate/rollback'), 409, 'nothing-to-roll-back');
    });
  });

  describe('a model version', () => {
    let own: Line;
    let ownApi: RunningApi;
    before(async () => {
      own = await openLine();
      ownApi = await serveApi(() => [own.station]);
    });
    after(async () => {
      await ownApi.close();
      await own.close();
    });
    const details = (path: string) => fetch(`${ownApi.url}/models/${path}`);
    async function writeVersion(
      name: string,
      version: string,
      more: Partial<UnsealedManifest<BankManifest>> = {},
    ): Promise<string> {
      const folder = join(own.dataFolder, 'models', name, version);
      await writePackage(folder, { ...sampleManifest, name, partType: name, version, ...more }, sampleFiles);
      return folder;
    }

    it('is described with its recipe, its pictures and the sorted scores of its calibration', async () => {
      await writeVersion('plate', '1');
      await writeVersion('plate', '2');
      await own.models.deploy('plate', '2', 'ada');
      const version = await read<BankDetails>(details('plate/versions/2'));
      assert.deepEqual([version.name, version.version, version.deployed, version.method], ['plate', '2', true, 'bank']);
      assert.deepEqual(version.calibration.scores, [0.5, 0.7, 1]);
      assert.deepEqual(version.calibration.thresholds, version.thresholds);
      assert.equal(version.calibration.statement, 'few');
      assert.deepEqual([version.dataset.source, version.dataset.skipped], ['test', 0]);
      assert.equal(version.backbone.id, 'starter');
      assert.equal((await read<ModelDetails>(details('plate/versions/1'))).deployed, false);
      const { success, error } = modelDetails.safeParse(version);
      assert.ok(success, error?.message);
    });

    it('shows the pictures of its suspects, where the station keeps them', async () => {
      const { id } = await own.inspect(0.5, { partType: 'cable' });
      const suspects = [id, newId(), 'IMG_7.jpg'].map((name) => ({ name, score: 3, learnt: false }));
      await writeVersion('cable', '1', { suspects });
      const version = await read<BankDetails>(details('cable/versions/1'));
      assert.deepEqual(
        version.suspects.map(({ picture }) => picture !== null),
        [true, false, false],
      );
      const picture = await fetch(new URL(version.suspects[0].picture as string, ownApi.url));
      assert.equal(picture.headers.get('content-type'), 'image/jpeg');
    });

    it('that compares with golden pictures is described by how it does that', async () => {
      const folder = join(own.dataFolder, 'models', 'board', '1');
      await writePackage(folder, sampleReference, sampleReferenceFiles);
      const version = await read<ReferenceDetails>(details('board/versions/1'));
      const { success, error } = modelDetails.safeParse(version);
      assert.ok(success, error?.message);
      const { settings, chosenBy, trials, boxes } = sampleReference.reference;
      assert.deepEqual(version.reference, { settings, chosenBy, trials, boxes, shared: true });
      assert.deepEqual([version.method, version.calibration.method], ['reference', 'compared']);
      assert.deepEqual(version.pictures, { bank: 0, calibration: 3 });
      const { items } = await read<{ items: ModelVersion[] }>(fetch(`${ownApi.url}/models/list?partType=board`));
      assert.deepEqual(
        items.map(({ name, version, bytes }) => [name, version, bytes > 0]),
        [['board', '1', true]],
      );
    });

    it('of an earlier release is described in the same terms', async () => {
      await writeFirstFormat(join(own.dataFolder, 'models', 'cable', '7'));
      const { calibration, recipe } = await read<BankDetails>(details('cable/versions/7'));
      assert.deepEqual([calibration.method, calibration.scores], ['held-out', [0.5, 0.7, 1]]);
      assert.deepEqual([calibration.picturesNeeded, calibration.statementParts], [96, []]);
      assert.equal(recipe.conditioning, 'none');
    });

    it('that is not there, or whose manifest is damaged, is a problem', async () => {
      await problem(details('plate/versions/9'), 404, 'not-found');
      await problem(details('nothing/versions/1'), 404, 'not-found');
      await problem(details('plate/versions/..%2f1'), 404, 'not-found');
      const folder = await writeVersion('bent', '1');
      await writeFile(join(folder, 'manifest.json'), '{"format": 2');
      await problem(details('bent/versions/1'), 409, 'model-invalid');
    });
  });

  describe('what is not as described', () => {
    const unknownId = newId();
    const label = `/labeling-queue/${unknownId}/label`;
    const routing = '/settings/routing/plate';
    const jobs = '/training/start';
    const source = { kind: 'simulator', product: 'plate', count: 20 };
    const input = { width: 256, height: 256 };
    const roi = { x: 0.5, y: 0, width: 0.5, height: 1 };
    const tiles = { columns: 2, rows: 2 };
    const trainingOptionCases: readonly [unknown, string][] = [
      [7, ''],
      [{ inpt: input }, ''],
      [{ method: 'guess' }, '/method'],
      [{ input: { ...input, width: 96 } }, '/input/width'],
      [{ input: { ...input, height: 1056 } }, '/input/height'],
      [{ input: { ...input, height: 250 } }, '/input/height'],
      [{ input: { width: 256 } }, '/input/height'],
      [{ input: { ...input, mode: 'fill' } }, '/input/mode'],
      [{ falseRejectRate: 0 }, '/falseRejectRate'],
      [{ missRate: 0.6 }, '/missRate'],
      [{ falseRejectRate: 0.1, reviewRate: 0.05 }, '/reviewRate'],
      [{ roi: { ...roi, x: 0.6 } }, '/roi'],
      [{ roi: { ...roi, height: 0 } }, '/roi/height'],
      [{ tiles: { ...tiles, rows: 9 } }, '/tiles/rows'],
      [{ tiles: { ...tiles, overlap: 0.6 } }, '/tiles/overlap'],
      [{ tiles: { ...tiles, banks: 'none' } }, '/tiles/banks'],
      [{ position: { reach: 0 } }, '/position/reach'],
      [{ augmentation: { flip: 'yes' } }, '/augmentation/flip'],
      [{ augmentation: { rotation: 181 } }, '/augmentation/rotation'],
      [{ augmentation: { blur: 1 } }, '/augmentation'],
      [{ update: true, input }, '/update'],
    ];
    const cases: readonly (readonly [string, string, unknown, number, string, string?])[] = [
      ['GET', '/nothing', undefined, 404, 'unknown-route'],
      ['GET', '', undefined, 404, 'unknown-route'],
      ['GET', '/inspections/a/b/c', undefined, 404, 'unknown-route'],
      ['DELETE', '/inspections', undefined, 405, 'method-not-allowed'],
      ['POST', '/inspections', {}, 405, 'method-not-allowed'],
      ['GET', '/upload/', undefined, 405, 'method-not-allowed'],
      ['GET', '/labeling-queue/undo', undefined, 405, 'method-not-allowed'],
      ['PATCH', routing, {}, 405, 'method-not-allowed'],
      ['GET', `/inspections/${unknownId}`, undefined, 404, 'not-found'],
      ['GET', `/inspections/${unknownId}/picture`, undefined, 404, 'not-found'],
      ['GET', `/inspections/${unknownId}/map`, undefined, 404, 'not-found'],
      ['GET', `/labeling-queue/${unknownId}`, undefined, 404, 'not-found'],
      ['GET', `/training/jobs/${unknownId}`, undefined, 404, 'not-found'],
      ['POST', `/training/jobs/${unknownId}/cancel`, {}, 404, 'not-found'],
      ['POST', label, { label: 'OK' }, 404, 'not-found'],
      ['GET', '/inspections/1', undefined, 404, 'not-found'],
      ['GET', `/inspections/${unknownId.toLowerCase()}`, undefined, 404, 'not-found'],
      ['GET', '/inspections/%E0%A4%A', undefined, 400, 'malformed-path'],
      ['GET', '/inspections?limit=0', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?limit=501', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?limit=many', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?limit=', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?limit=1.5', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?limit=1&limit=2', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?cursor=%27;drop', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?verdict=maybe', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?from=yesterday', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?from=2026-02-30T00:00:00Z', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?verdit=NG', undefined, 400, 'invalid-input'],
      ['GET', '/inspections?__proto__=1', undefined, 400, 'invalid-input'],
      ['GET', '/health?verbose=1', undefined, 400, 'invalid-input'],
      ['GET', '/counters?since=week', undefined, 400, 'invalid-input'],
      ['GET', `/inspections/${unknownId}/picture?width=5`, undefined, 400, 'invalid-input'],
      ['GET', `/inspections/${unknownId}/picture?width=99999`, undefined, 400, 'invalid-input'],
      ['GET', '/health?station=other', undefined, 404, 'unknown-station'],
      ['POST', label, undefined, 400, 'missing-body'],
      ['POST', label, null, 400, 'invalid-input'],
      ['POST', label, [], 400, 'invalid-input'],
      ['POST', label, 'OK', 400, 'invalid-input'],
      ['POST', label, 7, 400, 'invalid-input'],
      ['POST', label, {}, 400, 'invalid-input'],
      ['POST', label, { label: 'ok' }, 400, 'invalid-input', '#/label'],
      ['POST', label, { label: 'OK', reviewer: 7 }, 400, 'invalid-input', '#/reviewer'],
      ['POST', label, { label: 'OK', reviewer: ' ' }, 400, 'invalid-input', '#/reviewer'],
      ['POST', label, { label: 'OK', note: 'x'.repeat(2001) }, 400, 'invalid-input', '#/note'],
      ['POST', label, { label: 'OK', 'a/b~c': 1 }, 400, 'invalid-input'],
      ['PUT', routing, {}, 400, 'invalid-input'],
      ['PUT', routing, { thresholds: { accept: 2, reject: 1 } }, 400, 'invalid-input', '#/thresholds'],
      ['PUT', routing, { thresholds: { accept: -1, reject: 1 } }, 400, 'invalid-input', '#/thresholds/accept'],
      ['PUT', routing, { thresholds: { accept: '1', reject: 1 } }, 400, 'invalid-input', '#/thresholds/accept'],
      ['PUT', routing, { thresholds: { accept: 1 } }, 400, 'invalid-input', '#/thresholds/reject'],
      ['PUT', routing, { thresholds: [1, 2] }, 400, 'invalid-input', '#/thresholds'],
      ['PUT', routing, { auditShare: 1.01 }, 400, 'invalid-input', '#/auditShare'],
      ['PUT', routing, { auditShare: null }, 400, 'invalid-input', '#/auditShare'],
      ['PUT', '/settings/routing/..%2f..%2fetc', { auditShare: 1 }, 404, 'not-found'],
      ['PUT', '/settings/routing/.hidden', { auditShare: 1 }, 404, 'not-found'],
      ['POST', jobs, { partType: 'plate' }, 400, 'invalid-input', '#/source'],
      ['POST', jobs, { partType: '../x', source }, 400, 'invalid-input', '#/partType'],
      ['POST', jobs, { partType: 'p', source: { kind: 'web' } }, 400, 'invalid-input', '#/source/kind'],
      [
        'POST',
        jobs,
        { partType: 'p', source: { ...source, product: 'car' } },
        400,
        'invalid-input',
        '#/source/product',
      ],
      ['POST', jobs, { partType: 'p', source: { ...source, count: 0 } }, 400, 'invalid-input', '#/source/count'],
      ['POST', jobs, { partType: 'p', source: { ...source, count: 1e9 } }, 400, 'invalid-input', '#/source/count'],
      ['POST', jobs, { partType: 'p', source, backbone: '/etc/passwd' }, 400, 'invalid-input', '#/backbone'],
      ['POST', jobs, { partType: 'p', source, deploy: 'yes' }, 400, 'invalid-input', '#/deploy'],
      ...trainingOptionCases.map(
        ([options, pointer]) =>
          ['POST', jobs, { partType: 'p', source, options }, 400, 'invalid-input', `#/options${pointer}`] as const,
      ),
      ['POST', '/models/..%2f../deploy', { version: '1' }, 404, 'not-found'],
      ['POST', '/models/plate/deploy', {}, 400, 'invalid-input', '#/version'],
      ['POST', '/models/plate/rollback', { force: true }, 400, 'invalid-input'],
    ];
    for (const [method, path, body, status, code, pointer] of cases) {
      it(`${method} ${path} ${body === undefined ? '' : JSON.stringify(body).slice(0, 60)} -> ${status} ${code}`, async () => {
        const response = body === undefined ? fetch(api.url + path, { method }) : send(method, path, body);
        const told = await problem(response, status, code);
        assert.equal(told.status, status);
        assert.ok(told.title && told.detail && told.type);
        if (code === 'invalid-input') assert.ok(told.errors!.length > 0);
        if (pointer)
          assert.ok(
            told.errors!.some((error) => error.pointer === pointer),
            JSON.stringify(told.errors),
          );
      });
    }

    const bodies: readonly [string, string, Uint8Array<ArrayBuffer> | string, number, string][] = [
      ['half a JSON object', 'application/json', '{"label":', 400, 'malformed-json'],
      ['JSON with a comma too many', 'application/json', '{"label":"OK",}', 400, 'malformed-json'],
      ['NaN', 'application/json', '{"label":NaN}', 400, 'malformed-json'],
      ['text', 'application/json', 'label=OK', 400, 'malformed-json'],
      ['bytes that are no UTF-8', 'application/json', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 400, 'malformed-json'],
      ['a form', 'application/x-www-form-urlencoded', 'label=OK', 415, 'unsupported-media-type'],
      ['plain text', 'text/plain', '{"label":"OK"}', 415, 'unsupported-media-type'],
      ['a megabyte and more', 'application/json', `"${'x'.repeat(1024 * 1024)}"`, 413, 'body-too-large'],
      [
        'a property that would change prototypes',
        'application/json',
        '{"__proto__":{"label":"OK"}}',
        400,
        'invalid-input',
      ],
      ['deep nesting', 'application/json', '['.repeat(50_000) + ']'.repeat(50_000), 400, 'invalid-input'],
    ];
    for (const [what, type, body, status, code] of bodies) {
      it(`refuses ${what}`, async () => {
        const response = fetch(api.url + label, {
          method: 'POST',
          headers: { 'content-type': type },
          body: body,
        });
        await problem(response, status, code);
      });
    }

    it('refuses a compressed body', async () => {
      const response = fetch(api.url + label, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: '{}',
      });
      await problem(response, 415, 'unsupported-encoding');
    });

    it('names the methods that are possible', async () => {
      const response = await fetch(`${api.url}/settings/routing/plate`, { method: 'DELETE' });
      assert.equal(response.headers.get('allow'), 'PUT');
      assert.equal((await fetch(`${api.url}/health`, { method: 'POST' })).headers.get('allow'), 'GET, HEAD');
    });

    it('is told with the same code behind a JSON parser', async () => {
      const behind = await serveApi(
        () => [line.station],
        (app) => app.use(express.json()),
      );
      const put = (body: string) =>
        fetch(`${behind.url}/settings/routing/parsed`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body,
        });
      assert.equal((await put('{"auditShare":0.5}')).status, 200);
      await problem(put('{"auditShare":5}'), 400, 'invalid-input');
      await problem(fetch(`${behind.url}/settings/routing/parsed`, { method: 'PUT' }), 400, 'missing-body');
      await behind.close();
    });

    it('includes changes that a page of another site makes a browser ask for', async () => {
      await problem(
        send('PUT', '/settings/routing/plate', { auditShare: 1 }, { 'sec-fetch-site': 'cross-site' }),
        403,
        'cross-site',
      );
      assert.equal((await get('/health', { 'sec-fetch-site': 'cross-site' })).status, 200);
      // over plain HTTP browsers send the origin only
      const change = (headers: Record<string, string>) =>
        send('PUT', '/settings/routing/plate', { auditShare: 0.5 }, headers);
      const own = `http://127.0.0.1:${api.port}`;
      for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${api.port + 1}`]) {
        await problem(change({ origin }), 403, 'cross-site');
      }
      await problem(change({ origin: 'http://evil.example', 'sec-fetch-site': 'same-site' }), 403, 'cross-site');
      await read(change({ origin: own }));
      await read(change({ origin: 'https://line.example', 'x-forwarded-host': 'line.example:443' }));
      await read(change({ origin: 'https://line.example', 'sec-fetch-site': 'same-origin' }));
    });

    it('reaches no file outside, whatever the path says', async () => {
      const raw = (path: string) =>
        new Promise<string>((resolve, reject) => {
          const socket = connect(api.port, '127.0.0.1');
          let text = '';
          socket.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          socket.on('end', () => resolve(text));
          socket.on('error', reject);
          socket.write(`GET /inspection/api${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
        });
      for (const path of [
        '/inspections/../../../../etc/passwd/picture',
        '/inspections/..%2f..%2f..%2fetc%2fpasswd/picture',
        '/inspections/%2e%2e%2f%2e%2e%2fpasswd/map',
        '/inspections/..%5c..%5cwindows/picture',
        '/inspections/%00/picture',
        '//etc/passwd',
        `/inspections/${newId()}%2f..%2f..%2fmap/map`,
      ]) {
        const answer = await raw(path);
        assert.match(answer, /^HTTP\/1\.1 404 /, path);
        assert.match(answer, /application\/problem\+json/);
        assert.doesNotMatch(answer, /root:/);
      }
    });
  });

  it('says 503 while no station runs, and still describes itself', async () => {
    const empty = await serveApi(() => []);
    const response = await fetch(`${empty.url}/health`);
    assert.equal(response.status, 503);
    assert.equal(((await response.json()) as Problem).code, 'no-station');
    assert.equal((await fetch(`${empty.url}/openapi.json`)).status, 200);
    await empty.close();
  });

  it('serves the station that is named, by id or name', async () => {
    const other: ApiStation = {
      ...line.station,
      options: { ...line.station.options, id: 'line-2', name: 'Line two' },
      health: () => ({ ...line.station.health(), id: 'line-2' }),
    };
    const both = await serveApi(() => [line.station, other]);
    const idOf = async (query: string) =>
      ((await (await fetch(`${both.url}/health${query}`)).json()) as { id: string }).id;
    assert.equal(await idOf(''), 'line-1');
    assert.equal(await idOf('?station=line-2'), 'line-2');
    assert.equal(await idOf('?station=Line%20two'), 'line-2');
    await both.close();
  });

  it('tells a fault inside without its inner text, and reports it to the log', async () => {
    const broken: ApiStation = {
      ...line.station,
      health: () => {
        throw new TypeError('secret of the house');
      },
    };
    const faulty = await serveApi(() => [broken]);
    const response = await fetch(`${faulty.url}/health`);
    const text = await response.text();
    assert.equal(response.status, 500);
    assert.equal(JSON.parse(text).code, 'internal-error');
    assert.doesNotMatch(text, /secret/);
    assert.equal((faulty.errors[0] as Error).message, 'secret of the house');
    await faulty.close();
  });

  it('had no fault inside in any of these tests', () => {
    assert.deepEqual(api.errors, []);
  });
});

describe('shiftStart', () => {
  const at = (text: string) => new Date(text);
  it('is the last start at or before the moment, in local time', () => {
    assert.deepEqual(shiftStart(at('2026-11-20T13:59:59')), at('2026-11-20T06:00:00'));
    assert.deepEqual(shiftStart(at('2026-11-20T14:00:00')), at('2026-11-20T14:00:00'));
    assert.deepEqual(shiftStart(at('2026-11-20T23:00:00')), at('2026-11-20T22:00:00'));
  });
  it('may lie on the day before', () => {
    assert.deepEqual(shiftStart(at('2026-11-20T05:00:00')), at('2026-11-19T22:00:00'));
    assert.deepEqual(shiftStart(at('2026-11-01T00:30:00'), ['07:30']), at('2026-10-31T07:30:00'));
  });
  it('ignores times that are none', () => {
    assert.deepEqual(shiftStart(at('2026-11-20T08:00:00'), ['25:00', '7:00', '']), at('2026-11-20T06:00:00'));
  });
});
