import type { NodeAPI } from 'node-red';
import { defineNode, stationOf } from '../shared';
import { registerWidget } from '../shared/dashboard-widget';
import { schema, type UiRetrainingConfig } from './config';

export = (RED: NodeAPI): void => {
  defineNode<UiRetrainingConfig>(RED, 'ui-retraining', schema, (node, config) => {
    registerWidget(RED, node, config);
    stationOf(RED, node, config.station).whenOpen(() => {
      node.state.idle();
      return undefined;
    });
    return {};
  });
};
