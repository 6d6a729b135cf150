import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { trainingRequest } from '../../engine/api/schemas';
import { type AnomalyFinding, packageRoot } from '../../engine/domain';
import { waitFor } from '../support/wait';
import { boxTests } from './box-tests';
import { gateReport, retrainStatus } from './mock-loop';
import type { MockStation } from './mock-station';
import { modelTests } from './model-tests';
import { retrainingTests } from './retraining-tests';
import { reviewTests } from './review-tests';
import {
  type Dashboard,
  launchBrowser,
  needChromium,
  type OpenPage,
  openPage,
  startDashboard,
  WIDGETS,
  type WidgetType,
} from './ui-support';

/** A machine that is busy with other tests may take many times as long as a quiet one. */
const TIMEOUT = 40_000;

describe('dashboard widgets in a browser', function () {
  this.timeout(180_000);

  let dashboard: Dashboard;
  let station: MockStation;
  let browser: Browser;
  const open: OpenPage[] = [];
  /** What any page complained about in its console. */
  const errors: string[] = [];

  before(async function () {
    needChromium(this);
    const { buildWidgets } = await import(pathToFileURL(join(packageRoot, 'ui/build.mjs')).href);
    await buildWidgets();
    dashboard = await startDashboard();
    station = dashboard.station;
    browser = await launchBrowser([
      '--use-fake-device-for-media-stream',
      '--host-resolver-rules=MAP line.test 127.0.0.1',
    ]);
  });
  after(async () => {
    await browser?.close();
    await dashboard?.close();
  });
  afterEach(async () => {
    errors.push(...open.flatMap((one) => one.errors));
    for (const { context } of open.splice(0)) await context.close();
    station.reset();
    dashboard.sent.length = 0;
  });

  async function show(widget: WidgetType, options: Parameters<typeof openPage>[2] = {}): Promise<Page> {
    const opened = await openPage(browser, dashboard.address(widget), options);
    open.push(opened);
    opened.page.setDefaultTimeout(TIMEOUT);
    await opened.page.waitForSelector('.oq');
    return opened.page;
  }

  async function see(page: Page, text: string | RegExp, within = '.oq'): Promise<void> {
    await page.locator(within).filter({ hasText: text }).first().waitFor({ timeout: TIMEOUT });
  }

  function message(): Promise<Record<string, unknown>> {
    return waitFor('a message of the node', () => dashboard.sent.at(-1));
  }

  async function fill(): Promise<void> {
    for (const verdict of ['OK', 'NG', 'REVIEW'] as const) await station.addInspection(verdict);
    await station.addReview();
    station.addVersion('1', false);
    station.addVersion('2', true);
    station.setRouting('plate', { thresholds: { accept: 1.6, reject: 2.2 } }, 'Kim');
    station.loop.retraining.push(retrainStatus());
    station.addJob({ state: 'failed', error: { code: 'too-few', message: 'Only 5 pictures could be read.' } });
  }

  const firstWords: Record<WidgetType, { readonly en: string; readonly de: string }> = {
    'ui-inspection-view': { en: 'Trigger inspection', de: 'Prüfung auslösen' },
    'ui-review-queue': { en: 'Is this part good?', de: 'Ist dieses Teil gut?' },
    'ui-camera': { en: 'Start camera', de: 'Kamera starten' },
    'ui-training': { en: 'Labelled pictures of “plate”', de: 'Bewertete Bilder von „plate“' },
    'ui-models': { en: 'In production', de: 'Im Einsatz' },
    'ui-retraining': { en: 'Train now', de: 'Jetzt anlernen' },
    'ui-routing-settings': { en: 'Audit share in %', de: 'Stichprobe in %' },
  };

  for (const widget of Object.keys(WIDGETS) as WidgetType[]) {
    for (const theme of ['dark', 'light'] as const) {
      it(`shows ${widget} in the ${theme} theme, wide in English and on a phone in German`, async () => {
        await fill();
        for (const [language, width] of [
          ['en', 1440],
          ['de', 390],
        ] as const) {
          const locale = language === 'en' ? 'en-US' : 'de-DE';
          const opened = await openPage(browser, dashboard.address(widget, theme), { locale, width });
          open.push(opened);
          await see(opened.page, firstWords[widget][language]);
          const look = await opened.page.evaluate(measureLook);
          assert.ok(look.contrast >= 7, `text against background: ${look.contrast.toFixed(1)}`);
          assert.equal(look.dark, theme === 'dark');
          assert.deepEqual(look.outside, [], 'nothing reaches out of the page');
          assert.deepEqual(look.unnamed, [], 'every control has a name');
        }
      });
    }
  }

  describe('ui-inspection-view', () => {
    it('says that no part was inspected yet', async () => {
      const page = await show('ui-inspection-view');
      await see(page, 'No part inspected yet');
    });

    it('shows verdict, reason, score, thresholds, part type and serial of the newest part', async () => {
      await station.addInspection('OK');
      await station.addInspection('NG', { serial: 'S-77' });
      const page = await show('ui-inspection-view');
      await see(page, 'NG', '.oq-line-verdict.oq-verdict-NG');
      await see(page, 'Deviates clearly from good parts', '.oq-line-part');
      const text = await page.locator('.oq-line-part').textContent();
      for (const part of ['3.46', '1.80', '2.40', 'plate', 'S-77', '54 ms']) assert.ok(text?.includes(part), part);
      const label = await page.locator('.oq-score').getAttribute('aria-label');
      assert.equal(label, 'Score 3.46; accept up to 1.80, reject above 2.40');
    });

    it('lays the heat map exactly over the picture, with the opacity of the slider', async () => {
      await station.addInspection('NG');
      const page = await show('ui-inspection-view');
      await page.waitForSelector('.oq-boxes rect');
      const { map, photo } = await page.evaluate(measureOverlay);
      assert.deepEqual(map.place, photo);
      // The mock's map glows around the middle of the region and is black in the corner.
      const { regions } = station.inspections[0].findings[0] as AnomalyFinding;
      const { x, y, width, height } = regions[0].box;
      assert.ok(Math.abs(map.hottest.x - (x + width / 2)) < 40, `hottest at ${JSON.stringify(map.hottest)}`);
      assert.ok(Math.abs(map.hottest.y - (y + height / 2)) < 40);
      assert.equal(map.corner, 0);
      assert.equal(await page.locator('.oq-box').first().getAttribute('x'), String(x));
      await page.locator('.oq-slider input').fill('25');
      assert.equal(await page.locator('.oq-map').evaluate((canvas) => getComputedStyle(canvas).opacity), '0.25');
      await page.getByRole('checkbox', { name: 'Heat map' }).uncheck();
      assert.equal(await page.locator('.oq-map').isVisible(), false);
    });

    it('shows a picture that EXIF wants turned as its pixels are stored, so that the heat map fits', async () => {
      station.turned = true;
      await station.addInspection('NG');
      const page = await show('ui-inspection-view');
      await page.waitForSelector('.oq-boxes rect');
      const { map, photo } = await page.evaluate(measureOverlay);
      assert.deepEqual(map.place, photo);
      assert.equal(await page.locator('.oq-boxes').getAttribute('viewBox'), '0 0 1280 720');
      await page.getByRole('checkbox', { name: 'Heat map' }).uncheck();
      await page.getByRole('checkbox', { name: 'Outlines' }).uncheck();
      const shown = await page.locator('.oq-photo').screenshot();
      station.reset();
      await station.addInspection('NG');
      await page.reload();
      await page.waitForSelector('.oq-boxes rect');
      await page.getByRole('checkbox', { name: 'Heat map' }).uncheck();
      await page.getByRole('checkbox', { name: 'Outlines' }).uncheck();
      const upright = await page.locator('.oq-photo').screenshot();
      assert.ok((await difference(shown, upright)) < 3, 'the same picture');
    });

    it('follows the line by pushed events and announces each verdict', async () => {
      await station.addInspection('OK');
      const page = await show('ui-inspection-view');
      await see(page, 'OK', '.oq-line-verdict');
      await station.settle('REVIEW');
      await see(page, 'REVIEW', '.oq-line-verdict.oq-verdict-REVIEW');
      await see(page, 'REVIEW, plate. Score lies between accept and reject', '[role=status]');
      assert.equal(await page.locator('.oq-strip li').count(), 2);
    });

    it('looks back by arrow keys, stays there when parts come, and returns to live by Esc', async () => {
      await station.addInspection('NG');
      await station.addInspection('OK');
      const page = await show('ui-inspection-view');
      await page.waitForSelector('.oq-strip li:nth-child(2)');
      await page.keyboard.press('ArrowRight');
      await see(page, 'NG', '.oq-line-verdict');
      await see(page, 'Looking back', '.oq-line-back');
      await station.settle('REVIEW');
      await page.waitForSelector('.oq-strip li:nth-child(3)');
      assert.ok((await page.locator('.oq-line-verdict').textContent())?.includes('NG'));
      await page.keyboard.press('Escape');
      await see(page, 'REVIEW', '.oq-line-verdict');
    });

    it('triggers by button and by the space key', async () => {
      const page = await show('ui-inspection-view');
      await page.getByRole('button', { name: 'Trigger inspection' }).click();
      assert.equal((await message()).topic, 'trigger');
      dashboard.sent.length = 0;
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      await page.keyboard.press('Space');
      assert.equal((await message()).topic, 'trigger');
      assert.equal(dashboard.sent.length, 1);
    });

    it('says why a part could not be inspected', async () => {
      await station.addInspection('NG', { failSafe: true });
      const page = await show('ui-inspection-view');
      await see(page, 'No model is deployed for this part type', '.oq-line-reasons');
      await see(page, 'Train one or deploy a version', '.oq-line-part');
    });

    it('shows tower light, faults and counters in words', async () => {
      for (const verdict of ['OK', 'OK', 'OK', 'NG'] as const) await station.addInspection(verdict);
      station.faults = [{ code: 'plc', message: 'The PLC does not answer.', at: '2026-03-10T08:00:00Z' }];
      const page = await show('ui-inspection-view');
      await see(page, 'The PLC does not answer.', '[role=alert]');
      await see(page, '75.0', '.oq-counter');
      await untilStreaming();
      station.push('lamp', { node: 'lamp', colour: 'red', flashing: true, connected: false });
      await see(page, 'Red, flashing', '.oq-lamp');
      await see(page, 'disconnected', '.oq-lamp');
    });

    it("tells the station's faults in the user's language, those that came before and those that come", async () => {
      const fault = (folder: string) => ({
        code: 'store-disk-full',
        message: `The disk of ${folder} is full.`,
        parameters: { folder },
      });
      station.faults = [{ ...fault('/data/a'), at: '2026-03-10T08:00:00Z' }];
      const page = await show('ui-inspection-view', { locale: 'de-DE' });
      await see(page, 'Der Datenträger', '[role=alert]');
      await see(page, '/data/a', '[role=alert]');
      await untilStreaming();
      station.push('fault', fault('/data/b'));
      await see(page, '/data/b', '[role=alert]');
      await see(page, 'Der Datenträger', '[role=alert]');
      station.push('fault', { code: 'internal-error', message: 'A listener broke.' });
      await see(page, 'A listener broke.', '[role=alert]');
    });

    it('tells when the connection is lost, and fetches what it missed when it is back', async () => {
      await station.addInspection('OK');
      const page = await show('ui-inspection-view');
      await see(page, 'OK', '.oq-line-verdict');
      await untilStreaming();
      station.offline = true;
      station.cut();
      await see(page, 'Connection lost', '[role=alert]');
      await station.addInspection('NG');
      station.offline = false;
      await see(page, 'NG', '.oq-line-verdict');
      await page.locator('.oq-banner-lost').waitFor({ state: 'detached' });
    });
  });

  async function untilStreaming(): Promise<void> {
    await waitFor('a widget that listens to events', () => station.streams > 0);
  }

  describe('ui-camera', () => {
    it('takes a 1280x720 picture, shows the verdict, and the node sends it on', async () => {
      const inspection = await station.addInspection('REVIEW');
      const page = await show('ui-camera', { camera: true });
      await page.getByRole('button', { name: 'Start camera' }).click();
      await page.getByRole('button', { name: 'Take picture' }).click();
      await see(page, 'REVIEW', '.oq-camera-verdict');
      await see(page, '2.07', '.oq-score');
      const { width, height, format } = await sharp(station.uploads[0]).metadata();
      assert.deepEqual({ width, height, format }, { width: 1280, height: 720, format: 'jpeg' });
      const { topic, payload } = await message();
      assert.equal(topic, 'inspection');
      assert.equal((payload as { id: string; verdict: string }).id, inspection.id);
      assert.equal((payload as { id: string; verdict: string }).verdict, 'REVIEW');
    });

    it("tells the station's error in the user's language", async () => {
      const page = await show('ui-camera', { camera: true, locale: 'de-DE' });
      await page.getByRole('button', { name: 'Kamera starten' }).click();
      station.failNext(/upload/, {
        status: 503,
        code: 'no-model',
        detail: 'No model is deployed for part type plate.',
        parameters: { partType: 'plate' },
      });
      await page.getByRole('button', { name: 'Bild aufnehmen' }).click();
      await see(page, 'Für den Teiletyp plate ist kein Modell im Einsatz', '[role=alert]');
    });

    it("answers the line's request with a picture", async () => {
      const page = await show('ui-camera', { camera: true });
      await page.getByRole('button', { name: 'Start camera' }).click();
      await page.getByRole('button', { name: 'Take picture' }).waitFor();
      await page.waitForFunction(() => (document.querySelector('video') as HTMLVideoElement).videoWidth > 0);
      const waiting = dashboard.cameras.request('camera-1', 10_000);
      waiting.catch(() => {});
      await station.request(/POST \/browser-cameras\/\w+/);
      const { width } = await sharp(station.uploads[0]).metadata();
      assert.equal(width, 1280);
      await see(page, 'The line asked for a picture');
    });

    it('explains what to do when access is denied', async () => {
      const page = await show('ui-camera');
      await page.getByRole('button', { name: 'Start camera' }).click();
      await see(page, 'Access to the camera was denied', '[role=alert]');
      await see(page, 'allow the camera for this page', '[role=alert]');
    });

    it('explains what to do on an insecure address', async () => {
      const address = dashboard.address('ui-camera').replace('127.0.0.1', 'line.test');
      const opened = await openPage(browser, address);
      open.push(opened);
      await see(opened.page, 'Cameras work only on https://', '[role=alert]');
    });

    it('explains what to do when there is no camera', async () => {
      const bare = await launchBrowser(['--use-fake-ui-for-media-stream']);
      const opened = await openPage(bare, dashboard.address('ui-camera'), { camera: true });
      await opened.page.getByRole('button', { name: 'Start camera' }).click();
      await see(opened.page, 'No camera found', '[role=alert]');
      await bare.close();
    });
  });

  describe('ui-training', () => {
    it('starts a training from labelled pictures and shows its progress', async () => {
      station.addVersion('1', true);
      const page = await show('ui-training');
      await see(page, '42 OK pictures');
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      const { body } = await station.request(/POST \/training\/start$/);
      assert.deepEqual(body, { partType: 'plate', source: { kind: 'labelled' }, deploy: true });
      await see(page, 'Training “plate”', '.oq-job-now');
      await untilStreaming();
      station.jobs[0] = {
        ...station.jobs[0],
        state: 'running',
        progress: { stage: 'coreset', percent: 62.4, remainingSeconds: 41 },
      };
      station.push('job', station.jobs[0]);
      await see(page, 'Choosing the memory bank', '.oq-job-now');
      await see(page, 'about 41 s left', '.oq-job-now');
      assert.equal(await page.getByRole('progressbar').getAttribute('aria-valuenow'), '62');
      await page.getByRole('button', { name: 'Cancel training' }).click();
      await page.locator('dialog[open]').getByRole('button', { name: 'Cancel', exact: true }).click();
      assert.ok(!station.requests.some(({ line }) => line.endsWith('/cancel')));
      await page.getByRole('button', { name: 'Cancel training' }).click();
      await page.locator('dialog[open] [data-action=confirm]').click();
      await see(page, 'Cancelled', '.oq-jobs');
    });

    it('trains a new part type from the simulator, after asking for a usable name', async () => {
      const page = await show('ui-training');
      await page.getByRole('radio', { name: 'Simulator' }).check();
      await page.getByLabel('Name of the new part type').fill('-bad name');
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await see(page, 'starting with a letter or digit', '.oq-invalid');
      await page.getByLabel('Name of the new part type').fill('cable-b');
      await page.locator('select[name=product]').selectOption('cable-end');
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      const { body } = await station.request(/POST \/training\/start$/);
      const source = { kind: 'simulator', product: 'cable-end', count: 60 };
      assert.deepEqual(body, { partType: 'cable-b', source, deploy: true });
      await untilStreaming();
      station.addVersion('1', true, 'cable-b');
      station.jobs[0] = { ...station.jobs[0], state: 'completed', version: '1' };
      station.push('job', station.jobs[0]);
      await see(page, 'Result: “cable-b” version 1');
      assert.equal(await page.locator('select[name=partType]').inputValue(), 'cable-b');
    });

    it('does not train without pictures, and says what few of them mean', async () => {
      station.addVersion('1', true);
      station.okPictures = 3;
      const few = await show('ui-training');
      await see(few, 'With so few pictures little can be promised');
      assert.equal(await few.getByRole('button', { name: 'Train', exact: true }).isDisabled(), false);
      station.okPictures = 0;
      const page = await show('ui-training');
      await see(page, 'There is no OK picture yet.');
      assert.equal(await page.getByRole('button', { name: 'Train', exact: true }).isDisabled(), true);
    });

    it('hands options that differ from the defaults to the station, and no others', async () => {
      await station.addInspection('OK');
      station.addVersion('1', true);
      const page = await show('ui-training');
      await page.getByText('More options').click();
      await page.locator('input[name=miss]').fill('2');
      await page.locator('input[name=defectFolder]').fill('bad parts');
      await page.locator('select[name=side]').selectOption('512');
      await page.locator('input[name=useRoi]').check();
      const photo = page.locator('.oq-roi-stage img');
      await photo.waitFor();
      await page.waitForFunction(
        () => (document.querySelector('.oq-roi-stage img') as HTMLImageElement).naturalWidth > 0,
      );
      await photo.scrollIntoViewIfNeeded();
      const { x, y, width, height } = (await page.locator('.oq-roi-stage').boundingBox())!;
      await page.mouse.move(x + 0.25 * width, y + 0.75 * height);
      await page.mouse.down();
      await page.mouse.move(x + 0.5 * width, y + 0.5 * height, { steps: 3 });
      await page.mouse.up();
      for (const [side, percent] of Object.entries({ x: 25, y: 50, width: 25, height: 25 })) {
        const drawn = Number(await page.locator(`input[name=roi-${side}]`).inputValue());
        assert.ok(Math.abs(drawn - percent) <= 2, `${side} ${drawn}`);
        await page.locator(`input[name=roi-${side}]`).fill(String(percent));
      }
      await page.locator('input[name=useTiles]').check();
      await page.locator('input[name=columns]').fill('3');
      await page.locator('select[name=banks]').selectOption('per-tile');
      await page.locator('input[name=usePosition]').check();
      await page.locator('select[name=variants]').selectOption('own');
      await page.locator('input[name=flip]').check();
      await page.locator('input[name=shift]').fill('0');
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      const { body } = await station.request(/POST \/training\/start$/);
      assert.deepEqual(body, {
        partType: 'plate',
        source: { kind: 'labelled' },
        deploy: true,
        options: {
          missRate: 0.02,
          defectFolder: 'bad parts',
          input: { width: 512, height: 512, mode: 'stretch' },
          roi: { x: 0.25, y: 0.5, width: 0.25, height: 0.25 },
          tiles: { columns: 3, rows: 2, overlap: 0.1, banks: 'per-tile' },
          position: { reach: 0.1 },
          augmentation: { flip: true, rotation: 5, light: 0.1, shift: 0 },
        },
      });
      const { success, error } = trainingRequest.safeParse(body);
      assert.ok(success, error?.message);
    });

    it('trains with another backbone once it is here', async () => {
      station.addVersion('1', true);
      const page = await show('ui-training');
      await page.getByText('More options').click();
      await page.locator('select[name=backbone]').selectOption('resnet18');
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await see(page, 'It has to be downloaded once', '.oq-invalid');
      await page.getByRole('button', { name: 'Download 46.7 MB' }).click();
      await see(page, '20 MB of 46.7 MB', '.oq-backbone');
      station.setBackbone('resnet18', { state: 'ready' });
      await page.locator('.oq-backbone [role=progressbar]').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      const { body } = await station.request(/POST \/training\/start$/);
      assert.deepEqual(body, { partType: 'plate', source: { kind: 'labelled' }, deploy: true, backbone: 'resnet18' });
    });

    it('does not train with options that the station would refuse, and says which', async () => {
      station.addVersion('1', true);
      const page = await show('ui-training');
      await page.getByText('More options').click();
      await page.locator('input[name=falseReject]').fill('80');
      await page.locator('input[name=useRoi]').check();
      await page.locator('input[name=roi-width]').fill('95');
      await page.getByText('More options').click();
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await see(page, 'Some options cannot be used');
      await see(page, '0.01 to 50', '.oq-options .oq-invalid');
      await see(page, 'The region must lie inside the picture', '.oq-options .oq-invalid');
      assert.ok(!station.requests.some(({ line }) => line.startsWith('POST')));
    });

    it('adds pictures to the version in production, with the options that an update has', async () => {
      station.addVersion('1', true);
      station.okPictures = 2;
      const page = await show('ui-training');
      await page.getByRole('radio', { name: 'Version 1 and new pictures' }).check();
      await page.getByText('More options').click();
      assert.equal(await page.locator('select[name=side]').count(), 0);
      await page.locator('input[name=keepSuspects]').check();
      await page.getByRole('button', { name: 'Add these pictures to the model' }).click();
      const { body } = await station.request(/POST \/training\/start$/);
      const options = { keepSuspects: true, update: true };
      assert.deepEqual(body, { partType: 'plate', source: { kind: 'labelled' }, deploy: true, options });
    });

    it('tells in words what a training came to, and trains again with the pictures that look defective', async () => {
      const inspection = await station.addInspection('NG');
      station.addVersion('2', true);
      const skipped = [{ name: 'plate-007.jpg', reason: 'It is truncated.' }];
      const request = { partType: 'plate', source: { kind: 'folder', folder: 'good' }, deploy: false } as const;
      station.addJob({ state: 'completed', version: '2', request, skipped });
      const picture = `/inspection/api/inspections/${inspection.id}/picture?width=320`;
      const { dataset } = station.describe('plate', '2');
      station.details.set('2', {
        dataset: { ...dataset, skipped: 1 },
        suspects: [
          { name: inspection.id, score: 3.41, learnt: false, picture },
          { name: 'IMG_7.jpg', score: 2.88, learnt: false, picture: null },
        ],
      });
      const page = await show('ui-training');
      await see(page, 'Result: “plate” version 2', '.oq-result');
      await see(page, 'Thresholds: accept 1.60, reject 2.40.', '.oq-result');
      await see(page, 'it takes 59 more (99 in all)', '.oq-result');
      await see(page, 'AUROC 0.921 on painted defects, 0.871 with plain features (3 recipes tried).', '.oq-result');
      await see(page, '2 pictures look defective', '.oq-result');
      await see(page, 'IMG_7.jpg', '.oq-suspects');
      await page.waitForFunction(
        () => (document.querySelector('.oq-suspects img') as HTMLImageElement).naturalWidth > 0,
      );
      await page.getByText('1 picture was left out').click();
      await see(page, 'plate-007.jpg: It is truncated.', '.oq-result');
      await page.locator('[data-action=keep-suspects]').click();
      const { body } = await station.request(/POST \/training\/start$/);
      assert.deepEqual(body, { ...request, options: { keepSuspects: true } });
    });

    it('shows all there is to know of any version', async () => {
      station.addVersion('1', false);
      station.addVersion('2', true);
      station.details.set('1', {
        gateReport: gateReport(),
        notes: 'Learnt under the new lamp.',
        quantisation: {
          accepted: false,
          reason: 'not-faster',
          fromStride: 8,
          auroc: { float: 0.921, int8: 0.92 },
          bounds: { auroc: 0.005, decisions: 0.01, speed: 1.1 },
          changedDecisions: { count: 1, total: 80 },
          wrongDecisions: { float: 3, int8: 4 },
          milliseconds: { float: 10.4, int8: 11.2 },
          bytes: { float: 1_000_000, int8: 260_000 },
          bank: { storage: 'float16', auroc: 0.921, changedDecisions: 0, wrongDecisions: 3 },
        },
      });
      const page = await show('ui-models', { locale: 'de-DE' });
      await page.getByRole('button', { name: 'Einzelheiten zu Version 1' }).click();
      const dialog = 'dialog[open]';
      await see(page, 'plate · Version 1', dialog);
      await see(page, 'Learnt under the new lamp.', dialog);
      await see(page, 'Kein mit NG bewertetes Bild käme neu durch.', dialog);
      await see(page, 'Bis dahin werden höchstens 2,4 % der Gutteile abgelehnt', dialog);
      await see(page, '80 % × 90 % des Bilds, ab 10 % links und 5 % oben', dialog);
      await see(page, '2.000 von 98.000 Bildflecken, je 128 Zahlen', dialog);
      await see(page, '0 von 40', `${dialog} [data-rate=falseReject]`);
      await see(page, 'nicht benutzt, hier nicht schneller · AUROC 0,921 → 0,920', dialog);
      assert.equal(await page.locator(`${dialog} [role=slider]`).count(), 0);
      await page.keyboard.press('Escape');
      await page.locator(dialog).waitFor({ state: 'detached' });
    });

    it('shows how a version compares with golden pictures', async () => {
      station.addVersion('1', true);
      const settings = { side: 1024, reach: 0.05, tolerance: 2, contrast: 0.15, smoothing: 3 };
      const boxes = { level: 0.21, found: 887, boxes: 895, falseRegions: 30, pictures: 120 };
      station.references.set('1', {
        settings: { ...settings, region: 0.21, leastSimilarity: 0.3 },
        shared: false,
        chosenBy: 'annotated',
        trials: [],
        boxes,
      });
      const request = { partType: 'plate', source: { kind: 'folder', folder: 'good' }, deploy: false } as const;
      station.addJob({ state: 'completed', version: '1', request });
      const page = await show('ui-training');
      await see(page, 'Golden picture: each part brings its own.', '.oq-result');
      await page.locator('.oq-result [data-action=details]').click();
      const dialog = 'dialog[open]';
      await see(page, 'up to 1,024 pixels a side, moved up to 5 %, edges ± 2 pixels, noise up to 15 %', dialog);
      await see(page, '887 of 895, 30 false regions in 120 pictures', dialog);
      await see(page, 'annotated defects', dialog);
      assert.equal(await page.locator(dialog).getByText('Backbone').count(), 0);
    });

    it('shows why a training could not start', async () => {
      station.addVersion('1', true);
      const page = await show('ui-training');
      await page.getByRole('radio', { name: 'Folder on the server' }).check();
      await page.getByLabel('Folder path on the server').fill('/nowhere');
      station.failNext(/POST \/training/, { status: 400, code: 'invalid-input', detail: 'The folder does not exist.' });
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await see(page, 'The folder does not exist.', '[role=alert]');
    });
  });

  describe('ui-routing-settings', () => {
    it('saves thresholds set by hand and shows the change in the history', async () => {
      station.addVersion('1', true);
      const page = await show('ui-routing-settings');
      await see(page, 'Model: accept 1.70, reject 2.40');
      await page.getByRole('radio', { name: 'By hand' }).check();
      await page.locator('input[name=accept]').fill('1.5');
      await page.getByLabel('Audit share in %').fill('7.5');
      await see(page, 'Not saved yet');
      await page.getByRole('button', { name: 'Save' }).click();
      const { body } = await station.request(/PUT \/settings\/routing\/plate/);
      assert.deepEqual(body, { thresholds: { accept: 1.5, reject: 2.4 }, auditShare: 0.075 });
      await see(page, 'Saved', '.oq-settings-saved');
      await see(page, "the model's → 1.50 / 2.40", '.oq-table');
      await see(page, '2.0 % → 7.5 %', '.oq-table');
    });

    it('shows the scores of the calibration with the rates at the thresholds, each with its interval', async () => {
      station.addVersion('2', true);
      const page = await show('ui-routing-settings');
      await see(page, '40 good pictures');
      await see(page, '24 defective pictures');
      const [scores, thresholds] = [station.describe('plate', '2').calibration, { accept: 1.6, reject: 2.4 }];
      const above = scores.scores.filter((score) => score > thresholds.accept && score <= thresholds.reject).length;
      assert.ok(above > 0);
      await see(page, `${above} of 40`, '[data-rate=goodToReview]');
      // none of 40: the upper end of Clopper-Pearson is 1 - 0.025 ^ (1 / 40) = 0.0881
      await see(page, '0 – 8.8 %', '[data-rate=falseReject]');
      await see(page, '0 of 24', '[data-rate=miss]');
      await see(page, 'With 40 held-out pictures no rate below 2.4 % can be promised.');
      await see(page, '59 more pictures are needed to promise the wished 1 %.');
    });

    it('moves a threshold with the mouse, shows what follows, takes it back, and saves it', async () => {
      station.addVersion('2', true);
      const page = await show('ui-routing-settings');
      const handle = page.locator('[data-level=reject]');
      await handle.waitFor();
      const { x, y, width, height } = (await handle.boundingBox())!;
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      const area = (await page.locator('.oq-plot-area').boundingBox())!;
      await page.mouse.move(area.x, y, { steps: 5 });
      await page.mouse.up();
      assert.equal(await handle.getAttribute('aria-valuenow'), '1.6', 'it stops at the accept level');
      const { scores } = station.describe('plate', '2').calibration;
      const rejected = scores.filter((score) => score > 1.6).length;
      await see(page, `${rejected} of 40`, '[data-rate=falseReject]');
      assert.equal(await page.getByRole('radio', { name: 'By hand' }).isChecked(), true);
      await see(page, "the model's levels", '.oq-plot-head');
      await page.locator('[data-action=undo]').click();
      assert.equal(await handle.getAttribute('aria-valuenow'), '2.4');
      assert.equal(await page.getByRole('radio', { name: "The model's" }).isChecked(), true);
      assert.equal(await page.locator('[data-action=undo]').isDisabled(), true);
      await handle.focus();
      await page.keyboard.press('Home');
      await page.getByRole('button', { name: 'Save' }).click();
      const { body } = await station.request(/PUT \/settings\/routing\/plate/);
      assert.deepEqual(body, { thresholds: { accept: 1.6, reject: 1.6 } });
    });

    it('moves a threshold by keys, never past the other, and tells the rate to a screen reader', async () => {
      station.addVersion('2', true);
      const page = await show('ui-routing-settings');
      const accept = page.locator('[data-level=accept]');
      await accept.focus();
      const value = async () => Number(await accept.getAttribute('aria-valuenow'));
      await page.keyboard.press('ArrowRight');
      const step = (await value()) - 1.6;
      assert.ok(step > 0 && step < 0.05, `${step}`);
      await page.keyboard.press('PageDown');
      assert.ok(Math.abs((await value()) - (1.6 - 19 * step)) < 1e-6);
      await page.keyboard.press('End');
      assert.equal(await value(), 2.4);
      assert.equal(await accept.getAttribute('aria-valuetext'), '2.40, 0 % of good parts to a person');
      const { defectScores } = station.describe('plate', '2').calibration;
      const missed = defectScores.filter((score) => score <= 2.4).length;
      assert.ok(missed > 0);
      await see(page, `${missed} of 24`, '[data-rate=miss]');
      await page.keyboard.press('Home');
      assert.ok((await value()) < 1);
      for (let step = 0; step < 4; step++) await page.locator('[data-action=undo]').click();
      assert.equal(await value(), 1.6);
    });

    it('moves a threshold with a finger, on a phone', async () => {
      station.addVersion('2', true);
      const page = await show('ui-routing-settings', { width: 390 });
      const handle = page.locator('[data-level=accept]');
      await handle.waitFor();
      const { x, y, width, height } = (await handle.boundingBox())!;
      const touch = await page.context().newCDPSession(page);
      const point = (dx: number) => [{ x: x + width / 2 + dx, y: y + height / 2 }];
      await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: point(0) });
      for (const dx of [-10, -20, -30]) {
        await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: point(dx) });
      }
      await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
      await see(page, 'Not saved yet');
      const moved = Number(await handle.getAttribute('aria-valuenow')) - 1.6;
      const area = (await page.locator('.oq-plot-area').boundingBox())!;
      const [from, to] = await handle.evaluate((flag) => [
        Number(flag.getAttribute('aria-valuemin')),
        Number(document.querySelector('[data-level=reject]')?.getAttribute('aria-valuemax')),
      ]);
      assert.ok(Math.abs(moved - (-30 / area.width) * (to - from)) < 0.02, `${moved}`);
    });

    it('says what it cannot show: no model, no defects, few scores, an earlier release', async () => {
      station.setRouting('new-type', {}, 'Kim');
      station.addVersion('2', true);
      const { calibration } = station.describe('plate', '2');
      const few = calibration.scores.slice(0, 6);
      station.details.set('2', {
        calibration: {
          ...calibration,
          method: 'held-out',
          scores: few,
          defectScores: [],
          independent: 6,
          picturesNeeded: 93,
          statement: 'In its own words.',
          statementParts: [{ code: 'augmented', parameters: { independent: 6 } }],
        },
      });
      const page = await show('ui-routing-settings');
      await see(page, 'No model in production', '[aria-label=new-type]');
      await see(page, '6 good pictures');
      await see(page, 'No defective pictures were given in training');
      await see(page, 'So few scores say little');
      await see(page, 'Trained by an earlier release');
      await page.getByText("What the model's own levels promise").click();
      await see(page, 'In its own words.');
    });

    it('keeps the fields when the details of the model cannot be read', async () => {
      station.addVersion('2', true);
      station.failNext(/GET \/models\/plate\/versions/, { status: 409, code: 'x', detail: 'The model is damaged.' });
      const page = await show('ui-routing-settings');
      await see(page, 'The model is damaged.');
      await page.getByRole('radio', { name: 'By hand' }).check();
      await page.locator('input[name=reject]').fill('2.5');
      await page.getByRole('button', { name: 'Save' }).click();
      const { body } = await station.request(/PUT/);
      assert.deepEqual(body, { thresholds: { accept: 1.6, reject: 2.5 } });
    });

    it('refuses an accept level above the reject level and shares over 100 %', async () => {
      station.addVersion('1', true);
      station.setRouting('plate', { thresholds: { accept: 1, reject: 2 } }, 'Kim');
      const page = await show('ui-routing-settings');
      await page.locator('input[name=accept]').fill('2,5');
      await see(page, 'Accept must not be greater than reject.');
      assert.equal(await page.getByRole('button', { name: 'Save' }).isDisabled(), true);
      await page.locator('input[name=accept]').fill('1');
      await page.locator('input[name=share]').fill('101');
      await see(page, 'Enter a share from 0 to 100 %.');
      assert.equal(await page.getByRole('button', { name: 'Save' }).isDisabled(), true);
    });

    it("goes back to the model's thresholds", async () => {
      station.addVersion('1', true);
      station.setRouting('plate', { thresholds: { accept: 1, reject: 2 } }, 'Kim');
      const page = await show('ui-routing-settings');
      await page.locator('[data-action=reset]').click();
      assert.equal(await page.locator('input[name=reject]').inputValue(), '2.4');
      await page.getByRole('button', { name: 'Save' }).click();
      const { body } = await station.request(/PUT/);
      assert.deepEqual(body, { thresholds: null });
    });

    it('leaves an audit share in which the routers differ empty until one is typed', async () => {
      station.addVersion('1', true);
      station.setRouting('plate', { auditShare: null }, 'Kim');
      const page = await show('ui-routing-settings');
      const share = page.locator('input[name=share]');
      await see(page, 'Model: accept 1.70, reject 2.40');
      assert.equal(await share.inputValue(), '');
      await page.getByRole('radio', { name: 'By hand' }).check();
      await page.getByRole('button', { name: 'Save' }).click();
      await station.request(/PUT/);
      await see(page, 'Saved', '.oq-settings-saved');
      assert.equal(station.routing.get('plate')?.auditShare, null);
      await share.fill('5');
      await page.getByRole('button', { name: 'Save' }).click();
      await see(page, '5.0 %', '.oq-table');
      assert.equal(station.routing.get('plate')?.auditShare, 0.05);
    });

    it('keeps what the user types when the settings change elsewhere, and says so', async () => {
      station.addVersion('1', true);
      const page = await show('ui-routing-settings');
      await page.locator('input[name=share]').fill('9');
      await untilStreaming();
      station.push('routing', station.setRouting('plate', { auditShare: 0.5 }, 'Alex'));
      await see(page, 'Changed elsewhere just now.');
      assert.equal(await page.locator('input[name=share]').inputValue(), '9');
      await page.locator('[data-action=discard]').click();
      assert.equal(await page.locator('input[name=share]').inputValue(), '50');
    });

    it('shows what the station said when saving fails', async () => {
      station.addVersion('1', true);
      const page = await show('ui-routing-settings');
      await page.locator('input[name=share]').fill('9');
      station.failNext(/PUT/, { status: 503, code: 'store-unavailable', detail: 'The database is locked.' });
      await page.getByRole('button', { name: 'Save' }).click();
      await see(page, 'The database is locked.', '[role=alert]');
      await see(page, 'Not saved yet');
    });
  });

  const tools = {
    get station() {
      return station;
    },
    show,
    see,
    untilStreaming,
  };
  describe('ui-review-queue', () => reviewTests(tools));
  describe('boxes on pictures', () => boxTests(tools));
  describe('detectors and classifiers in ui-training', () => modelTests(tools));
  describe('ui-training, ui-models and ui-retraining', () => retrainingTests(tools));

  // In a suite of its own, so that it runs last.
  describe('all widgets together', () => {
    it('have left no error in the console of any page', () => {
      assert.deepEqual(errors, []);
    });
  });
});

/** Runs in the page: contrast of the text, brightness of the theme, what reaches out, controls without a name. */
function measureLook(): { contrast: number; dark: boolean; outside: string[]; unnamed: string[] } {
  const root = document.querySelector('.oq') as HTMLElement;
  const luminance = (colour: string): number => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = Array.from(context.getImageData(0, 0, 1, 1).data, (value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const text = luminance(getComputedStyle(root).color);
  const ground = luminance(getComputedStyle(root.closest('.bg-group-background') as HTMLElement).backgroundColor);
  const outside: string[] = [];
  const unnamed: string[] = [];
  for (const element of Array.from(root.querySelectorAll<HTMLElement>('*'))) {
    const { right, left, width } = element.getBoundingClientRect();
    const hidden = element.closest('.oq-strip, .oq-hidden, thead, dialog') !== null;
    if (!hidden && width > 0 && (right > innerWidth + 1 || left < -1)) outside.push(element.className);
  }
  const controls = root.querySelectorAll<HTMLInputElement>('button, input, select, textarea');
  for (const control of Array.from(controls)) {
    const name = control.getAttribute('aria-label') ?? control.textContent?.trim() ?? '';
    if (name === '' && (control.labels?.length ?? 0) === 0) unnamed.push(control.outerHTML.slice(0, 80));
  }
  return {
    contrast: (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05),
    dark: ground < 0.2,
    outside,
    unnamed,
  };
}

interface Overlay {
  readonly photo: object;
  readonly map: { readonly place: object; readonly hottest: { x: number; y: number }; readonly corner: number };
}

/** Runs in the page: where picture and map lie, and where the map is strongest in pixels of the picture. */
/** Mean difference of two screenshots, 0..255. */
async function difference(a: Buffer, b: Buffer): Promise<number> {
  const [one, other] = await Promise.all(
    [a, b].map((shot) => sharp(shot).resize(160, 90, { fit: 'fill' }).removeAlpha().raw().toBuffer()),
  );
  return one.reduce((sum, value, index) => sum + Math.abs(value - other[index]), 0) / one.length;
}

function measureOverlay(): Overlay {
  const place = (selector: string): object => {
    const { x, y, width, height } = (document.querySelector(selector) as HTMLElement).getBoundingClientRect();
    return { x, y, width, height };
  };
  const canvas = document.querySelector('.oq-map') as HTMLCanvasElement;
  const photo = document.querySelector('.oq-photo') as HTMLImageElement;
  const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
    0,
    0,
    canvas.width,
    canvas.height,
  );
  let best = 0;
  let sumX = 0;
  let sumY = 0;
  let count = 0;
  for (let index = 0; index < canvas.width * canvas.height; index++) {
    const heat = data[index * 4 + 3] === 0 ? 0 : data[index * 4 + 1];
    if (heat > best) {
      best = heat;
      sumX = 0;
      sumY = 0;
      count = 0;
    }
    if (heat === best && heat > 0) {
      sumX += index % canvas.width;
      sumY += Math.floor(index / canvas.width);
      count++;
    }
  }
  const scale = photo.naturalWidth / canvas.width;
  const hottest = { x: (sumX / count + 0.5) * scale, y: (sumY / count + 0.5) * scale };
  return { photo: place('.oq-photo'), map: { place: place('.oq-map'), hottest, corner: data[3] } };
}
