import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';
import { freePort } from './free-port';

/** A node of a flow file. */
export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}

const TAB = 'f000000000000001';
export const STATION = 'f000000000000002';
export const CAMERA = 'f000000000000003';
const ANALYSIS = 'f000000000000004';
const ROUTER = 'f000000000000005';

/** The stock flow with its simulated PLC on a free port, so that several can run at once. */
export async function stockFlow(): Promise<FlowNode[]> {
  const text = readFileSync(join(packageRoot, 'flows/inspection-line.json'), 'utf8');
  const port = await freePort();
  return (JSON.parse(text) as FlowNode[]).map((node) =>
    node.type === 'plc-simulator' || node.type === 'plc-connection' ? { ...node, port } : node,
  );
}

/**
 * The shortest line: one camera that takes uploads, PatchCore, a router.
 *
 * @param camera properties of the camera-capture node to change or add
 * @param station properties of the station to change or add
 */
export function uploadFlow(camera: object = {}, station: object = {}): FlowNode[] {
  return [
    { id: TAB, type: 'tab', label: 'line' },
    { id: STATION, type: 'inspection-station', name: 'line', deadline: 60_000, ...station },
    {
      id: CAMERA,
      type: 'camera-capture',
      z: TAB,
      station: STATION,
      source: 'payload',
      partType: 'plate',
      acceptUploads: true,
      queueLength: 100,
      wires: [[ANALYSIS]],
      ...camera,
    },
    { id: ANALYSIS, type: 'patchcore-infer', z: TAB, station: STATION, wires: [[ROUTER], []] },
    { id: ROUTER, type: 'confidence-router', z: TAB, station: STATION, wires: [[], [], []] },
  ];
}

/** An http-in node at `/trigger` whose requests trigger the camera; `?serial=` goes along. */
export function httpTrigger(): FlowNode[] {
  return [
    { id: 'f000000000000010', type: 'http in', z: TAB, url: '/trigger', method: 'post', wires: [['f000000000000011']] },
    {
      id: 'f000000000000011',
      type: 'change',
      z: TAB,
      rules: [{ t: 'set', p: 'serial', pt: 'msg', to: 'req.query.serial', tot: 'msg' }],
      wires: [['f000000000000012', 'f000000000000013']],
    },
    { id: 'f000000000000012', type: 'http response', z: TAB, statusCode: '202', wires: [] },
    {
      id: 'f000000000000013',
      type: 'change',
      z: TAB,
      rules: [
        { t: 'delete', p: 'req', pt: 'msg' },
        { t: 'delete', p: 'res', pt: 'msg' },
        { t: 'delete', p: 'payload', pt: 'msg' },
      ],
      wires: [[CAMERA]],
    },
  ];
}

/**
 * The shortest line that learns: what is not passed waits for two people on the page Review, and approved labels retrain the
 * model, which goes into production when the gate lets it.
 *
 * @param onlySerial regular expression: only parts with such a serial come before people
 * @param labels     approved labels that start a retraining
 */
export function loopFlow({ onlySerial, labels }: { onlySerial: string; labels: number }): FlowNode[] {
  const [filter, queue] = ['f000000000000020', 'f000000000000021'];
  const stock = JSON.parse(readFileSync(join(packageRoot, 'flows/inspection-line.json'), 'utf8')) as FlowNode[];
  const widget = stock.find(({ type }) => type === 'ui-review-queue') as FlowNode;
  const group = stock.find(({ id }) => id === widget.group) as FlowNode;
  const page = stock.find(({ id }) => id === group.page) as FlowNode;
  const frame = stock.filter(({ type }) => type === 'ui-base' || type === 'ui-theme');
  const line = uploadFlow({}, { secondPerson: true }).map((node) =>
    node.id === ROUTER ? { ...node, wires: [[], [filter], [filter]] } : node,
  );
  return [
    ...line,
    {
      id: filter,
      type: 'switch',
      z: TAB,
      property: 'inspection.serial',
      propertyType: 'msg',
      rules: [{ t: 'regex', v: onlySerial, vt: 'str', case: false }],
      checkall: 'true',
      outputs: 1,
      wires: [[queue]],
    },
    { id: queue, type: 'review-queue', z: TAB, station: STATION, similarLimit: 0, wires: [[], []] },
    {
      id: 'f000000000000022',
      type: 'retrain-trigger',
      z: TAB,
      station: STATION,
      partType: 'plate',
      labels,
      policy: 'automatic',
      wires: [[], [], [], []],
    },
    { ...widget, z: TAB, station: STATION, wires: [[]] },
    group,
    page,
    ...frame,
  ];
}
