import type { NodeAPI } from 'node-red';
import { isId } from '../../engine/domain';
import { defineNode, stationOf } from '../shared';
import { registerWidget } from '../shared/dashboard-widget';
import { schema, type UiCameraConfig } from './config';

export = (RED: NodeAPI): void => {
  defineNode<UiCameraConfig>(RED, 'ui-camera', schema, (node, config) => {
    const station = stationOf(RED, node, config.station);

    const widget = registerWidget(RED, node, config, {
      onSend: async ({ topic, id, requestId, detail }) => {
        const { browserCameras, store } = await station.open();
        if (topic === 'refused' && typeof requestId === 'string') {
          browserCameras.refuse(requestId, String(detail ?? '').slice(0, 200));
        }
        if (topic === 'inspected' && typeof id === 'string' && isId(id)) {
          const inspection = await store.inspections.get(id);
          if (!inspection?.decision) return;
          const { partType, serial, decision } = inspection;
          const { verdict, confidence, reasons } = decision;
          node.send({
            topic: 'inspection',
            payload: { id, verdict, confidence, reasons, partType, serial },
            inspection,
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
