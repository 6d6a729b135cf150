import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { TrainingProcess } from '../../../engine/learning/training-process';

import childProcess = require('node:child_process');

describe('a training process', () => {
  it('that cannot be started says so, however many errors come', async () => {
    // what Node.js gives when there is no file handle left for the pipes
    const stillborn = Object.assign(new EventEmitter(), { pid: undefined, connected: false, stderr: null });
    const { fork } = childProcess;
    childProcess.fork = () => stillborn as unknown as ReturnType<typeof fork>;
    let training: TrainingProcess;
    try {
      training = new TrainingProcess({} as never, () => {});
    } finally {
      childProcess.fork = fork;
    }
    stillborn.emit('error', new Error('spawn EMFILE'));
    stillborn.emit('error', new Error('kill ESRCH'));
    await assert.rejects(training.result, /spawn EMFILE/);
  });
});
