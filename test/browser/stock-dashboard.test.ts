import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { Counters, ReviewItem } from '../../engine/domain';
import { stockFlow } from '../support/flows';
import { InspectionApi, type InspectionSummary } from '../support/inspection-api';
import { type RunningNodeRed, startNodeRed } from '../support/node-red-process';
import { waitFor } from '../support/wait';
import { launchBrowser, needChromium, openPage } from './ui-support';

describe('the dashboard of the stock flow', function () {
  // the training of the first model has the lowest priority: beside other tests it takes many times as long
  this.timeout(900_000);
  const userDir = mkdtempSync(join(tmpdir(), 'opti-quality-dashboard-'));
  /** Not the day: midnight may come. */
  const begun = new Date().toISOString();
  let nodeRed: RunningNodeRed;
  let api: InspectionApi;
  let browser: Browser;

  before(async function () {
    needChromium(this);
    browser = await launchBrowser();
    nodeRed = await startNodeRed({ userDir, flow: await stockFlow() });
    api = new InspectionApi(nodeRed.base);
    await waitFor('the first verdict of the model', async () => (await judged()) > 0, 600_000);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
    rmSync(userDir, { recursive: true, force: true });
  });

  async function judged(): Promise<number> {
    const { total, failSafe } = await api.get<Counters>(`/counters?since=${begun}`);
    return total - failSafe;
  }

  it('shows the verdict of a part that the trigger button asked for', async () => {
    const { page, context, errors } = await openPage(browser, `${nodeRed.base}/dashboard/line`);
    const before = await judged();
    await page.getByRole('button', { name: /trigger/i }).click();
    await waitFor('one more verdict', async () => (await judged()) > before);
    await page
      .getByText(/^(OK|NG|REVIEW)$/)
      .first()
      .waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('tells on the Line page what the model will be trained anew for, and the versions on the Models page', async () => {
    const { page, context, errors } = await openPage(browser, `${nodeRed.base}/dashboard/line`);
    await page.getByText(/at 20 a training starts/).waitFor();
    await page.goto(`${nodeRed.base}/dashboard/models`);
    await page.locator('.oq-versions tr.oq-deployed').waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('sends a box drawn in the review with the decision, and it comes out of the export', async () => {
    const items = async (state: string) =>
      (await api.get<{ items: ReviewItem[] }>(`/labeling-queue?state=${state}&limit=50`)).items;
    // parts that need a person come by chance
    const { items: parts } = await api.get<{ items: InspectionSummary[] }>('/inspections?limit=20');
    await api.post('/labeling-queue/flag', { inspectionId: parts.find(({ by }) => by === 'model')?.id });
    const { page, context, errors } = await openPage(browser, `${nodeRed.base}/dashboard/review`);
    await page.locator('.oq-edit').waitFor();
    await page.keyboard.press('b');
    await page.keyboard.press('Enter');
    await page.locator('.oq-edit-box[aria-pressed=true]').waitFor();
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('n');
    const decided = async () => (await items('labelled')).find(({ boxes }) => boxes !== null && boxes.length > 0);
    await waitFor('the decision', async () => (await decided()) !== undefined);
    const { label, boxes, partType } = (await decided()) as ReviewItem;
    assert.equal(label, 'NG');
    assert.equal(boxes?.length, 1);
    const { items: classes } = await api.get<{ items: string[] }>(`/part-types/${partType}/classes`);
    assert.ok(classes.includes(boxes[0].label));
    assert.deepEqual(errors, []);

    await page.goto(`${nodeRed.base}/dashboard/train`);
    const download = page.waitForEvent('download');
    await page.locator('a[data-format=yolo]').click();
    const archive = readFileSync(await (await download).path());
    assert.equal(archive.subarray(0, 2).toString(), 'PK');
    assert.ok(archive.includes('data.yaml'));
    await context.close();
  });

  for (const path of ['line', 'review', 'train', 'models', 'settings', 'camera']) {
    it(`opens the page ${path} without an error, on a phone too`, async () => {
      for (const width of [1440, 390]) {
        const { page, context, errors } = await openPage(browser, `${nodeRed.base}/dashboard/${path}`, { width });
        await page.locator('.nrdb-ui-group, .v-card').first().waitFor();
        await page.waitForTimeout(1_000);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
        assert.ok(Number(overflow) <= 0, `${path} at ${width} px is ${overflow} px too wide`);
        assert.deepEqual(errors, []);
        await context.close();
      }
    });
  }
});
