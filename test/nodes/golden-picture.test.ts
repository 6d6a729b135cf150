import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { type AnomalyFinding, type Inspection, packageRoot } from '../../engine/domain';
import type { Station } from '../../engine/station';
import { goldenPicture } from '../../nodes/patchcore-infer/golden-picture';
import { board, trainBoards, writeBoards } from '../engine/patchcore/reference/boards';
import { TRAINING_LIMIT_MS } from '../support/jobs';
import {
  collect,
  deployIn,
  type FlowNode,
  flowTab,
  folderWithPlateModel,
  goodPlate,
  loadFlow,
  node,
  on,
  openedStation,
  STATION,
  send,
  stationNode,
  TAB,
  temporaryFolder,
  until,
  useNodeRed,
} from './support';

const isMissing = { code: 'reference-missing', reason: 'reference-missing' };

describe('the golden picture of a message', () => {
  let folder: string;

  before(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder, 'golden'));
    await writeFile(join(folder, 'golden', 'A1.png'), 'of A1');
    await writeFile(join(folder, 'other.png'), 'other');
  });

  const textOf = async (...[given, references, serial]: [unknown, string, string?]) =>
    (await goldenPicture(given, references, serial, folder))?.toString();

  it('is msg.reference before the one of the serial number', async () => {
    assert.equal(await textOf(Buffer.from('own'), 'golden', 'A1'), 'own');
    assert.equal(await textOf(new Uint8Array(Buffer.from('bytes')), 'golden', 'A1'), 'bytes');
    assert.equal(await textOf('other.png', 'golden', 'A1'), 'other');
    assert.equal(await textOf(join(folder, 'other.png'), '', undefined), 'other');
    assert.equal(await textOf(undefined, 'golden', 'A1'), 'of A1');
    assert.equal(await textOf(null, join(folder, 'golden'), 'A1'), 'of A1');
  });

  it('is left to the model where neither is given', async () => {
    assert.equal(await textOf(undefined, '', 'A1'), undefined);
  });

  it('fails when one should be there and is not', async () => {
    await assert.rejects(textOf('gone.png', 'golden', 'A1'), isMissing);
    await assert.rejects(textOf(undefined, 'golden', 'B2'), isMissing);
    await assert.rejects(textOf(undefined, 'golden', undefined), isMissing);
    await assert.rejects(textOf(undefined, 'golden', '../other'), isMissing);
    for (const wrong of [7, '', {}]) await assert.rejects(textOf(wrong, 'golden', 'A1'), { code: 'invalid-input' });
  });
});

describe('patchcore-infer with golden pictures', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
  useNodeRed();

  async function start(references: string): Promise<Station> {
    await loadFlow([
      flowTab(),
      stationNode(await folderWithPlateModel()),
      on(TAB, {
        id: 'camera',
        type: 'camera-capture',
        version: 1,
        station: STATION,
        source: 'payload',
        partType: 'plate',
        wires: [['infer']],
      }),
      on(TAB, {
        id: 'infer',
        type: 'patchcore-infer',
        version: 1,
        station: STATION,
        references,
        wires: [['router'], []],
      }),
      on(TAB, {
        id: 'router',
        type: 'confidence-router',
        version: 1,
        station: STATION,
        wires: [['ok'], ['ng'], ['rv']],
      }),
      ...['ok', 'ng', 'rv', 'errors'].map((id) => on(TAB, { id, type: 'sink' })),
      on(TAB, { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] }),
    ]);
    return openedStation();
  }

  it('gives a part without golden picture the fail-safe verdict, with the reason and an error', async () => {
    const folder = await temporaryFolder();
    await start(folder);
    send('camera', { payload: await goodPlate(), serial: 'S-1' });
    const ng = await until(() => collect('ng')[0]);
    const { findings, decision } = ng.inspection as Inspection;
    assert.deepEqual(decision?.reasons, ['reference-missing']);
    assert.equal(decision?.by, 'failsafe');
    const [finding] = findings;
    assert.equal(finding.kind === 'failure' && finding.reason, 'reference-missing');
    const { error } = await until(() => collect('errors')[0]);
    assert.match((error as Error).message, /There is no golden picture for serial "S-1"/);
  });

  it('hands the golden picture of the serial number, or of the message, to the analysis', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'S-1.jpg'), 'golden');
    const station = await start(folder);
    const handed: (string | undefined)[] = [];
    const { scoreAnomaly } = station;
    const spied: Station['scoreAnomaly'] = (picture, inspection, node, reference) => {
      handed.push(reference?.toString());
      return scoreAnomaly.call(station, picture, inspection, node);
    };
    Object.assign(station, { scoreAnomaly: spied });
    const picture = await goodPlate();
    send('camera', { payload: picture, serial: 'S-1' });
    const judged = () => ['ok', 'ng', 'rv'].flatMap((id) => collect(id));
    await until(() => judged().length === 1);
    send('camera', { payload: picture, serial: 'S-1', reference: Buffer.from('own') });
    await until(() => judged().length === 2);
    assert.deepEqual(handed, ['golden', 'own']);
    for (const { inspection } of judged()) {
      assert.equal(((inspection as Inspection).findings[0] as AnomalyFinding).kind, 'anomaly');
    }
  });

  it('in the example: each part has its own, and one without fails safe', async () => {
    const data = await temporaryFolder();
    for (const name of ['boards', 'golden']) await mkdir(join(data, name));
    for (const serial of ['B-1', 'B-2']) await writeFile(join(data, 'boards', `${serial}.png`), await goodPlate());
    const sinks = await startExample(data, await temporaryFolder());
    const ng = await until(() => (sinks('NG').length === 2 ? sinks('NG') : undefined));
    const inspections = ng.map(({ inspection }) => inspection as Inspection);
    assert.deepEqual(inspections.map(({ serial }) => serial).sort(), ['B-1', 'B-2']);
    for (const { decision } of inspections) assert.deepEqual(decision?.reasons, ['reference-missing']);
  });

  it('in the example, with a reference model: passes a good board and stops a defective one', async () => {
    const data = await temporaryFolder();
    await writeBoards(data);
    for (const name of ['boards', 'masters']) await mkdir(join(data, name));
    await writeFile(join(data, 'boards', 'B-1.png'), await board(1, { shift: 2 }));
    await writeFile(join(data, 'golden', 'B-1.png'), await board(1));
    await writeFile(join(data, 'boards', 'B-2.png'), await board(2, { shift: 1, defective: true }));
    await writeFile(join(data, 'masters', 'revision-c.png'), await board(2));
    const userDir = await temporaryFolder();
    const stationFolder = join(userDir, 'opti-quality-examples');
    await trainBoards(data, join(stationFolder, 'models', 'board', '1'));
    await deployIn(stationFolder, 'board', '1');

    const sinks = await startExample(data, userDir);
    const [passed] = await until(() => (sinks('OK').length === 1 ? sinks('OK') : undefined));
    const [stopped] = await until(() => (sinks('NG').length === 1 ? sinks('NG') : undefined));
    for (const [{ inspection }, serial] of [[passed, 'B-1'] as const, [stopped, 'B-2'] as const]) {
      const { serial: own, decision, findings } = inspection as Inspection;
      assert.deepEqual([own, decision?.by, findings[0].kind], [serial, 'model', 'anomaly']);
    }
    const { regions, model } = (stopped.inspection as Inspection).findings[0] as AnomalyFinding;
    assert.deepEqual(model, { name: 'board', version: '1' });
    const [{ box }] = regions;
    assert.ok(Math.hypot(box.x + box.width / 2 - 97, box.y + box.height / 2 - 77) < 8, JSON.stringify(box));
  });

  /** Sends what the injects of the example send; gives what its outputs got, by name. */
  async function startExample(data: string, userDir: string): Promise<(name: string) => ReturnType<typeof collect>> {
    const text = readFileSync(join(packageRoot, 'examples', '13 - Golden picture of each part.json'), 'utf8');
    const flow = (JSON.parse(text.replaceAll('"/data/', `"${data}/`)) as FlowNode[]).map((each) =>
      each.type === 'debug' ? { ...each, type: 'sink' } : each,
    );
    const nodeRed = dirname(process.env.NODE_RED_PATH ?? require.resolve('node-red'));
    const core = ['common/20-inject', 'common/90-comment', 'common/25-catch'].map(
      (file) =>
        require(require.resolve(`@node-red/nodes/core/${file}.js`, { paths: [nodeRed] })) as (RED: NodeAPI) => void,
    );
    await loadFlow(flow, { nodes: core, userDir });
    const injects = flow.filter(({ type }) => type === 'inject');
    for (const { id } of injects) (node(id) as Node & { receive(): void }).receive();
    return (name) => collect(String(flow.find((each) => each.type === 'sink' && each.name === name)?.id));
  }
});
