/** Exactly one verdict per trigger, whatever happens on the way. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import type { Node, NodeAPI } from 'node-red';
import type { Finding, Inspection, InspectionRecord, Verdict } from '../../engine/domain';
import type { Station } from '../../engine/station';
import type { InspectionMessage } from '../../nodes/shared';
import {
  collect,
  deploy,
  type FlowNode,
  flowTab,
  goodPlate,
  loadFlow,
  on,
  openedStation,
  STATION,
  send,
  stationNode,
  TAB,
  temporaryFolder,
  unloadFlow,
  until,
  useNodeRed,
} from './support';

/** What happens to a part between camera and router. */
type Fate = 'good' | 'bad' | 'unsure' | 'failure' | 'lost' | 'twice' | 'slow' | 'late' | 'crash';
const FATES: readonly Fate[] = ['good', 'bad', 'unsure', 'failure', 'lost', 'twice', 'slow', 'late', 'crash'];

type Step =
  | { readonly kind: 'trigger'; readonly fate: Fate; readonly picture: 'good' | 'text' | 'empty' }
  | { readonly kind: 'burst'; readonly count: number }
  | { readonly kind: 'deploy'; readonly type: 'full' | 'nodes' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'wait'; readonly milliseconds: number };

const DEADLINE_MS = 900;
const OUTPUTS: readonly Verdict[] = ['OK', 'NG', 'REVIEW'];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('trigger' as const),
        fate: fc.constantFrom(...FATES),
        picture: fc.constantFrom('good' as const, 'good' as const, 'good' as const, 'text' as const, 'empty' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('burst' as const), count: fc.integer({ min: 2, max: 8 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('deploy' as const),
        type: fc.constantFrom('full' as const, 'nodes' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), milliseconds: fc.integer({ min: 0, max: 300 }) }),
    },
  ),
  { minLength: 4, maxLength: 14 },
);

describe('exactly one verdict per trigger', function () {
  this.timeout(280_000);
  useNodeRed();

  it('whatever fails, waits, doubles or is deployed in between', async () => {
    const pictures = { good: await goodPlate(), text: Buffer.from('no picture'), empty: Buffer.alloc(0) };
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const folder = await temporaryFolder();
        let deploys = 0;
        const flow = () => lineWithSaboteur(folder, deploys);
        await loadFlow(flow(), { nodes: [saboteur] });
        const sent: string[] = [];
        let opened = 0;
        const followed = new WeakSet<Station>();
        const follow = async () => {
          const station = await openedStation();
          if (followed.has(station)) return;
          followed.add(station);
          station.events.on('inspection-opened', () => {
            opened++;
          });
        };
        await follow();
        const trigger = (fate: Fate, picture: Buffer) => {
          const serial = `part-${sent.length}`;
          sent.push(serial);
          send('camera', { payload: picture, serial, fate });
        };
        for (const step of sequence) {
          if (step.kind === 'trigger') trigger(step.fate, pictures[step.picture]);
          if (step.kind === 'burst') for (let n = 0; n < step.count; n++) trigger('good', pictures.good);
          if (step.kind === 'wait') await pause(step.milliseconds);
          // a trigger counts from the moment the camera node has it
          if (step.kind === 'deploy' || step.kind === 'restart') await until(() => opened === sent.length, 'its parts');
          if (step.kind === 'deploy') {
            deploys++;
            await deploy(flow(), step.type);
            await follow();
          }
          if (step.kind === 'restart') {
            const verdicts = [...collect('verdicts')];
            await unloadFlow();
            collect('verdicts').push(...verdicts);
            await loadFlow(flow(), { nodes: [saboteur] });
            await follow();
          }
        }
        const station = await openedStation();
        const records = await until(async () => {
          const all = await recordsOf(station);
          const open = all.some(({ state }) => state === 'open') || station.health().inspections.open > 0;
          return all.length >= sent.length && !open ? all : undefined;
        }, `${sent.length} settled inspections`);
        await until(() => verdictsBySerial().size >= sent.length, 'all verdicts to be sent');
        await pause(DEADLINE_MS / 3);

        assert.equal(records.length, sent.length, 'one inspection per trigger');
        const verdicts = verdictsBySerial();
        for (const serial of sent) {
          const messages = verdicts.get(serial) ?? [];
          assert.equal(messages.length, 1, `${serial}: ${messages.length} verdicts`);
          const inspection = messages[0].inspection as Inspection;
          const record = records.find(({ id }) => id === inspection.id);
          assert.equal(messages[0].topic, inspection.decision?.verdict);
          assert.equal(record?.decision?.verdict, inspection.decision?.verdict, `${serial}: sent as recorded`);
          if (inspection.decision?.verdict === 'OK') {
            assert.equal(inspection.decision.by, 'model');
            assert.ok(inspection.findings.some((finding) => finding.kind === 'anomaly' && finding.score < 1));
          }
        }
        await unloadFlow();
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });

  it('ten triggers at once, each with its own verdict', async () => {
    await loadFlow(lineWithSaboteur(await temporaryFolder(), 0, 30_000), { nodes: [saboteur] });
    await openedStation();
    const picture = await goodPlate();
    for (let part = 0; part < 10; part++) send('camera', { payload: picture, serial: `part-${part}`, fate: 'good' });
    await until(() => verdictsBySerial().size === 10);
    assert.ok(collect('verdicts').every(({ inspection }) => (inspection as Inspection).decision?.verdict === 'OK'));
  });
});

function lineWithSaboteur(dataFolder: string, deploys: number, deadline = DEADLINE_MS): FlowNode[] {
  return [
    flowTab(),
    stationNode(dataFolder, { deadline }),
    on(TAB, {
      id: 'camera',
      type: 'camera-capture',
      version: 1,
      // a "nodes" deploy restarts what has changed
      name: `camera ${deploys}`,
      station: STATION,
      source: 'payload',
      partType: 'plate',
      queueLength: 3 + (deploys % 2),
      ...(deadline > DEADLINE_MS ? { queueLength: 100 } : {}),
      wires: [['saboteur']],
    }),
    on(TAB, { id: 'saboteur', type: 'saboteur', wires: [['router']] }),
    on(TAB, {
      id: 'router',
      type: 'confidence-router',
      version: 1,
      name: `router ${deploys}`,
      station: STATION,
      wires: OUTPUTS.map(() => ['verdicts']),
    }),
    on(TAB, { id: 'verdicts', type: 'sink' }),
  ];
}

/** A node that stands for an analysis and does to each part what `msg.fate` says. */
function saboteur(RED: NodeAPI): void {
  RED.nodes.registerType('saboteur', function construct(this: Node, definition) {
    RED.nodes.createNode(this, definition);
    const timers = new Set<NodeJS.Timeout>();
    const later = (milliseconds: number, task: () => void) => {
      timers.add(setTimeout(task, milliseconds));
    };
    this.on('close', () => timers.forEach(clearTimeout));
    this.on('input', (incoming, emit, done) => {
      const message = incoming as InspectionMessage;
      const judged = (finding?: Finding) => {
        const inspection = message.inspection as Inspection;
        return { ...message, inspection: { ...inspection, findings: finding ? [finding] : [] } };
      };
      switch (message.fate as Fate) {
        case 'good':
          emit(judged(anomaly(0.2)));
          break;
        case 'bad':
          emit(judged(anomaly(5)));
          break;
        case 'unsure':
          emit(judged(anomaly(1.5)));
          break;
        case 'failure':
          emit(
            judged({ kind: 'failure', node: 'x', reason: 'inference-failed', message: '', milliseconds: { total: 1 } }),
          );
          break;
        case 'twice':
          emit(judged(anomaly(0.2)));
          later(20, () => emit(judged(anomaly(5))));
          break;
        case 'slow':
          later(DEADLINE_MS / 4, () => emit(judged(anomaly(0.2))));
          break;
        case 'late':
          later(DEADLINE_MS + 50, () => emit(judged(anomaly(0.2))));
          break;
        case 'crash':
          done(new Error('the analysis broke'));
          return;
        case 'lost':
          break;
      }
      done();
    });
  });
}

const anomaly = (score: number): Finding => ({
  kind: 'anomaly',
  node: 'saboteur',
  score,
  normalizedScore: score,
  thresholds: { accept: 1, reject: 2 },
  regions: [],
  milliseconds: { total: 1 },
});

function verdictsBySerial(): Map<string, InspectionMessage[]> {
  const verdicts = new Map<string, InspectionMessage[]>();
  for (const message of collect('verdicts')) {
    const serial = String((message.inspection as Inspection).serial);
    verdicts.set(serial, [...(verdicts.get(serial) ?? []), message]);
  }
  return verdicts;
}

async function recordsOf(station: Station): Promise<readonly InspectionRecord[]> {
  return (await station.store.inspections.list({ limit: 500 })).items;
}
