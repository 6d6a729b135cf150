import assert from 'node:assert/strict';
import type { TrainingPicture } from '../../../engine/patchcore';
import { drawGood, drawPicture } from './pictures';
import { type Trained, Workbench } from './workbench';

const HIDDEN = ['hidden-1.jpg', 'hidden-2.jpg'];

describe('Defective pictures among those to be learnt', function () {
  this.timeout(180_000);
  let bench: Workbench;
  let pictures: TrainingPicture[];
  let trained: Trained;
  before(async () => {
    bench = await Workbench.open();
    const hidden = await Promise.all(
      [31, 32].map(async (seed, index) => ({
        name: HIDDEN[index],
        picture: await drawPicture({ seed, defective: true }),
      })),
    );
    const good = await drawGood(22, 101);
    pictures = [...good.slice(0, 7), hidden[0], ...good.slice(7, 15), hidden[1], ...good.slice(15)];
    trained = await bench.train(pictures);
  });
  after(() => bench.close());

  const names = ({ manifest }: Trained) => manifest.suspects.map(({ name }) => name).sort();

  it('are listed with their names and scores for a person, the worst first', () => {
    assert.deepEqual(names(trained), HIDDEN);
    const { suspects, thresholds } = trained.manifest;
    assert.ok(suspects.every(({ learnt }) => !learnt));
    assert.ok(suspects[0].score >= suspects[1].score);
    assert.ok(suspects[1].score > thresholds.reject);
  });

  it('are neither in the bank nor among the pictures learnt', () => {
    const { bank, dataset } = trained.manifest;
    assert.deepEqual([bank.pictures, dataset.count], [22, 22]);
    const learnt = trained.origins.pictures.map(({ name }) => name);
    assert.equal(learnt.length, 22);
    assert.ok(HIDDEN.every((name) => !learnt.includes(name)));
    assert.ok(trained.origins.banks[0]?.picture.every((picture) => picture >= 0 && picture < 22));
  });

  it('do not count for the thresholds', () => {
    const { calibration, suspects } = trained.manifest;
    assert.equal(calibration.pictures, 22);
    assert.ok(calibration.scores.at(-1)! < suspects.at(-1)!.score / 1.5);
  });

  it('are found again when the model scores them', async () => {
    for (const { name, picture } of pictures) {
      const { score, thresholds } = await trained.score(picture as Buffer);
      assert.equal(score > thresholds.reject, HIDDEN.includes(name), `${name}: ${score}`);
    }
  });

  it('are learnt all the same where a person has decided so', async () => {
    const kept = await bench.train(pictures, { keepSuspects: true });
    assert.deepEqual(names(kept), HIDDEN);
    const { suspects, bank, calibration, thresholds } = kept.manifest;
    assert.ok(suspects.every(({ learnt }) => learnt));
    assert.deepEqual([bank.pictures, calibration.pictures], [24, 24]);
    const origins = kept.origins.pictures.map(({ name }) => name);
    assert.ok(HIDDEN.every((name) => origins.includes(name)));
    assert.ok(Math.abs(calibration.scores.at(-1)! - suspects[0].score) < 1e-6);
    assert.ok(thresholds.reject > trained.manifest.thresholds.reject);
  });

  it('are not seen in sets that have none', async () => {
    for (const first of [1001, 2001, 3001]) {
      assert.deepEqual(names(await bench.train(await drawGood(24, first))), [], `${first}`);
    }
  });
});
