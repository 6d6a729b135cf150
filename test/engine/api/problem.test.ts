import assert from 'node:assert/strict';
import { problemOf } from '../../../engine/api/problem';
import { InspectionError, InvalidInput } from '../../../engine/domain';
import { InferenceFailed, RuntimeMissing } from '../../../engine/inference';
import { StoreUnavailable } from '../../../engine/store';

describe('a problem document', () => {
  it('has nothing of what a child process wrote', () => {
    const error = new InferenceFailed('The process ended. Its last words: at score (/opt/data/engine/model.js:3:5)');
    const { status, code, detail, parameters } = problemOf(error);
    assert.deepEqual([status, code, parameters], [500, 'inference-failed', undefined]);
    assert.doesNotMatch(detail, /last words|model\.js/);
    assert.match(detail, /log of Node-RED/);
  });

  it('tells what the station cannot do now, without the paths of its machine', () => {
    const folder = '/home/line 1/.node-red/inspection';
    const locked = problemOf(new StoreUnavailable('locked', `The database in ${folder} is locked. Wait.`, { folder }));
    assert.equal(locked.detail, 'The database in inspection is locked. Wait.');
    assert.deepEqual(locked.parameters, { folder: 'inspection' });
    const missing = problemOf(
      new RuntimeMissing("cannot find '/usr/lib/node_modules/onnx.node', needed by C:\\a\\b.dll"),
    );
    assert.match(missing.detail, /cannot find 'onnx\.node', needed by b\.dll\. Install it with "npm install/);
  });

  it('leaves addresses and words with slashes as they are', () => {
    const message = 'Ask https://line.example/a/b and/or set it to 1/2. Use @scope/name.';
    assert.equal(problemOf(new InspectionError({ code: 'x', status: 'x', message, httpStatus: 503 })).detail, message);
  });

  it('tells all of what was wrong with the input', () => {
    const told = problemOf(new InvalidInput('The folder /data/good does not exist.', { folder: '/data/good' }));
    assert.equal(told.detail, 'The folder /data/good does not exist.');
    assert.deepEqual(told.parameters, { folder: '/data/good' });
  });
});
