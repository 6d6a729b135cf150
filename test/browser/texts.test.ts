import assert from 'node:assert/strict';
import { faultText } from '../../ui/shared/texts';
import { de } from '../../ui/texts/de';
import { enUS } from '../../ui/texts/en-US';

describe('texts of the widgets', () => {
  const gapsOf = (text: string) => [...text.matchAll(/__(\w+?)__/g)].map(([, name]) => name).sort();

  it('name the same numbers of a calibration in both languages', () => {
    for (const [code, text] of Object.entries(enUS.statements)) {
      assert.deepEqual(gapsOf(de.statements[code as keyof typeof de.statements]), gapsOf(text), code);
    }
  });

  it("fill the same gaps of a gate's reasons in both languages", () => {
    assert.deepEqual(Object.keys(de.gate.reasons).sort(), Object.keys(enUS.gate.reasons).sort());
    for (const [code, text] of Object.entries(enUS.gate.reasons)) {
      assert.deepEqual(gapsOf(de.gate.reasons[code]), gapsOf(text), code);
    }
  });

  it('tell why a training failed in German, and in the words of the server where a part is unknown', () => {
    const message = 'Version 3 was trained, but could not be deployed: no';
    const fault = { code: 'trained-not-deployed', message, parameters: { version: '3', detail: 'no' } };
    assert.match(faultText(de, fault), /^Version 3 wurde trainiert, .*: no$/);
    assert.equal(faultText(de, { code: fault.code, message }), message);
    assert.equal(faultText(enUS, fault), message);
  });

  it('have a tip in German for every one in English', () => {
    assert.deepEqual(Object.keys(de.options.tips).sort(), Object.keys(enUS.options.tips).sort());
  });
});
