import type { NodeAPI } from 'node-red';
import { defineNode, stationOf } from '../shared';
import { registerWidget } from '../shared/dashboard-widget';
import { schema, type UiModelsConfig } from './config';

export = (RED: NodeAPI): void => {
  defineNode<UiModelsConfig>(RED, 'ui-models', schema, (node, config) => {
    registerWidget(RED, node, config);
    stationOf(RED, node, config.station).whenOpen(() => {
      node.state.idle();
      return undefined;
    });
    return {};
  });
};
