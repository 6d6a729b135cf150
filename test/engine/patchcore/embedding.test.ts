import assert from 'node:assert/strict';
import { seededRandom } from '../../../engine/domain';
import { EMBEDDING_SIZE, patchEmbedding, worstPatch } from '../../../engine/patchcore/embedding';

const [ROWS, COLUMNS, FINE, COARSE] = [12, 16, 40, 60];

/** Layers of strides 8 and 16 with texture of its own each time, and a mark of the given pattern around a cell. */
function features(seed: number, mark?: { readonly row: number; readonly column: number; readonly pattern: number }) {
  const random = seededRandom(seed);
  const layer = (channels: number, rows: number, columns: number, scale: number) => {
    const data = Float32Array.from({ length: channels * rows * columns }, () => 0.2 * random());
    const pattern = seededRandom(1000 * (mark?.pattern ?? 0) + channels);
    for (let channel = 0; channel < channels; channel += 1) {
      const strength = pattern();
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1) {
          const near =
            mark !== undefined &&
            Math.abs(row - Math.floor(mark.row / scale)) <= 1 &&
            Math.abs(column - Math.floor(mark.column / scale)) <= 1;
          if (near) data[(channel * rows + row) * columns + column] += strength;
        }
      }
    }
    return { data, dims: [1, channels, rows, columns] };
  };
  return { stride8: layer(FINE, ROWS, COLUMNS, 1), stride16: layer(COARSE, ROWS / 2, COLUMNS / 2, 2) };
}

const at = (row: number, column: number) => row * COLUMNS + column;
const apart = (one: Float32Array, other: Float32Array) =>
  Math.sqrt(one.reduce((sum, value, index) => sum + (value - other[index]) ** 2, 0));

describe('the embedding of the most unusual patch', () => {
  it('has 64 numbers of unit length, the same for the same features', () => {
    const one = patchEmbedding(features(1), at(3, 4));
    assert.equal(one.length, EMBEDDING_SIZE);
    assert.ok(Math.abs(Math.hypot(...one) - 1) < 1e-6);
    assert.deepEqual(patchEmbedding(features(1), at(3, 4)), one);
  });

  it('is alike for the same mark at different places and textures, and unlike for another mark', () => {
    const first = patchEmbedding(features(1, { row: 4, column: 4, pattern: 1 }), at(4, 4));
    const again = patchEmbedding(features(2, { row: 8, column: 12, pattern: 1 }), at(8, 12));
    const other = patchEmbedding(features(3, { row: 4, column: 4, pattern: 2 }), at(4, 4));
    assert.ok(apart(first, again) < 0.35, `${apart(first, again)}`);
    assert.ok(apart(first, other) > 0.7, `${apart(first, other)}`);
  });

  it('does not depend on light that raises all features of the view alike', () => {
    const plain = features(1, { row: 4, column: 4, pattern: 1 });
    const lit = Object.fromEntries(
      Object.entries(plain).map(([name, { data, dims }]) => [name, { data: data.map((value) => value + 0.5), dims }]),
    );
    assert.ok(apart(patchEmbedding(plain, at(4, 4)), patchEmbedding(lit, at(4, 4))) < 1e-3);
  });

  it('takes patches at the edge of the view, and leaves what is no layer alone', () => {
    const counts = { data: new Float32Array(ROWS * COLUMNS).fill(1), dims: [1, 1, ROWS, COLUMNS] };
    for (const patch of [0, at(0, COLUMNS - 1), at(ROWS - 1, 0), at(ROWS - 1, COLUMNS - 1)]) {
      const embedding = patchEmbedding({ ...features(5), counts }, patch);
      assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-6);
    }
  });

  it('is 0 for a view without structure', () => {
    const flat = { stride8: { data: new Float32Array(FINE * ROWS * COLUMNS).fill(2), dims: [1, FINE, ROWS, COLUMNS] } };
    assert.ok(patchEmbedding(flat, 7).every((value) => value === 0));
  });

  it('belongs to the patch with the greatest distance', () => {
    assert.deepEqual(worstPatch({ distances: Float32Array.of(0.5, 2, 1.5) }), { patch: 1, distance: 2 });
  });
});
