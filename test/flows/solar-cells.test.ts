import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot, type Verdict } from '../../engine/domain';
import { auroc } from '../../engine/statistics';
import { httpTrigger, uploadFlow } from '../support/flows';
import { removeFolder } from '../support/folders';
import { InspectionApi, type InspectionSummary, type UploadAnswer } from '../support/inspection-api';
import { TRAINING_LIMIT_MS } from '../support/jobs';
import { type RunningNodeRed, startNodeRed } from '../support/node-red-process';
import { needShared, picturesIn } from '../support/shared-data';
import { waitFor } from '../support/wait';

const run = promisify(execFile);

/**
 * Real pictures through the running flow, the API and the command line: all three must agree, since they are one engine.
 * Solar cells in electroluminescence (elpv-dataset, Deitsch et al. 2019), polycrystalline.
 */
describe('solar cells', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  const folder = mkdtempSync(join(tmpdir(), 'opti-quality-cells-'));
  let data: string;
  let nodeRed: RunningNodeRed;
  let api: InspectionApi;

  before(async function () {
    data = needShared(this, 'data/elpv-poly');
    const camera = { source: 'folder', folder: join(data, 'test/defective'), folderLoop: false, partType: 'cell' };
    // the last trigger waits for all others
    const flow = [...uploadFlow(camera, { trainingFolders: data, deadline: 600_000 }), ...httpTrigger()];
    nodeRed = await startNodeRed({ userDir: join(folder, 'user'), flow });
    api = new InspectionApi(nodeRed.base);
    const source = { kind: 'folder', folder: join(data, 'train/good') } as const;
    const job = await api.train({ partType: 'cell', source, deploy: true });
    assert.equal(job.state, 'completed', job.error?.message);
  });

  after(async () => {
    await nodeRed?.stop();
    await removeFolder(folder);
  });

  it('are told apart by the running flow and by the API, with one verdict each', async () => {
    const defective = picturesIn(join(data, 'test/defective'));
    for (const [index] of defective.entries()) {
      await fetch(`${nodeRed.base}/trigger?serial=defective-${index}`, { method: 'POST' });
    }
    const isJudged = ({ verdict }: InspectionSummary) => verdict !== null;
    const byFlow = await waitFor(
      'all verdicts of the folder',
      async () => {
        const records = await api.inspections({ partType: 'cell' });
        return records.length === defective.length && records.every(isJudged) && records;
      },
      300_000,
    );

    const good: UploadAnswer[] = [];
    for (const picture of picturesIn(join(data, 'test/good'))) {
      good.push(await api.upload(readFileSync(picture), { partType: 'cell' }));
    }

    const area = auroc(good.map(scoreOf), byFlow.map(scoreOf));
    const counts = (verdicts: readonly Verdict[]) =>
      Object.fromEntries(
        (['OK', 'REVIEW', 'NG'] as const).map((name) => [name, verdicts.filter((verdict) => verdict === name).length]),
      );
    console.log(`      image AUROC ${area.toFixed(3)}`);
    console.log('      good', counts(good.map(({ verdict }) => verdict)));
    console.log('      defective', counts(byFlow.map(({ verdict }) => verdict!)));
    assert.equal(new Set(byFlow.map(({ serial }) => serial)).size, defective.length);
    assert.ok(area > 0.75, `image AUROC ${area}`);
  });

  it('get the same figures from the command line', async () => {
    const model = join(folder, 'user/opti-quality/models/cell/1');
    const { stdout } = await run(process.execPath, [
      join(packageRoot, 'dist/cli/opti-quality.js'),
      'evaluate',
      ...['--model', model],
      ...['--ok', join(data, 'test/good')],
      ...['--defects', join(data, 'test/defective')],
      '--json',
    ]);
    const figures = JSON.parse(stdout.trim().split('\n').at(-1)!) as { imageAuroc: number };
    const records = await api.inspections({ partType: 'cell' });
    const scores = (isGood: boolean) => records.filter(({ serial }) => (serial === null) === isGood).map(scoreOf);
    assert.ok(Math.abs(figures.imageAuroc - auroc(scores(true), scores(false))) < 1e-9);
  });
});

function scoreOf({ id, score }: InspectionSummary | UploadAnswer): number {
  assert.ok(score !== null, `${id} has a score`);
  return score;
}
