import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { InvalidInput } from '../../../engine/domain';
import { decodeAscii, decodeNumber, encodeAscii, encodeNumber } from '../../../engine/plc';

describe('register codecs', () => {
  it('puts the high word first unless told otherwise', () => {
    assert.deepEqual(encodeNumber(0x12345678, 'uint32'), [0x1234, 0x5678]);
    assert.deepEqual(encodeNumber(0x12345678, 'uint32', 'little'), [0x5678, 0x1234]);
    assert.equal(decodeNumber([9, 0x5678, 0x1234], 1, 'uint32', 'little'), 0x12345678);
  });

  it('reads back every number it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom('big', 'little'), (value, order) => {
        assert.equal(decodeNumber(encodeNumber(value, 'uint32', order), 0, 'uint32', order), value);
      }),
    );
  });

  it('refuses what does not fit', () => {
    for (const value of [-1, 0.5, 0x10000, Number.NaN])
      assert.throws(() => encodeNumber(value, 'uint16'), InvalidInput);
  });

  it('puts the first character into the high byte unless told otherwise', () => {
    assert.deepEqual(encodeAscii('AB1', 3), [0x4142, 0x3100, 0]);
    assert.deepEqual(encodeAscii('AB1', 3, 'little'), [0x4241, 0x0031, 0]);
  });

  it('reads back every text it writes', () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(printable, fc.constantFrom('big', 'little'), (text, order) => {
        assert.equal(decodeAscii(encodeAscii(text, Math.ceil(text.length / 2) + 1, order), order), text);
      }),
    );
  });

  it('ends a text at the first NUL, cuts spaces and shows damaged bytes', () => {
    assert.equal(decodeAscii([0x2041, 0x4220, 0x0043]), 'AB');
    assert.equal(decodeAscii([0x41ff, 0x4207]), 'A?B?');
  });

  it('refuses a text that is too long or not ASCII', () => {
    assert.throws(() => encodeAscii('ABC', 1), InvalidInput);
    assert.throws(() => encodeAscii('Ä', 4), InvalidInput);
  });
});
