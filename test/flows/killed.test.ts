import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulatePart } from '../../engine/simulator';
import { uploadFlow } from '../support/flows';
import { removeFolder } from '../support/folders';
import { InspectionApi, type UploadAnswer } from '../support/inspection-api';
import { TRAINING_LIMIT_MS } from '../support/jobs';
import { type RunningNodeRed, startNodeRed } from '../support/node-red-process';

const PARTS = 200;
const CLIENTS = 10;

describe('Node-RED killed with -9 in the middle of 200 parts', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  const userDir = mkdtempSync(join(tmpdir(), 'opti-quality-killed-'));
  const answers: UploadAnswer[] = [];
  let nodeRed: RunningNodeRed;
  let api: InspectionApi;

  before(async () => {
    nodeRed = await startNodeRed({ userDir, flow: uploadFlow() });
    api = new InspectionApi(nodeRed.base);
    const source = { kind: 'simulator', product: 'plate', count: 40 } as const;
    const job = await api.train({ partType: 'plate', source, deploy: true });
    assert.equal(job.state, 'completed', job.error?.message);

    const pictures = await Promise.all(
      [1, 2, 3, 4].map((seed) => simulatePart({ product: 'plate', seed: 500 + seed, defectRate: seed % 2 })),
    );
    let sent = 0;
    const client = async () => {
      while (sent < PARTS) {
        sent += 1;
        const answer = await api.upload(pictures[sent % 4]!.picture, { partType: 'plate' }).catch(() => null);
        if (answer === null) return;
        answers.push(answer);
        if (answers.length === PARTS / 2) nodeRed.process.kill('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    await nodeRed.stop('SIGKILL');

    nodeRed = await startNodeRed({ userDir });
    api = new InspectionApi(nodeRed.base);
  });

  after(async () => {
    await nodeRed.stop();
    await removeFolder(userDir);
  });

  it('keeps every verdict that was given, as it was given', async () => {
    assert.ok(answers.length >= PARTS / 2, `${answers.length} answers before the kill`);
    for (const { id, verdict } of answers) {
      assert.equal((await api.inspection(id)).decision?.verdict, verdict);
    }
  });

  it('settles what was open, fail-safe, and nothing twice', async () => {
    const records = await api.inspections();
    assert.equal(new Set(records.map(({ id }) => id)).size, records.length);
    const answered = new Set(answers.map(({ id }) => id));
    for (const { id } of records) {
      const { decision } = await api.inspection(id);
      assert.ok(decision, `${id} has a verdict`);
      if (answered.has(id) || decision.by === 'model') continue;
      assert.notEqual(decision.verdict, 'OK');
      assert.deepEqual(decision.reasons, ['interrupted']);
    }
  });

  it('has the picture of every record, and no picture without a record', async () => {
    const withPicture: string[] = [];
    for (const { id } of await api.inspections()) {
      const { image } = await api.inspection(id);
      if (image === undefined) continue;
      const response = await fetch(`${api.root}/inspections/${id}/picture`);
      assert.equal(response.status, 200, `picture of ${id}`);
      assert.equal((await response.arrayBuffer()).byteLength, image.bytes);
      withPicture.push(id);
    }
    const files = readdirSync(join(userDir, 'opti-quality/images'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(jpg|png)$/.test(file))
      .map((file) => file.replace(/^.*[\\/]/, '').replace(/\.\w+$/, ''));
    assert.deepEqual(files.sort(), withPicture.sort());
  });

  it('goes on inspecting', async () => {
    const part = await simulatePart({ product: 'plate', seed: 900, defectRate: 0 });
    const answer = await api.upload(part.picture, { partType: 'plate' });
    assert.notEqual(answer.score, null, answer.reasons.join());
  });
});
