/** A value that Python's `repr` writes: tuples are given as arrays, dicts as maps in their order. */
export type PythonValue =
  | string
  | number
  | boolean
  | null
  | readonly PythonValue[]
  | ReadonlyMap<PythonValue, PythonValue>;

const MAXIMUM_LENGTH = 1 << 20;
const MAXIMUM_DEPTH = 32;

/**
 * Parses a Python literal: dict, list, tuple, text in quotes with escapes, numbers, True, False and None. Nothing is ever
 * executed; names, calls, sets, bytes and complex numbers are refused.
 *
 * @throws {SyntaxError} naming the place; also for more than 1 MiB of text or 32 levels
 * @see The Python Language Reference, 2.4 Literals
 */
export function parsePython(text: string): PythonValue {
  if (text.length > MAXIMUM_LENGTH) throw new SyntaxError(`a literal of ${text.length} characters is too long`);
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** Writes a value as Python's `repr` does, so that it can be read back with Python's `ast.literal_eval`. */
export function formatPython(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is no Python literal`);
    return Object.is(value, -0) ? '-0.0' : String(value);
  }
  if (typeof value === 'string') return `'${value.replaceAll(UNPRINTABLE, escaped)}'`;
  if (isMap(value)) {
    return `{${[...value].map(([key, item]) => `${formatPython(key)}: ${formatPython(item)}`).join(', ')}}`;
  }
  return `[${value.map(formatPython).join(', ')}]`;
}

export function isMap(value: PythonValue): value is ReadonlyMap<PythonValue, PythonValue> {
  return value instanceof Map;
}

/** What must not stand as it is in a text: quote, backslash, control characters, line separators, halves of a pair. */
const UNPRINTABLE = /['\\\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu;

function escaped(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const WORDS: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\n': '',
};
const HEXADECIMAL: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): PythonValue {
    if (depth > MAXIMUM_DEPTH) throw this.wrong('is nested too deeply');
    this.space();
    const next = this.text[this.at];
    switch (next) {
      case '{':
        return this.map(depth);
      case '[':
        this.at += 1;
        return this.list(']', depth).items;
      case '(':
        return this.tuple(depth);
      case "'":
      case '"':
        return this.quoted(next);
      case undefined:
        throw this.wrong('ends too early');
    }
    const word = this.matched(WORD);
    if (word === null) return this.number();
    if (Object.hasOwn(WORDS, word)) return WORDS[word];
    throw this.wrong(`has the name ${word}, which is no literal`);
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) throw this.wrong('goes on after its end');
  }

  private tuple(depth: number): PythonValue {
    this.at += 1;
    const { items, commas } = this.list(')', depth);
    return items.length === 1 && commas === 0 ? items[0] : items;
  }

  private list(close: string, depth: number): { items: PythonValue[]; commas: number } {
    const items: PythonValue[] = [];
    let commas = 0;
    for (;;) {
      if (this.took(close)) return { items, commas };
      if (items.length > commas) throw this.wrong('lacks a comma');
      items.push(this.value(depth + 1));
      if (this.took(',')) commas += 1;
    }
  }

  private map(depth: number): ReadonlyMap<PythonValue, PythonValue> {
    this.at += 1;
    const map = new Map<PythonValue, PythonValue>();
    let isOpen = true;
    for (;;) {
      if (this.took('}')) return map;
      if (!isOpen) throw this.wrong('lacks a comma');
      const key = this.value(depth + 1);
      if (!this.took(':')) throw this.wrong('lacks a colon');
      map.set(key, this.value(depth + 1));
      isOpen = this.took(',');
    }
  }

  private quoted(quote: string): string {
    this.at += 1;
    let result = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined || character === '\n') throw this.wrong('has a text without its closing quote');
      this.at += 1;
      if (character === quote) return result;
      result += character === '\\' ? this.escape() : character;
    }
  }

  private escape(): string {
    const letter = this.text[this.at];
    if (letter === undefined) throw this.wrong('ends too early');
    const octal = this.matched(/[0-7]{1,3}/y);
    if (octal !== null) return String.fromCharCode(Number.parseInt(octal, 8));
    this.at += 1;
    if (Object.hasOwn(ESCAPES, letter)) return ESCAPES[letter];
    if (letter === 'N') throw this.wrong('has a character by its name, which is not supported');
    // Python leaves an unknown escape as it stands.
    if (!Object.hasOwn(HEXADECIMAL, letter)) return `\\${letter}`;
    const digits = this.text.slice(this.at, this.at + HEXADECIMAL[letter]);
    const code = Number.parseInt(digits, 16);
    if (digits.length < HEXADECIMAL[letter] || !/^[0-9a-fA-F]+$/.test(digits) || code > 0x10ffff) {
      throw this.wrong('has an escape that is no character');
    }
    this.at += digits.length;
    return String.fromCodePoint(code);
  }

  private number(): number {
    const found = this.matched(NUMBER);
    const digits = found?.replaceAll('_', '') ?? '';
    const sign = digits.startsWith('-') ? -1 : 1;
    const value = Number(digits.replace(/^[+-]/, ''));
    const isOver = found !== null && /^[+-]?\d/.test(digits) && /^[+-]?0\d/.test(digits) && !/[.eE]/.test(digits);
    if (found === null || Number.isNaN(value) || isOver || /[\w.]/.test(this.text[this.at] ?? '')) {
      throw this.wrong('has something that is no literal');
    }
    return sign * value;
  }

  private matched(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    this.at += found?.length ?? 0;
    return found;
  }

  private took(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }

  private wrong(problem: string): SyntaxError {
    return new SyntaxError(`the literal ${problem} (character ${this.at + 1})`);
  }
}
