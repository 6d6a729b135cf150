import type { Node, NodeAPI } from 'node-red';
import { type Inspection, InspectionError, TypedEmitter } from '../../engine/domain';
import { AnsweredSequences, type PlcConnection, type PlcResult, PlcUnavailable } from '../../engine/plc';
import type { InspectionNode } from '../shared';

/** A trigger a plc-trigger node saw, told to the plc-result nodes on the same PLC: they know which answers are due. */
export interface SeenTrigger {
  readonly sequence: number;
  /** Register of the result's sequence, as far as the plc-trigger knows it. */
  readonly resultAddress: number | null;
}

/** A part found waiting in the PLC at the start whose verdict fell already: its result never got there. */
export interface UnansweredTrigger extends SeenTrigger {
  readonly inspection: Inspection;
}

/** What is known of one result block, over the lives of the plc-result nodes that write it. */
export interface BlockState {
  readonly answered: AnsweredSequences;
  /** The result a closed node could not write. */
  unwritten: PlcResult | null;
}

/** What the nodes on one PLC share. */
export interface PlcDevice {
  readonly connection: PlcConnection;
  readonly seen: TypedEmitter<{ readonly trigger: SeenTrigger; readonly unanswered: UnansweredTrigger }>;
  /** The result block at an address of a unit. */
  block(unit: number | undefined, address: number): BlockState;
}

/** The config node as other nodes see it; without `device` when its configuration cannot be used. */
export interface PlcConnectionNode extends Node {
  readonly device?: PlcDevice;
}

export class PlcMissing extends InspectionError {
  constructor() {
    super({
      code: 'plc-missing',
      status: 'no PLC connection',
      message: 'No PLC connection is chosen, or its settings cannot be used. Open the node and choose or add one.',
    });
  }
}

/**
 * The PLC chosen in a node's configuration.
 *
 * @throws {PlcMissing}
 */
export function plcOf(RED: NodeAPI, id: string): PlcDevice {
  const { device } = (RED.nodes.getNode(id) ?? {}) as PlcConnectionNode;
  if (!device) throw new PlcMissing();
  return device;
}

export function newDevice(connection: PlcConnection): PlcDevice {
  const blocks = new Map<string, BlockState>();
  return {
    connection,
    seen: new TypedEmitter(),
    block(unit, address) {
      const key = `${unit ?? ''}/${address}`;
      const known = blocks.get(key) ?? { answered: new AnsweredSequences(), unwritten: null };
      blocks.set(key, known);
      return known;
    },
  };
}

/**
 * Shows in a node's status whether its PLC is there, until the node closes.
 *
 * @param show shows the node's own state; called when the connection is (again) there
 */
export function followConnection(node: InspectionNode, connection: PlcConnection, show: () => void): void {
  const absent = (error: unknown) => node.state.failed(error);
  connection.on('connected', show);
  connection.on('disconnected', absent);
  connection.on('error', absent);
  node.onClose(() => {
    connection.off('connected', show);
    connection.off('disconnected', absent);
    connection.off('error', absent);
  });
  showConnection(node, connection, show);
}

/** Shows the node's own state when its PLC is there, else that it is not. */
export function showConnection(node: InspectionNode, connection: PlcConnection, show: () => void): void {
  if (connection.state === 'connected') show();
  else if (connection.lastError) node.state.failed(connection.lastError);
  else node.state.idle(node.translation.shared('status.plc-connecting', 'connecting'));
}

/** Tells of a failed request. That the connection is gone tells the plc-connection, once for all its nodes. */
export function reportProblem(node: InspectionNode, error: unknown): void {
  if (error instanceof PlcUnavailable) node.state.failed(error);
  else node.fail(error);
}
