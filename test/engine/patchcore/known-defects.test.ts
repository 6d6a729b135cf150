import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from '../../../engine/domain';
import { drawGood, drawPicture } from './pictures';
import { type Trained, Workbench } from './workbench';

describe('Pictures of defective parts', function () {
  this.timeout(180_000);
  let bench: Workbench;
  let trained: Trained;
  let defectFolder: string;
  before(async () => {
    bench = await Workbench.open();
    const good = await drawGood(16, 101);
    defectFolder = join(bench.folder, 'defects');
    await mkdir(defectFolder);
    for (let seed = 1; seed <= 8; seed += 1) {
      await writeFile(join(defectFolder, `${seed}.jpg`), await drawPicture({ seed: 600 + seed, defective: true }));
    }
    await writeFile(join(defectFolder, '9.jpg'), good[2].picture as Buffer);
    await writeFile(join(defectFolder, 'again.jpg'), await drawPicture({ seed: 601, defective: true }));
    trained = await bench.train(good, { defectFolder });
  });
  after(() => bench.close());

  it('are scored, not learnt, and set the accept level below the lowest of them', () => {
    const { calibration, dataset, bank, thresholds } = trained.manifest;
    assert.deepEqual([dataset.defects, calibration.defects, bank.pictures], [8, 8, 16]);
    assert.ok(thresholds.accept < calibration.defectScores[0]);
    assert.ok(calibration.promisedMissRate !== null && calibration.promisedMissRate <= 1 / 9 + 1e-9);
  });

  it('count once, and not at all when they are among the good ones, too', () => {
    const reasons = Object.fromEntries(trained.skipped.map(({ name, reason }) => [name.split(/[\\/]/).at(-1), reason]));
    assert.deepEqual(Object.keys(reasons).sort(), ['9.jpg', 'again.jpg']);
    assert.match(reasons['9.jpg'], /the same picture as good-103\.jpg, which cannot be both/);
  });

  it('must be given again when pictures are added: the new bank scores them otherwise', async () => {
    const fresh = await drawGood(3, 451);
    const update = { version: '2', updateFrom: trained.folder };
    await assert.rejects(
      bench.train(fresh, update),
      /comes from 8 pictures of defective parts\. Give their folder again/,
    );
    const next = await bench.train(fresh, { ...update, defectFolder });
    const { calibration, thresholds } = next.manifest;
    // one of the good ones is given as a defective one only
    assert.deepEqual([calibration.defects, next.forgotten], [9, ['good-103.jpg']]);
    for (let seed = 1; seed <= 8; seed += 1) {
      const { score } = await next.score(await drawPicture({ seed: 600 + seed, defective: true }));
      assert.ok(score > thresholds.accept, `defect ${seed} scores ${score}`);
    }
  });

  it('are forgotten by an update when the version took them for good', async () => {
    const mistaken = { name: 'mistaken.jpg', picture: await drawPicture({ seed: 640, defective: true }) };
    const taken = await bench.train([...(await drawGood(12, 461)), mistaken], { keepSuspects: true });
    assert.ok((await taken.score(mistaken.picture)).score <= taken.manifest.thresholds.accept, 'passes');
    const others = await Promise.all(
      [641, 642, 643].map(async (seed) => ({ name: `${seed}`, picture: await drawPicture({ seed, defective: true }) })),
    );
    for (const fresh of [[], await drawGood(3, 481)]) {
      const defects = [mistaken, ...others];
      const next = await bench.train(fresh, { version: '2', updateFrom: taken.folder, defects, keepSuspects: true });
      assert.deepEqual([next.forgotten, next.skipped], [['mistaken.jpg'], []]);
      assert.ok(!next.origins.pictures.some(({ name }) => name === 'mistaken.jpg'));
      const { bank, calibration, thresholds } = next.manifest;
      assert.deepEqual([bank.pictures, calibration.defects], [12 + fresh.length, 4]);
      assert.equal(calibration.scores.length, taken.manifest.calibration.scores.length - 1 + fresh.length);
      assert.ok((await next.score(mistaken.picture)).score > thresholds.accept, 'no longer passes');
      assert.ok((await next.score(await drawPicture({ seed: 902 }))).score <= thresholds.reject);
    }
  });

  it('are not the only ones that an update forgets: pictures that count as good no more go, too', async () => {
    const good = await drawGood(12, 501);
    const odd = { name: 'odd.jpg', picture: await drawPicture({ seed: 660, defective: true }) };
    const taken = await bench.train([...good, odd], { keepSuspects: true });
    const withdrawn = [odd, { name: 'never learnt', picture: good[0].picture }].map((one, place) => ({
      ...one,
      sha256: place === 0 ? sha256Of(odd.picture) : 'f'.repeat(64),
    }));
    const next = await bench.train([], { version: '2', updateFrom: taken.folder, withdrawn, keepSuspects: true });
    assert.deepEqual([next.forgotten, next.skipped], [['odd.jpg'], []]);
    const { bank, calibration, thresholds } = next.manifest;
    assert.deepEqual([bank.pictures, calibration.defects], [12, 0]);
    assert.equal(calibration.scores.length, taken.manifest.calibration.scores.length - 1);
    assert.ok((await next.score(odd.picture)).score > thresholds.accept, 'no longer passes');
  });

  it('give findings the probability of a defect', async () => {
    const [good, bad] = [await drawPicture({ seed: 900 }), await drawPicture({ seed: 901, defective: true })];
    const [low, high] = [(await trained.score(good)).probability, (await trained.score(bad)).probability];
    assert.ok(low !== undefined && high !== undefined && low < 0.5 && high > 0.5, `${low} ${high}`);
  });
});
