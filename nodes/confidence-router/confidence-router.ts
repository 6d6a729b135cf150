import type { NodeAPI } from 'node-red';
import { type Inspection, reasonOf, timestamp, type Verdict } from '../../engine/domain';
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

    async function judge(message: InspectionMessage): Promise<Output> {
      const inspection = inspectionOf(message);
      const station = await link.open();
      const settled = await settle(station, inspection).catch(async (error) => {
        await station.inspections.fail(inspection, reasonOf(error), node.translation.message(error)).catch(() => null);
        throw error;
      });
      if (settled === null) {
        status.late(inspection);
        return null;
      }
      status.settled(settled);
      return verdictOutput(settled, message);
    }

    link.whenOpen((station) => {
      station.store.settings.useRoutingDefaults(defaults);
      status.waiting();
      return station.inspections.registerOutlet({
        route: node.flow,
        emit: (inspection, picture) => {
          node.send(verdictOutput(inspection, picture === undefined ? {} : { payload: picture }));
          status.settled(inspection);
        },
      });
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
    };
  });
};

/** Decides by the settings in force and ends the inspection. @returns null when it has its verdict already */
async function settle(station: Station, inspection: Inspection): Promise<Inspection | null> {
  const { thresholds, auditShare } = await station.store.settings.routing(inspection.partType);
  const decision = decide(
    inspection.findings,
    {
      thresholds,
      auditShare,
      failSafe: station.options.failSafe,
      quality: inspection.quality,
    },
    Math.random,
    timestamp(Date.now()),
  );
  return station.inspections.settle(inspection, decision);
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
