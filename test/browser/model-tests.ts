import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { trainingRequest } from '../../engine/api/schemas';
import type { Job, TrainingRequest } from '../../engine/domain';
import { CURVE, classifierDetails, detectorDetails, detectorReport, REFUSED } from './mock-models';
import type { WidgetTools } from './widget-tools';

/** Detectors and classifiers on the Train page. */
export function modelTests(tools: WidgetTools): void {
  const { show, see, untilStreaming } = tools;

  const choose = (page: Page, kind: string) => page.locator(`input[data-kind=${kind}]`).check();
  const train = (page: Page) => page.getByRole('button', { name: 'Train', exact: true }).click();

  /** The request for a training, which the real API would take. */
  async function requested(): Promise<unknown> {
    const { body } = await tools.station.request(/POST \/training\/start$/);
    const { success, error } = trainingRequest.safeParse(body);
    assert.ok(success, error?.message);
    return body;
  }

  const detectorRequest: TrainingRequest = {
    kind: 'detector',
    partType: 'plate',
    source: { kind: 'labelled' },
    deploy: true,
    detector: { level: 'neck' },
  };

  it('trains a detector from boxes of the review, with head and neck unless told', async () => {
    tools.station.addVersion('1', true);
    tools.station.boxedPictures = 31;
    const page = await show('ui-training');
    await choose(page, 'detector');
    await see(page, '31 pictures with boxes');
    await see(page, 'Right for corrections', '.oq-training-form');
    assert.equal(await page.locator('input[data-source=folder]').count(), 0, 'only the fields of the kind');
    await train(page);
    assert.deepEqual(await requested(), detectorRequest);
  });

  it('does not train a detector without pictures with boxes', async () => {
    tools.station.addVersion('1', true);
    const page = await show('ui-training');
    await choose(page, 'detector');
    await see(page, 'At least 3 pictures with boxes are needed');
    assert.equal(await page.getByRole('button', { name: 'Train', exact: true }).isDisabled(), true);
  });

  it('hands over what is chosen of a detector, and nothing else', async () => {
    tools.station.addVersion('1', true);
    tools.station.addOther(detectorDetails('2', { deployed: true }));
    const page = await show('ui-training');
    await choose(page, 'detector');
    await page.locator('input[data-level=full]').check();
    await page.locator('input[data-source=dataset]').check();
    await train(page);
    await see(page, 'Enter a path.', '.oq-invalid');
    await page.locator('input[name=dataset]').fill('boards/data.yaml');
    await page.locator('input[name=epochs]').fill('40');
    await page.getByText('More options').click();
    await page.getByRole('radio', { name: 'An ONNX file on the server' }).check();
    await page.locator('input[name=baseFile]').fill('yolo11n.onnx');
    await page.locator('input[name=replay]').fill('old');
    await page.locator('select[name=inputSize]').selectOption('448');
    await page.locator('input[name=batch]').fill('4');
    await page.locator('input[name=learningRate]').fill('0.002');
    await page.locator('input[name=augmentation]').fill('30');
    await page.locator('input[name=seed]').fill('7');
    await page.locator('input[name=tolerance]').fill('2');
    await page.locator('select[name=policy]').selectOption('never');
    await train(page);
    assert.deepEqual(await requested(), {
      ...detectorRequest,
      source: { kind: 'dataset', path: 'boards/data.yaml' },
      deploy: false,
      policy: { kind: 'never' },
      detector: {
        level: 'full',
        epochs: 40,
        inputSize: 448,
        batch: 4,
        learningRate: 0.002,
        augmentation: 0.3,
        seed: 7,
        base: 'yolo11n.onnx',
        replay: 'old',
        gate: { tolerance: 0.02 },
      },
    });
  });

  it('searches for good settings within a time instead of taking them', async () => {
    tools.station.addVersion('1', true);
    tools.station.addOther(detectorDetails('2', { deployed: true }));
    tools.station.boxedPictures = 31;
    const page = await show('ui-training');
    await choose(page, 'detector');
    await page.getByText('More options').click();
    await page.getByRole('radio', { name: 'The starter detector' }).check();
    await page.locator('input[name=learningRate]').fill('0.01');
    await page.locator('input[name=useSearch]').check();
    assert.equal(await page.locator('input[name=learningRate]').count(), 0);
    await page.locator('input[name=searchMinutes]').fill('15');
    await train(page);
    const detector = { level: 'neck', base: 'starter', search: { minutes: 15 } };
    assert.deepEqual(await requested(), { ...detectorRequest, detector });
  });

  it('offers an external program only where the station has a command for it', async () => {
    tools.station.addVersion('1', true);
    tools.station.boxedPictures = 31;
    const without = await show('ui-training');
    await choose(without, 'detector');
    await without.getByText('More options').click();
    await see(without, 'enter its command in the inspection-station node');
    assert.equal(await without.getByRole('radio', { name: 'By an external program' }).isDisabled(), true);
    tools.station.trainers = ['built-in', 'external'];
    const page = await show('ui-training');
    await choose(page, 'detector');
    await page.getByText('More options').click();
    await page.getByRole('radio', { name: 'By an external program' }).check();
    assert.equal(await page.locator('input[name=useSearch]').count(), 0);
    await train(page);
    assert.deepEqual(await requested(), { ...detectorRequest, detector: { level: 'neck', trainer: 'external' } });
  });

  it('says the range of each number that the station would refuse', async () => {
    tools.station.addVersion('1', true);
    tools.station.boxedPictures = 31;
    const page = await show('ui-training');
    await choose(page, 'detector');
    await page.getByText('More options').click();
    for (const [name, value, range] of [
      ['epochs', '0', 'A whole number from 1 to 1,000'],
      ['batch', '2.5', 'A whole number from 1 to 64'],
      ['learningRate', '0', 'More than 0, at most 0.1'],
      ['augmentation', '120', '0 to 100'],
      ['tolerance', '-1', '0 to 100'],
    ]) {
      const field = page.locator(`input[name=${name}]`);
      await field.fill(value);
      await see(page, range, `.oq-field:has(input[name=${name}]) .oq-invalid`);
      assert.equal(await field.getAttribute('aria-invalid'), 'true');
    }
    await page.getByText('More options').click();
    await train(page);
    await see(page, 'Some options cannot be used');
    assert.equal(await page.locator('details.oq-training-more').getAttribute('open'), '', 'it opens them');
    assert.ok(!tools.station.requests.some(({ line }) => line.startsWith('POST')));
  });

  it('trains a classifier from a folder of classes, with what the classes mean', async () => {
    tools.station.addVersion('1', true);
    const page = await show('ui-training');
    await choose(page, 'classifier');
    await page.locator('input[data-source=dataset]').check();
    await page.locator('input[name=dataset]').fill('welds');
    await page.locator('input[data-fine-tune=true]').check();
    await page.getByRole('button', { name: 'Add a class' }).click();
    await page.locator('input[name=class-0]').fill('good');
    await page.getByRole('button', { name: 'Add a class' }).click();
    await page.locator('input[name=class-1]').fill('good');
    await see(page, 'Each class once.', '.oq-class-verdicts');
    await page.locator('input[name=class-1]').fill('undercut');
    await page.getByLabel('Verdict for undercut').selectOption('REVIEW');
    await page.getByText('More options').click();
    await page.locator('select[name=inputSize]').selectOption('256');
    await train(page);
    assert.deepEqual(await requested(), {
      kind: 'classifier',
      partType: 'plate',
      source: { kind: 'dataset', path: 'welds' },
      deploy: true,
      classifier: { fineTune: true, inputSize: 256, verdicts: { good: 'OK', undercut: 'REVIEW' } },
    });
  });

  it('begins with the meaning that the classes have in production', async () => {
    tools.station.addVersion('1', true);
    tools.station.addOther(classifierDetails('1', { deployed: true }));
    const page = await show('ui-training');
    await choose(page, 'classifier');
    await page.locator('input[name=class-2]').waitFor();
    assert.equal(await page.getByLabel('Verdict for undercut').inputValue(), 'REVIEW');
    await page.getByRole('button', { name: 'Remove undercut' }).click();
    await train(page);
    const { classifier } = (await requested()) as TrainingRequest;
    assert.deepEqual(classifier, { verdicts: { good: 'OK', porosity: 'NG' } });
  });

  it('shows how a training goes: epoch, time left, memory, and the curves in words too', async () => {
    tools.station.addVersion('1', true);
    const job = tools.station.addJob({
      state: 'running',
      request: detectorRequest,
      progress: {
        stage: 'train',
        percent: 12,
        remainingSeconds: 300,
        epoch: 0,
        epochs: 20,
        memoryBytes: 1_200_000_000,
      },
    });
    const page = await show('ui-training');
    await see(page, 'Training “plate” · Detector', '.oq-job-now');
    await see(page, 'epoch 0 of 20 · memory about 1,200 MB', '.oq-job-now');
    assert.equal(await page.locator('.oq-job-now .oq-chart').count(), 0, 'no curve before the first epoch');
    assert.equal(await page.locator('input[data-kind=detector]').isChecked(), true);
    await untilStreaming();
    const later: Job = {
      ...job,
      progress: { stage: 'train', percent: 48, remainingSeconds: 130, epoch: 9, epochs: 20, curve: CURVE.slice(0, 9) },
    };
    tools.station.push('job', later);
    await see(page, 'epoch 9 of 20', '.oq-job-now');
    const labels = await page.getByRole('img').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    assert.ok(labels.includes('Loss: 4.50 in epoch 1, 1.786 in epoch 9'), labels.join('; '));
    assert.ok(labels.includes('mAP50: 0.16 in epoch 1, 0.765 in epoch 9'), labels.join('; '));
    const line = await page.locator('.oq-chart-line').first().getAttribute('points');
    assert.equal(line?.split(' ').length, 9);
  });

  it('tells what a training came to, and deploys what the gate refused only after a warning', async () => {
    tools.station.addVersion('1', true);
    tools.station.addOther(detectorDetails('2', { deployed: true }));
    tools.station.addOther(detectorDetails('3', { accepted: false, gate: REFUSED, createdAt: '2026-03-20T09:00:00Z' }));
    const skipped = [{ name: 'plate-007.jpg', reason: 'It is truncated.' }];
    tools.station.addJob({
      state: 'completed',
      version: '3',
      request: detectorRequest,
      report: detectorReport(REFUSED),
      skipped,
    });
    const page = await show('ui-training');
    const result = '.oq-result';
    await see(page, 'Result: “plate” version 3 · Detector', result);
    await see(page, 'Normal (head and neck) · took 3 min · 1,310 MB of memory at most', result);
    await see(page, 'Refused by the gate', `${result} .oq-gate[data-accepted=false]`);
    await see(page, 'Of stain, 61 % instead of 88 % are found on the held-out pictures.', result);
    await see(page, 'Something else is worse.', result);
    const row = (name: string) => page.locator(result).getByRole('row', { name }).first().textContent();
    assert.equal((await row('mAP50 '))?.replace(/\s+/g, ' '), 'mAP500.7410.702worse▼ −0.039');
    assert.match((await row('Recall of stain')) ?? '', /88 %61 %worse▼ −27 points$/);
    await see(page, 'On 40 old pictures: what was forgotten', result);
    await page.getByText('1 picture was left out').click();
    await see(page, 'plate-007.jpg: It is truncated.', result);
    await page.locator('[data-action=deploy-result]').click();
    await see(page, 'The gate refused this version', 'dialog[open]');
    await see(page, 'Of stain, 61 % instead of 88 %', 'dialog[open]');
    await page.locator('dialog[open]').getByRole('button', { name: 'Deploy all the same' }).click();
    assert.deepEqual((await tools.station.request(/POST \/models\/plate\.detector\/deploy/)).body, { version: '3' });
  });

  it('lists the versions of every kind with their figures, and rolls back each kind by itself', async () => {
    tools.station.addVersion('1', true);
    tools.station.addOther(detectorDetails('1'));
    tools.station.addOther(detectorDetails('2', { deployed: true, createdAt: '2026-03-14T09:30:00Z' }));
    tools.station.addOther(classifierDetails('1', { deployed: true }));
    const page = await show('ui-models', { locale: 'de-DE' });
    await see(page, '0,862', '[data-kind=detector] table');
    await see(page, '94 %', '[data-kind=classifier] table');
    await see(page, '1,70 / 2,40', '[data-kind=patchcore] table');
    assert.equal(await page.getByRole('button', { name: 'Zurück zur vorigen' }).count(), 1);
    await page.getByRole('button', { name: 'Zurück zur vorigen' }).click();
    await see(page, '„plate · Detektor“', 'dialog[open]');
    await page.locator('dialog[open] [data-action=confirm]').click();
    await tools.station.request(/POST \/models\/plate\.detector\/rollback/);
  });

  it('shows all there is to know of a detector and of a classifier', async () => {
    tools.station.addVersion('1', true);
    tools.station.addOther(detectorDetails('2', { deployed: true }));
    tools.station.addOther(classifierDetails('1', { deployed: true }));
    const page = await show('ui-models');
    const dialog = 'dialog[open]';
    await page.locator('section[data-kind=detector] [data-action=details]').click();
    await see(page, 'plate · Detector · Version 2', dialog);
    await see(page, 'mAP50 lies between 0.802 and 0.912', dialog);
    await see(page, 'Accepted: not worse than before', dialog);
    await see(page, '20 epochs at 320 pixels, 8 pictures a step, learning rate 0.001', dialog);
    await see(page, 'For stain from', dialog);
    await page.getByRole('img', { name: 'Precision over recall for scratch; average precision 0.864' }).waitFor();
    await page.locator(`${dialog} select`).selectOption({ label: 'dent' });
    await page.getByRole('img', { name: 'Precision over recall for dent' }).waitFor();
    assert.equal(await page.locator(`${dialog} .oq-confusion td[data-right]`).first().textContent(), '18');
    await page.keyboard.press('Escape');
    await page.locator('section[data-kind=classifier] [data-action=details]').click();
    await see(page, 'plate · Classifier · Version 1', dialog);
    await see(page, 'The accuracy lies between 88 % and 97 %', dialog);
    const undercut = page.locator(dialog).getByRole('row', { name: 'undercut' }).filter({ hasText: 'REVIEW' });
    assert.match((await undercut.textContent()) ?? '', /REVIEW\s*2090 %90 %0\.900/);
  });

  it('says of a first version measured with few pictures that this tells little', async () => {
    tools.station.addVersion('1', true);
    tools.station.addOther(detectorDetails('1', { deployed: true }));
    const report = detectorReport();
    if (report.kind === 'detector') {
      const { after } = report;
      const perClass = after.perClass.map((one) => (one.label === 'dent' ? { ...one, recall: null, count: 0 } : one));
      const first = { ...report, before: null, oldClasses: null, after: { ...after, perClass, pictures: 5 } };
      tools.station.addJob({ state: 'completed', version: '1', request: detectorRequest, report: first });
    }
    const page = await show('ui-training');
    await see(page, 'Accepted: there was no version before to compare it with.', '.oq-gate[data-accepted=true]');
    await see(page, 'Measured with 5 pictures only', '.oq-gate');
    await see(page, 'Recall of stain', '.oq-result');
    assert.equal(await page.locator('.oq-result').getByText('Recall of dent').count(), 0, 'nothing to tell of it');
  });

  it('links to the labels of the part type, for both forms', async () => {
    tools.station.addVersion('1', true);
    const page = await show('ui-training');
    await see(page, '142', '.oq-labels');
    for (const format of ['yolo', 'coco']) {
      const link = new URL((await page.locator(`[data-format=${format}]`).getAttribute('href'))!, 'http://mock');
      assert.equal(link.pathname, '/inspection/api/labeling-queue/export');
      assert.equal(link.searchParams.get('format'), format);
      assert.equal(link.searchParams.get('partType'), 'plate');
    }
  });

  for (const widget of ['ui-training', 'ui-models'] as const) {
    it(`opens ${widget} on the part type inspected last, then on the one chosen in this browser`, async () => {
      tools.station.addVersion('1', true);
      tools.station.setRouting('cable', {}, 'Kim');
      tools.station.setRouting('valve', {}, 'Kim');
      await tools.station.addInspection('OK', { partType: 'valve' });
      const page = await show(widget);
      const choice = page.locator('select[name=partType]');
      const opensOn = (name: string) => page.waitForFunction(chosenIs, name);
      await opensOn('valve');
      await choice.selectOption('cable');
      await page.reload();
      await opensOn('cable');
    });
  }
}

function chosenIs(name: string): boolean {
  return document.querySelector<HTMLSelectElement>('select[name=partType]')?.value === name;
}
