import type { NodeAPI } from 'node-red';
import { type Inspection, type RoutingDefaults, reasonOf, timestamp, type Verdict } from '../../engine/domain';
import { decide } from '../../engine/routing';
import type { Station } from '../../engine/station';
import {
  defineNode,
  type InspectionMessage,
  type InspectionNode,
  inspectionOf,
  type Output,
  stationOf,
} from '../shared';
import { type ConfidenceRouterConfig, readRouterDefaults, schema } from './config';
import { applySettingChange, changesSettings } from './setting-changes';

const OUTPUTS: readonly Verdict[] = ['OK', 'NG', 'REVIEW'];

export = (RED: NodeAPI): void => {
  defineNode<ConfidenceRouterConfig>(RED, 'confidence-router', schema, (node, config) => {
    const defaults = readRouterDefaults(config);
    const link = stationOf(RED, node, config.station);
    const status = new RouterStatus(node);
    const closing = new AbortController();

    async function judge(message: InspectionMessage): Promise<Output> {
      const inspection = inspectionOf(message);
      const station = await link.open();
      const settled = await settle(station, inspection, defaults, closing.signal).catch(async (error) => {
        await station.inspections.fail(inspection, reasonOf(error), node.translation.message(error)).catch(() => null);
        throw error;
      });
      if (settled === null) {
        if (!closing.signal.aborted) status.late(inspection);
        return null;
      }
      status.settled(settled);
      return verdictOutput(settled, message);
    }

    link.whenOpen((station) => {
      status.waiting();
      const undos = [
        station.registerRouter(node.id, defaults),
        station.inspections.registerOutlet({
          route: node.flow,
          emit: (inspection, picture, late) => {
            const message = { ...(picture && { payload: picture }), ...(late && { late }) };
            node.send(verdictOutput(inspection, message));
            status.settled(inspection);
          },
        }),
      ];
      return () => {
        for (const undo of undos) undo();
      };
    });

    return {
      async onInput(message) {
        if (message.inspection === undefined && changesSettings(message.topic)) {
          const station = await link.open();
          await applySettingChange(station, message.topic, message.payload, node.name || 'confidence-router');
          return null;
        }
        return judge(message);
      },
      // Node-RED drops what a closed node sends: from now on the station has to hand the verdicts on
      onClose: () => closing.abort(),
    };
  });
};

/**
 * Decides by what is stored for the part type, else by the node's defaults, and ends the inspection.
 *
 * @returns null when it has its verdict already, or the node was closed meanwhile
 */
async function settle(
  station: Station,
  inspection: Inspection,
  defaults: RoutingDefaults,
  closing: AbortSignal,
): Promise<Inspection | null> {
  const stored = await station.store.settings.routing(inspection.partType);
  const decision = decide(
    inspection.findings,
    {
      thresholds: stored.thresholds ?? defaults.thresholds,
      auditShare: stored.auditShare ?? defaults.auditShare,
      failSafe: station.options.failSafe,
      quality: inspection.quality,
    },
    Math.random,
    timestamp(Date.now()),
  );
  return station.inspections.settle(inspection, decision, closing);
}

/** The message at its verdict's output; an audit sample also as a copy at REVIEW, with a topic of its own. */
function verdictOutput(inspection: Inspection, message: InspectionMessage): Output {
  const verdict = inspection.decision?.verdict ?? 'NG';
  const verdictMessage = { ...message, topic: verdict, inspection };
  const audit = inspection.decision?.audit === true && verdict === 'OK';
  return OUTPUTS.map((output) => {
    if (output === verdict) return verdictMessage;
    return audit && output === 'REVIEW' ? { ...message, topic: 'audit', inspection } : null;
  });
}

class RouterStatus {
  private lateCount = 0;
  private text = '';

  constructor(private readonly node: InspectionNode) {}

  waiting(): void {
    this.node.state.idle(this.node.translation.shared('status.waiting-for-pictures', 'waiting for pictures'));
  }

  settled({ serial, decision }: Inspection): void {
    this.text = serial === undefined ? String(decision?.verdict) : `${decision?.verdict} · ${serial}`;
    this.show();
  }

  /** A message whose inspection has its verdict already. */
  late({ id }: Inspection): void {
    this.lateCount++;
    this.node.warn(
      this.node.translation.shared(
        'warnings.late',
        'Inspection __id__ had its verdict already (deadline passed, or the message came twice). Nothing is sent.',
        { id },
      ),
    );
    this.show();
  }

  private show(): void {
    const { state, translation } = this.node;
    if (this.lateCount === 0) {
      state.ready(this.text);
      return;
    }
    const late = translation.shared('status.late', '__count__ late or double', { count: this.lateCount });
    state.degraded(this.text === '' ? late : `${this.text} · ${late}`);
  }
}
