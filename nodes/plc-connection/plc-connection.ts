import { setTimeout as pause } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { PlcConnection } from '../../engine/plc';
import { defineNode } from '../shared';
import { type PlcConnectionConfig, readConnectionSettings, schema } from './config';
import { newDevice, type PlcConnectionNode } from './plc-link';

/** How long the nodes on this PLC may take to write their last words before the connection is closed. */
const FAREWELL_MS = 4000;

export = (RED: NodeAPI): void => {
  defineNode<PlcConnectionConfig>(RED, 'plc-connection', schema, (node, config) => {
    const connection = new PlcConnection(readConnectionSettings(config));
    Object.assign(node.red, { device: newDevice(connection) } satisfies Pick<PlcConnectionNode, 'device'>);

    connection.on('disconnected', (error) => node.warn(node.translation.message(error)));
    connection.once('error', (error) => node.warn(node.translation.message(error)));
    connection.on('connected', () => {
      if (connection.reconnects === 0) return;
      node.red.log(
        node.translation.shared('status.plc-back', 'connected again to __device__ (__count__ reconnects)', {
          device: connection.device,
          count: connection.reconnects,
        }),
      );
    });

    return {
      async onClose() {
        const end = Date.now() + FAREWELL_MS;
        while (connection.users > 0 && Date.now() < end) await pause(10);
        await connection.close();
      },
    };
  });
};
