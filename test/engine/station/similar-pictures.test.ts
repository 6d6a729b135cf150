import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Inspection } from '../../../engine/domain';
import { openStation, type Station } from '../../../engine/station';
import { type RunningApi, serveApi } from '../api/line';
import { drawPicture } from '../patchcore/pictures';
import { trainSmallModel } from '../patchcore/small-model';
import { temporaryFolder, undoAfter, undoAll } from '../store/support';

const FOREVER = { days: null, bytes: null };

interface Answer {
  readonly model: { readonly name: string; readonly version: string };
  readonly distance: number;
  readonly source: { readonly name: string; readonly width: number; readonly pictureUrl: string | null };
}

describe('the most similar good picture of a part', function () {
  this.timeout(240_000);
  let station: Station;
  let api: RunningApi;
  let scored: Inspection;

  before(async () => {
    const dataFolder = await temporaryFolder();
    await trainSmallModel(join(dataFolder, 'models', 'weave', '1'), '1');
    station = await openStation({
      id: 'station-1',
      name: 'Line 1',
      dataFolder,
      failSafe: 'NG',
      deadlineMs: 3_600_000,
      retention: { OK: FOREVER, NG: FOREVER, REVIEW: FOREVER },
      pool: { size: 1, queueLimit: 16, queuePolicy: 'reject', memoryCapMb: 256, threads: 1 },
    });
    undoAfter(() => station.close());
    await station.models.deploy('weave', '1', 'Ada');
    api = await serveApi(() => [station]);
    undoAfter(() => api.close());
    scored = await inspected(true);
  });
  after(undoAll);

  /** A part whose verdict is recorded. */
  async function inspected(isScored: boolean): Promise<Inspection> {
    const picture = await drawPicture({ seed: 700, defective: true });
    const opened = station.inspections.open({ partType: 'weave', trigger: { source: 'message' } });
    const taken = station.inspections.attachPicture(opened, picture, await station.inspectPicture(picture));
    const findings = isScored ? [await station.scoreAnomaly(picture, taken, 'node-1')] : [];
    const decision = { verdict: 'NG', confidence: 1, reasons: [], by: 'model', at: taken.capturedAt } as const;
    const settled = await station.inspections.settle({ ...taken, findings }, decision);
    return settled as Inspection;
  }
  const ask = (id: string) => fetch(`${api.url}/inspections/${id}/nearest`);

  it('is named with what the model compared, and its picture served', async () => {
    const answer = (await (await ask(scored.id)).json()) as Answer;
    assert.deepEqual(answer.model, { name: 'weave', version: '1' });
    const [finding] = scored.findings;
    assert.equal(answer.distance, finding.kind === 'anomaly' && finding.score);
    assert.match(answer.source.name, /^good-\d+\.jpg$/);
    const address = new URL(answer.source.pictureUrl as string, api.url);
    const response = await fetch(address);
    assert.equal(response.headers.get('content-type'), 'image/jpeg');
    assert.match(response.headers.get('cache-control') ?? '', /immutable/);
    const { width } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    assert.deepEqual([width, answer.source.width], [160, 160]);
    const missing = await fetch(new URL('4711', address));
    assert.equal(missing.status, 404);
  });

  it('is unknown where no anomaly model judged the part, or its version is gone, and says so', async () => {
    const problem = async (id: string) => {
      const answer = await ask(id);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    assert.deepEqual(await problem((await inspected(false)).id), [404, 'no-nearest']);
    assert.deepEqual(await problem('01ARZ3NDEKTSV4RRFFQ69G5FAV'), [404, 'not-found']);
    const another = await inspected(true);
    await rm(join(station.models.folder, 'weave', '1'), { recursive: true });
    assert.deepEqual(await problem(another.id), [404, 'no-nearest']);
    assert.equal((await ask(scored.id)).status, 200, 'kept in memory');
  });
});
