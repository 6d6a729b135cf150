import type { NodeAPI } from 'node-red';
import { type InspectionRecord, isId } from '../../engine/domain';
import { asInspection } from '../../engine/station';
import { defineNode, stationOf } from '../shared';
import { registerWidget } from '../shared/dashboard-widget';
import { schema, type UiCameraConfig } from './config';

/** How long after its verdict a browser may say that an inspection was its own. */
const FRESH_MS = 60_000;

export = (RED: NodeAPI): void => {
  defineNode<UiCameraConfig>(RED, 'ui-camera', schema, (node, config) => {
    const station = stationOf(RED, node, config.station);
    const sent = new FreshIds();

    const widget = registerWidget(RED, node, config, {
      onSend: async ({ topic, id, requestId, detail }) => {
        const { browserCameras, store } = await station.open();
        if (topic === 'refused' && typeof requestId === 'string') {
          browserCameras.refuse(requestId, String(detail ?? '').slice(0, 200));
        }
        if (topic === 'inspected' && typeof id === 'string' && isId(id)) {
          const record = await store.inspections.get(id);
          if (!record?.decision || !isFreshFromBrowser(record) || !sent.add(id)) return;
          const { partType, serial, decision } = record;
          const { verdict, confidence, reasons } = decision;
          node.send({
            topic: 'inspection',
            payload: { id, verdict, confidence, reasons, partType, serial },
            inspection: asInspection(record),
          });
        }
      },
    });

    station.whenOpen(({ browserCameras }) => {
      node.state.idle();
      return browserCameras.onRequest(config.camera, ({ requestId }) => {
        widget.toBrowsers({ topic: 'capture', payload: { requestId } });
      });
    });
    return {};
  });
};

/** Any browser may name any id: only what one has just sent in leaves the node. */
function isFreshFromBrowser({ trigger, settledAt }: InspectionRecord): boolean {
  return trigger.source === 'browser' && settledAt !== null && Date.now() - Date.parse(settledAt) < FRESH_MS;
}

/** Ids of the last minute. */
class FreshIds {
  private readonly ids = new Map<string, number>();

  /** @returns false when it is there already */
  add(id: string): boolean {
    const now = Date.now();
    for (const [known, since] of this.ids) if (now - since > FRESH_MS) this.ids.delete(known);
    if (this.ids.has(id)) return false;
    this.ids.set(id, now);
    return true;
  }
}
