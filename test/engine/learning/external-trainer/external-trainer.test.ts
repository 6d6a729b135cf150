import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import type { Dataset } from '../../../../engine/datasets';
import { type InspectionError, InvalidInput, type JobProgress } from '../../../../engine/domain';
import { forkModule } from '../../../../engine/inference';
import {
  type ExternalTraining,
  fillCommand,
  parseResults,
  trainExternally,
} from '../../../../engine/learning/external-trainer';
import { colourDetector } from '../../../support/colour-detector';
import { waitFor } from '../../../support/wait';
import { boards, standIn } from './boards';

let folder: string;
let dataset: Dataset;
let pids: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'external-trainer-'));
  dataset = await boards(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  pids = join(folder, 'pids.json');
  rmSync(pids, { force: true });
});

const scratch = () => join(folder, 'external');
const train = (command: readonly string[], more: Partial<ExternalTraining> = {}) =>
  trainExternally({ command, base: colourDetector(), dataset, folder: scratch(), epochs: 3, threads: 1, ...more });
const failed = (code: string, pattern: RegExp) => (error: InspectionError) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, pattern);
  return true;
};

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // a process that has ended and was not waited for yet is still listed
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const startedPids = () => JSON.parse(readFileSync(pids, 'utf8')) as number[];
const isStarted = () => existsSync(pids) && readFileSync(pids, 'utf8').endsWith(']');
const areOver = (processes: readonly number[]) => !processes.some(isRunning);

describe('The external trainer', function () {
  this.timeout(120_000);

  it('gives the model it leaves, tells of its epochs, and lets it pass the gate', async () => {
    const seen: JobProgress[] = [];
    const result = await train(standIn('ok'), { onProgress: (progress) => seen.push(progress) });
    assert.deepEqual(Buffer.from(result.model), Buffer.from(colourDetector()));
    assert.deepEqual(result.classes, ['red', 'green']);
    const { report } = result;
    assert.deepEqual([report.level, report.before?.map50, report.after.map50], ['external', 1, 1]);
    assert.deepEqual(report.gate, { accepted: true, reasons: [] });
    // the stand-in's losses: 2/n + 1/n + 0.5
    assert.deepEqual(report.curve, [
      { epoch: 1, loss: 3.5, map50: 0.5 },
      { epoch: 2, loss: 2, map50: 0.75 },
      { epoch: 3, loss: 1.5, map50: 1 - 0.5 / 3 },
    ]);
    assert.deepEqual(result.pictures, { learnt: 2, heldOut: 2, replayed: 0 });
    assert.deepEqual(result.settings, { epochs: 3, inputSize: 64, batch: 16 });
    const last = seen.findLast(({ stage }) => stage === 'train');
    assert.deepEqual([last?.epoch, last?.epochs, last?.curve?.length], [3, 3, 3]);
    assert.deepEqual([...new Set(seen.map(({ stage }) => stage))], ['read', 'train', 'evaluate', 'gate']);
    assert.ok(!existsSync(scratch()), 'nothing is left behind');
  });

  it('gives the trainer old pictures too, and measures what was forgotten', async () => {
    const result = await train(standIn('ok'), { replay: dataset });
    assert.deepEqual(result.pictures, { learnt: 2, heldOut: 2, replayed: 2 });
    assert.equal(result.report.oldClasses?.after.map50, 1);
  });

  it('lets the gate refuse a model that is worse', async () => {
    const other = join(folder, 'swapped.onnx');
    // finds the same boxes and calls red ones green
    writeFileSync(other, colourDetector(['green', 'red']));
    const { report, classes } = await train(standIn('ok', ['--model', other]));
    assert.deepEqual(classes, ['green', 'red']);
    assert.equal(report.gate.accepted, false);
    assert.equal(report.after.map50, 0);
  });

  const faults: readonly [string, string, RegExp][] = [
    [
      'crash',
      'external-trainer-failed',
      /exit code 7; nothing was changed. Its last words: [\s\S]*epoch 2: 100%\nCUDA out of memory$/,
    ],
    ['missing', 'external-trainer-left-nothing', /without writing the ONNX file[\s\S]*epoch 3/],
    ['garbage', 'external-model-unusable', /cannot be used/],
    ['half', 'external-model-unusable', /cannot be used/],
    ['environment', 'external-trainer-failed', /true false disabled/],
  ];
  for (const [mode, code, pattern] of faults) {
    it(`fails with the code ${code} when the trainer's mode is ${mode}`, async () => {
      await assert.rejects(train(standIn(mode)), failed(code, pattern));
      assert.ok(!existsSync(scratch()));
    });
  }

  it('refuses a model with other classes', async () => {
    const other = join(folder, 'other.onnx');
    writeFileSync(other, colourDetector(['red', 'blue']));
    await assert.rejects(
      train(standIn('ok', ['--model', other])),
      failed('external-model-unusable', /knows red, blue, and the dataset has red, green/),
    );
  });

  it('says so when the program cannot be started', async () => {
    const command = ['no-such-trainer', '{data}', '{out}'];
    await assert.rejects(train(command), failed('external-trainer-not-started', /no-such-trainer.*ENOENT/));
  });

  it('ends a trainer that hangs, with all its processes', async () => {
    const training = train(standIn('hang', ['--pids', pids]));
    const rejected = assert.rejects(training, failed('external-trainer-hung', /neither printed nor finished an epoch/));
    await waitFor('the trainer', isStarted, 60_000);
    const running = startedPids();
    const now = performance.now.bind(performance);
    // as if each look at it came an hour after the one before
    let hours = 0;
    const clock = mock.method(performance, 'now', () => now() + 3_600_000 * hours++);
    await rejected;
    clock.mock.restore();
    await waitFor('the end of its processes', () => areOver(running));
  });

  it('ends all processes when it is cancelled, also those that do not want to', async () => {
    const cancel = new AbortController();
    const training = train(standIn('grandchild', ['--pids', pids]), { signal: cancel.signal });
    const rejected = assert.rejects(training, /cancelled by hand/);
    await waitFor('the trainer', isStarted, 60_000);
    const running = startedPids();
    assert.equal(running.filter(isRunning).length, 2);
    cancel.abort(new Error('cancelled by hand'));
    await rejected;
    await waitFor('the end of its processes', () => areOver(running));
    assert.ok(!existsSync(scratch()));
  });

  it('leaves no process behind when the training process is killed', async () => {
    const place = join(folder, 'killed');
    mkdirSync(place);
    const child = forkModule(join(__dirname, 'training-child'), [place, pids], { stdio: 'ignore' });
    await waitFor('the trainer', isStarted, 60_000);
    const running = startedPids();
    assert.equal(running.filter(isRunning).length, 2);
    child.kill('SIGKILL');
    await waitFor('the end of its processes', () => areOver(running));
  });
});

describe('The command of the external trainer', () => {
  const values = {
    data: '/d/data set.yaml',
    out: '/o/$(rm -rf ~).onnx',
    results: '/r',
    base: '/b.onnx',
    epochs: 50,
    imgsz: 640,
    batch: 8,
  };

  it('is filled in argument by argument, whatever the values hold', () => {
    const command = ['yolo', 'data={data}', 'nbs={batch}', 'batch={batch}', '--out', '{out}', '{"json": 1}'];
    assert.deepEqual(fillCommand(command, values), {
      program: 'yolo',
      args: ['data=/d/data set.yaml', 'nbs=8', 'batch=8', '--out', '/o/$(rm -rf ~).onnx', '{"json": 1}'],
    });
  });

  it('is refused when it is empty, holds an unknown name, or says nothing of dataset or output', () => {
    const refused = (command: string[], pattern: RegExp) =>
      assert.throws(
        () => fillCommand(command, values),
        (error) => error instanceof InvalidInput && pattern.test(error.message),
      );
    refused([], /empty/);
    refused(['yolo', '{data}', '{out}', '{model}'], /\{model\}.*Known are \{data\}/);
    refused(['yolo', '{data}'], /needs \{out\}/);
    refused(['yolo', '{out}'], /needs \{data\}/);
  });
});

describe('results.csv', () => {
  /** Columns as Ultralytics writes them, with blanks in older versions. */
  const header = 'epoch,  train/box_loss,  train/cls_loss,  metrics/mAP50(B),  metrics/mAP50-95(B),  val/box_loss\n';

  it('gives loss and mAP50 of each epoch', () => {
    assert.deepEqual(parseResults(`${header}0, 1.5, 2.5, 0.25, 0.1, 9\n1, 1, 2, 0.5, 0.2, 9\n`), [
      { epoch: 1, loss: 4, map50: 0.25 },
      { epoch: 2, loss: 3, map50: 0.5 },
    ]);
  });

  it('leaves out a line that is still written, and a quality that is none', () => {
    assert.deepEqual(parseResults(`${header}1, 1, 2, nan, 0.2, 9\n2, 1, 2`), [{ epoch: 1, loss: 3 }]);
    assert.deepEqual(parseResults(''), []);
    assert.deepEqual(parseResults('epoch,lo'), []);
  });
});
