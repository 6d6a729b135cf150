import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Inspection, type ReviewItem, timestamp, type Verdict } from '../../../engine/domain';
import { openStation, type Station } from '../../../engine/station';
import { EmbeddingMemory } from '../../../engine/station/embeddings';
import { drawPicture } from '../patchcore/pictures';
import { trainSmallModel } from '../patchcore/small-model';
import { temporaryFolder, undoAfter, undoAll } from '../store/support';

const FOREVER = { days: null, bytes: null };

/** A station whose part type `weave` has a small model in production. */
async function weavingStation(): Promise<Station> {
  const dataFolder = await temporaryFolder();
  await trainSmallModel(join(dataFolder, 'models', 'weave', '1'), '1');
  const station = await openStation({
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
  return station;
}

async function inspect(station: Station, picture: Buffer, verdict: Verdict): Promise<Inspection> {
  const opened = station.inspections.open({ partType: 'weave', trigger: { source: 'message' } });
  const attached = station.inspections.attachPicture(opened, picture, await station.inspectPicture(picture));
  const finding = await station.scoreAnomaly(picture, attached, 'node-1');
  const at = timestamp(Date.now());
  const decision = { verdict, confidence: 0, reasons: ['score-between-thresholds'], by: 'model', at } as const;
  const settled = await station.inspections.settle({ ...attached, findings: [finding] }, decision);
  assert.ok(settled);
  return settled;
}

describe('what pictures looked like', function () {
  this.timeout(240_000);
  afterEach(undoAll);

  it('lets the review queue take few of the same stain, and others all the same', async () => {
    const station = await weavingStation();
    const stained = (seed: number, x: number) =>
      drawPicture({ seed, defective: true, blot: { x, y: 40, width: 24, height: 24 } });
    const offer = async (picture: Buffer) => {
      const inspection = await inspect(station, picture, 'REVIEW');
      return station.reviewIntake.offer(inspection, { node: 'queue', settings: { similarLimit: 3 } });
    };
    for (let seed = 1; seed <= 12; seed += 1) await inspect(station, await drawPicture({ seed: 100 + seed }), 'OK');
    const admitted: ReviewItem[] = [];
    for (let seed = 1; seed <= 10; seed += 1) {
      const admission = await offer(await stained(seed, 60 + (seed % 4)));
      if (admission.admitted) admitted.push(admission.item);
    }
    assert.ok(admitted.length >= 3 && admitted.length <= 5, `${admitted.length}`);
    const [first, ...others] = admitted;
    assert.deepEqual([first.queueReasons[0], first.similarTo], ['novel', null]);
    for (const { similarTo } of others) assert.ok(admitted.some(({ id }) => id === similarTo));
    const good = await offer(await drawPicture({ seed: 300 }));
    assert.ok(good.admitted && good.item.similarTo === null);
    assert.equal((await station.reviewIntake.declined('weave')).similar, 10 - admitted.length);
  });
});

describe('the memory for embeddings', () => {
  const kept = (normalizedScore: number, partType = 'plate') => ({
    vector: Float32Array.of(normalizedScore),
    space: 's',
    partType,
    model: { name: partType, version: '1' },
    normalizedScore,
  });

  it('keeps of several analyses of a picture the one that speaks most against it', () => {
    const memory = new EmbeddingMemory();
    for (const score of [0.5, 2, 1]) memory.keep('a', kept(score));
    assert.equal(memory.of('a')?.normalizedScore, 2);
    assert.equal(memory.of('b'), null);
  });

  it('forgets the oldest, and tells the last of a part type', () => {
    const memory = new EmbeddingMemory();
    for (let index = 0; index < 2005; index += 1)
      memory.keep(String(index), kept(index, index % 2 ? 'cable' : 'plate'));
    assert.equal(memory.of('4'), null);
    assert.ok(memory.of('5'));
    const recent = memory.recent('plate', 's').map(([score]) => score);
    assert.deepEqual([recent.length, recent.at(-1)], [100, 2004]);
    assert.deepEqual(memory.recent('plate', 't'), []);
  });
});
