/** What the tests of the PLC nodes share. */
import type { Inspection, Trigger, Verdict } from '../../engine/domain';
import { SimulatedPlc } from '../../engine/plc';
import type { InspectionMessage } from '../../nodes/shared';
import { freePort } from '../support/free-port';
import { type FlowNode, flowTab, loadFlow, on, TAB } from './support';

import plcConnection = require('../../nodes/plc-connection/plc-connection');
import plcResult = require('../../nodes/plc-result/plc-result');
import plcSimulator = require('../../nodes/plc-simulator/plc-simulator');
import plcTrigger = require('../../nodes/plc-trigger/plc-trigger');
import towerLight = require('../../nodes/tower-light/tower-light');

export const PLC = 'f000000000000010';

const running: SimulatedPlc[] = [];

/** A simulated PLC on a port that stays its own while it hangs up, closed after the test. */
export async function simulatedPlc(): Promise<SimulatedPlc> {
  const plc = new SimulatedPlc({ port: await freePort(), partType: 1 });
  await plc.listen();
  running.push(plc);
  return plc;
}

/** Closes the simulated PLCs; to be called after the flow is unloaded. */
export async function closePlcs(): Promise<void> {
  await Promise.all(running.splice(0).map((plc) => plc.close()));
}

/**
 * A plc-connection that is back soon after a loss. PLC and client share the test's process: an answer may have to wait for
 * all else that it does.
 */
export function plcNode(port: number, overrides: object = {}): FlowNode {
  return {
    id: PLC,
    type: 'plc-connection',
    host: '127.0.0.1',
    port,
    responseTimeout: 20_000,
    reconnectMin: 20,
    reconnectMax: 60,
    ...overrides,
  };
}

/** A tab with nodes on it, each wired to a `sink` of id `out`. */
export async function loadPlcFlow(nodes: readonly FlowNode[]): Promise<void> {
  await loadFlow(
    [
      flowTab(),
      ...nodes.map((node) => (isConfig(node) ? node : on(TAB, { wires: [['out']], ...node }))),
      on(TAB, { id: 'out', type: 'sink' }),
    ],
    { nodes: [plcConnection, plcTrigger, plcResult, towerLight, plcSimulator] },
  );
}

function isConfig({ type }: FlowNode): boolean {
  return type === 'plc-connection' || type === 'inspection-station';
}

/** A message as confidence-router sends it. */
export function judged(verdict: Verdict, trigger: Trigger = { source: 'message' }): InspectionMessage {
  const at = new Date().toISOString();
  const inspection: Inspection = {
    id: '01JD0000000000000000000000',
    station: 's',
    partType: 'plate',
    trigger,
    capturedAt: at,
    deadlineAt: at,
    findings: [],
    decision: {
      verdict,
      confidence: 0.5,
      reasons: [verdict === 'OK' ? 'score-below-accept' : 'score-above-reject'],
      by: 'model',
      at,
    },
  };
  return { topic: verdict, payload: Buffer.alloc(1), inspection };
}
