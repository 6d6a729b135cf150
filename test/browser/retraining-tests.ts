import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { trainingRequest } from '../../engine/api/schemas';
import type { Reason } from '../../engine/domain';
import { changedDecisions, gateReport, retrainStatus, shadowRun } from './mock-loop';
import type { WidgetTools } from './widget-tools';

/** From labelled pictures to a version in production and back: the pages Train and Models, and the retraining widget. */
export function retrainingTests(tools: WidgetTools): void {
  const { show, see, untilStreaming } = tools;
  const dialog = 'dialog[open]';
  const confirm = (page: Page) => page.locator(`${dialog} [data-action=confirm]`).click();
  const bodyOf = async (match: RegExp): Promise<unknown> => (await tools.station.request(match)).body;

  async function versions(): Promise<readonly string[]> {
    for (const verdict of ['OK', 'NG'] as const) await tools.station.addInspection(verdict);
    for (const version of ['1', '2', '3']) tools.station.addVersion(version, version === '2');
    return tools.station.inspections.map(({ id }) => id);
  }

  it('shows what is labelled, takes, deletes and restores a snapshot, and brings pictures in', async () => {
    tools.station.addVersion('1', true);
    const page = await show('ui-training');
    const labels = '.oq-labels';
    await see(page, '143 / 36', labels);
    await see(page, /Of these brought in\s*29/, labels);
    await see(page, '82 OK, 19 NG', labels);
    await page.getByText('Snapshots · 0').click();
    await page.locator('[data-action=take-snapshot]').click();
    assert.deepEqual(await bodyOf(/POST \/training\/snapshots$/), { partType: 'plate' });
    await see(page, 'hash c0ffee01', '[data-snapshot]');
    const link = await page.locator('[data-snapshot] a').first().getAttribute('href');
    assert.match(link ?? '', /\/training\/snapshots\/\w+\/export\?format=yolo/);
    await page.locator('[data-action=remove-snapshot]').click();
    await see(page, 'can be restored for 30 days', dialog);
    await confirm(page);
    await page.locator('[data-action=restore-snapshot]').click();
    await page.locator('[data-action=remove-snapshot]').waitFor();

    await page.getByText('Bring in pictures').click();
    await page.locator('input[data-label=NG]').check();
    const buffer = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } })
      .jpeg()
      .toBuffer();
    const files = ['a.jpg', 'b.jpg'].map((name) => ({ name, mimeType: 'image/jpeg', buffer }));
    await page
      .locator('input[name=frames]')
      .setInputFiles([...files, { name: 'c.txt', mimeType: 'text/plain', buffer }]);
    await see(page, '1 file is no JPEG or PNG and is not uploaded: c.txt', labels);
    await page.getByRole('button', { name: 'Upload 2 pictures' }).click();
    await see(page, '1 picture taken in, 1 refused', labels);
    await see(page, 'b.jpg: It is truncated.', labels);
  });

  it('imports a folder with the class of its defects, shows how far it is after a reload, and cancels it', async () => {
    tools.station.addVersion('1', true);
    const page = await show('ui-training');
    const labels = '.oq-labels';
    const begin = async () => {
      await page.locator('input[name=import-folder]').fill('old/bad');
      await page.locator('[data-action=import-folder]').click();
      await see(page, 'Importing old/bad: 12 of 34', labels);
    };
    await page.getByText('Bring in pictures').click();
    await page.locator('input[data-label=NG]').check();
    await page.locator('input[name=frame-class]').fill('dent');
    await begin();
    const folder = { partType: 'plate', folder: 'old/bad', label: 'NG', class: 'dent' };
    assert.deepEqual(await bodyOf(/POST \/training\/import-folder$/), folder);
    await page.reload();
    await see(page, 'Importing old/bad: 12 of 34', labels);
    assert.ok(await page.locator('[data-import=running]').isVisible());
    tools.station.loop.endImport('completed');
    await see(
      page,
      'old/bad: 31 pictures taken in, 2 here already, 1 of them with the other label, which stays, 1 refused',
      labels,
    );
    await see(page, 'torn.jpg: It is truncated.', labels);
    await begin();
    await page.locator('[data-action=cancel-import]').click();
    await see(page, 'old/bad: cancelled; 12 pictures taken in', labels);
  });

  it('says that an import was lost with Node-RED, and shows one that began elsewhere', async () => {
    tools.station.addVersion('1', true);
    const page = await show('ui-training');
    const labels = '.oq-labels';
    await page.getByText('Bring in pictures').click();
    await page.locator('input[name=import-folder]').fill('old/bad');
    await page.locator('[data-action=import-folder]').click();
    await see(page, 'Importing old/bad: 12 of 34', labels);
    const [running] = tools.station.loop.imports;
    tools.station.loop.imports = [];
    await see(page, 'old/bad: the import ended because Node-RED or the station was started anew', labels);
    tools.station.loop.imports = [{ ...running, id: '01ELSEWHERE', folder: 'new/bad' }];
    tools.station.failNext(/GET \/training\/imports/, {
      status: 503,
      code: 'station-closed',
      detail: 'The station is closed.',
    });
    tools.station.cut();
    await see(page, 'Importing new/bad: 12 of 34', labels);
    tools.station.loop.endImport('completed');
    await see(page, 'new/bad: 31 pictures taken in', labels);
  });

  it('trains with a priority and a policy, within their ranges', async () => {
    tools.station.addVersion('1', true);
    const page = await show('ui-training');
    await page.locator('input[name=priority]').fill('11');
    await see(page, 'A whole number from -10 to 10', '.oq-invalid');
    const train = page.getByRole('button', { name: 'Train', exact: true });
    await train.click();
    assert.ok(!tools.station.requests.some(({ line }) => line.startsWith('POST')));
    await page.locator('input[name=priority]').fill('5');
    await page.locator('input[name=maxWorse]').fill('2');
    await train.click();
    const request = { partType: 'plate', source: { kind: 'labelled' }, priority: 5 };
    const first = await bodyOf(/POST \/training\/start$/);
    assert.deepEqual(first, { ...request, deploy: true, policy: { kind: 'automatic', maxWorse: 0.02 } });
    assert.ok(trainingRequest.safeParse(first).success);
    await page.locator('select[name=policy]').selectOption('manual');
    assert.equal(await page.locator('input[name=maxWorse]').count(), 0);
  });

  it('puts a candidate before a person: figures, changed decisions with pictures, and its log', async () => {
    const ids = await versions();
    const job = tools.station.addJob({
      state: 'completed',
      version: '3',
      deployment: 'awaiting',
      dataset: { id: '01SNAPSHOT', hash: 'c0ffee0123456789' },
      trigger: { kind: 'labels', runId: '01RUN' },
      gateReport: gateReport({ shadow: changedDecisions(ids), labelledNgNewlyPassed: 1 }),
      log: [
        { at: '2026-03-20T09:00:00Z', text: 'x', code: 'stage', parameters: { stage: 'coreset' } },
        { at: '2026-03-20T09:00:09Z', text: 'The lamp was changed.' },
      ],
    });
    const page = await show('ui-training');
    const panel = '.oq-candidate';
    await see(page, 'Gate: version 3 against 2 · waits for a person', panel);
    await see(page, '1 pictures labelled NG would newly pass.', panel);
    const row = (name: string) => page.locator(panel).getByRole('row', { name }).textContent();
    const escapes = (await row('Defective parts passed')) ?? '';
    assert.match(escapes, /20 %6\.7 %better▼ −13\.3 points95 %: −26 to −2$/);
    await see(page, '2 of 200 pictures are decided differently: 2 newly passed.', panel);
    await see(page, 'defective, would pass', `${panel} [data-meaning=escape]`);
    await see(page, 'now decided rightly', `${panel} [data-meaning=fixed]`);
    const shown = () => (document.querySelector('.oq-changes img') as HTMLImageElement).naturalWidth;
    await page.waitForFunction(shown);

    await page.locator('.oq-jobs summary').first().click();
    await see(page, 'Choosing the memory bank.', '.oq-log');
    await see(page, 'The lamp was changed.', '.oq-log');
    await see(page, 'snapshot c0ffee01 · cause: new labels', '.oq-jobs');

    await page.locator('[data-action=deploy-candidate]').click();
    await page.locator(`${dialog} [name=answer]`).fill('Finds the new stains');
    await confirm(page);
    const body = { version: '3', reason: 'Finds the new stains' };
    assert.deepEqual(await bodyOf(/POST \/models\/plate\/deploy/), body);
    await see(page, 'Gate: version 3 against 2 · deployed', panel);

    tools.station.versions.forEach((version, at) => {
      tools.station.versions[at] = { ...version, deployed: version.version === '2' };
    });
    const at = tools.station.jobs.findIndex(({ id }) => id === job.id);
    tools.station.jobs[at] = { ...job, deployment: 'deployed' };
    await page.reload();
    await see(page, 'Gate: version 3 against 2 · was in production before', panel);
    tools.station.jobs[at] = { ...job };
    await page.reload();
    await page.locator('[data-action=leave]').click();
    await page.locator(panel).waitFor({ state: 'detached' });
  });

  it('compares versions, and moves a threshold over the scores of the labelled pictures', async () => {
    await versions();
    const page = await show('ui-models');
    const compare = page.locator('[data-action=compare]');
    assert.equal(await compare.isDisabled(), true);
    for (const version of ['3', '2']) await page.getByLabel(`Choose version ${version} to compare`).check();
    await compare.click();
    await see(page, 'have not looked at the same pictures yet', '.oq-compare');
    await page.locator('[data-action=compute]').click();
    assert.deepEqual(await bodyOf(/POST \/models\/compare$/), { name: 'plate', versions: ['2', '3'] });
    await see(page, 'The versions look at the labelled pictures', '.oq-compare');
    tools.station.loop.ready(['2', '3']);
    await see(page, '60 pictures labelled OK and 20 labelled NG', '.oq-compare');
    const cells = (name: string) => page.locator(`[data-figure=${name}] td`).allTextContents();
    assert.deepEqual(
      (await cells('escapes')).map((text) => text.trim()),
      ['10 %', '6.7 % (best)'],
    );
    assert.equal(await page.locator('.oq-compare .oq-plot').count(), 2);
    await see(page, 'Decided differently: version 2 → version 3', '.oq-compare');

    const rates = page.locator('.oq-settings-card [data-rate=falseReject] td').first();
    assert.equal(await rates.textContent(), '0 of 60');
    const flag = page.locator('.oq-settings-card [role=slider][data-level=reject]');
    await flag.scrollIntoViewIfNeeded();
    const accept = page.locator('.oq-settings-card [role=slider][data-level=accept]');
    await accept.focus();
    for (let press = 0; press < 4; press++) await page.keyboard.press('PageDown');
    const { x, y, width, height } = (await flag.boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x - 330, y + height / 2, { steps: 5 });
    await page.mouse.up();
    assert.notEqual(await rates.textContent(), '0 of 60');
    await page.locator('[data-basis=calibration]').click();
    await see(page, '40 good pictures', '.oq-settings-card');
    await page.locator('.oq-settings-card').getByRole('button', { name: 'Save' }).click();
    const { thresholds } = (await bodyOf(/PUT \/settings\/routing\/plate/)) as { thresholds: Record<string, number> };
    assert.ok(thresholds.reject < 2.4 && thresholds.accept <= thresholds.reject, JSON.stringify(thresholds));
  });

  it('deploys, rolls back, notes, deletes and restores, each after a question', async () => {
    await versions();
    tools.station.loop.history.push({
      partType: 'plate',
      kind: 'patchcore',
      name: 'plate',
      version: '2',
      previousVersion: '1',
      action: 'deploy',
      actor: 'Kim',
      at: '2026-03-12T10:00:00Z',
      reason: 'Finds the new stains',
    });
    const page = await show('ui-models');
    const row = (version: string) =>
      page.locator('.oq-versions tbody tr').filter({ hasText: new RegExp(`^\\s*${version}`) });
    await see(page, 'deployed: version 2, before it 1', '.oq-history');
    await see(page, 'Finds the new stains', '.oq-history');
    assert.equal(await row('2').locator('[data-action=remove]').count(), 0, 'the active version stays');

    await row('3').locator('[data-action=deploy]').click();
    await page.locator(dialog).getByRole('button', { name: 'Cancel' }).click();
    assert.ok(!tools.station.requests.some(({ line }) => line.includes('/deploy')));
    await row('3').locator('[data-action=deploy]').click();
    await page.locator(`${dialog} [name=answer]`).fill('better');
    await page.keyboard.press('Enter');
    assert.deepEqual(await bodyOf(/POST \/models\/plate\/deploy/), { version: '3', reason: 'better' });
    await see(page, 'Version 3 is in production.');
    await page.locator('[data-action=roll-back]').click();
    await confirm(page);
    assert.deepEqual(await bodyOf(/POST \/models\/plate\/rollback/), {});
    await see(page, /Version 1 is in production again \(took \d+ ms\)/);

    await row('2').locator('[data-action=note]').click();
    await page.locator(`${dialog} textarea`).fill('Learnt under the new lamp.');
    await confirm(page);
    await see(page, 'Learnt under the new lamp.', '.oq-versions');
    await row('3').locator('[data-action=remove]').click();
    await confirm(page);
    await tools.station.request(/DELETE \/models\/plate\/3/);
    await see(page, 'Version 3 is deleted.');
    await page.getByText('Deleted versions · 1').click();
    await page.locator('[data-action=restore]').click();
    await see(page, 'Version 3 is there again.');
    await row('3').waitFor();
    const file = await row('3').locator('[data-action=export]').getAttribute('href');
    assert.match(file ?? '', /\/models\/plate\/versions\/3\/export/);
    const archive = { name: 'plate-9.opti', mimeType: '', buffer: Buffer.from('an archive') };
    await page.locator('input[name=archive]').setInputFiles(archive);
    await see(page, 'Imported as version 9 of “plate”.');
    assert.equal(await bodyOf(/POST \/models\/import/), 'an archive'.length);
    await row('9').waitFor();
  });

  it('lets a version look on in shadow, on a phone too, and lists where it decides otherwise', async () => {
    const ids = await versions();
    const page = await show('ui-models', { locale: 'de-DE', width: 390 });
    await page.getByRole('button', { name: 'Version 3 im Schatten zusehen lassen' }).tap();
    await page.locator(`${dialog} [name=answer]`).fill('0');
    assert.equal(await page.locator(`${dialog} [data-action=confirm]`).isDisabled(), true);
    await page.locator(`${dialog} [name=answer]`).fill('40');
    await confirm(page);
    assert.deepEqual(await bodyOf(/POST \/models\/plate\/shadow$/), { version: '3', parts: 40 });
    await see(page, '0 von 40 Teilen', '.oq-shadow');
    await untilStreaming();
    tools.station.push('shadow', shadowRun({ seen: 12, parts: 40, report: changedDecisions(ids, 12) }));
    await see(page, '12 von 40 Teilen', '.oq-shadow');
    await see(page, 'fehlerhaft, käme durch', '.oq-shadow');
    await page.locator('[data-action=stop-shadow]').tap();
    await see(page, 'angehalten', '.oq-shadow');
  });

  it('says in words what would train next, shows a training, and trains against the rules only when told twice', async () => {
    const { loop } = tools.station;
    loop.retraining.push(retrainStatus());
    const page = await show('ui-retraining', { width: 390 });
    await see(page, 'New labels: 12; at 30 a training starts.');
    await see(page, /The next training is due 3\/21\/26, 2:00\sAM/);
    await see(page, 'The moon is full.');
    await see(page, 'Not trained by this node yet');
    loop.refusal = 'Quiet hours last until 06:00.';
    await page.locator('[data-action=train-now]').click();
    await see(page, 'Quiet hours last until 06:00.', dialog);
    await page.locator(dialog).getByRole('button', { name: 'Train all the same' }).click();
    const body = { partType: 'plate', kind: 'patchcore', force: true };
    await page.locator(dialog).waitFor({ state: 'detached' });
    assert.deepEqual(await bodyOf(/POST \/retraining\/trigger/), body);

    await untilStreaming();
    const job = tools.station.addJob({
      state: 'running',
      progress: { stage: 'train', percent: 48, remainingSeconds: 41 },
    });
    loop.retraining[0] = retrainStatus({ state: 'running', runningJob: job.id });
    tools.station.push('retraining', loop.retraining[0]);
    tools.station.push('job', job);
    await see(page, 'about 41 s left', '[data-state=running]');
    assert.equal(await page.getByRole('progressbar').getAttribute('aria-valuenow'), '48');
    const reasons: readonly Reason[] = [
      { code: 'labels-reached', message: '', parameters: { count: 30, needed: 30 } },
      { code: 'candidate-refused', message: '', parameters: { version: '3' } },
      { code: 'gate-ng-newly-passes', message: '', parameters: { count: 2 } },
    ];
    const run = {
      id: '01RUN',
      partType: 'plate',
      kind: 'patchcore',
      trigger: 'labels',
      actor: 'x',
      jobId: job.id,
    } as const;
    const at = '2026-03-20T09:00:00Z';
    const lastRun = { ...run, at, endedAt: at, outcome: 'candidate', version: '3', reasons } as const;
    tools.station.push('retraining', retrainStatus({ lastRun }));
    await see(page, /Last trained 3\/20\/26, 10:00\sAM: version 3, a candidate waits/);
    await see(page, 'The gate refused version 3.');
    await see(page, '2 pictures labelled NG would newly pass.');
    loop.runs.push(lastRun);
    await page.getByText('Earlier trainings').click();
    await see(page, 'new labels · version 3 · a candidate waits', '.oq-retraining-card details');
  });
}
