import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { type Inspection, packageRoot } from '../../engine/domain';
import {
  collect,
  type FlowNode,
  goodPlate,
  loadFlow,
  node,
  openedStation,
  serveHttpNode,
  statuses,
  temporaryFolder,
  until,
  useNodeRed,
} from './support';

const folder = join(packageRoot, 'examples');
/** The examples that need no more than the nodes of the line. */
const files = readdirSync(folder).filter((file) => /^0[1-9] - .*\.json$/.test(file));

const nodeRed = dirname(process.env.NODE_RED_PATH ?? require.resolve('node-red'));
const core = [
  'common/20-inject',
  'common/21-debug',
  'common/90-comment',
  'function/10-function',
  'network/21-httprequest',
].map(
  (file) => require(require.resolve(`@node-red/nodes/core/${file}.js`, { paths: [nodeRed] })) as (RED: NodeAPI) => void,
);

/** The example as it is, but with its debug nodes as sinks, and patient with a busy machine. */
function example(file: string): FlowNode[] {
  const nodes = JSON.parse(readFileSync(join(folder, file), 'utf8')) as FlowNode[];
  return nodes.map((each) => {
    if (each.type === 'debug') return { ...each, type: 'sink' };
    return each.type === 'inspection-station' ? { ...each, deadline: 60_000 } : each;
  });
}

async function load(file: string): Promise<{ flow: FlowNode[]; named(type: string, name?: string): FlowNode }> {
  const flow = example(file);
  await loadFlow(flow, { nodes: core, userDir: await temporaryFolder() });
  return {
    flow,
    named: (type, name) => {
      const found = flow.find((each) => each.type === type && (name === undefined || each.name === name));
      assert.ok(found, `${type} ${name}`);
      return found;
    },
  };
}

const click = (inject: FlowNode) => (node(inject.id) as Node & { receive(): void }).receive();

describe('the examples', function () {
  this.timeout(180_000);
  useNodeRed();

  for (const file of files) {
    it(`${file} starts without a node in trouble`, async () => {
      const { flow, named } = await load(file);
      const shown = flow.filter(({ z }) => z).map(({ id, type }) => ({ type, texts: statuses(id) }));
      await openedStation(named('inspection-station').id);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const red = shown.filter(({ texts }) => texts.some(({ fill }) => fill === 'red'));
      assert.deepEqual(red, []);
    });
  }

  it('01 trains itself at its first start and then judges a part at each click', async () => {
    const { named } = await load('01 - First inspection.json');
    const training = named('sink', 'training');
    await until(
      () => collect(training.id).some(({ payload }) => (payload as { state: string }).state === 'completed'),
      'the end of the training',
      150_000,
    );
    for (let part = 0; part < 5; part++) click(named('inject', 'trigger'));
    const outputs = ['OK', 'NG', 'REVIEW'].map((name) => collect(named('sink', name).id));
    await until(() => outputs.flat().length === 5, 'five verdicts');
    const decisions = outputs.flat().map(({ inspection }) => (inspection as Inspection).decision);
    assert.deepEqual(
      decisions.filter((decision) => decision?.by !== 'model'),
      [],
    );
  });

  it('05 answers an upload with its verdict', async () => {
    const { named } = await load('05 - Pictures by HTTP upload.json');
    await openedStation(named('inspection-station').id);
    const server = await serveHttpNode();
    try {
      const form = new FormData();
      form.set('file', new Blob([new Uint8Array(await goodPlate())], { type: 'image/jpeg' }), 'part.jpg');
      form.set('partType', 'untrained');
      const response = await fetch(`${server.url}/inspection/api/upload/`, { method: 'POST', body: form });
      const body = (await response.json()) as { verdict: string; reasons: string[] };
      assert.equal(response.status, 200);
      assert.equal(body.verdict, 'NG');
      assert.deepEqual(body.reasons, ['no-model']);
    } finally {
      await server.close();
    }
  });

  it('08 puts parts into the review queue and lets people decide by a click', async () => {
    const { named } = await load('08 - Review queue.json');
    await openedStation(named('inspection-station').id);
    // without findings every part is for a person: straight from the camera to the router
    const router = named('confidence-router');
    const camera = named('camera-capture');
    const station = await openedStation(named('inspection-station').id);
    const picture = await goodPlate();
    const inspection = station.inspections.attachPicture(
      station.inspections.open({ partType: 'plate', trigger: { source: 'message' }, route: String(camera.z) }),
      picture,
      await station.inspectPicture(picture),
    );
    node(router.id).receive({ payload: picture, inspection } as never);
    await until(() => collect(named('sink', 'to review').id).length === 1);
    const queue = collect(named('sink', 'queue').id);
    await until(() => (queue.at(-1)?.payload as { pending: number } | undefined)?.pending === 1);
    click(named('inject', 'it is NG'));
    const decision = await until(() => collect(named('sink', 'decision').id)[0]);
    assert.equal((decision.payload as { label: string }).label, 'NG');
    click(named('inject', 'undo the last decision'));
    await until(() => (queue.at(-1)?.payload as { pending: number } | undefined)?.pending === 1);
  });
});
