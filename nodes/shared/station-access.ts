import type { Node, NodeAPI } from 'node-red';
import { InspectionError, TypedEmitter } from '../../engine/domain';
import type { Station } from '../../engine/station';
import type { InspectionNode } from './define-node';

/** The config node as other nodes see it. */
export interface StationNode extends Node {
  /** Resolves when the station is open, however often that was tried; rejects when trying again is of no use. */
  readonly opened: Promise<Station>;
  /** What keeps the station from opening until it is open. */
  readonly trouble?: StationTrouble;
}

/** What keeps a station from opening, while that is tried again. */
export class StationTrouble {
  private known: InspectionError | null = null;
  private readonly events = new TypedEmitter<{ readonly trouble: InspectionError }>();

  /** Null as long as none was met, and when the station is open. */
  get error(): InspectionError | null {
    return this.known;
  }

  /** Tells the listeners, unless it is the trouble they know. */
  met(error: InspectionError): void {
    const before = this.known;
    this.known = error;
    if (before?.code !== error.code) this.events.emit('trouble', error);
  }

  over(): void {
    this.known = null;
  }

  /** @returns a function that removes the listener again */
  on(listener: (error: InspectionError) => void): () => void {
    return this.events.on('trouble', listener);
  }
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
   *
   * @param onTrouble called with each thing that keeps the station from opening
   */
  whenOpen(attach: (station: Station) => (() => void) | undefined, onTrouble?: (error: unknown) => void): void;
}

/** Links a node to the station chosen in its configuration. */
export function stationOf(RED: NodeAPI, node: InspectionNode, stationId: string): StationLink {
  const find = (): StationNode => {
    const station = RED.nodes.getNode(stationId) as StationNode | null;
    if (!station?.opened) throw new StationMissing();
    return station;
  };
  const opened = async (): Promise<Station> => find().opened;
  return {
    open: async () => openNow(find()),
    whenOpen(attach, onTrouble = () => {}) {
      let closed = false;
      let failed = false;
      let detach: (() => void) | undefined;
      const tell = (error: unknown) => {
        if (closed) return;
        failed = true;
        node.fail(error);
        onTrouble(error);
      };
      const { trouble } = (RED.nodes.getNode(stationId) ?? {}) as Partial<StationNode>;
      const stop = trouble?.on(tell);
      if (trouble?.error) tell(trouble.error);
      node.onClose(() => {
        closed = true;
        stop?.();
        detach?.();
      });
      opened()
        .then((station) => {
          if (closed) return;
          if (failed) node.state.ready();
          detach = attach(station);
        }, tell)
        .catch((error) => node.fail(error));
    },
  };
}

/** The station, or what keeps it from opening: a message does not wait for that to end. */
async function openNow({ opened, trouble }: StationNode): Promise<Station> {
  if (!trouble) return opened;
  if (trouble.error) throw trouble.error;
  let stop = () => {};
  const inTrouble = new Promise<never>((_resolve, reject) => {
    stop = trouble.on(reject);
  });
  try {
    return await Promise.race([opened, inTrouble]);
  } finally {
    stop();
  }
}
