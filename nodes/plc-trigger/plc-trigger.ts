import type { NodeAPI } from 'node-red';
import { type Inspection, InspectionError, type Trigger } from '../../engine/domain';
import { type MissedReason, type PlcTrigger, TriggerPoller } from '../../engine/plc';
import type { Station } from '../../engine/station';
import { followConnection, plcOf, reportProblem, showConnection } from '../plc-connection/plc-link';
import { defineNode, type InspectionMessage, stationOf } from '../shared';
import { type PlcTriggerConfig, readTriggerSettings, schema, type TriggerSettings } from './config';

const MISSED_TEXTS: Readonly<Record<MissedReason, string>> = {
  jump: "__count__ triggers were never seen: the PLC's sequence jumped. These parts were not inspected. Poll more often, or let the PLC wait for the acknowledgement.",
  unanswered:
    'The part that waits in the PLC was accepted before the restart and has no result. It is not inspected again: if it was interrupted its fail-safe verdict follows, otherwise the PLC has to give it up. With the station chosen in plc-trigger, a verdict that fell before the restart is written as well.',
  'edge-unseen':
    'The trigger signal was on already when the connection came up. Whether a part came meanwhile is not known; the next rising edge counts.',
};

/** A verdict older than this is not taken for that of the part in the PLC: its sequence may have come round again. */
const LONGEST_VERDICT_MS = 10 * 60 * 1000;

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
    const resultAddress = settings.poller.result?.address ?? null;
    let station: Station | null = null;
    const isTaken = async (part: PlcTrigger) => {
      const inspection = (await station?.inspections.latestOf(node.id)) ?? null;
      if (!inspection || !isOfPart(inspection, part)) return false;
      if (inspection.decision) seen.emit('unanswered', { sequence: part.sequence, resultAddress, inspection });
      return true;
    };
    const poller = new TriggerPoller({ ...settings.poller, connection, isTaken });
    let last = '';

    const show = () => {
      if (config.station !== '' && station === null) return;
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
    if (config.station === '') poller.start();
    else {
      // a part accepted before the station is open would have nowhere to go
      stationOf(RED, node, config.station).whenOpen((opened) => {
        station = opened;
        poller.start();
        showConnection(node, connection, show);
        return () => {
          station = null;
        };
      });
    }
    return { onClose: () => poller.close() };
  });
};

/** Whether the newest inspection of this node is the one of the part that waits in the PLC. */
function isOfPart({ trigger, serial, decision }: Inspection, part: PlcTrigger): boolean {
  const partSerial = part.serial?.trim() || undefined;
  if (trigger.sequence !== part.sequence) return false;
  if (serial !== undefined && partSerial !== undefined && serial !== partSerial) return false;
  return !decision || Date.now() - Date.parse(decision.at) < LONGEST_VERDICT_MS;
}

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
