import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset, DatasetReport } from '../../engine/datasets';
import { readDataset } from '../../engine/datasets';
import { openStore } from '../../engine/store';
import { filesIn, plainPicture } from '../engine/datasets/files';
import { CLI_LIMIT_MS, lastLine, optiQuality } from './run';

let folder: string;
let picture: Buffer;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dataset-cli-'));
  picture = await plainPicture(80, 60);
  filesIn(join(folder, 'sound'), {
    'data.yaml': 'train: images/train\nval: images/val\nnames: [pit]\n',
    'images/train/a.png': picture,
    'labels/train/a.txt': '0 0.5 0.5 0.5 0.5\n',
    'images/val/b.png': await plainPicture(80, 60, 30),
    'labels/val/b.txt': '0 0.5 0.5 0.5 0.5\n',
  });
  filesIn(join(folder, 'faulty'), {
    'data.yaml': 'train: images/train\nval: images/val\nnames: [pit]\n',
    'images/train/a.png': picture,
    'labels/train/a.txt': '0 0.5 0.5 0.5\n',
    'images/train/c.png': picture,
    'labels/train/c.txt': '0 0.5 0.5 0.5 0.5\n',
    'images/val/b.png': picture,
  });
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe('opti-quality dataset', function () {
  this.timeout(CLI_LIMIT_MS);

  it('check says what a dataset holds, and ends with 0 when nothing is wrong', async () => {
    const outcome = await optiQuality(['dataset', 'check', join(folder, 'sound')]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /detection dataset \(yolo\)\npictures {4}1 train, 1 val, 0 test, 0 left out/);
    assert.match(outcome.stdout, /pit +1 +1 +0\nnothing wrong/);
  });

  it('check ends with 1 when there are errors, and names them', async () => {
    const outcome = await optiQuality(['dataset', 'check', join(folder, 'faulty'), '--json']);
    assert.equal(outcome.code, 1, outcome.stderr);
    const report = lastLine<DatasetReport>(outcome);
    assert.deepEqual(
      report.problems.filter(({ severity }) => severity === 'error').map(({ code }) => code),
      ['broken-label', 'leak'],
    );
  });

  it('convert writes a dataset that reads the same, and names what it left out', async () => {
    const out = join(folder, 'coco');
    const outcome = await optiQuality([
      'dataset',
      'convert',
      join(folder, 'faulty'),
      '--to',
      'coco',
      '--out',
      out,
      '--json',
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /left out: .*a\.txt: Line 1 has 4 columns/);
    const [written, source] = [await readDataset(out), await readDataset(join(folder, 'faulty'))];
    assert.equal(written.format, 'coco');
    assert.equal(written.sha256, source.sha256);
    assert.equal(lastLine<Dataset>(outcome).sha256, source.sha256);
  });

  it('convert leaves a folder alone that is not empty', async () => {
    const source = join(folder, 'sound');
    const outcome = await optiQuality(['dataset', 'convert', source, '--to', 'yolo', '--out', source]);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /not empty/);
  });

  it('convert writes nothing into the dataset, nothing where none can be used, and no folder where none can be', async () => {
    const convert = (source: string, out: string) =>
      optiQuality(['dataset', 'convert', join(folder, source), '--to', 'yolo', '--out', out]);
    const inner = await convert('sound', join(folder, 'sound', 'inner'));
    assert.equal(inner.code, 2);
    assert.match(inner.stderr, /within the dataset/);
    filesIn(join(folder, 'useless'), {
      'data.yaml': 'train: images/train\nnames: [pit]\n',
      'images/train/a.png': picture,
      'labels/train/a.txt': '0 0.5\n',
    });
    const useless = await convert('useless', join(folder, 'none'));
    assert.equal(useless.code, 1);
    assert.match(useless.stderr, /None of the pictures can be used/);
    if (process.platform !== 'linux') return;
    const nowhere = await convert('sound', '/proc/none');
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /cannot be written to \/proc\/none/);
  });

  it('explains itself when it is called wrongly', async () => {
    assert.equal((await optiQuality(['dataset'])).code, 2);
    const outcome = await optiQuality(['dataset', 'convert', 'x', '--to', 'voc', '--out', 'y']);
    assert.equal(outcome.code, 2);
    assert.match(outcome.stderr, /--to takes yolo, coco or classes/);
  });

  it('import takes a dataset into the data of a station, each picture once', async () => {
    const data = join(folder, 'station');
    const order = ['dataset', 'import', join(folder, 'faulty'), '--data', data, '--part-type', 'plate', '--json'];
    assert.match((await optiQuality(order)).stderr, /is no data folder of a station/);
    await (await openStore({ dataFolder: data })).close();
    for (const [accepted, duplicates] of [
      [1, 1],
      [0, 2],
    ]) {
      const outcome = await optiQuality(order);
      assert.equal(outcome.code, 0, outcome.stderr);
      const told = lastLine(outcome) as { accepted: number; duplicates: number; refused: { name: string }[] };
      assert.deepEqual(
        [told.accepted, told.duplicates, told.refused.map(({ name }) => name)],
        [accepted, duplicates, [join('labels', 'train', 'a.txt')]],
      );
    }
    const store = await openStore({ dataFolder: data });
    const { items } = await store.imported.list();
    await store.close();
    assert.deepEqual(
      items.map(({ partType, actor }) => [partType, actor]),
      [['plate', 'command line']],
    );
  });

  it('import keeps what a folder of defective pictures shows', async () => {
    const [data, pictures] = [join(folder, 'classes-station'), join(folder, 'cracked')];
    filesIn(pictures, { '1.png': picture });
    await (await openStore({ dataFolder: data })).close();
    const order = ['dataset', 'import', pictures, '--data', data, '--part-type', 'plate', '--label', 'NG'];
    assert.equal((await optiQuality([...order, '--class', ' crack'])).code, 2);
    const outcome = await optiQuality([...order, '--class', 'crack']);
    assert.equal(outcome.code, 0, outcome.stderr);
    const store = await openStore({ dataFolder: data });
    const classes = await store.labels.classes('plate');
    await store.close();
    assert.deepEqual(classes, ['crack']);
  });
});
