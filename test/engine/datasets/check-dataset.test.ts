import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { checkDataset, type DatasetReport, readDataset } from '../../../engine/datasets';
import { simulatePart } from '../../../engine/simulator';
import { needShared, picturesIn } from '../../support/shared-data';
import { filesIn, plainPicture, temporaryFolder } from './files';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const DATA = 'train: images/train\nval: images/val\nnames: [pit, dent]\n';
const checked = async (files: Readonly<Record<string, string | Buffer>>) =>
  checkDataset(await readDataset(filesIn(folder.path, files)));
const of = ({ problems }: DatasetReport, ...codes: string[]) =>
  problems
    .filter(({ code }) => codes.includes(code))
    .map(({ code, severity, pictures }) => [severity, code, ...pictures]);
/** Drawn once each. */
const parts = new Map<number, Promise<Buffer>>();
function part(seed: number): Promise<Buffer> {
  const drawn =
    parts.get(seed) ?? simulatePart({ product: 'plate', seed, defectRate: 0 }).then(({ picture }) => picture);
  parts.set(seed, drawn);
  return drawn;
}

describe('The check of a dataset', () => {
  it('counts boxes of each class and split, and finds nothing wrong with a sound one', async () => {
    const report = await checked({
      'data.yaml': DATA,
      'images/train/a.png': await part(1),
      'labels/train/a.txt': '0 0.5 0.5 0.2 0.2\n1 0.2 0.2 0.1 0.1\n0 0.7 0.7 0.1 0.1\n',
      'images/val/b.png': await part(2),
      'labels/val/b.txt': '0 0.5 0.5 0.2 0.2\n1 0.2 0.2 0.1 0.1\n',
    });
    assert.deepEqual(report.classes, [
      { label: 'pit', train: 2, val: 1, test: 0 },
      { label: 'dent', train: 1, val: 1, test: 0 },
    ]);
    assert.deepEqual(report.pictures, { train: 1, val: 1, test: 0, skipped: 0 });
    assert.deepEqual([report.problems, report.errors, report.warnings], [[], 0, 0]);
  });

  it('names pictures and labels that cannot be used', async () => {
    const jpeg = await sharp(await part(3))
      .jpeg()
      .toBuffer();
    const report = await checked({
      'data.yaml': DATA,
      'images/train/a.png': await part(1),
      'images/train/half.jpg': jpeg.subarray(0, jpeg.length / 2),
      'images/train/none.png': 'none',
      'images/train/odd.png': await part(4),
      'labels/train/odd.txt': '0 0.5 0.5\n',
      'images/train/unknown.png': await part(5),
      'labels/train/unknown.txt': '2 0.5 0.5 0.2 0.2\n',
    });
    assert.deepEqual(of(report, 'broken-picture', 'broken-label', 'unknown-class'), [
      ['error', 'broken-picture', join(folder.path, 'images/train/half.jpg')],
      ['error', 'broken-picture', 'images/val'],
      ['error', 'broken-picture', join(folder.path, 'images/train/none.png')],
      ['error', 'broken-label', join(folder.path, 'labels/train/odd.txt')],
      ['error', 'unknown-class', join(folder.path, 'labels/train/unknown.txt')],
    ]);
  });

  it('names boxes that are outside, empty, tiny or there twice', async () => {
    const report = await checked({
      'data.yaml': DATA,
      'images/train/outside.png': await part(1),
      'labels/train/outside.txt': '0 0.01 0.5 0.2 0.2\n',
      'images/train/empty.png': await part(2),
      'labels/train/empty.txt': '0 0.5 0.5 0 0\n',
      'images/train/tiny.png': await part(3),
      'labels/train/tiny.txt': '0 0.5 0.5 0.001 0.2\n',
      'images/train/twice.png': await part(4),
      'labels/train/twice.txt': '0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n',
    });
    assert.deepEqual(of(report, 'box-outside', 'box-empty', 'box-tiny', 'box-repeated'), [
      ['error', 'box-outside', 'outside.png'],
      ['error', 'box-empty', 'empty.png'],
      ['warning', 'box-tiny', 'tiny.png'],
      ['warning', 'box-repeated', 'twice.png'],
    ]);
    for (const { code, message, pictures } of report.problems) {
      if (code.startsWith('box-')) assert.ok(message.endsWith(`: ${pictures[0]}.`), message);
    }
  });

  it('says which classes lack examples and which pictures have no boxes', async () => {
    const files = {
      'data.yaml': DATA,
      'images/train/a.png': await part(1),
      'labels/train/a.txt': '0 0.5 0.5 0.2 0.2\n',
      'images/val/b.png': await part(2),
    };
    const report = await checked(files);
    assert.deepEqual(
      report.problems.map(({ message }) => message),
      [
        'The class pit has no examples for validation.',
        'The class dent has no examples.',
        '1 picture has no boxes: b.png. They are learnt as pictures with nothing to find.',
      ],
    );
    const none = await checked({ ...files, 'labels/train/a.txt': '' });
    assert.ok(of(none, 'no-labels').length === 1 && none.errors === 1, 'none has one: an error');
  });

  it('finds a copy in another split though it was saved anew, brightened or scaled', async () => {
    const original = await part(11);
    const { width } = await sharp(original).metadata();
    const report = await checked({
      'data.yaml': DATA,
      'images/train/a.png': original,
      'images/train/other.png': await part(12),
      'images/val/exact.png': original,
      'images/val/saved.jpg': await sharp(original).jpeg({ quality: 50 }).toBuffer(),
      'images/val/bright.jpg': await sharp(original).linear(1.08, 8).jpeg({ quality: 85 }).toBuffer(),
      'images/val/small.png': await sharp(original)
        .resize({ width: Math.round(0.6 * width) })
        .png()
        .toBuffer(),
    });
    assert.deepEqual(of(report, 'leak'), [
      ['error', 'leak', 'a.png', 'bright.jpg', 'exact.png', 'saved.jpg', 'small.png'],
    ]);
  });

  it('warns of a copy in the same split, and takes pictures of one colour for copies only when the files are equal', async () => {
    const plain = await plainPicture(40, 40, 100);
    const report = await checked({
      'data.yaml': DATA,
      'images/train/a.png': plain,
      'images/train/b.png': plain,
      'images/train/c.png': await plainPicture(40, 40, 101),
      'images/val/d.png': await plainPicture(40, 40, 102),
    });
    assert.deepEqual(of(report, 'duplicate', 'leak'), [['warning', 'duplicate', 'a.png', 'b.png']]);
  });

  it('stops when it is told to', async () => {
    filesIn(folder.path, { 'good/a.png': await part(1) });
    const dataset = await readDataset(folder.path);
    await assert.rejects(checkDataset(dataset, { signal: AbortSignal.abort() }), /abort/i);
  });
});

describe('The check of real boards', () => {
  it('does not confuse different boards, and finds copies of some', async function () {
    const boards = picturesIn(needShared(this, 'data/deeppcb/detect/images/train')).slice(0, 40);
    const files: Record<string, string | Buffer> = { 'data.yaml': DATA };
    for (const [index, board] of boards.entries()) files[`images/train/${index}.jpg`] = readFileSync(board);
    for (const index of [0, 7, 21]) {
      files[`images/val/saved-${index}.jpg`] = await sharp(boards[index]).jpeg({ quality: 60 }).toBuffer();
      files[`images/val/bright-${index}.jpg`] = await sharp(boards[index]).linear(1.1, 10).jpeg().toBuffer();
    }
    assert.deepEqual(
      of(await checked(files), 'duplicate', 'leak'),
      [0, 21, 7].map((index) => ['error', 'leak', `${index}.jpg`, `bright-${index}.jpg`, `saved-${index}.jpg`]),
    );
  });

  it('tells a board from its template, which differs by a few defects', async function () {
    const root = needShared(this, 'data/deeppcb/detect');
    const names = picturesIn(join(root, 'images/val')).slice(0, 20);
    const files: Record<string, string | Buffer> = { 'data.yaml': DATA };
    for (const [index, board] of names.entries()) {
      files[`images/train/${index}.jpg`] = readFileSync(board);
      files[`images/val/template-${index}.jpg`] = readFileSync(board.replace('images', 'references'));
    }
    assert.deepEqual(of(await checked(files), 'duplicate', 'leak'), []);
  });
});
