import assert from 'node:assert/strict';
import type { DeploymentPolicy, GateDecision, GateReport } from '../../../engine/domain';
import { fateOf } from '../../../engine/learning/version-policy';

const accepted: GateDecision = { accepted: true, reasons: [] };
const refused: GateDecision = { accepted: false, reasons: [{ code: 'worse', message: 'It is worse.' }] };
const report = (decision: GateDecision) => ({ decision }) as GateReport;
const fate = (
  policy: DeploymentPolicy | undefined,
  deploy: boolean,
  judged: GateDecision | null,
  trained?: GateDecision,
) => fateOf({ deploy, policy }, judged && report(judged), trained);

describe('what becomes of a version', () => {
  const automatic: DeploymentPolicy = { kind: 'automatic', maxWorse: 0.01 };

  it('waits for a person by the policy manual, whatever the gate says', () => {
    assert.equal(fate({ kind: 'manual' }, true, accepted), 'awaiting');
    assert.equal(fate({ kind: 'manual' }, false, refused), 'awaiting');
  });

  it('is deployed by the policy automatic, only when both the gate and its training accept it', () => {
    assert.equal(fate(automatic, false, accepted), 'deployed');
    assert.equal(fate(automatic, false, accepted, accepted), 'deployed');
    assert.equal(fate(automatic, true, refused), 'refused');
    assert.equal(fate(automatic, true, accepted, refused), 'refused');
  });

  it('is only measured by the policy never', () => {
    assert.equal(fate({ kind: 'never' }, true, accepted), 'none');
  });

  it('is deployed without a policy where that is wished and the gate lets it', () => {
    assert.equal(fate(undefined, true, null), 'deployed');
    assert.equal(fate(undefined, true, accepted, refused), 'refused');
    assert.equal(fate(undefined, false, accepted), 'none');
  });
});
