import type { Node, NodeAPI } from 'node-red';
import { InspectionError } from '../../engine/domain';
import type { Station } from '../../engine/station';
import type { InspectionNode } from './define-node';

/** The config node as other nodes see it: `opened` rejects when the station could not be opened. */
export interface StationNode extends Node {
  readonly opened: Promise<Station>;
}

export class StationMissing extends InspectionError {
  constructor() {
    super({
      code: 'station-missing',
      status: 'no station',
      message: 'No inspection station is chosen. Open the node and choose or add one.',
    });
  }
}

/** A node's way to its station. */
export interface StationLink {
  /** The open station. @throws {StationMissing} or the error that kept it from opening */
  open(): Promise<Station>;
  /**
   * Calls `attach` once the station is open, and what it returned when the node closes. Until then the node's status
   * tells why nothing happens.
   */
  whenOpen(attach: (station: Station) => (() => void) | undefined): void;
}

/** Links a node to the station chosen in its configuration. */
export function stationOf(RED: NodeAPI, node: InspectionNode, stationId: string): StationLink {
  const opened = async (): Promise<Station> => {
    const station = RED.nodes.getNode(stationId) as StationNode | null;
    if (!station?.opened) throw new StationMissing();
    return station.opened;
  };
  return {
    open: opened,
    whenOpen(attach) {
      let closed = false;
      let detach: (() => void) | undefined;
      node.onClose(() => {
        closed = true;
        detach?.();
      });
      opened()
        .then(
          (station) => {
            if (!closed) detach = attach(station);
          },
          (error) => {
            if (!closed) node.fail(error);
          },
        )
        .catch((error) => node.fail(error));
    },
  };
}
