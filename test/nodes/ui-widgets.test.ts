import assert from 'node:assert/strict';
import type { Node, NodeAPI } from 'node-red';
import { newId } from '../../engine/domain';
import { BrowserCameras } from '../../engine/station';
import { type ConfigSchema, migrateConfig } from '../../nodes/shared';
import { apiBaseOf } from '../../nodes/shared/dashboard-widget';
import * as camera from '../../nodes/ui-camera/config';
import * as view from '../../nodes/ui-inspection-view/config';
import * as models from '../../nodes/ui-models/config';
import * as retraining from '../../nodes/ui-retraining/config';
import * as review from '../../nodes/ui-review-queue/config';
import * as routing from '../../nodes/ui-routing-settings/config';
import * as training from '../../nodes/ui-training/config';
import { waitFor } from '../support/wait';

import uiCamera = require('../../nodes/ui-camera/ui-camera');
import uiInspectionView = require('../../nodes/ui-inspection-view/ui-inspection-view');
import uiModels = require('../../nodes/ui-models/ui-models');
import uiRetraining = require('../../nodes/ui-retraining/ui-retraining');
import uiReviewQueue = require('../../nodes/ui-review-queue/ui-review-queue');
import uiRoutingSettings = require('../../nodes/ui-routing-settings/ui-routing-settings');
import uiTraining = require('../../nodes/ui-training/ui-training');

type Registration = (RED: NodeAPI) => void;
type Message = Record<string, unknown>;

interface TestHelper {
  init(runtimePath: string, settings?: object): void;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  load(nodes: readonly Registration[], flow: readonly object[]): Promise<void>;
  unload(): Promise<void>;
  getNode(id: string): Node & { once(event: string, listener: (message: Message) => void): void };
}

const helper = require('node-red-node-test-helper') as TestHelper;
helper.init(process.env.NODE_RED_PATH ?? require.resolve('node-red'));

const schemas: Record<string, ConfigSchema<unknown>> = {
  'ui-inspection-view': view.schema,
  'ui-review-queue': review.schema,
  'ui-camera': camera.schema,
  'ui-training': training.schema,
  'ui-models': models.schema,
  'ui-retraining': retraining.schema,
  'ui-routing-settings': routing.schema,
};
const widgets: readonly Registration[] = [
  uiInspectionView,
  uiReviewQueue,
  uiCamera,
  uiTraining,
  uiModels,
  uiRetraining,
  uiRoutingSettings,
];

/** What a widget's browser side sees: its properties, and a way to send. */
interface Registered {
  readonly props: Record<string, unknown>;
  readonly events: { onSend(message: Message): Promise<void> };
}

describe('dashboard widget nodes', () => {
  const registered = new Map<string, Registered>();
  const emitted: { readonly event: string; readonly message: Message }[] = [];
  let cameras = new BrowserCameras();
  const records = new Map<string, object>();

  /** Stands for the dashboard's ui-group. */
  const group: Registration = (RED) => {
    RED.nodes.registerType('ui-group', function (this: Node, config) {
      RED.nodes.createNode(this, config);
      const base = { emit: (event: string, message: Message) => emitted.push({ event, message }) };
      Object.assign(this, {
        register: (node: Node, props: Record<string, unknown>, events: Registered['events']) =>
          registered.set(node.id, { props, events }),
        getBase: () => base,
      });
    });
  };
  const station: Registration = (RED) => {
    RED.nodes.registerType('inspection-station', function (this: Node, config) {
      RED.nodes.createNode(this, config);
      const store = { inspections: { get: async (id: string) => records.get(id) ?? null } };
      Object.assign(this, { opened: Promise.resolve({ browserCameras: cameras, store }) });
    });
  };

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(async () => {
    registered.clear();
    emitted.length = 0;
    records.clear();
    await helper.unload();
    cameras.close();
    cameras = new BrowserCameras();
  });

  async function load(type: string, change: object = {}): Promise<Registered> {
    await helper.load(
      [group, station, ...widgets],
      [
        { id: 'flow', type: 'tab' },
        { id: 'group', type: 'ui-group', z: 'flow' },
        { id: 'station', type: 'inspection-station', z: 'flow' },
        { id: 'widget', type, z: 'flow', group: 'group', station: 'station', wires: [['out']], ...change },
        { id: 'out', type: 'helper', z: 'flow' },
      ],
    );
    const widget = registered.get('widget');
    assert.ok(widget, 'registered with its group');
    return widget;
  }

  const nextMessage = (): Promise<Message> =>
    new Promise((resolve) => helper.getNode('out').once('input', (message) => resolve(message)));

  for (const [type, schema] of Object.entries(schemas)) {
    it(`brings a ${type} without a version up to version 1 and refuses one of a newer release`, () => {
      assert.deepEqual(migrateConfig(schema, { name: 'mine' }), { ...schema.defaults, name: 'mine', version: 1 });
      assert.throws(() => migrateConfig(schema, { version: 99 }), RangeError);
    });

    it(`registers ${type} with its configuration and the address of the API`, async () => {
      const { props } = await load(type);
      assert.equal(props.apiBase, '/inspection/api');
      assert.equal(props.station, 'station');
      assert.equal(props.type, type);
      assert.equal(props.language, 'auto');
    });
  }

  it('finds the API under any HTTP node root', () => {
    for (const root of [undefined, '/', '']) assert.equal(apiBaseOf(root), '/inspection/api');
    for (const root of ['/red', 'red/', '/red/']) assert.equal(apiBaseOf(root), '/red/inspection/api');
  });

  it('says so when the dashboard group is gone', async () => {
    await helper.load([group, station, ...widgets], [{ id: 'widget', type: 'ui-training', group: 'gone' }]);
    const { status } = helper.getNode('widget') as unknown as { status: { lastCall: { args: [{ text: string }] } } };
    assert.match(status.lastCall.args[0].text, /no dashboard group/);
  });

  it('sends a trigger when the button was pressed, and with it who pressed', async () => {
    const { events } = await load('ui-inspection-view');
    const message = nextMessage();
    await events.onSend({ topic: 'trigger', payload: 'from outside', _client: { socketId: 's' } });
    const { topic, payload, _client } = await message;
    assert.equal(topic, 'trigger');
    assert.equal(typeof payload, 'number');
    assert.deepEqual(_client, { socketId: 's' });
  });

  it('sends nothing when the button is switched off or the message is another', async () => {
    const { events } = await load('ui-inspection-view', { showTrigger: false, version: 1 });
    let sent = 0;
    helper.getNode('out').on('input', () => {
      sent += 1;
    });
    await events.onSend({ topic: 'trigger' });
    await events.onSend({ topic: 'inspection', payload: { verdict: 'OK' } });
    await events.onSend(null as unknown as Message);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(sent, 0);
  });

  it("forwards the line's wish for a picture to the browsers, and a refusal back", async () => {
    const { events } = await load('ui-camera', { camera: 'gate', version: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    const request = cameras.request('gate', 5_000);
    const { event, message } = emitted[0];
    assert.equal(event, 'msg-input:widget');
    assert.equal(message.topic, 'capture');
    const { requestId } = message.payload as { requestId: string };
    const refused = assert.rejects(request, /Access to the camera was denied/);
    await events.onSend({ topic: 'refused', requestId, detail: 'Access to the camera was denied' });
    await refused;
  });

  it('no longer answers for its camera after it is closed', async () => {
    await load('ui-camera', { camera: 'gate', version: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    await helper.unload();
    await assert.rejects(cameras.request('gate', 5_000), /No browser shows it/);
  });

  it('sends the record of the picture taken, not what the browser says about it', async () => {
    const { events } = await load('ui-camera');
    const id = newId();
    const decision = { verdict: 'NG', confidence: 0.7, reasons: ['score-above-reject'], by: 'model', at: '' };
    const inspection = { id, partType: 'plate', serial: 'A1', trigger: { source: 'browser' }, decision };
    records.set(id, { ...inspection, state: 'settled', picturePath: null, settledAt: new Date().toISOString() });
    const message = nextMessage();
    await events.onSend({ topic: 'inspected', id, verdict: 'OK' });
    const { topic, payload, inspection: sent } = await message;
    assert.equal(topic, 'inspection');
    assert.deepEqual(sent, inspection);
    const { verdict, confidence, reasons } = decision;
    assert.deepEqual(payload, { id, verdict, confidence, reasons, partType: 'plate', serial: 'A1' });
  });

  it('sends each picture of a browser once, and no other inspection that a browser names', async () => {
    const { events } = await load('ui-camera');
    const sent: unknown[] = [];
    helper.getNode('out').on('input', ({ payload }) => sent.push((payload as { id: string }).id));
    const decision = { verdict: 'OK', confidence: 0.7, reasons: ['score-below-accept'], by: 'model', at: '' };
    const settled = (source: string, age: number): string => {
      const id = newId();
      const settledAt = new Date(Date.now() - age).toISOString();
      records.set(id, { id, partType: 'plate', trigger: { source }, decision, state: 'settled', settledAt });
      return id;
    };
    const own = settled('browser', 1000);
    const last = settled('browser', 1000);
    const named = [own, settled('plc', 1000), settled('api', 1000), settled('browser', 61_000), own, last];
    for (const id of named) await events.onSend({ topic: 'inspected', id });
    await waitFor('the last one', () => sent.includes(last));
    assert.deepEqual(sent, [own, last]);
  });

  it('ignores ids that are none and records that do not exist', async () => {
    const { events } = await load('ui-camera');
    let sent = 0;
    helper.getNode('out').on('input', () => {
      sent += 1;
    });
    await events.onSend({ topic: 'inspected', id: '../../etc/passwd' });
    await events.onSend({ topic: 'inspected', id: newId() });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(sent, 0);
  });
});
