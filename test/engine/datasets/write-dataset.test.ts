import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  type Dataset,
  DatasetNotWritable,
  readDataset,
  SPLITS,
  type WritableDataset,
  writeClassFolders,
  writeCoco,
  writeYolo,
} from '../../../engine/datasets';
import { filesIn, plainPicture, temporaryFolder } from './files';

const WIDTH = 97;
const HEIGHT = 61;
/** A millionth of a pixel. */
const SAME = 1e-6;

let folder: ReturnType<typeof temporaryFolder>;
let sources: string[];
let count = 0;

before(async () => {
  folder = temporaryFolder();
  const shades = [10, 90, 170, 250];
  const pictures = await Promise.all(
    shades.map((shade, index) => plainPicture(WIDTH, HEIGHT, shade, index % 2 === 0 ? 'png' : 'jpeg')),
  );
  filesIn(folder.path, Object.fromEntries(pictures.map((picture, index) => [`sources/${index}`, picture])));
  sources = shades.map((_, index) => join(folder.path, 'sources', String(index)));
});
after(() => folder.remove());

const newFolder = () => join(folder.path, `written-${count++}`);

const label = fc.constantFrom('pit', 'dent & hole', 'no', '7', 'Kratzer quer');
const side = (length: number) =>
  fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([a, b]) => ({ start: Math.min(a, b) * length, size: Math.max(Math.abs(a - b), 0.01) * length }))
    .map(({ start, size }) => ({ start: Math.max(0, Math.min(start, length - size)), size }));
const box = fc
  .tuple(side(WIDTH), side(HEIGHT))
  .map(([across, down]) => ({ x: across.start, y: down.start, width: across.size, height: down.size }));
const labelled = fc.record({ label, box });
const boxes = fc.uniqueArray(labelled, {
  maxLength: 5,
  selector: ({ label, box }) => `${label} ${[box.x, box.y, box.width, box.height].map((n) => n.toFixed(3))}`,
});
const name = fc.stringMatching(/^[a-z0-9 äß_-]{1,8}(\/images)?\/?[a-z0-9]{1,4}\.(png|jpg)$/);
const classes = fc.constant(['pit', 'never', 'dent & hole', 'no', '7', 'Kratzer quer']);

const detection: fc.Arbitrary<WritableDataset> = fc.record({
  kind: fc.constant('detection' as const),
  classes,
  pictures: fc
    .uniqueArray(fc.record({ id: name, split: fc.constantFrom(...SPLITS), boxes, ignored: boxes }), {
      maxLength: 4,
      minLength: 1,
      selector: ({ id }) => id.replace(/\.[a-z]+$/, ''),
    })
    .map((pictures) =>
      pictures.map((picture, index) => ({ ...picture, path: sources[index], width: WIDTH, height: HEIGHT })),
    ),
});

const classification: fc.Arbitrary<WritableDataset> = fc.record({
  kind: fc.constant('classification' as const),
  classes: fc.constant(['dent & hole', 'good', 'never']),
  pictures: fc
    .uniqueArray(
      fc.record({ id: name, split: fc.constantFrom(...SPLITS), class: fc.constantFrom('good', 'dent & hole') }),
      {
        maxLength: 4,
        minLength: 1,
        selector: ({ id }) => id,
      },
    )
    .map((pictures) =>
      pictures.map((picture, index) => ({
        ...picture,
        id: `${picture.class}/${picture.id}`,
        boxes: null,
        path: sources[index],
        width: WIDTH,
        height: HEIGHT,
      })),
    ),
});

function assertSame(read: Dataset, written: WritableDataset, withIgnored: boolean): void {
  assert.deepEqual([read.kind, read.classes, read.skipped], [written.kind, written.classes, []]);
  const expected = written.pictures.toSorted(
    (a, b) => SPLITS.indexOf(a.split) - SPLITS.indexOf(b.split) || (a.id < b.id ? -1 : 1),
  );
  assert.equal(read.pictures.length, expected.length);
  for (const [index, picture] of read.pictures.entries()) {
    const { id, split, width, height, class: label, path } = expected[index];
    assert.deepEqual(
      [picture.id, picture.split, picture.width, picture.height, picture.class],
      [id, split, width, height, label],
    );
    assert.deepEqual(readFileSync(picture.path), readFileSync(path), 'the picture itself');
    assertSameBoxes(picture.boxes, expected[index].boxes);
    if (withIgnored) assertSameBoxes(picture.ignored ?? [], expected[index].ignored ?? []);
  }
}

function assertSameBoxes(read: Dataset['pictures'][number]['boxes'], written: typeof read): void {
  assert.deepEqual(
    read?.map(({ label }) => label),
    written?.map(({ label }) => label),
  );
  for (const [index, { box }] of (read ?? []).entries()) {
    for (const side of ['x', 'y', 'width', 'height'] as const) {
      assert.ok(Math.abs(box[side] - written![index].box[side]) < SAME, `${side} of box ${index}`);
    }
  }
}

describe('A dataset that is written and read', () => {
  it('as YOLO is the same: classes, splits, pictures and boxes', async () => {
    await fc.assert(
      fc.asyncProperty(detection, async (dataset) => {
        const target = newFolder();
        await writeYolo(dataset, target);
        assertSame(await readDataset(join(target, 'data.yaml')), dataset, false);
      }),
      { numRuns: 40, seed: 4 },
    );
  });

  it('as COCO is the same, with its ignored boxes, and read from YOLO again has the same hash', async () => {
    await fc.assert(
      fc.asyncProperty(detection, async (dataset) => {
        const [coco, yolo, back] = [newFolder(), newFolder(), newFolder()];
        await writeCoco(dataset, coco, { pictures: 'link' });
        const read = await readDataset(coco);
        assertSame(read, dataset, true);
        const plain = { ...read, pictures: read.pictures.map(({ ignored: _, ...picture }) => picture) };
        await writeYolo(plain, yolo);
        const fromYolo = await readDataset(yolo);
        await writeCoco(fromYolo, back);
        assert.equal((await readDataset(back)).sha256, fromYolo.sha256);
      }),
      { numRuns: 25, seed: 5 },
    );
  });

  it('as folders of classes is the same', async () => {
    await fc.assert(
      fc.asyncProperty(classification, async (dataset) => {
        const target = newFolder();
        await writeClassFolders(dataset, target);
        assertSame(await readDataset(target), dataset, false);
      }),
      { numRuns: 25, seed: 6 },
    );
  });

  it('from VOC as YOLO keeps its boxes', async () => {
    const voc = newFolder();
    const objects =
      '<object><name>pit</name><bndbox><xmin>1</xmin><ymin>3</ymin><xmax>97</xmax><ymax>61</ymax></bndbox></object>';
    filesIn(voc, {
      'Annotations/a.xml': `<annotation><filename>a.png</filename>${objects}</annotation>`,
      'JPEGImages/a.png': readFileSync(sources[0]),
    });
    const dataset = await readDataset(voc);
    const target = newFolder();
    await writeYolo(dataset, target);
    const [picture] = (await readDataset(target)).pictures;
    assertSameBoxes(picture.boxes, [{ label: 'pit', box: { x: 0, y: 2, width: 97, height: 59 } }]);
    assert.equal(picture.split, dataset.pictures[0].split);
  });
});

describe('Writing a dataset', () => {
  const dataset = (id: string, more: Partial<WritableDataset> = {}): WritableDataset => ({
    kind: 'detection',
    classes: ['pit'],
    pictures: [{ id, path: sources[0], split: 'train', width: WIDTH, height: HEIGHT, boxes: [] }],
    ...more,
  });

  it('never leaves its folder, whatever an id says', async () => {
    for (const id of ['../../evil.png', '/tmp/evil.png', 'a/../../../evil.png', '..\\evil.png', '']) {
      const target = newFolder();
      for (const write of [writeYolo, writeCoco]) await assert.rejects(write(dataset(id), target), DatasetNotWritable);
      assert.ok(!existsSync(target));
    }
    const classes = { kind: 'classification' as const, classes: ['../evil'] };
    const pictures = [{ ...dataset('a.png').pictures[0], boxes: null, class: '../evil' }];
    await assert.rejects(writeClassFolders({ ...classes, pictures }, newFolder()), DatasetNotWritable);
  });

  it('leaves nothing behind when a picture is gone, and what is there untouched', async () => {
    const target = newFolder();
    const pictures = [{ ...dataset('a.png').pictures[0], path: join(folder.path, 'gone.png') }];
    await assert.rejects(writeYolo(dataset('a.png', { pictures }), target), DatasetNotWritable);
    assert.deepEqual(
      readdirSync(folder.path).filter((name) => name.includes('unfinished')),
      [],
    );
    await writeYolo(dataset('a.png'), target);
    await assert.rejects(writeYolo(dataset('b.png'), target), /not empty/);
    assert.deepEqual(readdirSync(join(target, 'images/train')), ['a.png']);
  });

  it('makes links where asked to, and copies otherwise', async () => {
    const [links, copies] = [newFolder(), newFolder()];
    await writeYolo(dataset('a.png'), links, { pictures: 'link' });
    await writeYolo(dataset('a.png'), copies);
    const inode = (path: string) => statSync(join(path, 'images/train/a.png')).ino;
    assert.equal(inode(links), statSync(sources[0]).ino);
    assert.notEqual(inode(copies), statSync(sources[0]).ino);
  });

  it('gives a picture another name that would share the label file of one before', async () => {
    const target = newFolder();
    const [picture] = dataset('a.png').pictures;
    const pictures = [
      picture,
      { ...picture, id: 'a.jpg', boxes: [{ label: 'pit', box: { x: 1, y: 2, width: 3, height: 4 } }] },
    ];
    await writeYolo(dataset('', { pictures }), target);
    const read = await readDataset(target);
    assert.deepEqual(
      read.pictures.map(({ id, boxes }) => [id, boxes?.length]),
      [
        ['a-2.jpg', 1],
        ['a.png', 0],
      ],
    );
  });

  it('refuses boxes as folders of classes, classes as boxes, and classes nobody knows', async () => {
    await assert.rejects(writeClassFolders(dataset('a.png'), newFolder()), /have boxes/);
    await assert.rejects(writeYolo(dataset('a.png', { kind: 'classification' }), newFolder()), /have a class/);
    const [picture] = dataset('a.png').pictures;
    const pictures = [{ ...picture, boxes: [{ label: 'dent', box: { x: 1, y: 2, width: 3, height: 4 } }] }];
    await assert.rejects(writeCoco(dataset('', { pictures }), newFolder()), /"dent", which is not among/);
  });
});
