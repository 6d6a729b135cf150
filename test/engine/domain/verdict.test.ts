import assert from 'node:assert/strict';
import { isFailSafeReason, plcErrorCode, REASON_CODES } from '../../../engine/domain';

describe('the error code a PLC reads', () => {
  it('is 0 when the part could be judged', () => {
    assert.equal(plcErrorCode([]), 0);
    assert.equal(plcErrorCode(['score-above-reject', 'defect-detected']), 0);
  });

  it('is that of the first failure', () => {
    assert.equal(plcErrorCode(['score-below-accept', 'not-recorded']), 111);
    assert.equal(plcErrorCode(['no-model', 'not-recorded']), 102);
    assert.equal(plcErrorCode(['part-type-invalid']), 113);
  });

  it('is another for every failure', () => {
    const codes = REASON_CODES.map((reason) => plcErrorCode([reason])).filter((code) => code !== 0);
    assert.equal(codes.length, 15);
    assert.equal(new Set(codes).size, codes.length);
  });
});

describe('the reasons of a fail-safe verdict', () => {
  it('are those a PLC gets an error code for', () => {
    for (const reason of REASON_CODES) assert.equal(isFailSafeReason(reason), plcErrorCode([reason]) !== 0, reason);
  });
});
