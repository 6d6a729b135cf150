import assert from 'node:assert/strict';
import { InvalidInput } from '../../../../engine/domain';
import { classesFor } from '../../../../engine/learning/detector-training/classes';

describe('Classes of a fine-tuned detector', () => {
  const known = ['scratch', 'dent'];

  it('are the old ones, then the new ones, when old pictures are shown again', () => {
    assert.deepEqual(classesFor(known, ['rust'], { replayed: true }), ['scratch', 'dent', 'rust']);
  });

  it('are the old ones, then the new ones, when the pictures show one of the old', () => {
    assert.deepEqual(classesFor(known, ['rust', 'dent'], { replayed: false }), ['scratch', 'dent', 'rust']);
  });

  it('are those of the pictures alone when nothing is common', () => {
    assert.deepEqual(classesFor(known, ['rust'], { replayed: false }), ['rust']);
  });

  it('are those wished, which must hold all that the pictures show', () => {
    assert.deepEqual(classesFor(known, ['rust'], { replayed: true, wished: ['rust', 'dent'] }), ['rust', 'dent']);
    assert.throws(() => classesFor(known, ['rust'], { replayed: true, wished: ['dent'] }), InvalidInput);
    assert.throws(() => classesFor([], [], { replayed: false }), InvalidInput);
  });
});
