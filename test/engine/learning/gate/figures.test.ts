import assert from 'node:assert/strict';
import type { ChangedDecision, Difference, GateFigures, Label, ModelKind, Verdict } from '../../../../engine/domain';
import { compareDecisions, type GatePicture } from '../../../../engine/learning/gate';
import { decideGate, type GateFacts } from '../../../../engine/learning/gate/decide-gate';
import { figuresOf, heldOutOf } from '../../../../engine/learning/gate/figures';
import { oldClassesOf } from '../../../../engine/learning/gate/old-classes';
import { box, found, judged, named, picture, scored } from './samples';

const point = ({ before, after, difference }: Difference) => ({ before, after, difference });

describe('Figures of a candidate', () => {
  it('count who passes rightly, before and after, on the same pictures', () => {
    // by hand: of 4 OK pictures 2 pass before and 3 after; of 2 NG pictures 1 passes before and none after
    const shown = [
      judged(picture('a', 'OK'), scored('OK', 0.5), scored('OK', 0.4)),
      judged(picture('b', 'OK'), scored('REVIEW', 1.5), scored('OK', 0.8)),
      judged(picture('c', 'OK'), scored('NG', 2.5), scored('REVIEW', 1.2)),
      judged(picture('d', 'OK'), scored('OK', 0.9), scored('OK', 0.9)),
      judged(picture('e', 'NG'), scored('OK', 0.8), scored('NG', 3)),
      judged(picture('f', 'NG'), scored('NG', 4), scored('REVIEW', 1.1)),
    ];
    const { pictures, ok, ng, accuracy, escapes, falseRejects, auroc, map50 } = figuresOf(shown, 'patchcore');
    assert.deepEqual([pictures, ok, ng], [6, 4, 2]);
    assert.deepEqual(point(accuracy!), { before: 3 / 6, after: 5 / 6, difference: 5 / 6 - 3 / 6 });
    assert.deepEqual(point(escapes!), { before: 0.5, after: 0, difference: -0.5 });
    assert.deepEqual(point(falseRejects!), { before: 0.5, after: 0.25, difference: -0.25 });
    // 8 pairs: before, 0.8 is above 0.5 alone and 4 above all; after, 3 above all and 1.1 above all but 1.2
    assert.deepEqual(point(auroc!), { before: 5 / 8, after: 7 / 8, difference: 0.25 });
    assert.ok(accuracy!.low! >= 0 && accuracy!.low! <= accuracy!.difference!);
    assert.ok(accuracy!.high! >= accuracy!.difference! && accuracy!.high! <= 1);
    assert.equal(map50, undefined);
  });

  it('stand alone where nothing was in production, and are absent where no picture tells them', () => {
    const figures = figuresOf([judged(picture('a', 'OK'), null, scored('OK', 0.5))], 'patchcore');
    const alone = { before: null, after: 1, difference: null, low: null, high: null };
    assert.deepEqual(figures.accuracy, alone);
    assert.equal(figures.escapes, null);
    assert.ok(!('auroc' in figures));
  });

  it('of a detector take its average precision, on pictures of which the defects are known', () => {
    // by hand: of two boxes the first is found before, both after; a NG picture without boxes tells nothing
    const shown = [
      judged(
        picture('a', 'NG', { boxes: [box(0)] }),
        found([{ ...box(0), confidence: 0.9 }]),
        found([{ ...box(0), confidence: 0.9 }]),
      ),
      judged(picture('b', 'NG', { boxes: [box(40)] }), found([]), found([{ ...box(40), confidence: 0.8 }])),
      judged(picture('c', 'NG'), found([]), found([{ ...box(0), confidence: 0.99 }])),
    ];
    const { map50, escapes } = figuresOf(shown, 'detector');
    // recalls 0..0.5 have precision 1: 51 of 101
    assert.deepEqual(point(map50!), { before: 51 / 101, after: 1, difference: 1 - 51 / 101 });
    assert.deepEqual(point(escapes!), { before: 2 / 3, after: 0, difference: -2 / 3 });
  });

  it('take what is held out, and of anomaly scores all that is NG where fewer than ten of it are held out', () => {
    const of = (label: Label, split: GatePicture['split'], count: number) =>
      Array.from({ length: count }, (_, place) => picture(`${label} ${split} ${place}`, label, { split }));
    const good = [...of('OK', 'val', 2), ...of('OK', 'train', 3)];
    const measured = (pictures: readonly GatePicture[], kind: ModelKind) =>
      ['OK', 'NG'].map((label) => heldOutOf(pictures, kind).filter((one) => one.label === label).length);
    const few = [...good, ...of('NG', 'val', 9), ...of('NG', 'train', 6)];
    assert.deepEqual(measured(few, 'detector'), [2, 9]);
    assert.deepEqual(measured(few, 'patchcore'), [2, 15]);
    const many = [...good, ...of('NG', 'val', 10), ...of('NG', 'train', 6)];
    assert.deepEqual(measured(many, 'detector'), [2, 10]);
    assert.deepEqual(measured(many, 'patchcore'), [2, 10]);
    assert.deepEqual(measured([...good, ...of('NG', 'val', 10)], 'patchcore'), [2, 10], 'levels need some, too');
  });
});

describe('What was known before', () => {
  it('of a detector is how many boxes of its classes are still found', () => {
    const confidences = {
      before: { confidence: 0.25, perClass: {} },
      after: { confidence: 0.25, perClass: { dent: 0.6 } },
    };
    const twoDents = picture('a', 'NG', { boxes: [box(0), box(40), box(80, 'new')] });
    const before = [
      { ...box(0), confidence: 0.9 },
      { ...box(40), confidence: 0.3 },
    ];
    const after = [
      { ...box(0), confidence: 0.7 },
      { ...box(40), confidence: 0.5 },
      { ...box(80, 'new'), confidence: 0.9 },
    ];
    const shown = [
      judged(twoDents, found(before), found(after)),
      judged(picture('b', 'NG', { boxes: [box(0, 'stain')] }), found([]), found([])),
    ];
    const old = oldClassesOf(shown, { kind: 'detector', known: ['dent', 'stain', 'never seen'], confidences });
    // the candidate's own level for dents leaves out the second one
    assert.deepEqual(old?.perClass, [
      { label: 'dent', count: 2, before: 1, after: 0.5 },
      { label: 'stain', count: 1, before: 0, after: 0 },
    ]);
    assert.deepEqual(point(old!.recall), { before: 2 / 3, after: 1 / 3, difference: 1 / 3 - 2 / 3 });
    assert.equal(oldClassesOf(shown, { kind: 'detector', known: ['new car'], confidences }), null);
  });

  it('of a classifier is how many pictures of its classes are still named rightly', () => {
    const confidences = { before: null, after: null };
    const shown = [
      judged(picture('a', 'OK'), named('good', 'OK'), named('good', 'OK')),
      judged(picture('b', 'NG', { boxes: [box(0)] }), named('dent', 'NG'), named('stain', 'NG')),
      judged(picture('c', 'NG', { boxes: [box(0, 'new')] }), named('dent', 'NG'), named('new', 'NG')),
    ];
    const old = oldClassesOf(shown, { kind: 'classifier', known: ['good', 'dent', 'stain'], confidences });
    assert.deepEqual(old?.perClass, [
      { label: 'good', count: 1, before: 1, after: 1 },
      { label: 'dent', count: 1, before: 1, after: 0 },
    ]);
    assert.deepEqual(point(old!.recall), { before: 1, after: 0.5, difference: -0.5 });
  });

  it('of anomaly scores is how many parts with a kind of defect are still stopped', () => {
    const confidences = { before: null, after: null };
    const shown = [
      judged(picture('a', 'OK'), scored('OK', 0.5), scored('OK', 0.5)),
      judged(picture('b', 'NG', { boxes: [box(0)] }), scored('NG', 3), scored('REVIEW', 1.5)),
      judged(picture('c', 'NG', { boxes: [box(0)] }), scored('NG', 3), scored('OK', 0.5)),
      judged(picture('d', 'NG'), scored('OK', 0.5), scored('NG', 3)),
    ];
    assert.deepEqual(oldClassesOf(shown, { kind: 'patchcore', known: [], confidences })?.perClass, [
      { label: 'defect', count: 1, before: 0, after: 1 },
      { label: 'dent', count: 2, before: 1, after: 0.5 },
    ]);
  });
});

describe('The decision of the gate', () => {
  const difference = (before: number, after: number): Difference => ({
    ...{ before, after, difference: after - before },
    ...{ low: -1, high: 1 },
  });
  const same: GateFigures = {
    ...{ pictures: 100, ok: 80, ng: 20 },
    accuracy: difference(0.9, 0.9),
    escapes: difference(0.1, 0.1),
    falseRejects: difference(0.1, 0.1),
  };
  const facts: GateFacts = {
    hasBefore: true,
    holdOut: same,
    oldClasses: null,
    labelledNgNewlyPassed: 0,
    levelledBefore: 0,
    policy: null,
    trained: null,
  };
  const codes = (more: Partial<GateFacts>) => decideGate({ ...facts, ...more }).reasons.map(({ code }) => code);
  const automatic = (maxWorse: number) => ({ kind: 'automatic', maxWorse }) as const;

  it('lets a candidate pass that is as good', () => {
    assert.deepEqual(decideGate(facts), { accepted: true, reasons: [] });
    assert.deepEqual(codes({ policy: automatic(0) }), []);
  });

  it('holds figures against the bound of the policy, and 0.01 without one', () => {
    const fell = { holdOut: { ...same, accuracy: difference(0.9, 0.88) } };
    assert.deepEqual(codes(fell), ['gate-accuracy-fell']);
    assert.deepEqual(codes({ ...fell, policy: automatic(0.02) }), []);
    assert.deepEqual(codes({ ...fell, policy: automatic(0.0199) }), ['gate-accuracy-fell']);
    assert.deepEqual(codes({ ...fell, policy: { kind: 'manual' } }), ['gate-accuracy-fell']);
    assert.deepEqual(decideGate({ ...facts, ...fell }).reasons[0].parameters, {
      before: '90.0 %',
      after: '88.0 %',
      bound: '1.0 %',
    });
  });

  it('names each figure that got worse', () => {
    const worse = {
      ...same,
      escapes: difference(0, 0.1),
      falseRejects: difference(0.1, 0.2),
      map50: difference(0.7, 0.6),
    };
    const oldClasses = { recall: difference(0.9, 0.7), perClass: [] };
    assert.deepEqual(codes({ holdOut: worse, oldClasses }), [
      'gate-escapes-rose',
      'gate-false-rejects-rose',
      'gate-map50-fell',
      'gate-old-classes-fell',
    ]);
    const better = {
      ...same,
      escapes: difference(0.1, 0),
      falseRejects: difference(0.2, 0.1),
      map50: difference(0, 1),
    };
    assert.deepEqual(codes({ holdOut: better }), []);
  });

  it('refuses when a picture labelled NG would newly pass, however large the bound', () => {
    assert.deepEqual(codes({ labelledNgNewlyPassed: 1, policy: automatic(1) }), ['gate-ng-newly-passes']);
  });

  it('says when pictures that judge have set the level of the version in production alone, and refuses nothing for that', () => {
    assert.deepEqual(codes({ levelledBefore: 10 }), []);
    assert.deepEqual(codes({ levelledBefore: 10, labelledNgNewlyPassed: 1 }), [
      'gate-ng-newly-passes',
      'gate-levels-differ',
    ]);
    const stopped = { ...same, falseRejects: difference(0.1, 0.2) };
    assert.deepEqual(codes({ levelledBefore: 10, holdOut: stopped }), ['gate-false-rejects-rose']);
  });

  it('deploys nothing by itself that nobody could measure, but for the first version', () => {
    const nothing = { holdOut: null };
    assert.deepEqual(codes({ ...nothing, policy: automatic(0.01) }), ['gate-nothing-to-measure-with']);
    assert.deepEqual(codes({ ...nothing, policy: automatic(0.01), hasBefore: false }), []);
    assert.deepEqual(codes(nothing), []);
  });

  it('keeps what the training had against it', () => {
    const reason = { code: 'finds-too-little', message: 'Too little.' };
    assert.deepEqual(decideGate({ ...facts, trained: { accepted: false, reasons: [reason] } }), {
      accepted: false,
      reasons: [reason],
    });
  });
});

describe('Changed decisions', () => {
  const decided = (id: string, before: Verdict, after: Verdict, label: ChangedDecision['label'] = null) =>
    ({ id, before, after, label, scoreBefore: null, scoreAfter: 1, picture: 'inspection' }) as const;

  it('are counted, and listed with the escapes first', () => {
    const comparison = compareDecisions(
      [
        decided('same', 'OK', 'OK'),
        decided('moved', 'NG', 'REVIEW'),
        decided('stopped', 'OK', 'REVIEW'),
        decided('passed', 'REVIEW', 'OK'),
        decided('false reject', 'OK', 'NG', 'OK'),
        decided('escape', 'NG', 'OK', 'NG'),
        decided('second escape', 'REVIEW', 'OK', 'NG'),
      ],
      3,
    );
    const { items, ...counts } = comparison;
    assert.deepEqual(counts, { pictures: 7, changed: 6, newlyPassed: 3, newlyStopped: 2, skipped: 3 });
    assert.deepEqual(
      items.map(({ id }) => id),
      ['escape', 'second escape', 'false reject', 'passed', 'stopped', 'moved'],
    );
  });

  it('are listed up to 200, and counted beyond', () => {
    const many = Array.from({ length: 300 }, (_, place) => decided(`${place}`, 'OK', 'NG'));
    const { items, changed } = compareDecisions([...many, decided('escape', 'NG', 'OK', 'NG')], 0);
    assert.deepEqual([items.length, changed, items[0].id, items[1].id], [200, 301, 'escape', '0']);
  });
});
