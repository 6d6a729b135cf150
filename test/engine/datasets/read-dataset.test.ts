import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  checkDataset,
  type Dataset,
  DatasetUnreadable,
  datasetKindOf,
  fixedSplit,
  readDataset,
} from '../../../engine/datasets';
import { needShared } from '../../support/shared-data';
import { filesIn, plainPicture, temporaryFolder } from './files';

let folder: ReturnType<typeof temporaryFolder>;
let picture: Buffer;

before(async () => {
  picture = await plainPicture(100, 50);
});
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const boxes = ({ pictures }: Dataset, id: string) => pictures.find((other) => other.id === id)?.boxes;
const numbers = (labels: Dataset['pictures'][number]['boxes'] | undefined) =>
  labels?.map(({ label, box }) => [label, ...[box.x, box.y, box.width, box.height].map((n) => Number(n.toFixed(6)))]);
const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DatasetUnreadable);
  assert.match(error.message, pattern);
  return true;
};

/** Expected pixels: computed by hand, for a picture of 100 x 50. */
describe('A YOLO dataset', () => {
  const data = 'path: .\ntrain: images/train\nval: images/val\nnames:\n  0: pit\n  1: dent\n';
  const labels = '1 0.5 0.5 0.2 0.4\n\n0 0.1 0.2 0.2 0.4\n';

  it('is read from its data file or its folder, with boxes in pixels', async () => {
    filesIn(folder.path, {
      'data.yaml': data,
      'images/train/a.png': picture,
      'labels/train/a.txt': labels,
      'images/val/b.png': picture,
    });
    const dataset = await readDataset(folder.path);
    assert.deepEqual([dataset.kind, dataset.format, dataset.classes], ['detection', 'yolo', ['pit', 'dent']]);
    assert.deepEqual(
      dataset.pictures.map(({ id, split, width, height }) => [id, split, width, height]),
      [
        ['a.png', 'train', 100, 50],
        ['b.png', 'val', 100, 50],
      ],
    );
    assert.deepEqual(numbers(boxes(dataset, 'a.png')), [
      ['dent', 40, 15, 20, 20],
      ['pit', 0, 0, 20, 20],
    ]);
    assert.deepEqual(boxes(dataset, 'b.png'), [], 'no label file: nothing to find');
    assert.deepEqual(await readDataset(join(folder.path, 'data.yaml')), dataset);
  });

  it('may list names, files and folders, and lie beside its data file in another way than it says', async () => {
    filesIn(folder.path, {
      'data.yaml':
        "path: ../datasets/mine\ntrain: [train/images, more.txt]\nval: ../valid/images\nnames: [pit, 'dent']\n",
      'train/images/a.png': picture,
      'train/labels/a.txt': labels,
      'more.txt': './extra/images/c.png\n',
      'extra/images/c.png': picture,
      'extra/labels/c.txt': labels,
      'valid/images/b.png': picture,
    });
    const { pictures, skipped } = await readDataset(folder.path);
    assert.deepEqual(
      pictures.map(({ id, split, boxes }) => [id, split, boxes?.length]),
      [
        ['a.png', 'train', 2],
        ['c.png', 'train', 2],
        ['b.png', 'val', 0],
      ],
    );
    assert.deepEqual(skipped, []);
  });

  it('has polygons reduced to boxes, and key points left out', async () => {
    const polygon = '0 0.1 0.2 0.5 0.2 0.5 0.6 0.3 0.8\n';
    filesIn(folder.path, { 'data.yaml': data, 'images/train/a.png': picture, 'labels/train/a.txt': polygon });
    assert.deepEqual(numbers(boxes(await readDataset(folder.path), 'a.png')), [['pit', 10, 10, 40, 30]]);
    filesIn(folder.path, {
      'data.yaml': `${data}kpt_shape: [2, 3]\n`,
      'labels/train/a.txt': '0 0.5 0.5 0.2 0.4 0.1 0.1 2 0.2 0.2 2\n',
    });
    assert.deepEqual(numbers(boxes(await readDataset(folder.path), 'a.png')), [['pit', 40, 15, 20, 20]]);
  });

  const faults: readonly [string, string, RegExp, string][] = [
    ['a missing column', '0 0.5 0.5 0.2\n', /Line 1 has 4 columns/, 'label'],
    ['a value that is no number', '0 0.5 0.5 0.2 0.4\n0 0.5 nan 0.2 0.4\n', /Line 2 holds "nan"/, 'label'],
    ['a value that is not finite', '0 0.5 Infinity 0.2 0.4\n', /Line 1 holds "Infinity"/, 'label'],
    ['a class that has no name', '7 0.5 0.5 0.2 0.4\n', /Line 1 names class 7/, 'unknown-class'],
    ['a class that is no whole number', '0.5 0.5 0.5 0.2 0.4\n', /Line 1 names class 0.5/, 'unknown-class'],
    ['pixels for fractions', '0 50 20 30 30\n', /are these pixels/, 'label'],
    ['half a polygon', '0 0.5 0.5 0.2 0.4 0.1\n', /neither a box nor a polygon/, 'label'],
  ];
  for (const [what, text, reason, fault] of faults) {
    it(`leaves out and names a picture with ${what}, and reads the others`, async () => {
      filesIn(folder.path, {
        'data.yaml': data,
        'images/train/a.png': picture,
        'labels/train/a.txt': text,
        'images/train/b.png': picture,
      });
      const { pictures, skipped } = await readDataset(folder.path);
      assert.equal(pictures.length, 1);
      assert.equal(skipped.length, 2, 'and the missing val folder');
      assert.equal(skipped[1].name, join(folder.path, 'labels/train/a.txt'));
      assert.match(skipped[1].reason, reason);
      assert.equal(skipped[1].fault, fault);
    });
  }

  it('leaves out and names pictures that are none', async () => {
    filesIn(folder.path, {
      'data.yaml': `${data.replace('images/train', '[images/train, list.txt]')}`,
      'list.txt': 'images/gone.png\n',
      'images/train/a.png': picture,
      'images/train/b.png': 'no picture',
      'images/train/c.gif': Buffer.from('GIF89a'.padEnd(40, ' ')),
      'images/train/d.jpg': Buffer.alloc(0),
      'images/val/e.png': picture,
    });
    const { pictures, skipped } = await readDataset(folder.path);
    assert.deepEqual(
      pictures.map(({ id }) => id),
      ['a.png', 'e.png'],
    );
    assert.deepEqual(
      skipped.map(({ name, fault }) => [name.slice(folder.path.length + 1), fault]),
      [
        ['images/train/b.png', 'picture'],
        ['images/train/c.gif', 'picture'],
        ['images/train/d.jpg', 'picture'],
        ['images/gone.png', 'picture'],
      ],
    );
  });

  it('has boxes cut to the picture, empty ones and repetitions dropped, with a remark', async () => {
    const text = ['0 0 0.5 0.4 0.4', '0 0.5 0.5 0 0.4', '0 1.5 0.5 0.2 0.2', '1 0.5 0.5 0.2 0.4', '1 0.5 0.5 0.2 0.4'];
    filesIn(folder.path, { 'data.yaml': data, 'images/train/a.png': picture, 'labels/train/a.txt': text.join('\n') });
    const dataset = await readDataset(folder.path);
    assert.deepEqual(numbers(boxes(dataset, 'a.png')), [
      ['pit', 0, 15, 20, 20],
      ['dent', 40, 15, 20, 20],
    ]);
    assert.deepEqual(
      dataset.remarks.map(({ kind }) => kind),
      ['outside', 'empty', 'empty', 'repeated'],
    );
  });

  it('is dealt by the fixed split where nothing is kept for validation, and stays so with more pictures', async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`images/train/${n}.png`, picture]));
    filesIn(folder.path, { 'data.yaml': data.replace('val: images/val', 'val: images/train'), ...files });
    const first = await readDataset(folder.path);
    assert.ok(first.pictures.every(({ id, split }) => split === fixedSplit(id)));
    assert.ok(new Set(first.pictures.map(({ split }) => split)).size === 2);
    filesIn(folder.path, { 'images/train/extra.png': picture });
    const second = await readDataset(folder.path);
    for (const { id, split } of first.pictures) assert.equal(second.pictures.find((p) => p.id === id)?.split, split);
  });

  it('says which picture is in two splits, and takes it for the first', async () => {
    filesIn(folder.path, {
      'data.yaml': 'train: images/train\nval: [images/val, images/train/a.png]\nnames: [pit]\n',
      'images/train/a.png': picture,
      'images/val/b.png': picture,
    });
    const { pictures, shared } = await readDataset(folder.path);
    assert.deepEqual(shared, [{ picture: 'a.png', splits: ['train', 'val'] }]);
    assert.deepEqual(
      pictures.map(({ split }) => split),
      ['train', 'val'],
    );
  });

  it('is refused with a reason when its data file cannot be understood', async () => {
    const data = async (text: string) => readDataset(join(filesIn(folder.path, { 'data.yaml': text }), 'data.yaml'));
    await assert.rejects(data('names: [a\ntrain: x'), refused(/not YAML/));
    await assert.rejects(data('train: 5\nnames: [a]'), refused(/train/));
    await assert.rejects(data('train: images\n'), refused(/no names/));
    await assert.rejects(data('train: images\nnames: [a, a]'), refused(/two classes are called "a"/));
    await assert.rejects(data('train: images\nnames: [a]'), refused(/names no pictures/));
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((c, n) => `${c}: &${c} [${`*${'abcdefgh'[n]},`.repeat(9)}]`).join('\n')}\n`;
    await assert.rejects(data(`${bomb}train: images\nnames: [a]`), refused(/not YAML/));
  });

  it('is told by the name of its data file, though that is faulty', async () => {
    filesIn(folder.path, { 'images/train/a.png': picture, 'labels/train/a.txt': '0 0.5 0.5 0.5 0.5\n' });
    for (const [text, reason] of [
      ['train: images/train\n', /no names/],
      ['names: [pit]\n', /names no pictures\. Check/],
      ['names: [pit\n', /not YAML/],
    ] as const) {
      await assert.rejects(readDataset(filesIn(folder.path, { 'data.yaml': text })), refused(reason));
    }
  });

  it('stays within the allowed folders, links followed', async () => {
    const outside = temporaryFolder();
    try {
      filesIn(outside.path, { 'images/secret.png': picture });
      filesIn(folder.path, {
        'data.yaml': data.replace('images/val', join(outside.path, 'images')),
        'images/train/a.png': picture,
      });
      symlinkSync(join(outside.path, 'images/secret.png'), join(folder.path, 'images/train/link.png'));
      const { pictures, skipped } = await readDataset(folder.path, { within: [folder.path] });
      assert.deepEqual(
        pictures.map(({ id }) => id),
        ['a.png'],
      );
      assert.ok(skipped.length === 2 && skipped.every(({ reason }) => /outside the allowed folders/.test(reason)));
      assert.equal((await readDataset(folder.path)).pictures.length, 3, 'anywhere when nothing is said');
    } finally {
      outside.remove();
    }
  });

  it('of real boards is read whole', async function () {
    const { classes, pictures, skipped, remarks } = await readDataset(needShared(this, 'data/deeppcb/detect'));
    assert.deepEqual(classes, ['open', 'short', 'mousebite', 'spur', 'copper', 'pin-hole']);
    assert.equal(pictures.filter(({ split }) => split === 'train').length, 120);
    assert.equal(pictures.filter(({ split }) => split === 'val').length, 60);
    assert.deepEqual([skipped, remarks], [[], []]);
  });
});

describe('A COCO dataset', () => {
  const content = (more: object = {}) =>
    JSON.stringify({
      images: [{ id: 7, file_name: 'a.png', width: 100, height: 50 }],
      categories: [
        { id: 9, name: 'dent' },
        { id: 3, name: 'pit' },
      ],
      annotations: [
        { id: 1, image_id: 7, category_id: 9, bbox: [40, 15, 20, 20], area: 400, iscrowd: 0 },
        { id: 2, image_id: 7, category_id: 3, bbox: [1, 2, 3, 4], iscrowd: 1 },
        { id: 3, image_id: 7, category_id: 3, segmentation: [[10, 10, 50, 10, 50, 40]] },
      ],
      ...more,
    });

  it('is read from one file: categories by id, polygons as boxes, crowds apart', async () => {
    filesIn(folder.path, { 'boards.json': content(), 'images/a.png': picture });
    const dataset = await readDataset(join(folder.path, 'boards.json'));
    assert.deepEqual([dataset.format, dataset.classes], ['coco', ['pit', 'dent']]);
    const [{ id, split, ignored }] = dataset.pictures;
    assert.deepEqual([id, split], ['a.png', fixedSplit('a.png')]);
    assert.deepEqual(numbers(boxes(dataset, 'a.png')), [
      ['dent', 40, 15, 20, 20],
      ['pit', 10, 10, 40, 30],
    ]);
    assert.deepEqual(numbers(ignored), [['pit', 1, 2, 3, 4]]);
  });

  it('is read from its folder with the files of all splits, or from one of them', async () => {
    filesIn(folder.path, {
      'annotations/instances_train2017.json': content(),
      'annotations/instances_val2017.json': content({ images: [{ id: 7, file_name: 'b.png' }] }),
      'train2017/a.png': picture,
      'val2017/b.png': picture,
    });
    const dataset = await readDataset(folder.path);
    assert.deepEqual(
      dataset.pictures.map(({ id, split }) => [id, split]),
      [
        ['a.png', 'train'],
        ['b.png', 'val'],
      ],
    );
    assert.deepEqual(await readDataset(join(folder.path, 'annotations/instances_val2017.json')), dataset);
  });

  it('may have a file in the folder of each split', async () => {
    filesIn(folder.path, {
      'train/_annotations.coco.json': content(),
      'train/a.png': picture,
      'valid/_annotations.coco.json': content({ images: [{ id: 7, file_name: 'b.png' }] }),
      'valid/b.png': picture,
    });
    const { pictures } = await readDataset(folder.path);
    assert.deepEqual(
      pictures.map(({ id, split }) => [id, split]),
      [
        ['a.png', 'train'],
        ['b.png', 'val'],
      ],
    );
  });

  it('has pictures left out and named whose annotations cannot be used', async () => {
    const images = ['a', 'b', 'c', 'd', 'e'].map((name, id) => ({ id, file_name: `${name}.png` }));
    filesIn(folder.path, {
      'x.json': content({
        images: images.map((image) => (image.id === 4 ? { ...image, width: 200, height: 100 } : image)),
        annotations: [
          { image_id: 0, category_id: 3, bbox: [1, 2, 3, 4] },
          { image_id: 1, category_id: 5, bbox: [1, 2, 3, 4] },
          { image_id: 2, category_id: 3, bbox: [1, 2, null, 4] },
          { image_id: 99, category_id: 3, bbox: [1, 2, 3, 4] },
        ],
      }),
      ...Object.fromEntries(['a', 'b', 'c', 'e'].map((name) => [`${name}.png`, picture])),
    });
    const { pictures, skipped } = await readDataset(folder.path);
    assert.deepEqual(
      pictures.map(({ id }) => id),
      ['a.png'],
    );
    const reasons = skipped.map(({ reason, fault }) => `${fault}: ${reason}`);
    assert.equal(reasons.length, 5);
    for (const [index, pattern] of [
      /label: Boxes of picture 99/,
      /unknown-class: b.png has a box of category 5/,
      /label: c.png has a box that is not four numbers/,
      /picture: The file does not exist/,
      /label: e.png has 100 x 50 pixels, its annotations are for 200 x 100/,
    ].entries()) {
      assert.match(reasons[index], pattern);
    }
  });

  it('is refused with a reason when it is none', async () => {
    const file = async (text: string) => readDataset(join(filesIn(folder.path, { 'x.json': text }), 'x.json'));
    await assert.rejects(file('{'), refused(/not JSON/));
    await assert.rejects(file('{"annotations": []}'), refused(/images/));
    await assert.rejects(
      file(content({ categories: [1, 2].map((id) => ({ id, name: 'pit' })) })),
      refused(/two categories are called "pit"/),
    );
  });
});

describe('A Pascal VOC dataset', () => {
  const object = (name: string, [xmin, ymin, xmax, ymax]: number[], more = '') =>
    `<object><name>${name}</name>${more}<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`;
  const annotation = (objects: string, filename = 'a.png') =>
    `<?xml version="1.0"?><annotation><filename>${filename}</filename>${objects}</annotation>`;

  it('is read with its image sets; pixels count from 1 and the corners belong to the box', async () => {
    filesIn(folder.path, {
      'Annotations/a.xml': annotation(
        object('pit', [1, 1, 20, 10]) + object('dent &amp; hole', [41, 16, 60, 35], '<difficult>1</difficult>'),
      ),
      'Annotations/b.xml': annotation('', 'b.png'),
      'JPEGImages/a.png': picture,
      'JPEGImages/b.png': picture,
      'ImageSets/Main/train.txt': 'a\n',
      'ImageSets/Main/val.txt': 'b\n',
    });
    const dataset = await readDataset(folder.path);
    assert.deepEqual([dataset.format, dataset.classes], ['voc', ['dent & hole', 'pit']]);
    assert.deepEqual(numbers(boxes(dataset, 'a.png')), [['pit', 0, 0, 20, 10]]);
    assert.deepEqual(numbers(dataset.pictures[0].ignored), [['dent & hole', 40, 15, 20, 20]]);
    assert.deepEqual(
      dataset.pictures.map(({ id, split }) => [id, split]),
      [
        ['a.png', 'train'],
        ['b.png', 'val'],
      ],
    );
  });

  it('may have its files beside the pictures, and names what it cannot use', async () => {
    filesIn(folder.path, {
      'a.png': picture,
      'a.xml': annotation(object('pit', [1, 1, 20, 10])),
      'b.xml': '<annotation><object>',
      'c.xml': annotation(object('pit', [1, 1, Number.NaN, 10]), 'c.png'),
      'd.xml': annotation('', 'd.png'),
      'e.xml':
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><annotation><filename>&e;</filename></annotation>',
    });
    const { pictures, skipped } = await readDataset(folder.path);
    assert.deepEqual(
      pictures.map(({ id }) => id),
      ['a.png'],
    );
    assert.deepEqual(
      skipped.map(({ name }) => name.slice(-5)),
      ['b.xml', 'c.xml', 'd.xml', 'e.xml'],
    );
    assert.match(skipped[3].reason, /External entities/);
  });
});

describe('A folder of classes', () => {
  it('is read with a fixed split for each picture', async () => {
    filesIn(folder.path, { 'good/a.png': picture, 'bad/a.png': picture, 'bad/deep/b.png': picture });
    mkdirSync(join(folder.path, 'rare'));
    const { kind, classes, pictures } = await readDataset(folder.path);
    assert.deepEqual([kind, classes], ['classification', ['bad', 'good', 'rare']]);
    assert.deepEqual(pictures.map(({ id, class: label, boxes }) => [id, label, boxes]).sort(), [
      ['bad/a.png', 'bad', null],
      ['bad/deep/b.png', 'bad', null],
      ['good/a.png', 'good', null],
    ]);
    assert.ok(pictures.every(({ id, split }) => split === fixedSplit(id)));
  });

  it('may have its own splits', async () => {
    filesIn(folder.path, { 'train/good/a.png': picture, 'val/good/a.png': picture, 'test/bad/c.png': picture });
    const { pictures } = await readDataset(folder.path);
    assert.deepEqual(
      pictures.map(({ id, split }) => [id, split]),
      [
        ['good/a.png', 'train'],
        ['val/good/a.png', 'val'],
        ['bad/c.png', 'test'],
      ],
    );
  });

  it('names pictures of no class, and those of a format that is not read', async () => {
    const files = { 'train/good/a.png': picture, 'train/good/b.webp': picture.subarray(0, 8), 'train/c.png': picture };
    filesIn(folder.path, { ...files, 'd.tif': picture, 'readme.txt': '' });
    const { pictures, skipped } = await readDataset(folder.path);
    assert.deepEqual(
      pictures.map(({ id }) => id),
      ['good/a.png'],
    );
    assert.deepEqual(
      skipped.map(({ name, fault }) => [relative(folder.path, name), fault]),
      [
        ['d.tif', 'no-class'],
        ['train/c.png', 'no-class'],
        ['train/good/b.webp', 'picture'],
      ],
    );
    const { warnings, errors } = await checkDataset(await readDataset(folder.path));
    assert.ok(warnings >= 2 && errors >= 1);
  });

  it('is told from a folder that holds nothing of the kind', async () => {
    await assert.rejects(readDataset(folder.path), refused(/neither a data\.yaml/));
    await assert.rejects(readDataset(join(folder.path, 'gone')), refused(/does not exist/));
    await assert.rejects(readDataset(join(filesIn(folder.path, { 'a.txt': '' }), 'a.txt')), refused(/either/));
  });
});

describe('The kind of a dataset', () => {
  it('is told by its format, though its pictures and labels are faulty', async () => {
    const files = {
      'yolo/data.yaml': 'train: none\n',
      'coco/all.json': '{"images": [], "annotations": []}',
      'voc/Annotations/a.xml': '<no',
      'classes/good/a.png': 'no picture',
    };
    filesIn(folder.path, files);
    for (const [place, kind] of [
      ['yolo', 'detection'],
      ['yolo/data.yaml', 'detection'],
      ['coco', 'detection'],
      ['coco/all.json', 'detection'],
      ['voc', 'detection'],
      ['classes', 'classification'],
    ]) {
      assert.equal(await datasetKindOf(join(folder.path, place)), kind, place);
    }
    for (const place of ['none', 'yolo/none.txt', 'voc/Annotations']) {
      await assert.rejects(datasetKindOf(join(folder.path, place)), refused(/cannot be read/), place);
    }
  });
});

describe('The fixed split', () => {
  /** Expected: sha256 of the ids by `printf a.png | sha256sum`, the first 32 bits as a fraction of 2^32. */
  it('is told by the hash of the id', () => {
    assert.equal(fixedSplit('a.png'), 'train', '0.496');
    assert.equal(fixedSplit('b.png', { val: 0.38 }), 'val', '0.372');
    assert.equal(fixedSplit('b.png', { val: 0.37 }), 'train');
    assert.equal(fixedSplit('good/a.png', { val: 0.2, test: 0.6 }), 'test', '0.748');
  });

  it('gives validation its share, and takes nothing from it for testing', () => {
    const ids = Array.from({ length: 5000 }, (_, n) => `01J${n}`);
    const held = ids.filter((id) => fixedSplit(id) === 'val');
    assert.ok(Math.abs(held.length / ids.length - 0.2) < 0.02);
    assert.ok(held.every((id) => fixedSplit(id, { val: 0.2, test: 0.1 }) === 'val'));
    assert.throws(() => fixedSplit('a', { val: 0.8, test: 0.3 }), RangeError);
  });
});
