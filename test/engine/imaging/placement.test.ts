import assert from 'node:assert/strict';
import fc from 'fast-check';
import { boxToInput, boxToSource, mapToSource, placementOf } from '../../../engine/imaging';

const letterbox = placementOf(1280, 720, { width: 224, height: 224, mode: 'letterbox', kernel: 'cubic' });

describe('from input to original pixels', () => {
  it('places 1280 x 720 in 224 as worked out by hand: scale 0.175, 49 rows of padding', () => {
    assert.deepEqual(letterbox, {
      scaleX: 0.175,
      scaleY: 0.175,
      offsetX: 0,
      offsetY: 49,
      inputWidth: 224,
      inputHeight: 224,
      sourceWidth: 1280,
      sourceHeight: 720,
    });
  });

  it('takes a box back: the whole unpadded input is the whole picture', () => {
    assert.deepEqual(boxToSource({ x: 0, y: 49, width: 224, height: 126 }, letterbox), box(0, 0, 1280, 720));
    assert.deepEqual(boxToSource({ x: 35, y: 84, width: 7, height: 14 }, letterbox), box(200, 200, 40, 80));
  });

  it('cuts what lies in the padding', () => {
    assert.deepEqual(boxToSource({ x: 100, y: 0, width: 20, height: 56 }, letterbox), box(571, 0, 115, 40));
  });

  it('encloses the source box after a way there and back, by less than two input pixels', () => {
    const side = fc.integer({ min: 16, max: 3000 });
    const mode = fc.constantFrom('letterbox' as const, 'stretch' as const);
    fc.assert(
      fc.property(side, side, mode, fc.double({ min: 0, max: 0.9, noNaN: true }), (width, height, chosen, share) => {
        const placement = placementOf(width, height, { width: 224, height: 224, mode: chosen, kernel: 'cubic' });
        const source = box(Math.floor(width * share), Math.floor(height * share), 1 + Math.floor(width * 0.05), 1);
        const back = boxToSource(boxToInput(source, placement), placement);
        assert.ok(back.x <= source.x && back.x >= source.x - 1);
        assert.ok(back.y <= source.y && back.y >= source.y - 1);
        assert.ok(back.x + back.width >= Math.min(source.x + source.width, width));
        assert.ok(back.width <= source.width + 2 && back.height <= source.height + 2);
      }),
    );
  });

  it('spreads a map over the whole picture without its padding', () => {
    // 4 x 4 map over a letterboxed 2:1 picture: rows 1 and 2 hold the picture
    const placement = placementOf(200, 100, { width: 64, height: 64, mode: 'letterbox', kernel: 'cubic' });
    const map = Float32Array.from([9, 9, 9, 9, 1, 2, 3, 4, 1, 2, 3, 4, 9, 9, 9, 9]);
    // two columns of the result cover one map cell; centres at 0.25, 0.75 ... of a cell, edges held
    const result = mapToSource(map, 4, 4, placement, 8, 1);
    assert.deepEqual([...result], [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4]);
  });

  it('leaves what a crop did not see at the outside value', () => {
    const placement = placementOf(200, 100, { width: 64, height: 64, mode: 'crop', kernel: 'cubic' });
    const result = mapToSource(new Float32Array(16).fill(5), 4, 4, placement, 8, 4, -1);
    assert.deepEqual([...result.subarray(0, 8)], [-1, -1, 5, 5, 5, 5, -1, -1]);
  });
});

function box(x: number, y: number, width: number, height: number) {
  return { x, y, width, height };
}
