import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPython, type PythonValue, parsePython } from '../../../engine/detector/python-literal';

/** What Python 3.11's `repr` gave for the values beside it. */
const WRITTEN_BY_PYTHON: readonly (readonly [string, PythonValue])[] = [
  [
    `{0: "it's", 1: 'say "hi"', 2: 'both \\' and "', 3: 'tab\\t nl\\n bs\\\\ nul\\x00 é ü 日本 \\u2028 😀 \\x7f'}`,
    new Map([
      [0, "it's"],
      [1, 'say "hi"'],
      [2, 'both \' and "'],
      [3, 'tab\t nl\n bs\\ nul\0 é ü 日本 \u2028 😀 \x7f'],
    ]),
  ],
  ['(1,)', [1]],
  ['()', []],
  ['[True, None, False, -1.5e-07, 1e+22, 100000000000000000000, 0.1]', [true, null, false, -1.5e-7, 1e22, 1e20, 0.1]],
  [
    "{'a': [1, (2, 3)], 'b': {}}",
    new Map<PythonValue, PythonValue>([
      ['a', [1, [2, 3]]],
      ['b', new Map()],
    ]),
  ],
];

describe('a Python literal', () => {
  for (const [text, value] of WRITTEN_BY_PYTHON) {
    it(`is read as Python wrote it: ${text.slice(0, 40)}`, () => assert.deepEqual(parsePython(text), value));
  }

  it('may have other spellings that Python reads, too', () => {
    assert.deepEqual(
      parsePython(' [0x1F, 0o17, 0b101, 1_000, +2, 3., .5, 1E3,\n] '),
      [31, 15, 5, 1000, 2, 3, 0.5, 1000],
    );
    assert.deepEqual(parsePython("'\\101\\u00e9\\U0001F600\\d'"), 'Aé😀\\d');
    assert.equal(parsePython("('not a tuple')"), 'not a tuple');
  });

  it('is nothing that would have to be executed', () => {
    const dangerous = [
      '__import__("os")',
      'print(1)',
      '[x for x in y]',
      '1 + 1',
      'lambda: 0',
      "f'{1}'",
      "b'a'",
      '{1, 2}',
    ];
    for (const text of [...dangerous, 'true', 'nan', '1j', 'Truely']) {
      assert.throws(() => parsePython(text), SyntaxError, text);
    }
  });

  it('is refused where it is broken', () => {
    const broken = [
      '',
      '[',
      '[1 2]',
      '{1}',
      '{1: }',
      "'a",
      "'a\nb'",
      '(1',
      '1 2',
      '[,]',
      '[1,,2]',
      '01',
      '1.2.3',
      "'\\x4'",
    ];
    for (const text of [...broken, '{1: 2 3: 4}', "'\\U00110000'", "'\\N{DASH}'", ']'.repeat(3), '['.repeat(100)]) {
      assert.throws(() => parsePython(text), SyntaxError, text);
    }
  });

  it('does not touch the prototype of anything', () => {
    const value = parsePython("{'__proto__': {'polluted': True}}");
    assert.ok(value instanceof Map);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  it('comes back as it was written, whatever it holds', function () {
    this.timeout(180_000);
    const { value } = fc.letrec<{ value: PythonValue; leaf: PythonValue }>((tie) => ({
      leaf: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
      ),
      value: fc.oneof(
        { maxDepth: 3, depthIdentifier: 'value' },
        tie('leaf'),
        fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'value' }),
        fc
          .array(fc.tuple(tie('leaf'), tie('value')), { maxLength: 3, depthIdentifier: 'value' })
          .map((entries) => new Map(entries)),
      ),
    }));
    fc.assert(fc.property(value, (written) => assert.deepEqual(parsePython(formatPython(written)), written)));
  });

  it('never does anything but give a value or a SyntaxError', function () {
    this.timeout(180_000);
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      ',',
      ':',
      "'",
      '"',
      '\\',
      'x',
      'u',
      '1',
      '.',
      '-',
      'e',
      'True',
      'None',
      ' ',
    ];
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (tried) => {
        try {
          parsePython(tried);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
