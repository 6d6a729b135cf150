import assert from 'node:assert/strict';
import { SessionCache } from '../../../engine/inference';

describe('SessionCache', () => {
  const disposed: string[] = [];
  const loads: string[] = [];

  const load = (name: string, bytes: number) => async () => {
    loads.push(name);
    return {
      value: name,
      bytes,
      dispose: async () => {
        disposed.push(name);
      },
    };
  };

  beforeEach(() => {
    disposed.length = 0;
    loads.length = 0;
  });

  it('loads a key once', async () => {
    const cache = new SessionCache(100);
    assert.equal(await cache.acquire('a', load('a', 10)), 'a');
    assert.equal(await cache.acquire('a', load('a', 10)), 'a');
    assert.deepEqual(loads, ['a']);
    assert.equal(cache.bytes, 10);
  });

  it('loads a key once for two who ask at the same time', async () => {
    const cache = new SessionCache(100);
    await Promise.all([cache.acquire('a', load('a', 10)), cache.acquire('a', load('a', 10))]);
    assert.deepEqual(loads, ['a']);
  });

  it('disposes the least recently used beyond the cap', async () => {
    const cache = new SessionCache(30);
    for (const name of ['a', 'b', 'c']) {
      await cache.acquire(name, load(name, 10));
      await cache.endUse();
    }
    await cache.acquire('a', load('a', 10));
    await cache.endUse();
    await cache.acquire('d', load('d', 10));
    await cache.endUse();
    assert.deepEqual(disposed, ['b']);
    assert.deepEqual(cache.keys, ['c', 'a', 'd']);
    assert.equal(cache.bytes, 30);
  });

  it('never disposes what the task in progress uses, even above the cap', async () => {
    const cache = new SessionCache(15);
    await cache.acquire('backbone', load('backbone', 10));
    await cache.acquire('head', load('head', 10));
    assert.deepEqual(disposed, []);
    await cache.endUse();
    assert.deepEqual(disposed, []);
    await cache.acquire('other', load('other', 10));
    assert.deepEqual(disposed, ['backbone', 'head']);
  });

  it('keeps a session bigger than the cap until another is needed', async () => {
    const cache = new SessionCache(5);
    for (let i = 0; i < 3; i++) {
      await cache.acquire('big', load('big', 10));
      await cache.endUse();
    }
    assert.deepEqual(loads, ['big']);
    await cache.acquire('next', load('next', 1));
    assert.deepEqual(disposed, ['big']);
  });

  it('keeps nothing of a load that failed, and tries again', async () => {
    const cache = new SessionCache(100);
    await assert.rejects(
      cache.acquire('a', async () => {
        throw new Error('hash differs');
      }),
      /hash differs/,
    );
    await cache.endUse();
    assert.deepEqual(cache.keys, []);
    assert.equal(await cache.acquire('a', load('a', 10)), 'a');
  });

  it('disposes everything on clear', async () => {
    const cache = new SessionCache(100);
    await cache.acquire('a', load('a', 10));
    await cache.acquire('b', load('b', 10));
    await cache.clear();
    assert.deepEqual(disposed.sort(), ['a', 'b']);
    assert.equal(cache.bytes, 0);
  });

  it('refuses a cap of nothing', () => {
    assert.throws(() => new SessionCache(0), RangeError);
  });
});
