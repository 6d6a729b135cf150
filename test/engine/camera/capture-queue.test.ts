import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { CaptureQueue } from '../../../engine/camera';

describe('CaptureQueue', () => {
  /** A queue whose captures end when told. */
  function queueOf(limit: number) {
    const started: string[] = [];
    const ends: (() => void)[] = [];
    const queue = new CaptureQueue<string>(limit, (trigger) => {
      started.push(trigger);
      return new Promise((resolve) => ends.push(resolve));
    });
    const missed: string[] = [];
    queue.on('missed', (trigger) => missed.push(trigger));
    const endOne = async () => {
      ends.shift()?.();
      await turn();
    };
    return { queue, started, missed, endOne };
  }

  it('starts a trigger at once when nothing goes on', () => {
    const { queue, started } = queueOf(0);
    assert.equal(queue.offer('a'), 'started');
    assert.deepEqual(started, ['a']);
    assert.equal(queue.busy, true);
  });

  it('without places to wait, counts triggers while busy as missed, and tells each', async () => {
    const { queue, missed, endOne } = queueOf(0);
    assert.deepEqual(
      ['a', 'b', 'c'].map((trigger) => queue.offer(trigger)),
      ['started', 'missed', 'missed'],
    );
    assert.equal(queue.missed, 2);
    assert.deepEqual(missed, ['b', 'c']);
    await endOne();
    assert.equal(queue.offer('d'), 'started');
  });

  it('lets as many wait as told, in their order', async () => {
    const { queue, started, missed, endOne } = queueOf(2);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((trigger) => queue.offer(trigger)),
      ['started', 'queued', 'queued', 'missed'],
    );
    assert.equal(queue.waiting, 2);
    for (let i = 0; i < 3; i++) await endOne();
    assert.deepEqual(started, ['a', 'b', 'c']);
    assert.deepEqual(missed, ['d']);
    assert.equal(queue.busy, false);
  });

  it('goes on after a capture that failed, and tells it', async () => {
    const failed: unknown[] = [];
    const done: number[] = [];
    const queue = new CaptureQueue<number>(5, async (trigger) => {
      if (trigger === 1) throw new Error('lens cap');
      done.push(trigger);
    });
    queue.on('failed', (error, trigger) => failed.push([(error as Error).message, trigger]));
    for (const trigger of [1, 2, 3]) queue.offer(trigger);
    await turn();
    assert.deepEqual(failed, [['lens cap', 1]]);
    assert.deepEqual(done, [2, 3]);
  });

  it('also goes on after a capture that throws at once', async () => {
    const done: number[] = [];
    const queue = new CaptureQueue<number>(5, (trigger) => {
      if (trigger === 1) throw new Error('not even a promise');
      done.push(trigger);
      return Promise.resolve();
    });
    queue.offer(1);
    queue.offer(2);
    await turn();
    assert.deepEqual(done, [2]);
  });

  it('gives back the waiting triggers on close, waits for the capture in progress, and takes no more', async () => {
    const { queue, missed, endOne } = queueOf(3);
    for (const trigger of ['a', 'b', 'c']) queue.offer(trigger);
    let closed = false;
    const closing = queue.close().then((left) => {
      closed = true;
      return left;
    });
    await turn();
    assert.equal(closed, false);
    await endOne();
    assert.deepEqual(await closing, ['b', 'c']);
    assert.equal(queue.offer('d'), 'missed');
    assert.deepEqual(missed, ['d']);
  });

  it('refuses a limit that is no count', () => {
    for (const limit of [-1, 0.5, Number.NaN]) {
      assert.throws(() => new CaptureQueue(limit, async () => {}), RangeError);
    }
  });
});
