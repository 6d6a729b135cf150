import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CameraUnavailable,
  FileUnreadable,
  type FolderSourceOptions,
  type FrameSource,
  folderSource,
} from '../../../engine/camera';

describe('folderSource', function () {
  this.timeout(180_000);
  const { signal } = new AbortController();
  let folder = '';
  const open: FrameSource[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'opti-quality-folder-'));
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((source) => source.close()));
    await rm(folder, { recursive: true, force: true });
  });

  function sourceOf(options: Partial<FolderSourceOptions> & Pick<FolderSourceOptions, 'mode'>): FrameSource {
    const source = folderSource({ folder, settleMs: 60, ...options });
    open.push(source);
    return source;
  }

  /** Puts a whole file there: between its beginning and its end no watcher can come. */
  async function put(name: string, content: string = name): Promise<void> {
    const aside = `${folder}-${name}`;
    await writeFile(aside, content);
    await rename(aside, join(folder, name));
  }

  async function names(source: FrameSource, count: number): Promise<(string | undefined)[]> {
    const taken: (string | undefined)[] = [];
    for (let i = 0; i < count; i++) taken.push((await source.next(signal)).name);
    return taken;
  }

  describe('step by step', () => {
    it('takes the files in natural order and says when it is through', async () => {
      for (const name of ['part10.jpg', 'part2.JPG', 'part1.png', 'Part3.jpeg']) await put(name);
      const source = sourceOf({ mode: 'step' });
      assert.deepEqual(await names(source, 4), ['part1.png', 'part2.JPG', 'Part3.jpeg', 'part10.jpg']);
      await assert.rejects(source.next(signal), {
        code: 'no-more-pictures',
        reason: 'no-picture',
        message: /All 4 pictures of .* were taken\. Switch on "loop"/,
      });
      await put('part11.jpg');
      const { name, picture } = await source.next(signal);
      assert.deepEqual([name, picture.toString()], ['part11.jpg', 'part11.jpg']);
    });

    it('starts over when told to loop, and takes files that came meanwhile', async () => {
      await put('a.jpg');
      await put('c.jpg');
      const source = sourceOf({ mode: 'step', loop: true });
      assert.deepEqual(await names(source, 3), ['a.jpg', 'c.jpg', 'a.jpg']);
      await put('b.jpg');
      assert.deepEqual(await names(source, 3), ['b.jpg', 'c.jpg', 'a.jpg']);
    });

    it('skips other files and tells each once; hidden files and folders count for nothing', async () => {
      for (const name of ['a.jpg', 'notes.txt', 'b.jpg', '.hidden.jpg', 'Thumbs.db']) await put(name);
      await mkdir(join(folder, 'c.jpg'));
      const source = sourceOf({ mode: 'step', loop: true });
      const skipped: string[] = [];
      source.on('skipped', ({ name }) => skipped.push(name));
      assert.deepEqual(await names(source, 5), ['a.jpg', 'b.jpg', 'a.jpg', 'b.jpg', 'a.jpg']);
      assert.deepEqual(skipped, ['notes.txt', 'Thumbs.db']);
    });

    it('gives what a picture file holds, be it broken or empty: it stands for a part', async () => {
      await put('a.jpg', '');
      await put('b.jpg', 'no picture at all');
      const source = sourceOf({ mode: 'step' });
      assert.equal((await source.next(signal)).picture.length, 0);
      assert.equal((await source.next(signal)).picture.toString(), 'no picture at all');
    });

    it('skips a file that is gone before its turn, and links to nothing', async () => {
      for (const name of ['a.jpg', 'b.jpg', 'd.jpg']) await put(name);
      await symlink(join(folder, 'nowhere'), join(folder, 'c.jpg'));
      const source = sourceOf({ mode: 'step' });
      assert.deepEqual(await names(source, 1), ['a.jpg']);
      await unlink(join(folder, 'b.jpg'));
      assert.deepEqual(await names(source, 1), ['d.jpg']);
    });

    it('gives two callers at once two files', async () => {
      await put('a.jpg');
      await put('b.jpg');
      const source = sourceOf({ mode: 'step' });
      const frames = await Promise.all([source.next(signal), source.next(signal)]);
      assert.deepEqual(
        frames.map(({ name }) => name),
        ['a.jpg', 'b.jpg'],
      );
    });

    it('refuses a file above the limit without reading it, and goes on with the next', async () => {
      await put('a.jpg', 'x'.repeat(101));
      await put('b.jpg', 'x'.repeat(100));
      const source = sourceOf({ mode: 'step', maxBytes: 100 });
      await assert.rejects(source.next(signal), { code: 'picture-unreadable' });
      assert.deepEqual(await names(source, 1), ['b.jpg']);
    });

    it('says that the folder is empty', async () => {
      await assert.rejects(sourceOf({ mode: 'step', loop: true }).next(signal), /There is no picture in/);
    });

    it('says that the folder is missing, and goes on when it is back', async () => {
      await put('a.jpg');
      await put('b.jpg');
      const source = sourceOf({ mode: 'step' });
      await names(source, 1);
      const aside = `${folder}-unplugged`;
      await rename(folder, aside);
      await assert.rejects(source.next(signal), (error: CameraUnavailable) => {
        assert.ok(error instanceof CameraUnavailable);
        assert.match(
          error.message,
          /there is no such folder\. Check the path, and that the drive or network share is connected/,
        );
        return true;
      });
      assert.equal(source.status.state, 'unavailable');
      await rename(aside, folder);
      assert.deepEqual(await names(source, 1), ['b.jpg']);
      assert.deepEqual(source.status, { state: 'ready', reconnects: 1, message: undefined });
    });

    it('says that the folder is a file', async () => {
      await put('a.jpg');
      const source = sourceOf({ mode: 'step', folder: join(folder, 'a.jpg') });
      await assert.rejects(source.next(signal), /it is a file\. Set the folder/);
    });

    it('rejects after close and when the caller gives up', async () => {
      await put('a.jpg');
      const source = sourceOf({ mode: 'step', loop: true });
      const reason = new Error('deadline');
      await assert.rejects(source.next(AbortSignal.abort(reason)), (error) => error === reason);
      await source.close();
      await assert.rejects(source.next(signal), /source was closed/);
    });
  });

  describe('watching', () => {
    it('waits for new files and leaves those that were there', async () => {
      await put('old.jpg');
      const source = sourceOf({ mode: 'watch' });
      const frame = source.next(signal);
      await ready(source);
      await put('new.jpg');
      assert.equal((await frame).name, 'new.jpg');
    });

    it('takes those that were there first, in natural order, when told so', async () => {
      for (const name of ['10.jpg', '9.jpg', '1.jpg']) await put(name);
      await sleep(80);
      const source = sourceOf({ mode: 'watch', includeExisting: true });
      assert.deepEqual(await names(source, 3), ['1.jpg', '9.jpg', '10.jpg']);
      await put('11.jpg');
      assert.deepEqual(await names(source, 1), ['11.jpg']);
    });

    it('does not lose files that come while it starts', async () => {
      const source = sourceOf({ mode: 'watch' });
      const frames = Promise.all([0, 1, 2, 3, 4].map(() => source.next(signal)));
      await ready(source);
      for (const name of ['a', 'b', 'c', 'd', 'e']) await put(`${name}.jpg`);
      const taken = (await frames).map(({ name }) => name);
      assert.deepEqual(taken.sort(), ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg']);
    });

    it('does not take a file before it is fully written', async () => {
      const source = sourceOf({ mode: 'watch', settleMs: 2_000 });
      const frame = source.next(signal);
      await ready(source);
      for (let i = 0; i < 6; i++) {
        await appendFile(join(folder, 'slow.jpg'), 'part of it ');
        await sleep(100);
      }
      assert.equal((await frame).picture.toString(), 'part of it '.repeat(6));
    });

    it('takes a file again when it is written anew, also one that was there at the start', async () => {
      await put('current.jpg', 'first');
      const source = sourceOf({ mode: 'watch' });
      const frame = source.next(signal);
      await ready(source);
      await put('current.jpg', 'second!');
      assert.equal((await frame).picture.toString(), 'second!');
      await put('current.jpg', 'third picture');
      assert.equal((await source.next(signal)).picture.toString(), 'third picture');
    });

    it('gives each file once', async () => {
      const source = sourceOf({ mode: 'watch' });
      const first = source.next(signal);
      await ready(source);
      await put('a.jpg');
      await first;
      await assert.rejects(source.next(AbortSignal.timeout(1_500)), { name: 'TimeoutError' });
    });

    it('tells other files and skips them', async () => {
      const source = sourceOf({ mode: 'watch' });
      await ready(source);
      const skipped = once(source, 'skipped');
      await put('report.pdf');
      const [file] = await skipped;
      assert.equal(file.name, 'report.pdf');
    });

    it('names a file it cannot read, and goes on with the next', async () => {
      await put('a.jpg', 'x'.repeat(101));
      await put('b.jpg', 'x');
      const source = sourceOf({ mode: 'watch', includeExisting: true, maxBytes: 100 });
      await assert.rejects(source.next(signal), (error: FileUnreadable) => {
        assert.ok(error instanceof FileUnreadable);
        assert.deepEqual([error.file, error.reason], ['a.jpg', 'picture-unreadable']);
        return true;
      });
      assert.deepEqual(await names(source, 1), ['b.jpg']);
    });

    it('tells a link to a file that is not there', async () => {
      await symlink(join(folder, 'nowhere.jpg'), join(folder, 'a.jpg'));
      const source = sourceOf({ mode: 'watch', includeExisting: true });
      const [file] = await once(source, 'skipped');
      assert.deepEqual(file, { name: 'a.jpg', reason: 'it is a link to a file that is not there' });
    });

    it('looks at the files itself when told so, for shares that send no notice', async () => {
      const source = sourceOf({ mode: 'watch', polling: true });
      const frame = source.next(signal);
      await ready(source);
      await put('a.jpg');
      assert.equal((await frame).name, 'a.jpg');
    });

    it('tells once that the folder is gone, waits for its return, and does not give old files again', async () => {
      await put('old.jpg');
      const source = sourceOf({ mode: 'watch' });
      const waiting = source.next(signal);
      await ready(source);
      const aside = `${folder}-unplugged`;
      await rename(folder, aside);
      await assert.rejects(waiting, /there is no such folder/);
      assert.equal(source.status.state, 'unavailable');
      const frame = source.next(signal);
      await sleep(50);
      await rename(aside, folder);
      await ready(source);
      assert.equal(source.status.reconnects, 1);
      await put('new.jpg');
      assert.equal((await frame).name, 'new.jpg');
    });

    it('tells of a folder that was never there, and takes what comes when it is', async () => {
      const later = join(folder, 'later');
      const source = sourceOf({ mode: 'watch', folder: later });
      await assert.rejects(source.next(signal), CameraUnavailable);
      await mkdir(later);
      await ready(source);
      await writeFile(join(later, 'a.jpg'), 'a');
      assert.equal((await source.next(signal)).name, 'a.jpg');
    });

    it('ends waiting calls on close', async () => {
      const source = sourceOf({ mode: 'watch' });
      const frame = assert.rejects(source.next(signal), /source was closed/);
      await source.close();
      await frame;
    });
  });
});

async function ready(source: FrameSource): Promise<void> {
  while (source.status.state !== 'ready') await once(source, 'status');
}
