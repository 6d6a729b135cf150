/**
 * Takes the screenshots of the README: starts the stock flow, lets it inspect some parts and photographs the pages.
 *
 *     npm run screenshots
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { packageRoot } from '../engine/domain';
import { launchBrowser, openPage } from '../test/browser/ui-support';
import { type FlowNode, stockFlow } from '../test/support/flows';
import { InspectionApi } from '../test/support/inspection-api';
import { startNodeRed } from '../test/support/node-red-process';
import { waitFor } from '../test/support/wait';

const PARTS = 24;
const SECONDS_PER_PART = 1;
const CLASSES = ['defect', 'fracture', 'stain', 'misalignment'];

const PAGES = [
  { name: 'line', path: 'line', theme: 'Dark', width: 1440, height: 900 },
  { name: 'review', path: 'review', theme: 'Dark', width: 1440, height: 900 },
  { name: 'train', path: 'train', theme: 'Light', width: 1440, height: 900 },
  { name: 'models', path: 'models', theme: 'Light', width: 1440, height: 900 },
  { name: 'settings', path: 'settings', theme: 'Light', width: 1440, height: 900 },
  { name: 'phone', path: 'line', theme: 'Light', width: 390, height: 844 },
] as const;

void main();

async function main(): Promise<void> {
  const browser = await launchBrowser();
  try {
    for (const theme of ['Dark', 'Light'] as const) await photograph(browser, theme);
  } finally {
    await browser.close();
  }
}

async function photograph(browser: Browser, theme: 'Dark' | 'Light'): Promise<void> {
  const folder = join(packageRoot, 'docs/images');
  mkdirSync(folder, { recursive: true });
  const userDir = mkdtempSync(join(tmpdir(), 'opti-quality-screenshots-'));
  const nodeRed = await startNodeRed({ userDir, flow: inTheme(await stockFlow(), theme), env: { LOG_LEVEL: 'warn' } });
  const api = new InspectionApi(nodeRed.base);
  try {
    await waitFor(`${PARTS} parts`, async () => (await api.inspections()).length >= PARTS, 180_000);
    for (const { name, path, width, height } of PAGES.filter((page) => page.theme === theme)) {
      if (path === 'review') await sendPartsToReview(api);
      const { page, context } = await openPage(browser, `${nodeRed.base}/dashboard/${path}`, { width, height });
      await page.waitForLoadState('networkidle').catch(() => undefined);
      await page.waitForTimeout(2_500);
      if (path === 'line') await showRejectedPart(page);
      await sharp(await page.screenshot())
        .png({ palette: true })
        .toFile(join(folder, `${name}.png`));
      await context.close();
      console.log(`docs/images/${name}.png`);
    }
  } finally {
    await nodeRed.stop();
    rmSync(userDir, { recursive: true, force: true });
  }
}

/** Looks at a rejected part of the filmstrip: its heat map tells more than that of a good one. */
async function showRejectedPart(page: Page): Promise<void> {
  const rejected = page.getByRole('button', { name: /\bNG\b/ }).first();
  if ((await rejected.count()) === 0) return;
  await rejected.click();
  await page.waitForTimeout(1_000);
}

/** From now on a person judges what deviates, so that there is something to review. */
async function sendPartsToReview(api: InspectionApi): Promise<void> {
  await api.put('/settings/routing/plate', { thresholds: { accept: 1, reject: 10 } });
  const waiting = async () => (await api.get<{ pending: number }>('/labeling-queue/stats')).pending > 0;
  await waitFor('a part to review', waiting, 180_000);
}

/**
 * The stock flow with all pages in one theme, parts that follow each other faster, and a detector whose finds a person
 * judges.
 */
function inTheme(flow: readonly FlowNode[], name: string): FlowNode[] {
  const theme = flow.find((node) => node.type === 'ui-theme' && node.name === name);
  return flow.map((node) => {
    if (node.type === 'ui-page') return { ...node, theme: theme?.id };
    if (node.type === 'yolo-detect') {
      return { ...node, classes: CLASSES.map((label) => ({ label, confidence: '', effect: 'REVIEW' })) };
    }
    return node.type === 'plc-simulator' ? { ...node, cycleSeconds: SECONDS_PER_PART } : node;
  });
}
