import assert from 'node:assert/strict';
import type { Region } from '../../engine/domain';
import { anomalyText } from '../../ui/shared/anomaly-words';
import { escapeText } from '../../ui/shared/escape-words';
import { type Part, partOf } from '../../ui/shared/part';
import {
  alongside,
  lookingAt,
  MAX_ZOOM,
  middleOf,
  panned,
  pinched,
  type View,
  WHOLE,
  wheelFactor,
  zoomed,
} from '../../ui/shared/picture-view';
import { areaOf, PLACES, placeOf } from '../../ui/shared/place';
import { canApprove, freeFrom, heldBy, pointedBox } from '../../ui/shared/reviewing';
import { formatsOf } from '../../ui/shared/texts';
import { de } from '../../ui/texts/de';
import { enUS } from '../../ui/texts/en-US';

const PICTURE = { width: 1000, height: 500 };
const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

describe('the arithmetic of zoom and pan', () => {
  /** The share of the picture that lies at a share of the frame. */
  const under = ({ zoom, x }: View, at: number): number => (at - x) / zoom;

  it('keeps what is under the pointer where it is, and the picture over the whole frame', () => {
    const once = zoomed(WHOLE, 2, { x: 0.25, y: 0.75 });
    assert.deepEqual(once, { zoom: 2, x: -0.25, y: -0.75 });
    assert.equal(under(zoomed(once, 3, { x: 0.6, y: 0.5 }), 0.6), under(once, 0.6));
    assert.deepEqual(zoomed(once, 0.001), WHOLE);
    assert.equal(zoomed(once, 1_000).zoom, MAX_ZOOM);
    assert.deepEqual(panned(once, { x: 9, y: -9 }), { zoom: 2, x: 0, y: -1 });
    assert.deepEqual(panned(WHOLE, { x: 0.2, y: 0.2 }), WHOLE);
  });

  it('follows two fingers: what was under them stays under them', () => {
    const before = [
      { x: 0.4, y: 0.5 },
      { x: 0.6, y: 0.5 },
    ] as const;
    const now = [
      { x: 0.35, y: 0.6 },
      { x: 0.75, y: 0.6 },
    ] as const;
    const view = pinched(WHOLE, before, now, { width: 800, height: 400 });
    assert.ok(Math.abs(view.zoom - 2) < 1e-9);
    assert.ok(Math.abs(under(view, 0.35) - 0.4) < 1e-9);
    assert.ok(Math.abs(under(view, 0.75) - 0.6) < 1e-9);
    assert.deepEqual(pinched(WHOLE, [before[0], before[0]], now, PICTURE), WHOLE, 'two fingers at one place');
  });

  it('zooms by a wheel that counts pixels as by one that counts lines', () => {
    assert.equal(wheelFactor({ deltaY: -300, deltaMode: 0 }), 2);
    assert.equal(wheelFactor({ deltaY: 7.5, deltaMode: 1 }), 0.5);
  });

  it('looks at a place with what is around it, and not closer than helps', () => {
    const view = lookingAt(box(400, 200, 200, 100), PICTURE);
    assert.deepEqual(view, { zoom: 2, x: -0.5, y: -0.5 });
    assert.ok(lookingAt(box(10, 10, 2, 2), PICTURE).zoom <= 6);
    assert.deepEqual(lookingAt(box(0, 0, 1000, 500), PICTURE), WHOLE);
  });

  it('shows the same detail of another picture in which the part lies elsewhere', () => {
    const [own, other] = [middleOf(box(400, 200, 20, 20), PICTURE), middleOf(box(440, 180, 20, 20), PICTURE)];
    const view = zoomed(WHOLE, 4, own);
    const beside = alongside(view, own, other);
    assert.ok(Math.abs(beside.x + other.x * beside.zoom - (view.x + own.x * view.zoom)) < 1e-9);
    assert.ok(Math.abs(beside.y + other.y * beside.zoom - (view.y + own.y * view.zoom)) < 1e-9);
    assert.deepEqual(alongside(WHOLE, own, other), WHOLE);
  });
});

describe('findings in words', () => {
  const region = (x: number, y: number, width: number, height: number, peak: number): Region => ({
    box: box(x, y, width, height),
    area: width * height,
    peak,
  });
  function part(score: number, regions: readonly Region[], size: Partial<Part> = PICTURE): Part {
    const base = partOf({ id: 'a', score, thresholds: { accept: 1.6, reject: 2 } });
    return { ...base, regions, width: size.width ?? null, height: size.height ?? null };
  }
  const english = (one: Part, scale: number | null = null) => anomalyText(one, enUS, formatsOf('en-US'), scale);

  it('names the place by edges and corners, else by thirds of the picture', () => {
    const expected: readonly [ReturnType<typeof box>, (typeof PLACES)[number]][] = [
      [box(0, 200, 50, 40), 'leftEdge'],
      [box(960, 200, 40, 40), 'rightEdge'],
      [box(400, 490, 50, 10), 'bottomEdge'],
      [box(10, 5, 50, 40), 'topLeftCorner'],
      [box(900, 460, 100, 40), 'bottomRightCorner'],
      [box(480, 230, 40, 40), 'middle'],
      [box(100, 60, 40, 40), 'topLeft'],
      [box(480, 400, 40, 40), 'bottom'],
      [box(0, 200, 1000, 60), 'middle'],
      [box(50, 20, 900, 460), 'whole'],
    ];
    for (const [found, place] of expected) assert.equal(placeOf(found, PICTURE), place, JSON.stringify(found));
    for (const place of PLACES) assert.ok(de.places[place] && enUS.places[place], place);
  });

  it('tells the area in mm² where the scale is known, else as a share of the picture, tiny ones in pixels', () => {
    assert.deepEqual(areaOf(1_400, PICTURE, 0.1), { unit: 'mm2', value: 1_400 * 0.1 ** 2 });
    assert.deepEqual(areaOf(5_000, PICTURE, null), { unit: 'share', value: 0.01 });
    assert.deepEqual(areaOf(120, PICTURE, null), { unit: 'pixels', value: 120 });
    assert.deepEqual(areaOf(5_000, null, null), { unit: 'pixels', value: 5_000 });
  });

  it('say how far beyond the level, how large and where, the strongest place first', () => {
    const one = part(3.6, [region(0, 200, 40, 35, 3.6)]);
    assert.equal(english(one, 0.1), 'anomaly 1.8× the reject level, 14 mm² at the left edge');
    assert.equal(english(one), 'anomaly 1.8× the reject level, 0.28 % of the picture at the left edge');
    assert.equal(
      anomalyText(one, de, formatsOf('de'), 0.1),
      'Abweichung: das 1,8-Fache der Ablehnungsgrenze, 14 mm² am linken Rand',
    );
    const many = [2.1, 3.6, 2.4, 2.2].map((peak, index) => region(100 + 200 * index, 200, 10, 10, peak));
    assert.match(
      english(part(3.6, many)) ?? '',
      /^anomaly 1.8× the reject level, 100 pixels on the left, .* and 1 more place$/,
    );
    assert.equal(english(part(1.98, [])), 'anomaly 0.99× the reject level');
    assert.equal(english(part(1.98, [region(0, 0, 9, 9, 2)], {})), 'anomaly 0.99× the reject level, 81 pixels');
    assert.equal(english({ ...part(0, []), score: null }), null);
  });
});

describe('who reviews what', () => {
  const now = Date.parse('2026-03-10T08:00:00Z');
  const lock = (reviewer: string, until = '2026-03-10T08:01:00Z') => ({ lock: { reviewer, until } });

  it('an item is held while the lock of another person lives', () => {
    assert.equal(heldBy(lock('Anna'), 'Bert', now), 'Anna');
    assert.equal(heldBy(lock('anna '), 'Anna', now), null, 'names are compared as the station does');
    assert.equal(heldBy(lock('Anna', '2026-03-10T07:59:59Z'), 'Bert', now), null);
    assert.equal(heldBy({ lock: null }, 'Bert', now), null);
  });

  it('the next item is the first free one from there on, then from the start', () => {
    const items = [lock('Bert'), lock('Anna'), lock('Anna'), { lock: null }];
    assert.equal(freeFrom(items, 1, 'Bert', now), 3);
    assert.equal(freeFrom(items.slice(0, 3), 1, 'Bert', now), 0);
    assert.equal(freeFrom(items.slice(1, 3), 1, 'Bert', now), 1, 'all are held: the one at the place');
    assert.equal(freeFrom([], 2, 'Bert', now), -1);
  });

  it('nobody approves their own label, nor without a name', () => {
    assert.equal(canApprove({ reviewer: 'Anna' }, 'Bert'), true);
    assert.equal(canApprove({ reviewer: 'Anna' }, 'ANNA'), false);
    assert.equal(canApprove({ reviewer: 'Anna' }, ''), false);
  });

  it('a class key means the strongest place the model marked, if it marked one', () => {
    const regions = [
      { box: box(1, 1, 5, 5), area: 25, peak: 2 },
      { box: box(9, 9, 5, 5), area: 25, peak: 3 },
    ];
    assert.deepEqual(pointedBox({ regions }, 'dent'), { label: 'dent', box: box(9, 9, 5, 5) });
    assert.equal(pointedBox({ regions: [] }, 'dent'), null);
  });
});

describe('the escape estimate in words', () => {
  const row = { partType: 'plate', audited: 312, bad: 1, share: 1 / 312, low: 0.00008, high: 0.0177, missing: 244 };
  const say = (change: Partial<typeof row> | { share: null; missing: number | null }, texts = enUS) =>
    escapeText({ ...row, ...change }, { bound: 0.01 }, texts, formatsOf(texts === enUS ? 'en-US' : 'de'));

  it('tells share, interval, and the audits that are missing', () => {
    assert.equal(
      say({}),
      'Of 312 audited passed parts 1 was bad: 0.32 %, 95 % sure between 0.01 and 1.8 %. 244 more audits without a bad part are missing to be sure of at most 1 %.',
    );
    assert.equal(
      say({}, de),
      'Von 312 nachgesehenen Gutteilen war 1 schlecht: 0,32 %, mit 95 % Sicherheit zwischen 0,01 und 1,8 %. Für höchstens 1 % fehlen noch 244 Stichproben ohne Fehlerteil.',
    );
  });

  it('says so when nothing was audited, the bound is reached, or out of reach', () => {
    const none = { audited: 0, bad: 0, share: null, low: 0, high: 1, missing: 368 };
    assert.equal(
      say(none),
      'No passed part was audited yet. 368 more audits without a bad part are missing to be sure of at most 1 %.',
    );
    assert.match(say({ high: 0.009, missing: 0 }), /within the wished 1 %\.$/);
    assert.match(say({ share: 0.5, missing: null as unknown as number }), /out of reach/);
    assert.match(say({ missing: 1 }, de), /fehlt noch 1 Stichprobe ohne Fehlerteil\.$/);
  });
});
