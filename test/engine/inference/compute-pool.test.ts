import assert from 'node:assert/strict';

import childProcess = require('node:child_process');

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InspectionError } from '../../../engine/domain';
import {
  ComputePool,
  type ComputePoolOptions,
  DeadlineExceeded,
  InferenceFailed,
  Overload,
  PoolClosed,
  type Restart,
} from '../../../engine/inference';
import { waitFor } from '../../support/wait';

const taskModules = [join(__dirname, 'fixtures/tasks')];

describe('ComputePool', function () {
  this.timeout(180_000);
  const open: ComputePool[] = [];
  let folder = '';
  /** A file that tasks wait for, until `go` makes it. */
  let file = '';
  const go = () => writeFileSync(file, '');

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'compute-pool-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  beforeEach(() => {
    count += 1;
    file = join(folder, `${count}`);
  });

  function poolWith(options: Partial<ComputePoolOptions> = {}): ComputePool {
    const defaults = { size: 1, queueLimit: 4, queuePolicy: 'reject', memoryCapBytes: 1e6, taskModules } as const;
    const pool = new ComputePool({ ...defaults, ...options });
    open.push(pool);
    return pool;
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((pool) => pool.close()));
  });

  describe('what travels', () => {
    it('runs a task in another process and gives back its result', async () => {
      const pool = poolWith();
      const pid = await pool.run<number>('pid', null);
      assert.notEqual(pid, process.pid);
      assert.deepEqual(pool.pids, [pid]);
      assert.equal(pool.state, 'ready');
    });

    it('sends a small Buffer of the shared pool without the pool, and as a Buffer', async () => {
      const pool = poolWith();
      const bytes = Buffer.from('ab');
      assert.ok(bytes.buffer.byteLength > 2, 'the test needs a Buffer that is part of a bigger memory');
      const arrived = await pool.run<Record<string, unknown>>('describe', { bytes });
      assert.equal(arrived.isBuffer, true);
      assert.equal(arrived.length, 2);
      assert.ok((arrived.memory as number) < 1024, `${arrived.memory} bytes arrived for 2`);
    });

    it('keeps Uint8Array and Float32Array what they are', async () => {
      const pool = poolWith();
      const arrived = await pool.run<Record<string, unknown>>('describe', { bytes: Uint8Array.of(1, 2, 3) });
      assert.deepEqual([arrived.type, arrived.isBuffer, arrived.length], ['Uint8Array', false, 3]);
      const views = await pool.run<Record<string, Uint8Array>>('views', null);
      assert.ok(Buffer.isBuffer(views.buffer));
      assert.equal(views.buffer.toString(), 'small');
      assert.deepEqual(views.bytes, Uint8Array.of(1, 2, 3));
      assert.deepEqual(views.floats, Float32Array.of(0.5, 1.5));
      assert.equal(views.big.length, 200_000);
    });

    it('does not keep a whole answer alive for a small Buffer out of it', async () => {
      const views = await poolWith().run<Record<string, Uint8Array>>('views', null);
      assert.ok(views.buffer.buffer.byteLength < 10_000, `${views.buffer.buffer.byteLength} bytes hang on 5`);
      assert.ok(views.floats.buffer.byteLength < 10_000);
    });

    it('carries results of 64 MB', async () => {
      const bytes = await poolWith().run<Buffer>('bytes', 64e6);
      assert.equal(bytes.length, 64e6);
      assert.ok(bytes.every((byte) => byte === 7));
    });

    it('gives a typed error of the task with its code, status, message, parameters, reason and HTTP status', async () => {
      await assert.rejects(poolWith().run('throw-typed', null), (error: InspectionError) => {
        assert.ok(error instanceof InspectionError);
        const { code, status, message, parameters, reason, httpStatus } = error;
        assert.deepEqual(
          { code, status, message, parameters, reason, httpStatus },
          {
            code: 'model-invalid',
            status: 'model invalid',
            message: 'head.onnx has another hash than its manifest says.',
            parameters: { file: 'head.onnx' },
            reason: 'model-invalid',
            httpStatus: 422,
          },
        );
        return true;
      });
    });

    it('turns an untyped error of the task into InferenceFailed with its text', async () => {
      const pool = poolWith();
      await assert.rejects(pool.run('throw-plain', null), (error: InferenceFailed) => {
        assert.ok(error instanceof InferenceFailed);
        assert.equal(error.message, 'throw-plain failed: cannot read shape');
        assert.match(String(error.cause), /TypeError: cannot read shape/);
        return true;
      });
      assert.equal(pool.restarts, 0);
    });

    it('refuses arguments and results that cannot be sent, and goes on', async () => {
      const pool = poolWith();
      await assert.rejects(
        pool.run('echo', () => {}),
        { code: 'invalid-input' },
      );
      await assert.rejects(pool.run('unsendable', null), { code: 'inference-failed' });
      await assert.rejects(pool.run('no-such-task', null), /There is no task "no-such-task"/);
      assert.equal(await pool.run('echo', 1), 1);
      assert.equal(pool.restarts, 0);
    });

    it('tells tasks how many threads a session may use', async () => {
      assert.equal(await poolWith({ threads: 3 }).run('threads', null), 3);
    });
  });

  describe('queue', () => {
    it('refuses what exceeds the queue with Overload and runs the rest', async () => {
      const pool = poolWith({ queueLimit: 2 });
      await pool.warmUp();
      const runs = ['a', 'b', 'c', 'd'].map((name) => pool.run('wait', { name, milliseconds: 50 }));
      assert.equal(pool.running, 1);
      assert.equal(pool.queued, 2);
      await assert.rejects(runs[3], (error) => error instanceof Overload && error.reason === 'overload');
      assert.deepEqual(await Promise.all(runs.slice(0, 3)), ['a', 'b', 'c']);
      assert.equal(pool.queued, 0);
    });

    it('drops the oldest waiting request when told so', async () => {
      const pool = poolWith({ queueLimit: 2, queuePolicy: 'drop-oldest' });
      await pool.warmUp();
      const runs = ['a', 'b', 'c', 'd'].map((name) => pool.run('wait', { name, milliseconds: 50 }));
      await assert.rejects(runs[1], Overload);
      assert.deepEqual(await Promise.all([runs[0], runs[2], runs[3]]), ['a', 'c', 'd']);
    });

    it('runs waiting verdicts before background work that came earlier', async () => {
      const pool = poolWith();
      await pool.warmUp();
      const wait = (name: string, priority: 'verdict' | 'background') =>
        pool.run('wait', { name, milliseconds: 20 }, { priority });
      await Promise.all([
        wait('first', 'verdict'),
        wait('thumbnail 1', 'background'),
        wait('thumbnail 2', 'background'),
        wait('part 1', 'verdict'),
        wait('part 2', 'verdict'),
      ]);
      assert.deepEqual(await pool.run('finished', null), ['first', 'part 1', 'part 2', 'thumbnail 1', 'thumbnail 2']);
    });

    it('does not let waiting background work overload the queue of verdicts', async () => {
      const pool = poolWith({ queueLimit: 1 });
      await pool.warmUp();
      const wait = (name: string, priority: 'verdict' | 'background') =>
        pool.run('wait', { name, milliseconds: 20 }, { priority });
      const background = [wait('1', 'background'), wait('2', 'background'), wait('3', 'background')];
      await assert.rejects(background[2], Overload);
      assert.equal(await wait('part', 'verdict'), 'part');
      await Promise.all(background.slice(0, 2));
    });

    it('keeps one of two children free of background work', async () => {
      const pool = poolWith({ size: 2 });
      await pool.warmUp();
      const background = ['1', '2'].map((name) => pool.run('wait-for', { name, file }, { priority: 'background' }));
      assert.equal(pool.running, 1);
      assert.equal(pool.queued, 1);
      const part = pool.run('wait', { name: 'part', milliseconds: 1 });
      assert.equal(await part, 'part');
      go();
      await Promise.all(background);
    });

    it('runs two requests at once in two children', async () => {
      const pool = poolWith({ size: 2 });
      await pool.warmUp();
      const pids = await Promise.all([pool.run<number>('pid', null), pool.run<number>('pid', null)]);
      assert.deepEqual([...pids].sort(), [...pool.pids].sort());
      assert.notEqual(pids[0], pids[1]);
    });
  });

  describe('runInEach', () => {
    it('runs in one child after the other, while the others go on with verdicts', async () => {
      const pool = poolWith({ size: 2 });
      await pool.warmUp();
      const all = pool.runInEach<string>('wait-for', { name: 'model', file });
      assert.equal(pool.running, 1);
      assert.equal(await pool.run('wait', { name: 'part', milliseconds: 1 }), 'part');
      go();
      assert.deepEqual(await all, ['model', 'model']);
    });

    it('reaches every child, so that each finds the model loaded', async () => {
      const pool = poolWith({ size: 3 });
      assert.deepEqual(
        (await pool.runInEach<{ loaded: boolean }>('model', __filename)).map(({ loaded }) => loaded),
        [true, true, true],
      );
      assert.deepEqual(
        (await pool.runInEach<{ loaded: boolean }>('model', __filename)).map(({ loaded }) => loaded),
        [false, false, false],
      );
    });

    it('waits for a busy child without taking a place in the queue', async () => {
      const pool = poolWith({ queueLimit: 0 });
      await pool.warmUp();
      const first = pool.run('wait-for', { name: 'first', file });
      const all = pool.runInEach('echo', 'model');
      assert.equal(pool.queued, 1);
      go();
      assert.equal(await first, 'first');
      assert.deepEqual(await all, ['model']);
    });

    it('rejects at its deadline, on close, and when the child cannot start', async () => {
      const pool = poolWith();
      await pool.warmUp();
      const busy = assert.rejects(pool.run('wait', { name: 'first', milliseconds: 600_000 }), PoolClosed);
      await assert.rejects(pool.runInEach('echo', 1, { deadline: Date.now() + 50 }), DeadlineExceeded);
      const waiting = assert.rejects(pool.runInEach('echo', 1), PoolClosed);
      await pool.close();
      await Promise.all([busy, waiting]);
      const broken = poolWith({ taskModules: [join(__dirname, 'fixtures/missing-tasks')] });
      await assert.rejects(broken.runInEach('echo', 1), InferenceFailed);
    });
  });

  describe('deadline', () => {
    it('rejects a request that is late before it is asked', async () => {
      const pool = poolWith();
      const late = pool.run('echo', 1, { deadline: Date.now() - 1 });
      await assert.rejects(late, (error) => error instanceof DeadlineExceeded && error.parameters.stage === 'queue');
    });

    it('rejects a request whose deadline passes in the queue, and never runs it', async () => {
      const pool = poolWith();
      await pool.warmUp();
      const first = pool.run('wait-for', { name: 'first', file });
      const second = pool.run('wait', { name: 'second', milliseconds: 1 }, { deadline: Date.now() + 50 });
      await assert.rejects(second, (error) => error instanceof DeadlineExceeded && error.parameters.stage === 'queue');
      go();
      await first;
      assert.deepEqual(await pool.run('finished', null), ['first']);
      assert.equal(pool.restarts, 0);
    });

    it('rejects a running request at its deadline, kills its child, and serves the next in a new one', async () => {
      const pool = poolWith();
      const pid = await pool.run<number>('pid', null);
      const restarted = once(pool, 'restart');
      const late = pool.run('block', 600_000, { deadline: Date.now() + 100 });
      await assert.rejects(late, (error) => error instanceof DeadlineExceeded && error.parameters.stage === 'run');
      const next = await pool.run<number>('pid', null);
      assert.notEqual(next, pid);
      assert.equal(isAlive(pid), false);
      const [restart] = (await restarted) as [Restart];
      assert.deepEqual([restart.cause, restart.delay, pool.restarts], ['deadline', 0, 1]);
    });

    it('lets a child finish loading a model for an overdue request, so that the next one finds it loaded', async () => {
      const pool = poolWith();
      await pool.warmUp();
      const late = pool.run('model', file, { deadline: Date.now() + 1_500 });
      await assert.rejects(late, DeadlineExceeded);
      go();
      assert.deepEqual(await pool.run('model', file), { loaded: false, aborted: false });
      assert.equal(pool.restarts, 0);
    });

    it('lets a child finish the first use of a model, too', async () => {
      const pool = poolWith();
      await pool.warmUp();
      const late = pool.run('model-then-wait', file, { deadline: Date.now() + 1_500 });
      await assert.rejects(late, DeadlineExceeded);
      go();
      assert.deepEqual(await pool.run('model', file), { loaded: false, aborted: false });
      assert.equal(pool.restarts, 0);
    });

    it('kills a child that goes on with an overdue request after its model was loaded', async () => {
      const pool = poolWith();
      await pool.warmUp();
      const late = pool.run('model-then-hang', file, { deadline: Date.now() + 1_500 });
      await assert.rejects(late, DeadlineExceeded);
      go();
      assert.equal(await pool.run('echo', 'next'), 'next');
      assert.equal(pool.restarts, 1);
    });

    it('takes deadlines further away than a timer reaches', async () => {
      const pool = poolWith();
      assert.equal(await pool.run('echo', 1, { deadline: Date.now() + 1e12 }), 1);
    });
  });

  describe('crash', () => {
    it('rejects the request that ran when the child was killed, restarts at once, and serves later ones', async () => {
      const pool = poolWith();
      const pid = await pool.run<number>('pid', null);
      const states: string[] = [];
      pool.on('state', (state) => states.push(state));
      const running = pool.run('wait', { name: 'victim', milliseconds: 600_000 });
      const waiting = pool.run('echo', 'survivor');
      process.kill(pid, 'SIGKILL');
      await assert.rejects(running, (error: InferenceFailed) => {
        assert.ok(error instanceof InferenceFailed);
        assert.match(error.message, /ended by SIGKILL while it ran wait/);
        assert.equal(error.reason, 'inference-failed');
        return true;
      });
      assert.equal(await waiting, 'survivor');
      assert.deepEqual(states, ['restarting', 'ready']);
      assert.equal(pool.restarts, 1);
    });

    it('puts the last lines of the child into the error', async () => {
      const pool = poolWith();
      const lines: string[] = [];
      pool.on('output', (line) => lines.push(line));
      await assert.rejects(pool.run('exit', 'out of shared memory'), /exit code 7[\s\S]*out of shared memory/);
      assert.deepEqual(lines, ['out of shared memory']);
    });

    it('takes an unhandled rejection in a task for a crash', async () => {
      const pool = poolWith();
      await assert.rejects(pool.run('reject-later', null), /forgotten promise/);
      assert.equal(await pool.run('echo', 1), 1);
    });

    it('replaces an idle child that was killed', async () => {
      const pool = poolWith();
      const pid = await pool.run<number>('pid', null);
      const restarted = once(pool, 'restart');
      process.kill(pid, 'SIGKILL');
      await restarted;
      assert.notEqual(await pool.run<number>('pid', null), pid);
    });

    it('pauses longer and longer between crashes in a row, and starts over after a success', async () => {
      const pool = poolWith({ backOff: { firstMs: 10, maxMs: 25 } });
      const delays: number[] = [];
      pool.on('restart', (restart) => delays.push(restart.delay));
      for (let i = 0; i < 4; i++) await assert.rejects(pool.run('exit', 'crash'), InferenceFailed);
      await pool.run('echo', 1);
      await assert.rejects(pool.run('exit', 'crash'), InferenceFailed);
      await pool.run('echo', 1);
      assert.deepEqual(delays, [0, 10, 20, 25, 0]);
    });

    it('survives a system that refuses new processes, and starts again when it takes one', async () => {
      const pool = poolWith({ backOff: { firstMs: 10, maxMs: 25 } });
      const pid = await pool.run<number>('pid', null);
      const restarts: Restart[] = [];
      pool.on('restart', (restart) => restarts.push(restart));
      const { fork } = childProcess;
      childProcess.fork = () => {
        throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM', syscall: 'spawn' });
      };
      try {
        process.kill(pid, 'SIGKILL');
        await waitFor('four attempts', () => restarts.length >= 4);
        await assert.rejects(pool.run('echo', 1), /cannot start: it could not be started \(spawn ENOMEM\)/);
        assert.equal(pool.state, 'restarting');
      } finally {
        childProcess.fork = fork;
      }
      await pool.warmUp().catch(() => once(pool, 'state'));
      assert.equal(await pool.run('echo', 1), 1);
      const refused = restarts.filter(({ cause }) => cause === 'start-failed');
      assert.ok(
        refused.slice(1).every(({ delay }) => delay >= 10),
        'it does not try without pause',
      );
    });

    it('rejects at once while a task module cannot be loaded, and names it', async () => {
      const pool = poolWith({ taskModules: [join(__dirname, 'fixtures/missing-tasks')] });
      const inQueue = pool.run('echo', 1);
      await assert.rejects(inQueue, /cannot start[\s\S]*missing-tasks/);
      await assert.rejects(pool.run('echo', 1), InferenceFailed);
      await assert.rejects(pool.warmUp(), InferenceFailed);
      assert.equal(pool.state, 'starting');
    });
  });

  describe('end', () => {
    it('closes while running: rejects everything and leaves no process', async () => {
      const pool = poolWith({ size: 2 });
      await pool.warmUp();
      const { pids } = pool;
      assert.equal(pids.length, 2);
      const runs = [1, 2, 3].map(() => pool.run('block', 600_000));
      const outcomes = Promise.allSettled(runs);
      await sleep(50);
      await pool.close();
      for (const outcome of await outcomes) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof PoolClosed);
      }
      assert.deepEqual(pids.map(isAlive), [false, false]);
      assert.deepEqual(pool.pids, []);
      assert.equal(pool.state, 'closed');
    });

    it('refuses requests after close, and closes twice without harm', async () => {
      const pool = poolWith();
      await pool.run('echo', 1);
      await Promise.all([pool.close(), pool.close()]);
      await assert.rejects(pool.run('echo', 1), PoolClosed);
      await assert.rejects(pool.warmUp(), PoolClosed);
      assert.deepEqual(pool.pids, []);
    });

    it('closes while starting and before it ever started', async () => {
      await poolWith().close();
      const pool = poolWith();
      const warm = assert.rejects(pool.warmUp(), PoolClosed);
      const { pids } = pool;
      await pool.close();
      await warm;
      assert.deepEqual(pids.map(isAlive), [false]);
    });

    it('leaves neither children nor handles after 50 times open and close', async () => {
      const handles = () => process.getActiveResourcesInfo().filter((kind) => /Process|Pipe|Message/.test(kind)).length;
      const before = handles();
      const pids: number[] = [];
      for (let i = 0; i < 50; i++) {
        const pool = poolWith();
        const run = pool.run('echo', i).catch(() => {});
        pids.push(...pool.pids);
        if (i % 10 === 0) await run;
        await pool.close();
      }
      assert.equal(pids.length, 50);
      assert.deepEqual(pids.filter(isAlive), []);
      // a pipe of the last child may be closed a moment later
      await waitFor('no more handles than before', () => handles() <= before);
    });

    it('takes its children along when its own process is killed', async () => {
      const parent = childProcess.spawn(
        process.execPath,
        [...process.execArgv, join(__dirname, 'fixtures/parent.ts')],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pids = JSON.parse(line.toString()) as number[];
      assert.equal(pids.length, 2);
      assert.deepEqual(pids.map(isAlive), [true, true]);
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      await waitFor('the end of the children', () => !pids.some(isAlive));
    });
  });

  it('refuses options out of range', () => {
    assert.throws(() => poolWith({ size: 0 }), RangeError);
    assert.throws(() => poolWith({ queueLimit: -1 }), RangeError);
    assert.throws(() => poolWith({ memoryCapBytes: 0 }), RangeError);
    assert.throws(() => poolWith({ threads: 0 }), RangeError);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
