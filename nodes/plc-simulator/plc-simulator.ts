import { setTimeout as pause } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { InvalidInput } from '../../engine/domain';
import { SimulatedPlc } from '../../engine/plc';
import { defineNode, type InspectionMessage, type InspectionNode } from '../shared';
import { type PlcSimulatorConfig, readSimulatorSettings, schema } from './config';

const RETRY_MS = 1000;

export = (RED: NodeAPI): void => {
  defineNode<PlcSimulatorConfig>(RED, 'plc-simulator', schema, (node, config) => {
    const plc = new SimulatedPlc(readSimulatorSettings(config));

    const show = () => {
      // what keeps it from listening stays shown
      if (!plc.listening) return;
      const { triggers, timeouts } = plc.counts;
      const { state, translation } = node;
      const place = translation.shared('status.plc-listening', 'port __port__', { port: plc.port });
      const parts = translation.shared('status.plc-parts', '__count__ parts', { count: triggers });
      const text = triggers === 0 ? place : `${place} · ${parts}`;
      if (timeouts > 0) {
        const late = translation.shared('status.plc-timeouts', '__count__ without result', { count: timeouts });
        state.degraded(`${text} · ${late}`);
      } else state.ready(text);
    };

    plc.on('trigger', (part) => {
      node.send([{ topic: 'trigger', payload: part }, null]);
      show();
    });
    plc.on('result', (result) => {
      node.send([{ topic: 'result', payload: { ...result, counts: plc.counts } }, null]);
      show();
    });
    plc.on('timeout', (sequence) => {
      node.send([{ topic: 'timeout', payload: { sequence, counts: plc.counts } }, null]);
      show();
    });
    plc.on('lamps', (lamps) => node.send([null, { topic: 'lamps', payload: lamps }]));

    const closing = new AbortController();
    const listening = listen(plc, node, closing.signal).then(() => {
      if (closing.signal.aborted) return;
      if (config.cycle) plc.startCycle();
      show();
    });

    return {
      onInput(message) {
        act(plc, message);
        show();
        return null;
      },
      async onClose() {
        closing.abort();
        await listening;
        await plc.close();
      },
    };
  });
};

/** Listens, trying again as long as something else holds the port; tells of the first failure. */
async function listen(plc: SimulatedPlc, node: InspectionNode, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      return await plc.listen();
    } catch (error) {
      if (attempt === 1) {
        node.fail(error);
        // a Catch node keeps an error out of the log, and elsewhere it looks as if this PLC were the one connected to
        node.warn(node.translation.message(error));
      }
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

function act(plc: SimulatedPlc, { topic, payload }: InspectionMessage): void {
  switch (topic) {
    case 'start':
      plc.startCycle(typeof payload === 'number' ? payload : undefined);
      return;
    case 'stop':
      plc.stopCycle();
      return;
    case 'trigger':
    case '':
    case undefined:
      plc.trigger(partOf(payload));
      return;
    default:
      throw new InvalidInput(`The topic must be trigger, start or stop, not ${JSON.stringify(topic)}.`);
  }
}

/** Part type number and serial of a part, as far as `payload` gives them. */
function partOf(payload: unknown): { partType?: number; serial?: string } {
  if (typeof payload !== 'object' || payload === null) return {};
  const { partType, serial } = payload as { partType?: unknown; serial?: unknown };
  if (partType !== undefined && !(Number.isInteger(partType) && Number(partType) >= 0 && Number(partType) <= 0xffff)) {
    throw new InvalidInput(`The part type must be a whole number from 0 to 65535, not ${JSON.stringify(partType)}.`);
  }
  return {
    ...(partType === undefined ? {} : { partType: Number(partType) }),
    ...(serial === undefined ? {} : { serial: String(serial) }),
  };
}
