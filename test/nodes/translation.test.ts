import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { InspectionError, InvalidInput, packageRoot } from '../../engine/domain';
import { PictureUnreadable } from '../../engine/imaging';
import { NoModel } from '../../engine/station';
import { Translation } from '../../nodes/shared';

/** Looks texts up as Node-RED does: `__name__` is filled in, an unknown key comes back as it is. */
function speaking(language: string): Translation {
  const catalog = JSON.parse(readFileSync(join(packageRoot, 'locales', language, 'inspection-station.json'), 'utf8'));
  const lookUp = (asked: string, parameters: Record<string, unknown> = {}) => {
    const key = asked.slice(asked.lastIndexOf(':') + 1);
    const text = key.split('.').reduce((level, part) => level?.[part], catalog);
    return typeof text === 'string' ? text.replace(/__(\w+?)__/g, (_, name) => String(parameters[name])) : key;
  };
  return new Translation({ _: lookUp } as unknown as NodeAPI);
}

describe('texts of errors', () => {
  it('are in the language of the server', () => {
    const error = new NoModel('plate');
    assert.equal(speaking('de').status(error), 'kein Modell für plate – auf der Seite Training anlernen');
    assert.match(speaking('en-US').message(error), /^No model is deployed for part type plate\. Train one/);
  });

  it('name the cause where an error has several', () => {
    const error = new PictureUnreadable('too-many-pixels', { width: 10_000, height: 10_000, limit: 50_000_000 });
    assert.equal(speaking('de').status(error), 'zu viele Bildpunkte');
    assert.match(speaking('de').message(error), /10000 x 10000 Bildpunkte; höchstens 50000000/);
  });

  it('stay the original where a catalog has none', () => {
    const error = new InvalidInput('The setting "deadline (ms)" must be a number.');
    assert.equal(speaking('de').status(error), 'ungültige Eingabe');
    assert.equal(speaking('de').message(error), error.message);
    const unknown = new InspectionError({
      code: 'brand-new',
      status: 'new __what__',
      message: 'x',
      parameters: { what: 1 },
    });
    assert.equal(speaking('de').status(unknown), 'new 1');
  });

  it('tell the message of what is no error of ours', () => {
    assert.equal(speaking('en-US').message(new Error('boom')), 'boom');
    assert.equal(speaking('de').status(new Error('boom')), 'interner Fehler');
  });
});
