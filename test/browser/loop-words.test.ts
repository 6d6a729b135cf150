import assert from 'node:assert/strict';
import { meaningOf } from '../../ui/shared/changed-decisions';
import { figureRows } from '../../ui/shared/compared';
import { gateRows, oldClassRows } from '../../ui/shared/figures';
import { formatsOf } from '../../ui/shared/texts';
import { logText, outcomeText, retrainText } from '../../ui/shared/words';
import { de } from '../../ui/texts/de';
import { enUS } from '../../ui/texts/en-US';
import { defaultFinish, finishErrors, finishOf } from '../../ui/widgets/ui-training/finish-draft';
import { batchesOf } from '../../ui/widgets/ui-training/upload-batches';
import { gateReport } from './mock-loop';

describe('words and figures of the loop', () => {
  const formats = formatsOf('en-US');
  const german = formatsOf('de');
  const gapsOf = (text: string) => [...text.matchAll(/__(\w+?)__/g)].map(([, name]) => name).sort();

  it('fill the same gaps of reasons and log lines in both languages', () => {
    for (const [own, other] of [
      [enUS.retraining.reasons, de.retraining.reasons],
      [enUS.jobs.lines, de.jobs.lines],
    ]) {
      assert.deepEqual(Object.keys(other).sort(), Object.keys(own).sort());
      for (const [code, text] of Object.entries(own)) assert.deepEqual(gapsOf(other[code]), gapsOf(text), code);
    }
  });

  it('tell a reason in German with its numbers and moments, and in the server’s words where a part is unknown', () => {
    const parameters = { count: 1200, needed: 1500 };
    assert.equal(
      retrainText({ code: 'labels-missing', message: '', parameters }, de, german),
      'Neue Bewertungen: 1.200; ab 1.500 beginnt ein Training.',
    );
    assert.doesNotMatch(
      retrainText({ code: 'schedule-next', message: '', parameters: { at: '2026-03-21T01:00:00Z' } }, de, german),
      /T01:00/,
    );
    const unknown = { code: 'labels-missing', message: '12 labels are missing.' };
    assert.equal(retrainText(unknown, de, german), unknown.message);
  });

  it('call a candidate removed until it is restored', () => {
    const [waits, removed, restored] = ['candidate-waits', 'removed-later', 'restored-later'].map((code) => ({
      code,
      message: '',
    }));
    const outcome = 'candidate' as const;
    assert.equal(outcomeText({ outcome, reasons: [waits] }, enUS), 'a candidate waits');
    assert.equal(outcomeText({ outcome, reasons: [waits, removed] }, de), 'entfernt');
    assert.equal(outcomeText({ outcome, reasons: [waits, removed, restored] }, enUS), 'a candidate waits');
  });

  it('tell how far an import came that failed', () => {
    const { importEnded, uploaded } = enUS.dataset;
    assert.equal(importEnded.failed('good', '', 'It is gone.'), 'good was not imported. It is gone.');
    const some = importEnded.failed('good', uploaded(3, 1, 0, 0), 'The disk is full.');
    assert.equal(some, 'good: ended early; 3 pictures taken in, 1 here already. The disk is full.');
  });

  it('name the stage in a line of a log, and keep a line without a code as it is', () => {
    const at = '2026-03-20T09:00:00Z';
    const line = { at, text: 'coreset', code: 'stage', parameters: { stage: 'coreset' } };
    assert.equal(logText(line, enUS, formats), 'Choosing the memory bank.');
    assert.equal(logText({ at, text: 'As it is.' }, de, german), 'As it is.');
  });

  it('call it an escape when a defective part would pass, and right or wrong only what is neither', () => {
    const of = (label: 'OK' | 'NG' | null, before: 'OK' | 'NG' | 'REVIEW', after: 'OK' | 'NG' | 'REVIEW') =>
      meaningOf({ label, before, after });
    assert.equal(of('NG', 'REVIEW', 'OK'), 'escape');
    assert.equal(of('NG', 'OK', 'NG'), 'fixed');
    assert.equal(of('OK', 'OK', 'NG'), 'wrong');
    assert.equal(of('OK', 'NG', 'REVIEW'), 'other');
    assert.equal(of('NG', 'NG', 'REVIEW'), 'other');
    assert.equal(of(null, 'NG', 'OK'), 'other');
  });

  it('mark the best of each figure, the lowest of escapes, and none where all are alike', () => {
    const version = (name: string, escapes: number, auroc: number, recall?: number) => ({
      version: name,
      figures: { escapes, auroc, ...(recall !== undefined && { recall }) },
      ok: [],
      ng: [],
      thresholds: null,
    });
    const rows = figureRows(
      [version('1', 0.2, 0.9), version('2', 0.1, 0.9), version('3', 0.1, 0.9, 0.5)],
      enUS,
      formats,
    );
    const best = Object.fromEntries(rows.map(({ name, cells }) => [name, cells.map((cell) => cell.best)]));
    assert.deepEqual(best, {
      escapes: [false, true, true],
      recall: [false, false, false],
      auroc: [false, false, false],
    });
  });

  it('give the rows of a gate’s report with intervals, and none of a model without one before', () => {
    const rows = gateRows(gateReport(), enUS, formats);
    assert.deepEqual(
      rows.map(({ label, lowerIsBetter = false }) => [label, lowerIsBetter]),
      [
        ['Defective parts passed', true],
        ['Good parts not passed', true],
        ['Decided rightly', false],
        ['AUROC', false],
      ],
    );
    assert.deepEqual(rows[0].interval, { low: -0.26, high: -0.02 });
    const first = { before: null, after: 0.9, difference: null, low: null, high: null };
    const holdOut = { pictures: 3, ok: 3, ng: 0, accuracy: first, escapes: null, falseRejects: null };
    const alone = gateRows(gateReport({ holdOut, against: null }), enUS, formats);
    assert.deepEqual(
      alone.map(({ before, after, interval }) => [before, after, interval]),
      [[null, 0.9, null]],
    );
    assert.deepEqual(oldClassRows(gateReport(), enUS, formats), []);
  });

  it('send files in groups of twenty and of 32 megabytes at most, a larger one by itself', () => {
    const files = (count: number, size: number) => Array.from({ length: count }, () => ({ size }));
    assert.deepEqual(
      batchesOf(files(45, 1000)).map(({ length }) => length),
      [20, 20, 5],
    );
    assert.deepEqual(
      batchesOf([...files(3, 15_000_000), ...files(1, 40_000_000), ...files(1, 1)]).map(({ length }) => length),
      [2, 1, 1, 1],
    );
    assert.deepEqual(batchesOf([]), []);
  });

  it('ask for nothing but the gate unless told, and refuse what the station would', () => {
    assert.deepEqual(finishOf(defaultFinish()), { deploy: true });
    const policy = { kind: 'automatic', maxWorse: 0.025 };
    assert.deepEqual(finishOf({ policy: 'gate', maxWorse: 2.5, priority: -3 }), { deploy: true, policy, priority: -3 });
    const left = finishOf({ policy: 'never', maxWorse: 2.5, priority: 0 });
    assert.deepEqual(left, { deploy: false, policy: { kind: 'never' } });
    assert.deepEqual(finishErrors({ policy: 'gate', maxWorse: 101, priority: 2.5 }), ['maxWorse', 'priority']);
    assert.deepEqual(finishErrors({ policy: 'manual', maxWorse: 101, priority: '' }), []);
  });
});
