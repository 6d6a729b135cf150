import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { labelRequest } from '../../engine/api/schemas';
import type { LabelledBox } from '../../engine/domain';
import { DETECTED, NAMED } from './mock-models';
import type { WidgetTools } from './widget-tools';

const PICTURE = { width: 1280, height: 720 };

/** Boxes on the live picture and in the review. */
export function boxTests(tools: WidgetTools): void {
  const { show, see } = tools;

  async function review(options: Parameters<WidgetTools['show']>[1] = {}, found = true): Promise<Page> {
    await tools.station.addReview('REVIEW', ['defect-detected'], found ? { findings: [DETECTED] } : {});
    const page = await show('ui-review-queue', options);
    await page.waitForSelector('.oq-edit');
    return page;
  }

  /** From picture pixels to the screen. */
  async function onScreen(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
    const layer = (await page.locator('.oq-edit').boundingBox())!;
    return { x: layer.x + (x / PICTURE.width) * layer.width, y: layer.y + (y / PICTURE.height) * layer.height };
  }

  async function drag(page: Page, from: [number, number], to: [number, number]): Promise<void> {
    const start = await onScreen(page, ...from);
    const end = await onScreen(page, ...to);
    await page.mouse.move(start.x, start.y);
    await page.mouse.down();
    await page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2);
    await page.mouse.move(end.x, end.y);
    await page.mouse.up();
  }

  /** The body with which the picture was decided. */
  async function decided(): Promise<{ label: string; boxes?: LabelledBox[] }> {
    const { body } = await tools.station.request(/POST \/labeling-queue\/\w+\/label/);
    const { success, error } = labelRequest.safeParse(body);
    assert.ok(success, error?.message);
    return body as { label: string; boxes?: LabelledBox[] };
  }

  function near({ box }: LabelledBox, x: number, y: number, width: number, height: number, by = 4): void {
    const off = [box.x - x, box.y - y, box.width - width, box.height - height].map(Math.abs);
    assert.ok(Math.max(...off) <= by, JSON.stringify(box));
  }

  const boxNames = (page: Page) =>
    page.locator('.oq-edit-box').evaluateAll((all) => all.map((box) => box.getAttribute('aria-label')));

  it('shows detections over the live picture, legible on a phone too, and says them in words', async () => {
    await tools.station.addInspection('NG', { findings: [DETECTED, NAMED] });
    for (const width of [1440, 390]) {
      const page = await show('ui-inspection-view', { width });
      await page.waitForSelector('.oq-boxes rect[data-found]');
      const plates = page.locator('.oq-tag-plate');
      assert.deepEqual(await plates.allTextContents(), ['scratch, 91 %', 'stain, 47 %']);
      assert.equal(await plates.first().evaluate((plate) => getComputedStyle(plate).fontSize), '12px');
      const photo = (await page.locator('.oq-photo').boundingBox())!;
      const rect = (await page.locator('.oq-box[data-found]').first().boundingBox())!;
      const scale = photo.width / PICTURE.width;
      assert.ok(Math.abs(rect.x - photo.x - 200 * scale) < 3, `${rect.x - photo.x} at scale ${scale}`);
      assert.ok(Math.abs(rect.width - 320 * scale) < 5);
      await see(page, 'scratch (91 %), stain (47 %)', '.oq-found');
      await see(page, 'porosity 83 %, good 12 %, undercut 5 %', '.oq-found');
      await page.getByRole('checkbox', { name: 'Outlines' }).uncheck();
      assert.equal(await page.locator('.oq-boxes, .oq-plates').count(), 0);
    }
  });

  it('says in words that a detector found nothing, and from which confidence it counts', async () => {
    await tools.station.addInspection('OK', { findings: [{ ...DETECTED, detections: [] } as typeof DETECTED] });
    const page = await show('ui-inspection-view', { locale: 'de-DE' });
    await see(page, 'nichts gefunden (ab 25 %)', '.oq-found');
  });

  it('leaves proposals alone that nobody has confirmed: the label says nothing about boxes', async () => {
    const page = await review();
    await see(page, '2 proposals of the model', '.oq-box-tools');
    assert.equal(await page.locator('.oq-edit-box[data-proposed]').count(), 2);
    await page.keyboard.press('n');
    assert.deepEqual(await decided(), { label: 'NG' });
  });

  it('confirms proposals one by one and all at once', async () => {
    const page = await review();
    await page.locator('[data-box="1"]').click();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('.oq-edit-box[data-proposed]').count(), 1);
    await page.keyboard.press('n');
    await see(page, '1 proposal is not confirmed yet.', 'dialog[open]');
    await page.locator('dialog[open]').getByRole('button', { name: 'Cancel' }).click();
    await page.keyboard.press('a');
    await page.keyboard.press('n');
    const { label, boxes } = await decided();
    assert.equal(label, 'NG');
    assert.deepEqual(
      boxes,
      (DETECTED.kind === 'detections' ? DETECTED.detections : []).map(({ label, box }) => ({ label, box })),
    );
    await see(page, 'Decided: NG, with 2 boxes', '.oq-review-flash');
    await see(page, '2 boxes', '.oq-history');
  });

  it('leaves out, when asked, what is not confirmed', async () => {
    const page = await review();
    await page.locator('[data-box="1"]').click();
    await page.keyboard.press('Enter');
    await page.keyboard.press('n');
    await page.locator('dialog[open] [data-action=leave]').click();
    assert.deepEqual(
      (await decided()).boxes?.map(({ label }) => label),
      ['stain'],
    );
  });

  it('draws, names and sends boxes in pixels of the picture', async () => {
    const page = await review({}, false);
    await drag(page, [300, 200], [500, 320]);
    await page.keyboard.press('2');
    await page.keyboard.press('b');
    await drag(page, [350, 220], [450, 300]);
    await page.keyboard.press('3');
    await page.keyboard.press('n');
    const { boxes } = await decided();
    assert.deepEqual(
      boxes?.map(({ label }) => label),
      ['dent', 'stain'],
    );
    near(boxes![0], 300, 200, 200, 120);
    near(boxes![1], 350, 220, 100, 80);
  });

  it('moves and resizes by mouse, and takes back and repeats each as one step', async () => {
    const page = await review({}, false);
    await drag(page, [300, 200], [500, 320]);
    await drag(page, [400, 260], [500, 300]);
    await drag(page, [600, 360], [700, 400]);
    const [moved] = await boxNames(page);
    assert.match(moved!, /^Box: scratch, (29|30)\d × 1[56]\d pixels at (39|40)\d, (23|24)\d$/);
    await page.keyboard.press('u');
    await page.keyboard.press('Control+z');
    const [before] = await boxNames(page);
    assert.match(before!, /pixels at (29|30)\d, (19|20)\d$/);
    await page.keyboard.press('r');
    await page.keyboard.press('Control+y');
    assert.deepEqual(await boxNames(page), [moved]);
    for (let step = 0; step < 3; step++) await page.locator('[data-action=undo-box]').click();
    assert.deepEqual(await boxNames(page), []);
    assert.ok(!tools.station.requests.some(({ line }) => line.startsWith('POST')), 'u took back boxes, no decision');
  });

  it('draws, moves, resizes and removes by keys alone, and tells it to a screen reader', async () => {
    const page = await review({}, false);
    await page.keyboard.press('b');
    await page.keyboard.press('Enter');
    assert.deepEqual(await boxNames(page), ['Box: scratch, 256 × 144 pixels at 512, 288']);
    const box = page.locator('.oq-edit-box');
    assert.equal(await box.getAttribute('aria-pressed'), 'true');
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowUp', 'Shift+ArrowRight', 'Shift+ArrowDown']) {
      await page.keyboard.press(key);
    }
    // A step is one pixel of the screen: here the picture is a little larger than its place on it.
    assert.deepEqual(await boxNames(page), ['Box: scratch, 257 × 145 pixels at 514, 287']);
    await see(page, '1 of 1');
    await page.keyboard.press('Escape');
    assert.equal(await box.getAttribute('aria-pressed'), 'false');
    await box.focus();
    await page.keyboard.press('Delete');
    assert.deepEqual(await boxNames(page), []);
    await page.keyboard.press('n');
    assert.deepEqual((await decided()).boxes, []);
  });

  it('draws and resizes with a finger, on a phone', async () => {
    const page = await review({ width: 390 }, false);
    await page.locator('[data-action=draw]').tap();
    const touch = await page.context().newCDPSession(page);
    const swipe = async (from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> => {
      await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [from] });
      for (const share of [0.3, 0.7, 1]) {
        const point = { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) };
        await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [point] });
      }
      await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    };
    await page.locator('.oq-edit').scrollIntoViewIfNeeded();
    await swipe(await onScreen(page, 300, 200), await onScreen(page, 700, 400));
    await page.locator('[data-handle=se]').waitFor();
    await swipe(await onScreen(page, 700, 400), await onScreen(page, 900, 500));
    await page.locator('.oq-edit-box[aria-pressed=true]').waitFor();
    await page.locator('.oq-chip[data-class=stain]').tap();
    await page.getByRole('button', { name: 'NG', exact: true }).tap();
    const { boxes } = await decided();
    assert.equal(boxes?.length, 1);
    assert.equal(boxes![0].label, 'stain');
    near(boxes![0], 300, 200, 600, 300, 10);
  });

  it('asks what an OK with boxes means', async () => {
    const page = await review();
    await page.keyboard.press('a');
    await page.keyboard.press('o');
    await see(page, 'The part is OK, but 2 boxes are marked on it.', 'dialog[open]');
    await page.keyboard.press('Escape');
    assert.ok(!tools.station.requests.some(({ line }) => line.startsWith('POST')));
    await page.keyboard.press('o');
    await page.locator('dialog[open] [data-action=clear]').click();
    assert.deepEqual(await decided(), { label: 'OK', boxes: [] });
  });

  it('takes a new class, and offers it from then on', async () => {
    const page = await review({}, false);
    await drag(page, [300, 200], [500, 320]);
    await page.locator('[data-action=new-class]').click();
    await page.locator('input[name=newClass]').fill('under on');
    await page.keyboard.press('Enter');
    await page.locator('.oq-chip[data-class="under on"][aria-pressed=true]').waitFor();
    await page.keyboard.press('n');
    assert.deepEqual(
      (await decided()).boxes?.map(({ label }) => label),
      ['under on'],
    );
  });

  it('keeps boxes not sent yet while one looks at another picture', async () => {
    await tools.station.addReview('OK', ['audit-sample']);
    const page = await review({}, false);
    await see(page, '1 of 2');
    await drag(page, [300, 200], [500, 320]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('ArrowRight');
    await see(page, '2 of 2');
    await page.waitForFunction(() => document.querySelectorAll('.oq-edit-box').length === 0);
    await page.keyboard.press('ArrowLeft');
    await page.locator('.oq-edit-box').waitFor();
  });

  it('begins with the boxes of an earlier label', async () => {
    const item = await tools.station.addReview('REVIEW', ['defect-detected'], { findings: [DETECTED] });
    const boxes = [{ label: 'dent', box: { x: 10, y: 20, width: 100, height: 50 } }];
    tools.station.reviews[0] = { ...item, boxes };
    const page = await show('ui-review-queue');
    await page.waitForSelector('.oq-edit-box');
    assert.deepEqual(await boxNames(page), ['Box: dent, 100 × 50 pixels at 10, 20']);
    await page.keyboard.press('n');
    assert.deepEqual((await decided()).boxes, boxes);
  });

  it('shows the keys of boxes by ?, in German too', async () => {
    const page = await review({ locale: 'de-DE' });
    await page.keyboard.press('?');
    await see(page, 'Gewählten Rahmen verschieben', 'dialog[open]');
  });
}
