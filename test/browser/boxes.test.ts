import assert from 'node:assert/strict';
import {
  adding,
  altering,
  alteringOn,
  confirmedBoxes,
  confirming,
  draftOf,
  isEdited,
  proposals,
  redoing,
  removing,
  selectedBox,
  selecting,
  undoing,
} from '../../ui/shared/box-draft';
import {
  boxAt,
  boxBetween,
  boxWithin,
  HANDLES,
  LEAST_SIDE,
  middleBox,
  movedBox,
  resizedBox,
} from '../../ui/shared/box-geometry';

const PICTURE = { width: 640, height: 480 };
const BOX = { x: 100, y: 50, width: 200, height: 80 };

describe('the arithmetic of boxes on a picture', () => {
  it('spans a box between two corners, whichever way it is drawn, and cuts it off at the edges', () => {
    const expected = { x: 20, y: 30, width: 40, height: 50 };
    assert.deepEqual(boxBetween({ x: 20, y: 30 }, { x: 60, y: 80 }, PICTURE), expected);
    assert.deepEqual(boxBetween({ x: 60, y: 30 }, { x: 20, y: 80 }, PICTURE), expected);
    assert.deepEqual(boxBetween({ x: 600, y: 400 }, { x: 900, y: 900 }, PICTURE), {
      x: 600,
      y: 400,
      width: 40,
      height: 80,
    });
    assert.equal(boxBetween({ x: 20, y: 30 }, { x: 22, y: 300 }, PICTURE), null, 'a slip of the hand');
    assert.deepEqual(boxBetween({ x: 20.4, y: 29.6 }, { x: 60.2, y: 79.7 }, PICTURE), expected, 'whole pixels');
  });

  it('moves a box up to the edge and no further, without changing its size', () => {
    assert.deepEqual(movedBox(BOX, { x: 7, y: -3 }, PICTURE), { ...BOX, x: 107, y: 47 });
    assert.deepEqual(movedBox(BOX, { x: -900, y: 900 }, PICTURE), { ...BOX, x: 0, y: 400 });
    assert.deepEqual(movedBox({ ...PICTURE, x: 0, y: 0 }, { x: 5, y: 5 }, PICTURE), { ...PICTURE, x: 0, y: 0 });
  });

  it('resizes by each handle: the sides it does not touch stay', () => {
    const by = { x: 10, y: 6 };
    const expected = {
      nw: { x: 110, y: 56, width: 190, height: 74 },
      n: { x: 100, y: 56, width: 200, height: 74 },
      ne: { x: 100, y: 56, width: 210, height: 74 },
      e: { x: 100, y: 50, width: 210, height: 80 },
      se: { x: 100, y: 50, width: 210, height: 86 },
      s: { x: 100, y: 50, width: 200, height: 86 },
      sw: { x: 110, y: 50, width: 190, height: 86 },
      w: { x: 110, y: 50, width: 190, height: 80 },
    };
    for (const handle of HANDLES) assert.deepEqual(resizedBox(BOX, handle, by, PICTURE), expected[handle], handle);
  });

  it('neither turns a box over nor lets it leave the picture while it is resized', () => {
    const far = { x: 9_000, y: 9_000 };
    assert.deepEqual(resizedBox(BOX, 'se', far, PICTURE), { x: 100, y: 50, width: 540, height: 430 });
    const least = resizedBox(BOX, 'nw', far, PICTURE);
    assert.deepEqual(least, { x: 300 - LEAST_SIDE, y: 130 - LEAST_SIDE, width: LEAST_SIDE, height: LEAST_SIDE });
  });

  it('finds the smallest box under a point, and with a finger also one close by', () => {
    const inner = { x: 150, y: 70, width: 20, height: 20 };
    assert.equal(boxAt([BOX, inner], { x: 160, y: 80 }, 0), 1);
    assert.equal(boxAt([inner, BOX], { x: 110, y: 60 }, 0), 1);
    assert.equal(boxAt([BOX], { x: 95, y: 60 }, 0), -1);
    assert.equal(boxAt([BOX], { x: 95, y: 60 }, 10), 0);
  });

  it('has a box in the middle for those who draw by keys', () => {
    assert.deepEqual(middleBox(PICTURE), { x: 256, y: 192, width: 128, height: 96 });
  });

  it('cuts off what a model found beyond the edge, and drops what lies outside', () => {
    assert.deepEqual(boxWithin({ x: -10, y: 5, width: 30, height: 20 }, PICTURE), {
      x: 0,
      y: 5,
      width: 20,
      height: 20,
    });
    assert.equal(boxWithin({ x: 700, y: 5, width: 30, height: 20 }, PICTURE), null);
  });
});

describe('boxes under a hand', () => {
  const found = [
    { label: 'crack', confidence: 0.9, box: BOX },
    { label: 'stain', confidence: 0.4, box: { x: 10, y: 10, width: 30, height: 30 } },
  ];
  const start = () => draftOf(null, found, PICTURE);

  it('begin as proposals, which are nobody’s until they are confirmed', () => {
    const draft = start();
    assert.equal(proposals(draft).length, 2);
    assert.deepEqual(confirmedBoxes(draft), []);
    assert.equal(isEdited(draft), false);
    const one = confirming(draft, draft.boxes[0].key);
    assert.deepEqual(confirmedBoxes(one), [{ label: 'crack', box: BOX }]);
    assert.equal(proposals(confirming(one)).length, 0);
    assert.equal(confirming(confirming(one)).past.length, 2, 'nothing more to confirm is no step');
  });

  it('begin as the boxes of the label where there is one, even an empty one', () => {
    assert.deepEqual(draftOf([], found, PICTURE).boxes, []);
    const draft = draftOf([{ label: 'dent', box: BOX }], found, PICTURE);
    assert.deepEqual(confirmedBoxes(draft), [{ label: 'dent', box: BOX }]);
    assert.equal(isEdited(draft), false);
  });

  it('become the person’s by being moved or called otherwise', () => {
    const draft = start();
    const { key } = draft.boxes[1];
    assert.deepEqual(
      confirmedBoxes(altering(draft, key, { label: 'dent' })),
      [{ ...found[1], label: 'dent' }].map(({ label, box }) => ({ label, box })),
    );
    assert.equal(proposals(altering(draft, key, { box: BOX })).length, 1);
  });

  it('go back and forth step by step; a drag is one step', () => {
    const draft = start();
    const { key } = draft.boxes[0];
    let moved = altering(draft, key, { box: { ...BOX, x: 1 } });
    moved = alteringOn(alteringOn(moved, key, { box: { ...BOX, x: 2 } }), key, { box: { ...BOX, x: 3 } });
    const removed = removing(moved, key);
    assert.equal(removed.boxes.length, 1);
    const back = undoing(removed);
    assert.equal(back.boxes[0].box.x, 3);
    assert.deepEqual(undoing(back).boxes, draft.boxes);
    assert.equal(undoing(undoing(undoing(back))).past.length, 0);
    assert.deepEqual(redoing(redoing(undoing(back))).boxes, removed.boxes);
    const other = adding(undoing(back), 'dent', BOX);
    assert.deepEqual(redoing(other), other, 'a new change ends what could be redone');
  });

  it('keep their keys apart, also from those taken back', () => {
    const added = adding(start(), 'dent', BOX);
    const again = adding(undoing(added), 'dent', BOX);
    const keys = again.boxes.map(({ key }) => key);
    assert.equal(new Set(keys).size, 3);
    assert.equal(selectedBox(again)?.label, 'dent');
  });

  it('hand the selection over to the next when the selected one is removed', () => {
    const draft = start();
    const [first, second] = draft.boxes.map(({ key }) => key);
    assert.equal(removing(selecting(draft, first), first).selected, second);
    assert.equal(removing(removing(draft, first), second).selected, null);
    assert.equal(undoing(adding(draft, 'dent', BOX)).selected, null, 'a box that is gone is not selected');
  });
});
