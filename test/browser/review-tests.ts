import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { approvalRequest, flagRequest, labelRequest, lockRequest } from '../../engine/api/schemas';
import type { AnomalyFinding, Box, LabelledBox, ReviewItem } from '../../engine/domain';
import type { NearestPicture } from '../../ui/shared/nearest';
import type { WidgetTools } from './widget-tools';

const PICTURE = { width: 1280, height: 720 };

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The review with all its parts but the boxes, which have tests of their own. */
export function reviewTests(tools: WidgetTools): void {
  const { show, see, untilStreaming } = tools;

  it('says that nothing waits', async () => {
    const page = await show('ui-review-queue');
    await see(page, 'Nothing to review');
  });

  it('decides by O and N with note and name, and goes on to the next picture', async () => {
    const first = await tools.station.addReview('REVIEW');
    const second = await tools.station.addReview('OK', ['audit-sample']);
    const page = await show('ui-review-queue');
    await see(page, 'Score lies between accept and reject', '.oq-review-reasons');
    await page.getByLabel('Your name').fill('Kim');
    await page.locator('textarea').fill('only dust');
    await page.keyboard.press('Escape');
    await page.keyboard.press('o');
    assert.deepEqual((await tools.station.request(new RegExp(`POST /labeling-queue/${first.id}/label`))).body, {
      label: 'OK',
      reviewer: 'Kim',
      note: 'only dust',
    });
    await see(page, 'Random sample of passed parts', '.oq-review-reasons');
    assert.equal(await page.locator('textarea').inputValue(), '');
    await page.keyboard.press('n');
    const request = await tools.station.request(new RegExp(`POST /labeling-queue/${second.id}/label`));
    assert.deepEqual(request.body, { label: 'NG', reviewer: 'Kim' });
    await see(page, 'Nothing to review');
    await see(page, 'only dust', '.oq-history');
  });

  it('ignores keys while someone types', async () => {
    await tools.station.addReview();
    const page = await show('ui-review-queue');
    await page.locator('textarea').focus();
    await page.keyboard.type('on su');
    assert.equal(await page.locator('textarea').inputValue(), 'on su');
    assert.ok(!tools.station.requests.some(({ line }) => line.startsWith('POST')));
  });

  it('skips, shows the skipped, and undoes the last decision', async () => {
    await tools.station.addReview('NG', ['score-above-reject']);
    await tools.station.addReview();
    const page = await show('ui-review-queue');
    await see(page, '2 pictures waiting');
    await page.keyboard.press('s');
    await see(page, 'Skipped 1', '.oq-tabs');
    await page.keyboard.press('o');
    await see(page, 'Nothing to review');
    await page.keyboard.press('u');
    await see(page, '1 picture waiting');
    await page.getByRole('button', { name: 'Skipped 1' }).click();
    await see(page, 'Deviates clearly from good parts', '.oq-review-reasons');
  });

  it("undoes its own last decision, not another client's that came after it", async () => {
    const own = await tools.station.addReview('REVIEW');
    const other = await tools.station.addReview('OK', ['audit-sample']);
    const page = await show('ui-review-queue');
    await see(page, '1 of 2');
    await untilStreaming();
    await page.keyboard.press('n');
    await see(page, '1 of 1');
    tools.station.decide(other.id, 'OK', 'Alex');
    await see(page, 'Nothing to review');
    await page.keyboard.press('u');
    assert.deepEqual((await tools.station.request(/POST \/labeling-queue\/undo/)).body, { id: own.id });
    await see(page, '1 picture waiting');
    assert.deepEqual(
      tools.station.reviews.map(({ label }) => label),
      [null, 'OK'],
    );
    assert.ok(await page.getByRole('button', { name: 'Undo' }).isDisabled());
  });

  it('moves between pictures by the arrow keys', async () => {
    await tools.station.addReview('REVIEW');
    await tools.station.addReview('OK', ['audit-sample']);
    const page = await show('ui-review-queue');
    await see(page, '1 of 2');
    await page.keyboard.press('ArrowRight');
    await see(page, 'Random sample of passed parts', '.oq-review-reasons');
    await page.keyboard.press('ArrowLeft');
    await see(page, '1 of 2');
  });

  it('moves on when another client has decided', async () => {
    const first = await tools.station.addReview('REVIEW');
    await tools.station.addReview('OK', ['audit-sample']);
    const page = await show('ui-review-queue');
    await see(page, '1 of 2');
    await untilStreaming();
    tools.station.decide(first.id, 'OK', 'Alex');
    await see(page, 'Someone else has decided this picture', '.oq-review-flash');
    await see(page, 'Random sample of passed parts', '.oq-review-reasons');
  });

  it('shows the next picture only when a key counts for it, though the list is newer than the answer', async () => {
    const first = await tools.station.addReview('REVIEW');
    const second = await tools.station.addReview('OK', ['audit-sample']);
    const page = await show('ui-review-queue');
    await see(page, '1 of 2');
    await untilStreaming();
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route(new RegExp(`/labeling-queue/${first.id}/label`), async (route) => {
      const response = await route.fetch();
      await answered;
      await route.fulfill({ response });
    });
    const isList = (url: string) => /\/labeling-queue\?.*state=pending/.test(url);
    const shorter = page.waitForResponse(async (response) => {
      if (!isList(response.url())) return false;
      return ((await response.json()) as { items: unknown[] }).items.length === 1;
    });
    await page.keyboard.press('o');
    await shorter;
    await see(page, '1 of 2');
    await see(page, 'Score lies between accept and reject', '.oq-review-reasons');
    answer();
    await see(page, 'Random sample of passed parts', '.oq-review-reasons');
    await page.keyboard.press('o');
    await tools.station.request(new RegExp(`POST /labeling-queue/${second.id}/label`));
    await see(page, 'Nothing to review');
  });

  it('moves on when its own decision comes too late', async () => {
    await tools.station.addReview('REVIEW');
    await tools.station.addReview('OK', ['audit-sample']);
    const page = await show('ui-review-queue');
    await see(page, '1 of 2');
    tools.station.failNext(/POST .*label/, { status: 409, code: 'already-decided', detail: 'Alex has decided it.' });
    tools.station.reviews.shift();
    await page.keyboard.press('o');
    await see(page, 'Someone else has decided this picture', '.oq-review-flash');
    await see(page, 'Random sample of passed parts', '.oq-review-reasons');
  });

  it('keeps the picture and shows what the station said when a decision fails', async () => {
    await tools.station.addReview();
    const page = await show('ui-review-queue');
    await see(page, '1 of 1');
    tools.station.failNext(/POST .*label/, { status: 503, code: 'store-unavailable', detail: 'The disk is full.' });
    await page.keyboard.press('o');
    await see(page, 'The disk is full.', '[role=alert]');
    await see(page, '1 of 1');
  });

  it('shows the keys by ?, and remembers the name of the reviewer', async () => {
    await tools.station.addReview();
    const page = await show('ui-review-queue');
    await page.keyboard.press('?');
    await see(page, 'Undo the last decision', 'dialog[open]');
    await page.keyboard.press('o');
    await page.keyboard.press('Escape');
    await page.getByLabel('Your name').fill('Kim');
    await page.reload();
    assert.equal(await page.getByLabel('Your name').inputValue(), 'Kim');
    assert.ok(!tools.station.requests.some(({ line }) => line.endsWith('/label')), 'the dialog keeps the keys');
  });

  /** Where the model points. */
  function regionOf(item: ReviewItem): Box {
    return (item.findings[0] as AnomalyFinding).regions[0].box;
  }
  function nearestOf(item: ReviewItem, other: string): NearestPicture {
    const { x, y } = regionOf(item);
    const pictureUrl = `/inspection/api/inspections/${other}/picture?width=512`;
    return {
      model: { name: 'plate', version: '3' },
      distance: 2.07,
      place: { x, y, width: 64, height: 36 },
      source: { name: 'ok-0042.jpg', ...PICTURE, place: { x: x + 20, y: y - 40, width: 64, height: 36 }, pictureUrl },
    };
  }
  const placeOf = async (page: Page, selector: string): Promise<Place> =>
    (await page.locator(selector).first().boundingBox())!;
  /** A place of the screen in pixels of the picture that fills `photo`. */
  function inPicture({ x, y, width, height }: Place, photo: Place): Place {
    const scale = PICTURE.width / photo.width;
    return { x: (x - photo.x) * scale, y: (y - photo.y) * scale, width: width * scale, height: height * scale };
  }
  function near(found: Place, wanted: Place, by: number): void {
    const keys = ['x', 'y', 'width', 'height'] as const;
    const off = Math.max(...keys.map((key) => Math.abs(found[key] - wanted[key])));
    assert.ok(off <= by, `${JSON.stringify(found)} is ${off} from ${JSON.stringify(wanted)}`);
  }
  const labels = (): number => tools.station.requests.filter(({ line }) => line.endsWith('/label')).length;

  it('zooms and pans by wheel, keys and mouse, and boxes stay exactly where they are drawn', async () => {
    const item = await tools.station.addReview();
    tools.station.review.nearest.set(item.id, nearestOf(item, item.id));
    const page = await show('ui-review-queue');
    await page.waitForSelector('.oq-edit');
    await page.waitForSelector('.oq-nearest-photo');
    const whole = await placeOf(page, '.oq-photo');
    const at = { x: whole.x + whole.width / 4, y: whole.y + whole.height / 4 };
    await page.mouse.move(at.x, at.y);
    for (let turn = 0; turn < 2; turn++) await page.mouse.wheel(0, -300);
    await page.locator('[data-action=zoom-whole]').filter({ hasText: '4×' }).waitFor();
    const zoomed = await placeOf(page, '.oq-photo');
    assert.ok(Math.abs(zoomed.width - 4 * whole.width) < 1);
    near(inPicture({ ...at, width: 0, height: 0 }, zoomed), { x: 320, y: 180, width: 0, height: 0 }, 1);
    for (const layer of ['.oq-map', '.oq-boxes', '.oq-edit']) near(await placeOf(page, layer), zoomed, 0.1);

    await page.mouse.down({ button: 'middle' });
    await page.mouse.move(at.x - 40, at.y - 30, { steps: 3 });
    await page.mouse.up({ button: 'middle' });
    await page.keyboard.down(' ');
    await page.mouse.down();
    await page.mouse.move(at.x - 80, at.y - 30, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.up(' ');
    const panned = await placeOf(page, '.oq-photo');
    near(panned, { ...zoomed, x: zoomed.x - 80, y: zoomed.y - 30 }, 0.1);
    assert.equal(await page.locator('.oq-edit-box').count(), 0, 'panning draws nothing');

    await page.mouse.move(at.x, at.y);
    await page.mouse.down();
    await page.mouse.move(at.x + 60, at.y + 30, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.press('Escape');
    await page.keyboard.press('0');
    const [drawn] = await Promise.all([placeOf(page, '.oq-edit-box'), page.waitForTimeout(50)]);
    near(await placeOf(page, '.oq-photo'), whole, 0.1);
    const pixels = PICTURE.width / panned.width;
    const wanted = {
      x: (at.x - panned.x) * pixels,
      y: (at.y - panned.y) * pixels,
      width: 60 * pixels,
      height: 30 * pixels,
    };
    near(inPicture(drawn, whole), wanted, 2);
    await page.keyboard.press('n');
    const { body } = await tools.station.request(/label$/);
    const [{ box }] = (body as { boxes: LabelledBox[] }).boxes;
    near(box, wanted, 1);
  });

  it('shows the most similar OK picture with both places marked, at the same detail, and says the finding in words', async () => {
    const first = await tools.station.addReview('NG', [], {}, { queueReasons: ['novel', 'near-threshold'] });
    const second = await tools.station.addReview('OK', ['audit-sample'], {}, { queueReasons: ['audit-sample'] });
    const nearest = nearestOf(first, second.id);
    tools.station.review.nearest.set(first.id, nearest);
    const page = await show('ui-review-queue');
    await page.waitForSelector('.oq-nearest-photo');
    await see(page, 'ok-0042.jpg · plate 3', '.oq-nearest');
    await see(page, 'Unlike all pictures looked at so far', '.oq-review-reasons');
    await see(page, /^anomaly 1\.4× the reject level, [\d.]+ % of the picture (at|on|in|top|bottom)/, '.oq-found dd');
    const marks = async (): Promise<readonly Place[]> => [
      inPicture(await placeOf(page, '.oq-fit .oq-mark'), await placeOf(page, '.oq-photo')),
      inPicture(await placeOf(page, '.oq-nearest .oq-mark'), await placeOf(page, '.oq-nearest-photo')),
    ];
    const [here, there] = await marks();
    near(here, nearest.place, 2);
    near(there, nearest.source.place, 2);
    await page.keyboard.press('z');
    await page.locator('.oq-stage[data-zoomed]').waitFor();
    near((await marks())[1], nearest.source.place, 2);
    const own = await placeOf(page, '.oq-fit .oq-mark');
    const stage = await placeOf(page, '.oq-review-picture .oq-fit');
    const other = await placeOf(page, '.oq-nearest .oq-mark');
    const otherStage = await placeOf(page, '.oq-nearest .oq-fit');
    const share = (mark: Place, all: Place) => (mark.x - all.x) / all.width;
    assert.ok(Math.abs(share(own, stage) - share(other, otherStage)) < 0.01, 'both show the same detail');
    await page.keyboard.press('ArrowRight');
    await see(page, 'The model keeps no pictures of its OK parts', '.oq-nearest');
    // whole again as soon as it is there
    await page.locator('.oq-stage:not([data-zoomed])').waitFor();
  });

  it('labels by a class key where the model points, with the flag of a mistake, in German', async () => {
    const item = await tools.station.addReview('REVIEW');
    await tools.station.addReview('OK', ['audit-sample']);
    const page = await show('ui-review-queue', { locale: 'de-DE' });
    await page.waitForSelector('.oq-edit');
    await page.keyboard.press('f');
    assert.equal(await page.getByRole('checkbox', { name: 'Das Modell lag falsch' }).isChecked(), true);
    await page.keyboard.press('t');
    await page.keyboard.type('Teil nachgearbeitet');
    await page.keyboard.press('Escape');
    await page.keyboard.press('2');
    const { body } = await tools.station.request(new RegExp(`${item.id}/label`));
    assert.ok(labelRequest.safeParse(body).success);
    assert.deepEqual(body, {
      label: 'NG',
      note: 'Teil nachgearbeitet',
      boxes: [{ label: 'dent', box: regionOf(item) }],
      modelMistake: true,
    });
    await see(page, 'Entschieden: NG, mit 1 Rahmen', '.oq-review-flash');
    // Nothing is marked on a good part: the class key asks for a box.
    await see(page, 'Stichprobe aus den Gutteilen', '.oq-review-reasons');
    await page.waitForFunction(() => document.querySelectorAll('.oq-edit-box').length === 0);
    await page.keyboard.press('3');
    await see(page, 'Zeichnen Sie ein, wo „stain“ ist.', '.oq-review-flash');
    assert.equal(labels(), 1);
  });

  it('asks a second person to approve, and nobody to approve what they labelled', async () => {
    const { station } = tools;
    const [first, second, third] = [
      await station.addReview('NG'),
      await station.addReview('NG'),
      await station.addReview(),
    ];
    const boxes = [{ label: 'scratch', box: { x: 200, y: 100, width: 320, height: 180 } }];
    station.review.decide(first.id, { label: 'NG', reviewer: 'Anna', boxes, modelMistake: true, note: 'deep' });
    station.review.decide(second.id, { label: 'OK', reviewer: 'Anna' });
    station.review.decide(third.id, { label: 'OK', reviewer: 'Bert' });
    const page = await show('ui-review-queue');
    await page.locator('[data-tab=labelled]').filter({ hasText: '3' }).click();
    await see(page, 'Enter your name above', '.oq-decision');
    await page.getByLabel('Your name').fill('Bert');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.oq-edit-box');
    for (const text of ['Anna', 'scratch', 'deep', 'Flagged as a mistake']) await see(page, text, '.oq-decision');
    near(inPicture(await placeOf(page, '.oq-edit-box'), await placeOf(page, '.oq-photo')), boxes[0].box, 3);
    await page.keyboard.press('a');
    const approved = await station.request(new RegExp(`${first.id}/approve`));
    assert.ok(approvalRequest.safeParse(approved.body).success);
    assert.deepEqual(approved.body, { reviewer: 'Bert' });
    await see(page, '1 of 2');
    await page.keyboard.press('r');
    await station.request(new RegExp(`${second.id}/reject`));
    await see(page, 'You labelled this picture.', '.oq-decision');
    await page.keyboard.press('a');
    assert.ok(!station.requests.some(({ line }) => line.includes(`${third.id}/approve`)));
    await page.locator('[data-tab=rejected]').filter({ hasText: '1' }).click();
    await see(page, 'Is this part good?');
    await page.keyboard.press('n');
    await station.request(new RegExp(`${second.id}/label`));
  });

  it('keeps a picture for one reviewer, shows who looks at another, and takes none that is held', async () => {
    const { station } = tools;
    const items = [
      await station.addReview(),
      await station.addReview('NG'),
      await station.addReview('OK', ['audit-sample']),
    ];
    station.review.lock(items[0].id, 'Anna');
    const page = await show('ui-review-queue');
    await page.getByLabel('Your name').fill('Bert');
    await page.keyboard.press('Enter');
    await see(page, '2 of 3');
    const locked = await station.request(new RegExp(`${items[1].id}/lock`));
    assert.ok(lockRequest.safeParse(locked.body).success);
    assert.deepEqual(locked.body, { reviewer: 'Bert' });
    await page.keyboard.press('ArrowLeft');
    await see(page, 'Anna is looking at this picture.', '.oq-decision');
    await page.keyboard.press('o');
    assert.equal(await page.locator('.oq-decide').first().isDisabled(), true);
    assert.equal(labels(), 0);
    // The one that comes next was kept too; it is not next any more.
    await station.request(new RegExp(`${items[2].id}/lock`));
    await station.request(new RegExp(`${items[2].id}/unlock`));
    await untilStreaming();
    station.review.lock(items[0].id, 'Anna', -10_000);
    await page.locator('.oq-held').waitFor({ state: 'detached' });
    await station.request(new RegExp(`${items[0].id}/lock`));
    // Taken in the very moment.
    station.reviews[0] = {
      ...station.reviews[0],
      lock: { reviewer: 'Cleo', until: new Date(Date.now() + 60_000).toISOString() },
    };
    await page.keyboard.press('o');
    await see(page, 'Cleo is looking at this picture', '.oq-decision');
    await see(page, '1 of 3');
    await page.locator('[data-action=next-free]').click();
    await see(page, '2 of 3');
  });

  it('orders by information, filters by reason, and tells the escape estimate in words', async () => {
    const { station } = tools;
    await station.addReview('REVIEW', [], {}, { queueReasons: ['near-threshold'], information: 0.2 });
    await station.addReview('NG', [], {}, { queueReasons: ['disagreement'], information: 0.9 });
    const row = { partType: 'plate', audited: 312, bad: 1, share: 1 / 312, low: 0.00008, high: 0.0177, missing: 244 };
    station.review.escapes = { bound: 0.01, confidence: 0.95, items: [{ ...row, week: '2026-W47' }], total: [row] };
    const page = await show('ui-review-queue');
    await see(page, 'The score is close to a threshold', '.oq-review-reasons');
    await page.locator('select[name=order]').selectOption('information');
    await see(page, 'The analyses disagree', '.oq-review-reasons');
    await page.locator('select[name=filterReason]').selectOption('near-threshold');
    await see(page, '1 of 1');
    await see(page, 'The score is close to a threshold', '.oq-review-reasons');
    await page.locator('.oq-statistics summary').click();
    const text =
      'plate: Of 312 audited passed parts 1 was bad: 0.32 %, 95 % sure between 0.01 and 1.8 %. 244 more audits without a bad part are missing to be sure of at most 1 %.';
    await see(page, text, '.oq-escapes');
    await see(page, '2026-W47', '.oq-escapes tbody');
    await see(page, 'similar pictures wait', '[data-figure=declined]');
    await page.locator('input[name=bound]').fill('0,5');
    await see(page, 'to be sure of at most 0.5 %', '.oq-escapes');
    await page.reload();
    assert.equal(await page.locator('select[name=order]').inputValue(), 'information');
  });

  it('lets an operator at the line have a part looked at', async () => {
    const item = await tools.station.addReview('OK', ['score-below-accept']);
    const page = await show('ui-inspection-view');
    await see(page, 'Have it looked at', '.oq-line-part');
    await page.keyboard.press('f');
    const { body } = await tools.station.request(/POST \/labeling-queue\/flag/);
    assert.ok(flagRequest.safeParse(body).success);
    assert.deepEqual(body, { inspectionId: item.id });
    await see(page, 'A person will look at it', '.oq-line-part');
    assert.equal(await page.locator('[data-action=flag]').isDisabled(), true);
  });

  it('has the next picture ready', async () => {
    const { station } = tools;
    const items: ReviewItem[] = [];
    for (let count = 0; count < 6; count++) items.push(await station.addReview('REVIEW'));
    for (const item of items) station.review.nearest.set(item.id, nearestOf(item, item.id));
    const page = await show('ui-review-queue');
    await page.waitForSelector('.oq-nearest-photo');
    const times: number[] = [];
    for (const next of items.slice(1)) {
      await station.request(new RegExp(`GET /inspections/${next.id}/nearest`));
      await page.waitForTimeout(150);
      times.push(await page.evaluate(untilShown, next.id));
    }
    await station.request(new RegExp(`POST /labeling-queue/${items[4].id}/label`));
    const sorted = times.toSorted((a, b) => a - b);
    console.log(
      `      next picture, with the most similar one: ${sorted.map((one) => one.toFixed(0)).join(', ')} ms after the key`,
    );
    assert.equal(labels(), 5);
  });

  it('zooms with two fingers and moves with one, on a phone', async () => {
    await tools.station.addReview();
    const page = await show('ui-review-queue', { width: 390 });
    await page.waitForSelector('.oq-edit');
    const touch = await page.context().newCDPSession(page);
    const whole = await placeOf(page, '.oq-photo');
    const [x, y] = [whole.x + whole.width / 2, whole.y + whole.height / 2];
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) =>
      touch.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })),
      });
    await send('touchStart', [x - 30, y], [x + 30, y]);
    for (const spread of [45, 60, 75, 90]) await send('touchMove', [x - spread, y], [x + spread, y]);
    await send('touchEnd');
    const zoomed = await placeOf(page, '.oq-photo');
    assert.ok(Math.abs(zoomed.width / whole.width - 3) < 0.05, `${zoomed.width / whole.width}`);
    await send('touchStart', [x, y]);
    for (const by of [10, 20, 30]) await send('touchMove', [x + by, y + by / 2]);
    await send('touchEnd');
    near(await placeOf(page, '.oq-photo'), { ...zoomed, x: zoomed.x + 30, y: zoomed.y + 15 }, 1);
    assert.equal(await page.locator('.oq-edit-box').count(), 0);
    const ok = await placeOf(page, '.oq-decide');
    assert.ok(ok.y + ok.height <= 900, 'the decision is within reach of a thumb');
  });
}

/** Runs in the page: presses N, and gives the milliseconds until the picture of this part is painted with the one beside it. */
async function untilShown(id: string): Promise<number> {
  const start = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true }));
  const ready = (selector: string): boolean => {
    const image = document.querySelector<HTMLImageElement>(selector);
    return image?.src.includes(id) === true && image.complete;
  };
  while (!ready('.oq-photo') || !ready('.oq-nearest-photo')) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return performance.now() - start;
}
