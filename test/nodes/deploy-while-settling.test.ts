import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Inspection } from '../../engine/domain';
import {
  collect,
  deploy,
  type FlowNode,
  flowTab,
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

describe('a deploy while a verdict is being recorded', function () {
  this.timeout(240_000);
  useNodeRed();

  for (const type of ['nodes', 'full'] as const) {
    it(`neither loses nor doubles it (${type})`, async () => {
      const folder = await temporaryFolder();
      const flow = (name: string): FlowNode[] => [
        flowTab(),
        stationNode(folder),
        on(TAB, {
          id: 'camera',
          type: 'camera-capture',
          version: 1,
          station: STATION,
          source: 'payload',
          partType: 'plate',
          wires: [['router']],
        }),
        on(TAB, {
          id: 'router',
          type: 'confidence-router',
          version: 1,
          name,
          station: STATION,
          wires: [['verdicts'], ['verdicts'], ['verdicts']],
        }),
        on(TAB, { id: 'verdicts', type: 'sink' }),
      ];
      await loadFlow(flow('before'));
      const { inspections } = (await openedStation()).store;
      const settle = inspections.settle.bind(inspections);
      const closed = new Promise<void>((resolve) => node('router').on('close', () => resolve()));
      const recorded = new Promise<void>((resolve) => {
        inspections.settle = async (...settling) => {
          const isFirst = await settle(...settling);
          resolve();
          await closed;
          return isFirst;
        };
      });
      send('camera', { payload: await goodPlate(), serial: 'x' });
      await recorded;
      await deploy(flow('after'), type);

      const station = await openedStation();
      const message = await until(() => collect('verdicts')[0], 'the verdict');
      assert.equal(message.late, true);
      assert.equal((message.inspection as Inspection).decision?.verdict, 'REVIEW');
      assert.ok(Buffer.isBuffer(message.payload), 'with its picture');
      await pause(600);
      assert.equal(collect('verdicts').length, 1);
      const { items } = await station.store.inspections.list();
      assert.deepEqual(items[0].decision, (message.inspection as Inspection).decision);
      assert.deepEqual(await station.store.inspections.undelivered(), []);
    });
  }
});
