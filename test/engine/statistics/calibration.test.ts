import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { calibrate, conformalCount, conformalLowerRank, conformalRank } from '../../../engine/statistics';

const wishes = { falseRejectRate: 0.01, reviewRate: 0.05, missRate: 0.01 };
const method = 'cross-validated';
const folds = 5;
const ascending = (count: number, from = 0, step = 1) =>
  Array.from({ length: count }, (_, index) => from + step * index);

/** Standard normal numbers (Box and Muller 1958). */
function normals(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A share counted over many draws must lie within four standard deviations of what is expected. */
function assertRate(count: number, rounds: number, expected: number): void {
  const deviation = Math.sqrt(expected * (1 - expected) * rounds);
  const far = Math.abs(count - expected * rounds) / deviation;
  assert.ok(far <= 4, `${count} of ${rounds}, ${far.toFixed(1)} deviations from ${expected}`);
}

describe('Conformal levels', () => {
  it('take rank ceil((1 - a)(n + 1)) of the good, floor(b(m + 1)) of the defective, and none with too few', () => {
    // By hand from the definition.
    assert.equal(conformalRank(99, 0.01), 99);
    assert.equal(conformalRank(98, 0.01), null);
    assert.equal(conformalRank(199, 0.01), 198);
    assert.equal(conformalRank(19, 0.05), 19);
    assert.equal(conformalRank(50, 0.05), 49);
    assert.equal(conformalLowerRank(99, 0.01), 1);
    assert.equal(conformalLowerRank(98, 0.01), null);
    assert.equal(conformalLowerRank(299, 0.01), 3);
    assert.equal(conformalCount(0.01), 99);
    assert.equal(conformalCount(0.05), 19);
    assert.equal(conformalCount(0.03), 33);
  });
});

describe('Calibration', () => {
  it('rejects exactly the promised share of new good parts, over many draws of a skewed distribution', () => {
    const normal = normals(4);
    const draw = () => Math.exp(0.4 * normal());
    const rounds = 4000;
    let rejected = 0;
    let promised = 0;
    for (let round = 0; round < rounds; round += 1) {
      const good = Array.from({ length: 60 }, draw);
      const { thresholds, promisedRejectRate } = calibrate(
        { good, method, folds },
        { ...wishes, falseRejectRate: 0.05, reviewRate: 0.2 },
      );
      promised = promisedRejectRate;
      if (draw() > thresholds.reject) rejected += 1;
    }
    assert.ok(promised <= 0.05 && promised > 0.03);
    assertRate(rejected, rounds, promised);
  });

  it('comes near the wished false-reject rate from twenty pictures on, though it cannot promise it', () => {
    const normal = normals(8);
    const random = seededRandom(9);
    const draws = [() => Math.exp(0.4 * normal()), () => 1 + 0.1 * normal(), () => 1 - Math.log(1 - random())];
    for (const draw of draws) {
      const rounds = 2000;
      let rejected = 0;
      for (let round = 0; round < rounds; round += 1) {
        const good = Array.from({ length: 20 }, draw);
        const { thresholds, reject, promisedRejectRate } = calibrate({ good, method, folds }, wishes);
        assert.equal(reject.method, 'extrapolated');
        assert.ok(promisedRejectRate > 0.04);
        if (draw() > thresholds.reject) rejected += 1;
      }
      assert.ok(rejected / rounds < 0.025, `${rejected} of ${rounds}`);
    }
  });

  it('passes exactly the promised share of new defective parts, over many draws', () => {
    const normal = normals(5);
    const good = Array.from({ length: 120 }, () => Math.exp(0.3 * normal()));
    const drawDefect = () => 1.5 * Math.exp(0.5 * normal());
    const rounds = 4000;
    let missed = 0;
    let promised: number | null = null;
    for (let round = 0; round < rounds; round += 1) {
      const defective = Array.from({ length: 60 }, drawDefect);
      const calibration = calibrate({ good, defective, method, folds }, { ...wishes, missRate: 0.05 });
      promised = calibration.promisedMissRate;
      if (drawDefect() <= calibration.thresholds.accept) missed += 1;
    }
    assert.ok(promised !== null && promised <= 0.05);
    assertRate(missed, rounds, promised);
  });

  it('keeps both promises where the kinds lie so far apart that nothing needs a person', () => {
    const normal = normals(6);
    const draw = () => 1 + 0.1 * normal();
    const drawDefect = () => 3 + 0.5 * normal();
    const rounds = 2000;
    let [rejected, missed] = [0, 0];
    for (let round = 0; round < rounds; round += 1) {
      const good = Array.from({ length: 60 }, draw);
      const defective = Array.from({ length: 60 }, drawDefect);
      const { thresholds, statementParts } = calibrate(
        { good, defective, method, folds },
        { falseRejectRate: 0.05, reviewRate: 0.2, missRate: 0.05 },
      );
      assert.equal(thresholds.accept, thresholds.reject);
      assert.equal(statementParts[2].code, 'review-none');
      if (draw() > thresholds.reject) rejected += 1;
      if (drawDefect() <= thresholds.accept) missed += 1;
    }
    assertRate(rejected, rounds, 1 - 58 / 61);
    assert.ok(missed <= 0.05 * rounds, `${missed}`);
  });

  it('counts pictures of one part as one, so that the promise holds for new parts', () => {
    const normal = normals(7);
    const shots = 4;
    const rounds = 3000;
    let rejected = 0;
    for (let round = 0; round < rounds; round += 1) {
      const good: number[] = [];
      const groups: number[] = [];
      for (let part = 0; part < 20; part += 1) {
        const level = normal();
        for (let shot = 0; shot < shots; shot += 1) {
          good.push(Math.exp(0.3 * level + 0.05 * normal()));
          groups.push(part);
        }
      }
      const calibration = calibrate(
        { good, groups, method, folds },
        { ...wishes, falseRejectRate: 0.05, reviewRate: 0.2 },
      );
      assert.deepEqual([calibration.pictures, calibration.independent, calibration.scores.length], [80, 20, 20]);
      if (Math.exp(0.3 * normal() + 0.05 * normal()) > calibration.thresholds.reject) rejected += 1;
    }
    assert.ok(rejected <= 0.05 * rounds, `${rejected} of ${rounds}`);
  });

  it('keeps the sorted scores and takes the ranks of a small example by hand', () => {
    const good = ascending(199).map((index) => (index * 37) % 199);
    const calibration = calibrate({ good, method, folds }, wishes);
    assert.deepEqual(calibration.scores, ascending(199));
    assert.deepEqual(calibration.thresholds, { accept: 189, reject: 197 });
    assert.equal(calibration.median, 99);
    assert.deepEqual(calibration.reject, { method: 'conformal', rank: 198 });
    assert.deepEqual(calibration.accept, { method: 'review-rate', rank: 190 });
    assert.ok(Math.abs(calibration.promisedRejectRate - 0.01) < 1e-12);
    assert.equal(calibration.promisedMissRate, null);
    assert.deepEqual([calibration.picturesNeeded, calibration.defectsNeeded], [0, 99]);
    assert.equal(
      calibration.statement,
      'Measured on 199 good pictures, each scored by a bank that does not know it. At most 1 % of good parts are ' +
        'rejected. At most 5 % of good parts score above the accept level. Nothing is promised about defective parts that ' +
        'pass, since none is known: 99 pictures of them allow to promise 1 %.',
    );
  });

  it('sets the accept level just below the defect that the wished miss rate allows', () => {
    const calibration = calibrate({ good: ascending(199), defective: ascending(199, 150.5), method, folds }, wishes);
    // floor(0.01 x 200) = 2: the second lowest defect is 151.5; 152 of 200 good scores (0 to 151) lie below.
    const { accept, reject } = calibration.thresholds;
    assert.ok(accept < 151.5 && accept > 151.5 - 1e-9);
    assert.equal(reject, 197);
    assert.deepEqual(calibration.accept, { method: 'miss-rate', rank: 2 });
    assert.equal(calibration.promisedMissRate, 0.01);
    assert.ok(Math.abs(calibration.promisedAcceptRate - (1 - 152 / 200)) < 1e-12);
    assert.deepEqual(
      calibration.statementParts.map(({ code }) => code),
      ['cross-validated', 'reject-promised', 'review-above-wish', 'miss-promised'],
    );
  });

  it('lets no known defect pass while there are too few for the wished miss rate, and says how many more it takes', () => {
    const few = calibrate({ good: ascending(199), defective: [150, 500, 600, 700], method, folds }, wishes);
    assert.ok(few.thresholds.accept < 150 && few.thresholds.accept > 149);
    assert.equal(few.promisedMissRate, 1 / 5);
    assert.equal(few.defectsNeeded, 95);
    assert.match(few.statement, /takes 95 more pictures of defective parts/);
    const clear = calibrate({ good: ascending(199), defective: [500, 600, 700, 800], method, folds }, wishes);
    assert.deepEqual(clear.thresholds, { accept: 189, reject: 197 });
    assert.deepEqual(clear.accept, { method: 'review-rate', rank: 190 });
  });

  it('widens the review band and says how many more are needed when there are too few good pictures', () => {
    const many = calibrate({ good: ascending(60, 1, 1 / 60), method, folds }, wishes);
    const few = calibrate({ good: [1, 1.33, 1.66, 1.98], method, folds }, wishes);
    const band = ({ thresholds, median }: typeof few) =>
      (thresholds.reject - thresholds.accept) / (thresholds.accept - median);
    assert.ok(band(few) > 2 * band(many));
    assert.deepEqual(few.reject, { method: 'extrapolated', rank: null });
    assert.equal(few.thresholds.accept, 1.98);
    assert.deepEqual([few.picturesNeeded, few.picturesRequired], [95, 99]);
    assert.ok(Math.abs(few.promisedAcceptRate - 0.2) < 1e-12);
    assert.match(few.statement, /too few .* of 1 %: it takes 95 more \(99 in all\)/);
  });

  it('promises nothing about good parts from altered copies of one picture, and sends most to a person', () => {
    const copies = ascending(20, 1, 0.02);
    const calibration = calibrate({ good: copies, groups: copies.map(() => 0), method: 'augmented', folds: 0 }, wishes);
    const { accept, reject } = calibration.thresholds;
    assert.equal(accept, calibration.median);
    assert.ok(reject >= 2 * calibration.median);
    assert.deepEqual([calibration.promisedAcceptRate, calibration.promisedRejectRate], [1, 1]);
    assert.deepEqual([calibration.pictures, calibration.independent, calibration.picturesNeeded], [20, 1, 98]);
    assert.match(calibration.statement, /nothing is promised about good parts/);
  });

  it('gives fewer pictures a wider band, augmented most of all', () => {
    const spread = [1, 1.1, 1.2, 1.3, 1.4, 1.5];
    const reject = (pictures: number) =>
      calibrate(
        { good: spread, groups: spread.map((_, index) => index % pictures), method: 'augmented', folds: 0 },
        wishes,
      ).thresholds.reject;
    const validated = calibrate({ good: spread, method, folds }, wishes).thresholds.reject;
    assert.ok(reject(2) > reject(3) && reject(3) > validated);
  });

  it('gives a probability when enough of both kinds are known, and none otherwise', () => {
    const good = ascending(60, 1, 0.01);
    const defects = ascending(60, 1.4, 0.02);
    const curve = (defective: number[]) => calibrate({ good, defective, method, folds }, wishes).probability;
    assert.equal(curve([]), null);
    assert.equal(curve(defects.slice(0, 4)), null);
    assert.equal(curve(defects.slice(0, 49))?.method, 'platt');
    assert.equal(curve(defects)?.method, 'isotonic');
  });

  it('leaves room above scores that are all alike', () => {
    const { thresholds, median } = calibrate({ good: [2, 2, 2, 2], method, folds }, wishes);
    assert.ok(thresholds.reject > 1.05 * median && thresholds.accept <= thresholds.reject);
    const zeros = calibrate({ good: [0, 0], defective: [0, 0], method, folds }, wishes).thresholds;
    assert.ok(zeros.accept < 0 && zeros.reject > 0);
  });

  it('refuses too few scores, no numbers, and rates out of range', () => {
    const of = (good: number[], groups?: number[]) => calibrate({ good, groups, method, folds }, wishes);
    assert.throws(() => of([1]), /at least two independent scores, got 1/);
    assert.throws(() => of([1, 2, 3], [0, 0, 0]), /got 1/);
    assert.throws(() => of([1, 2, 3], [0, 1]), /2 groups for 3 scores/);
    assert.throws(() => of([1, Number.NaN]), /NaN is no score/);
    assert.throws(() => calibrate({ good: [], method: 'augmented', folds: 0 }, wishes), RangeError);
    const good = [1, 2];
    assert.throws(() => calibrate({ good, method, folds }, { ...wishes, falseRejectRate: 0 }), /false-reject rate 0/);
    assert.throws(() => calibrate({ good, method, folds }, { ...wishes, falseRejectRate: 0.1 }), /review rate 0.05/);
    assert.throws(() => calibrate({ good, method, folds }, { ...wishes, missRate: 0.6 }), /miss rate 0.6/);
  });
});
