import type { NodeAPI } from 'node-red';
import { InspectionError, type Trigger } from '../../engine/domain';
import { type MissedReason, type PlcTrigger, TriggerPoller } from '../../engine/plc';
import { followConnection, plcOf, reportProblem } from '../plc-connection/plc-link';
import { defineNode, type InspectionMessage } from '../shared';
import { type PlcTriggerConfig, readTriggerSettings, schema, type TriggerSettings } from './config';

const MISSED_TEXTS: Readonly<Record<MissedReason, string>> = {
  jump: "__count__ triggers were never seen: the PLC's sequence jumped. These parts were not inspected. Poll more often, or let the PLC wait for the acknowledgement.",
  unanswered:
    'The part that waits in the PLC was accepted before the restart and has no result yet. It is not inspected again: the station gives it the fail-safe verdict, or the PLC has to give it up.',
  'edge-unseen':
    'The trigger signal was on already when the connection came up. Whether a part came meanwhile is not known; the next rising edge counts.',
};

/** Parts came by that nobody inspected. */
class TriggersMissed extends InspectionError {
  constructor(count: number, reason: MissedReason) {
    super({
      code: `triggers-missed-${reason}`,
      status: `${count} triggers missed`,
      message: MISSED_TEXTS[reason].replace('__count__', String(count)),
      parameters: { count },
    });
  }
}

export = (RED: NodeAPI): void => {
  defineNode<PlcTriggerConfig>(RED, 'plc-trigger', schema, (node, config) => {
    const settings = readTriggerSettings(config);
    const { connection, seen } = plcOf(RED, config.plc);
    const poller = new TriggerPoller({ ...settings.poller, connection });
    const resultAddress = settings.poller.result?.address ?? null;
    let last = '';

    const show = () => {
      const waiting = node.translation.shared('status.plc-waiting', 'waiting for a part');
      if (poller.missed === 0) return node.state.ready(last || waiting);
      const missed = node.translation.shared('status.missed', '__count__ triggers missed', { count: poller.missed });
      node.state.degraded(last === '' ? missed : `${last} · ${missed}`);
    };

    poller.on('trigger', (trigger) => {
      last = trigger.serial ? `#${trigger.sequence} · ${trigger.serial}` : `#${trigger.sequence}`;
      seen.emit('trigger', { sequence: trigger.sequence, resultAddress });
      node.send(triggerMessage(trigger, settings, node.id));
      show();
    });
    poller.on('missed', ({ count, reason }) => {
      node.fail(new TriggersMissed(count, reason));
      show();
    });
    poller.on('problem', (error) => reportProblem(node, error));
    poller.on('recovered', show);

    followConnection(node, connection, show);
    poller.start();
    return { onClose: () => poller.close() };
  });
};

/** The message camera-capture takes a picture for. */
function triggerMessage(trigger: PlcTrigger, { partTypes }: TriggerSettings, node: string): InspectionMessage {
  const { sequence, serial, partTypeNumber, partTypeText } = trigger;
  const named = partTypeNumber === undefined ? partTypeText : (partTypes.get(partTypeNumber) ?? String(partTypeNumber));
  return {
    topic: 'trigger',
    payload: sequence,
    ...(named ? { partType: named } : {}),
    ...(serial ? { serial } : {}),
    trigger: { source: 'plc', sequence, node } satisfies Trigger,
  };
}
