import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';

/** Values made by a second implementation: test/fixtures/reference/README.md. */
export function referenceValues<Values>(name: string): Values {
  return JSON.parse(readFileSync(join(packageRoot, 'test', 'fixtures', 'reference', `${name}.json`), 'utf8')) as Values;
}

/** Equal to 1e-4, value by value. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let index = 0; index < expected.length; index += 1) {
    const difference = Math.abs(actual[index] - expected[index]);
    assert.ok(difference <= 1e-4, `${what} [${index}]: ${actual[index]} is not ${expected[index]}`);
  }
}
