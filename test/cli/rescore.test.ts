import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WrongUse } from '../../cli/output';
import { rescoreHistory } from '../../cli/rescore';
import type { RescoreReport } from '../../engine/learning';
import { openStore, type Store } from '../../engine/store';
import { settlePart } from '../engine/learning/history';
import { drawPicture } from '../engine/patchcore/pictures';
import { trainSmallModel } from '../engine/patchcore/small-model';
import { CLI_LIMIT_MS, lastLine, optiQuality } from './run';

describe('opti-quality rescore', function () {
  this.timeout(CLI_LIMIT_MS);
  let folder: string;
  let store: Store;
  let escaped: string;
  const path = (...parts: string[]) => join(folder, ...parts);
  const rescore = (...args: string[]) =>
    optiQuality(['rescore', '--data', path('data'), '--model', path('model'), ...args]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rescore-cli-'));
    await trainSmallModel(path('model'), '7');
    store = await openStore({ dataFolder: path('data') });
    const good = await drawPicture({ seed: 901 });
    const bad = await drawPicture({ seed: 902, defective: true });
    await settlePart(store, bad, { verdict: 'OK', score: 0.5, capturedAt: '2026-03-01T10:00:00.000Z' });
    await settlePart(store, good, { verdict: 'OK', score: 0.5, capturedAt: '2026-03-02T10:00:00.000Z' });
    const last = { label: 'NG', serial: 'A,"1"', capturedAt: '2026-03-03T10:00:00.000Z' } as const;
    escaped = await settlePart(store, good, { verdict: 'NG', score: 5, ...last });
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('prints the table, the rates and the changes, escapes first, while the station works', async () => {
    const { code, stdout, stderr } = await rescore();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^OK\s+1\s+0\s+1$/m);
    assert.match(stdout, /^NG\s+1\s+0\s+0$/m);
    assert.match(stdout, /another verdict {4}66\.7 % \(2 of 3; 95 %: 9\.4 % to 99\.2 %\)/);
    assert.match(stdout, /NG passed\s+100\.0 % \(1 of 1/);
    const changes = stdout.split('\n').filter((line) => line.includes(' -> '));
    assert.equal(changes.length, 2);
    assert.ok(changes[0].startsWith(escaped), 'the escape first, although it is the newest');
    assert.match(changes[0], /NG {5}-> OK .*!! labelled NG, would pass/);
  });

  it('gives one JSON object and a table for spreadsheets', async () => {
    const outcome = await rescore('--out', path('rows.csv'), '--json');
    assert.equal(outcome.code, 0, outcome.stderr);
    const report = lastLine<RescoreReport & { out: string }>(outcome);
    assert.deepEqual([report.pictures.scored, report.changes.length, report.out], [3, 2, path('rows.csv')]);
    const rows = (await readFile(path('rows.csv'), 'utf8')).split('\r\n');
    assert.equal(rows.length, 5);
    assert.match(rows[0], /^id,captured_at,serial,/);
    assert.match(rows[3], new RegExp(`^${escaped},[^,]+,"A,""1""",weave/1,5,NG,,[\\d.]+,-?[\\d.]+,OK,NG,escape$`));
    const again = await rescore('--out', path('rows.csv'));
    assert.equal(again.code, 1);
    assert.match(again.stderr, /rows\.csv cannot be written: it exists/);
  });

  it('looks only at what was asked for', async () => {
    const total = async (...args: string[]) => lastLine<RescoreReport>(await rescore(...args, '--json')).pictures.total;
    assert.equal(await total('--last', '1'), 1);
    assert.equal(await total('--from', '2026-03-02'), 2);
    assert.equal(await total('--part-type', 'plate'), 0);
  });

  it('refuses wrong use and what is no station, and leaves no table behind', async () => {
    const use = ['--data', path('data'), '--model', path('model')];
    const wrong = [
      ['--last', '0.5'],
      ['--last', '1.5'],
      ['--from', 'yesterday'],
      ['--part-type', 'a b'],
    ];
    for (const args of wrong) await assert.rejects(rescoreHistory([...use, ...args]), WrongUse, args.join(' '));
    await assert.rejects(rescoreHistory(use.slice(0, 2)), WrongUse);
    const none = await optiQuality(['rescore', '--data', folder, '--model', path('model'), '--out', path('no.csv')]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /is no data folder of a station/);
    assert.equal((await readdir(folder)).includes('no.csv'), false);
  });
});
