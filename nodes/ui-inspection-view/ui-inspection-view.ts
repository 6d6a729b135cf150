import type { NodeAPI } from 'node-red';
import { defineNode, stationOf } from '../shared';
import { registerWidget } from '../shared/dashboard-widget';
import { schema, type UiInspectionViewConfig } from './config';

export = (RED: NodeAPI): void => {
  defineNode<UiInspectionViewConfig>(RED, 'ui-inspection-view', schema, (node, config) => {
    registerWidget(RED, node, config, {
      onSend: ({ topic, _client }) => {
        if (topic !== 'trigger' || !config.showTrigger) return;
        node.send({ topic: 'trigger', payload: Date.now(), ...(_client ? { _client } : {}) });
      },
    });
    stationOf(RED, node, config.station).whenOpen(() => {
      node.state.idle();
      return undefined;
    });
    return {};
  });
};
