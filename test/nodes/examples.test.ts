import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { type Inspection, type Job, packageRoot } from '../../engine/domain';
import { TRAINING_LIMIT_MS } from '../support/jobs';
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
const files = readdirSync(folder).filter((file) => /^(0[1-9]|1[456]) - .*\.json$/.test(file));

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

type Change = (node: FlowNode) => FlowNode;

/** The example as it is, but with its debug nodes as sinks, and patient with a busy machine. */
function example(file: string): FlowNode[] {
  const nodes = JSON.parse(readFileSync(join(folder, file), 'utf8')) as FlowNode[];
  return nodes.map((each) => {
    if (each.type === 'debug') return { ...each, type: 'sink' };
    return each.type === 'inspection-station' ? { ...each, deadline: 60_000 } : each;
  });
}

async function load(
  file: string,
  change: Change = (each) => each,
): Promise<{ flow: FlowNode[]; named(type: string, name?: string): FlowNode }> {
  const flow = example(file).map(change);
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

/** Simulated parts enough to learn something from, in little time. */
const fewerPictures: Change = (each) => {
  if (each.type !== 'inject' || each.topic !== 'train') return each;
  const order = JSON.parse(String(each.payload)) as { source: object; detector?: object };
  const source = { ...order.source, count: 24 };
  const detector = order.detector && { ...order.detector, epochs: 2 };
  return { ...each, payload: JSON.stringify({ ...order, source, ...(detector && { detector }) }) };
};

/** The training told at a sink, once it has ended well. */
async function trained(sink: string): Promise<Job> {
  const ended = () =>
    collect(sink)
      .map(({ payload }) => payload as Job)
      .find(({ endedAt }) => endedAt);
  const job = await until(ended, 'the end of the training', TRAINING_LIMIT_MS);
  assert.equal(job.state, 'completed', job.error?.message);
  return job;
}

describe('the examples', function () {
  this.timeout(2 * TRAINING_LIMIT_MS);
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
      TRAINING_LIMIT_MS,
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

  it('14 looks at each part twice: the score tells that it is good, the detector names what is not', async () => {
    const { named } = await load('14 - Name the defects.json', fewerPictures);
    await trained(named('sink', 'training').id);
    for (let part = 0; part < 6; part++) click(named('inject', 'trigger'));
    const outputs = ['OK', 'NG', 'REVIEW'].map((name) => collect(named('sink', name).id));
    await until(() => outputs.flat().length === 6, 'six verdicts');
    for (const { inspection } of outputs.flat()) {
      const { findings, decision } = inspection as Inspection;
      assert.deepEqual(
        findings.map(({ kind }) => kind),
        ['anomaly', 'detections'],
      );
      assert.equal(decision?.by, 'model');
    }
    for (const { inspection } of outputs[0]) {
      const [, found] = (inspection as Inspection).findings;
      assert.deepEqual(found.kind === 'detections' && found.detections, [], 'no part with a defect passes');
    }
  });

  it('15 trains itself at its first start and then names the class of a part at each click', async () => {
    const { named } = await load('15 - Classify.json');
    await trained(named('sink', 'training').id);
    for (let part = 0; part < 4; part++) click(named('inject', 'trigger'));
    const findings = collect(named('sink', 'finding').id);
    await until(() => findings.length === 4, 'four findings');
    for (const { inspection } of findings) {
      const [finding] = (inspection as Inspection).findings;
      assert.ok(finding.kind === 'class' && finding.label in finding.probabilities, JSON.stringify(finding));
      assert.equal(finding.verdict, { good: 'OK', stain: 'REVIEW' }[finding.label] ?? 'NG');
    }
  });

  it('16 teaches the starter detector, tells its progress, and detects with what it has learnt', async () => {
    const { named } = await load('16 - Teach the detector.json', fewerPictures);
    await openedStation(named('inspection-station').id);
    click(named('inject', 'simulated parts'));
    const job = await trained(named('sink', 'state').id);
    assert.equal(job.report?.kind, 'detector');
    const progress = collect(named('sink', 'progress').id).map(({ payload }) => (payload as Job).progress);
    assert.ok(progress.some((one) => (one?.curve?.length ?? 0) > 0));
    if (!job.report?.gate.accepted) return;
    click(named('inject', 'trigger'));
    const { inspection } = await until(() => collect(named('sink', 'finding').id)[0]);
    assert.deepEqual((inspection as Inspection).findings[0].model, { name: 'plate.detector', version: job.version });
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
