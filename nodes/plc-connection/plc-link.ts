import type { Node, NodeAPI } from 'node-red';
import { InspectionError, TypedEmitter } from '../../engine/domain';
import { type PlcConnection, PlcUnavailable } from '../../engine/plc';
import type { InspectionNode } from '../shared';

/** A trigger a plc-trigger node saw, told to the plc-result nodes on the same PLC: they know which answers are due. */
export interface SeenTrigger {
  readonly sequence: number;
  /** Register of the result's sequence, as far as the plc-trigger knows it. */
  readonly resultAddress: number | null;
}

/** What the nodes on one PLC share. */
export interface PlcDevice {
  readonly connection: PlcConnection;
  readonly seen: TypedEmitter<{ readonly trigger: SeenTrigger }>;
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
  return { connection, seen: new TypedEmitter() };
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
  if (connection.state === 'connected') show();
  else if (connection.lastError) absent(connection.lastError);
  else node.state.idle(node.translation.shared('status.plc-connecting', 'connecting'));
}

/** Tells of a failed request. That the connection is gone tells the plc-connection, once for all its nodes. */
export function reportProblem(node: InspectionNode, error: unknown): void {
  if (error instanceof PlcUnavailable) node.state.failed(error);
  else node.fail(error);
}
