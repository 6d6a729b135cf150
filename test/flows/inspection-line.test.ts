import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ModbusRTU from 'modbus-serial';
import { type RetrainStatus, VERDICTS } from '../../engine/domain';
import { SIMULATED_PLC_MAP } from '../../engine/plc';
import { simulatePart } from '../../engine/simulator';
import { type FlowNode, stockFlow } from '../support/flows';
import { removeFolder } from '../support/folders';
import { InspectionApi, type UploadAnswer } from '../support/inspection-api';
import { TRAINING_LIMIT_MS } from '../support/jobs';
import { type RunningNodeRed, startNodeRed } from '../support/node-red-process';
import { waitFor } from '../support/wait';

const { registers, coils } = SIMULATED_PLC_MAP;

describe('the stock flow', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  const userDir = mkdtempSync(join(tmpdir(), 'opti-quality-stock-'));
  const plc = new ModbusRTU();
  let nodeRed: RunningNodeRed;
  let api: InspectionApi;

  before(async () => {
    // patient with a busy machine
    const changes: Readonly<Record<string, object>> = {
      'plc-simulator': { cycleSeconds: 0.7, resultTimeout: 60 },
      'inspection-station': { deadline: 60_000 },
    };
    const flow = (await stockFlow()).map((node): FlowNode => ({ ...node, ...changes[node.type] }));
    nodeRed = await startNodeRed({ userDir, flow });
    api = new InspectionApi(nodeRed.base);
    await waitFor('the model trained on first start', () => api.deployedModel('plate'), TRAINING_LIMIT_MS);
    const port = flow.find(({ type }) => type === 'plc-simulator')?.port as number;
    await plc.connectTCP('127.0.0.1', { port });
    plc.setID(1);
  });

  after(async () => {
    await new Promise((resolve) => plc.close(resolve));
    await nodeRed?.stop();
    await removeFolder(userDir);
  });

  it('answers each trigger of the PLC with one verdict', async () => {
    const tenParts = async () => {
      const items = (await api.inspections()).filter(({ serial }) => serial?.startsWith('SIM-'));
      return items.length >= 10 && items;
    };
    const records = await waitFor('ten parts', tenParts, 120_000);
    const serials = records.map(({ serial }) => serial);
    assert.equal(new Set(serials).size, serials.length);
    const sequences = (await Promise.all(records.map(({ id }) => api.inspection(id)))).map(
      ({ trigger }) => trigger.sequence!,
    );
    assert.equal(Math.max(...sequences) - Math.min(...sequences), sequences.length - 1, sequences.join());
  });

  it('writes verdict and sequence to the PLC, and lights the lamp of the verdict', async () => {
    const { data } = await plc.readHoldingRegisters(registers.resultVerdict, 2);
    assert.ok(data[0]! >= 1 && data[0]! <= VERDICTS.length, `verdict code ${data[0]}`);
    assert.ok(data[1]! > 0);
    await waitFor('a lamp', async () => {
      const lamps = await plc.readCoils(coils.green, 4);
      return lamps.data.slice(0, 4).some(Boolean);
    });
  });

  it('keeps the heartbeat going', async () => {
    const first = (await plc.readHoldingRegisters(registers.heartbeat, 1)).data[0];
    await waitFor('the heartbeat to change', async () => {
      return (await plc.readHoldingRegisters(registers.heartbeat, 1)).data[0] !== first;
    });
  });

  it('passes good simulated parts and rejects bad ones', async () => {
    const judged: { label: 'OK' | 'NG'; answer: UploadAnswer }[] = [];
    for (let seed = 1; seed <= 24; seed += 1) {
      const { picture, truth } = await simulatePart({ product: 'plate', seed: 40_000 + seed, defectRate: 0.5 });
      judged.push({ label: truth.label, answer: await api.upload(picture, { partType: 'plate' }) });
    }
    const escapes = judged.filter(({ label, answer }) => label === 'NG' && answer.verdict === 'OK');
    const falseRejects = judged.filter(({ label, answer }) => label === 'OK' && answer.verdict === 'NG');
    assert.ok(judged.some(({ label }) => label === 'NG') && judged.some(({ label }) => label === 'OK'));
    assert.equal(escapes.length, 0, JSON.stringify(escapes));
    assert.ok(falseRejects.length <= 2, JSON.stringify(falseRejects));
  });

  it('names defects with the embedded starter detector, beside the score', async () => {
    const labels: string[] = [];
    for (let seed = 1; seed <= 6; seed += 1) {
      const part = { product: 'plate', seed: 42_000 + seed, defectRate: 1, defects: ['fracture'] } as const;
      const { id } = await api.upload((await simulatePart(part)).picture, { partType: 'plate' });
      const { findings } = await api.inspection(id);
      assert.deepEqual(
        findings.map(({ kind }) => kind),
        ['anomaly', 'detections'],
      );
      for (const finding of findings) {
        if (finding.kind === 'detections') labels.push(...finding.detections.map(({ label }) => label));
      }
    }
    assert.ok(labels.includes('fracture'), labels.join());
  });

  it('says what its model would be trained anew for, and that nothing is labelled yet', async () => {
    const { items } = await api.get<{ items: RetrainStatus[] }>('/retraining/status?partType=plate');
    assert.deepEqual(
      items.map(({ state, newLabels, labelsNeeded }) => ({ state, newLabels, labelsNeeded })),
      [{ state: 'idle', newLabels: 0, labelsNeeded: 20 }],
    );
    const conditions = await api.get<{ items: { policy: { kind: string } }[] }>('/retraining/conditions');
    assert.equal(conditions.items[0].policy.kind, 'manual', 'a person decides');
    await assert.rejects(api.post('/retraining/trigger', { partType: 'plate' }), /409|422/);
  });

  it('answers ten clients at once, each with its own part', async () => {
    const { picture } = await simulatePart({ product: 'plate', seed: 41_000, defectRate: 0 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => api.upload(picture, { partType: 'plate', serial: `C-${index}` })),
    );
    assert.equal(new Set(answers.map(({ id }) => id)).size, 10);
    for (const { id } of answers) assert.match((await api.inspection(id)).serial ?? '', /^C-\d$/);
  });

  it('refuses what is no picture, and goes on', async () => {
    await assert.rejects(api.upload(Buffer.from('no picture'), { partType: 'plate' }), /415|422/);
    await assert.rejects(api.upload(Buffer.alloc(0), { partType: 'plate' }), /400|422/);
    const { picture } = await simulatePart({ product: 'plate', seed: 41_001, defectRate: 0 });
    await assert.rejects(api.upload(picture.subarray(0, picture.length / 2), { partType: 'plate' }), /422/);
    assert.equal((await api.upload(picture, { partType: 'plate' })).verdict, 'OK');
  });

  it('answers malformed bodies with problem documents, though the parser of the editor sees them first', async () => {
    const bodies: [string, string, number, Record<string, string>?][] = [
      ['application/json', '{"version":', 400],
      ['application/json', '"x"', 400],
      ['application/json', JSON.stringify({ version: 'x'.repeat(2_000_000) }), 413],
      ['application/json', JSON.stringify({ version: 'x'.repeat(6_000_000) }), 413],
      ['application/json; charset=nonsense', '{}', 415],
      ['application/json', 'rubbish', 400, { 'content-encoding': 'gzip' }],
      ['application/x-www-form-urlencoded', 'version=1', 415],
    ];
    for (const [type, body, status, headers] of bodies) {
      const url = `${api.root}/models/plate/deploy`;
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': type, ...headers }, body });
      const problem = (await response.json()) as { status: number; detail: string };
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.equal(response.status, status, `${type} ${body.slice(0, 20)}: ${problem.detail}`);
      assert.doesNotMatch(problem.detail, /node_modules/);
    }
  });

  it('gives the fail-safe verdict for a part type without a model', async () => {
    const { picture } = await simulatePart({ product: 'cable-end', seed: 1, defectRate: 0 });
    const answer = await api.upload(picture, { partType: 'cable-end' });
    assert.equal(answer.verdict, 'NG');
    assert.deepEqual(answer.reasons, ['no-model']);
  });
});
