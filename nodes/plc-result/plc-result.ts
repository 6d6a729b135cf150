import type { NodeAPI } from 'node-red';
import { type Decision, type Inspection, InvalidInput, plcErrorCode } from '../../engine/domain';
import {
  Heartbeat,
  LineWatch,
  maximumOf,
  type PlcResult,
  ResultContradicts,
  ResultWriter,
  resultSequenceAddress,
  VERDICT_CODES,
} from '../../engine/plc';
import type { Station } from '../../engine/station';
import { followConnection, plcOf, reportProblem, type SeenTrigger, showConnection } from '../plc-connection/plc-link';
import { defineNode, type InspectionNode, inspectionOf, stationOf } from '../shared';
import { type PlcResultConfig, readResultSettings, schema } from './config';

/** An inspection may end this long after its deadline before it counts as overdue. */
const DEADLINE_GRACE_MS = 1000;

export = (RED: NodeAPI): void => {
  defineNode<PlcResultConfig>(RED, 'plc-result', schema, (node, config) => {
    const settings = readResultSettings(config);
    const { block, unit } = settings;
    const device = plcOf(RED, config.plc);
    const { connection, seen } = device;
    const shared = device.block(unit, block.address);
    const writer = new ResultWriter({ connection, block, unit });
    const triggers = new LineWatch();
    const inspections = new LineWatch();
    let open = config.station === '';
    const overdue = () => (settings.heartbeat ? triggers.overdue + inspections.overdue : 0);
    const status = new ResultStatus(node, overdue, () => open);
    let count = 0;
    const nextCount = () => {
      count = count >= maximumOf(block.sequenceType) ? 1 : count + 1;
      return count;
    };

    const isOurs = ({ resultAddress }: SeenTrigger) =>
      resultAddress === null || resultAddress === resultSequenceAddress(block);

    node.onClose(
      seen.on('trigger', (trigger) => {
        if (isOurs(trigger)) triggers.expect(String(trigger.sequence), Date.now() + settings.answerLimitMs);
      }),
    );
    node.onClose(
      seen.on('unanswered', (trigger) => {
        const { sequence, inspection } = trigger;
        if (!isOurs(trigger) || settings.counts || shared.answered.answer(sequence, inspection) !== 'first') return;
        writer.write(resultOf(sequence, decisionOf(inspection))).catch((error) => reportProblem(node, error));
      }),
    );

    writer.on('written', (result, { late }) => {
      triggers.answered(String(result.sequence));
      status.written(result, late);
    });
    writer.on('problem', (error) => reportProblem(node, error));
    writer.on('superseded', ({ sequence }) => {
      node.warn(
        node.translation.shared(
          'warnings.plc-superseded',
          'The result of sequence __sequence__ never reached the PLC: a newer one took its place.',
          { sequence },
        ),
      );
    });

    let startHeartbeat = () => {};
    if (settings.heartbeat) {
      const alive = () => !triggers.stalled && !inspections.stalled;
      const heartbeat = new Heartbeat({ connection, unit, ...settings.heartbeat, alive });
      heartbeat.on('stopped', () => {
        node.warn(
          node.translation.shared(
            'warnings.plc-heartbeat',
            'The heartbeat stopped: a part got no result in time and none after it did.',
          ),
        );
        status.show();
      });
      heartbeat.on('resumed', () => status.show());
      heartbeat.on('problem', (error) => reportProblem(node, error));
      node.onClose(() => heartbeat.close());
      startHeartbeat = () => heartbeat.start();
    }
    if (open) startHeartbeat();
    else {
      stationOf(RED, node, config.station).whenOpen((station) => {
        open = true;
        startHeartbeat();
        showConnection(node, connection, () => status.show());
        return watchInspections(station, inspections);
      });
    }
    followConnection(node, connection, () => status.show());
    writer.start();
    if (shared.unwritten) writer.resume(shared.unwritten);
    shared.unwritten = null;

    return {
      async onClose(removed) {
        await writer.close();
        const { pending } = writer;
        if (!pending) return;
        if (!removed) shared.unwritten = pending;
        const { sequence } = pending;
        node.warn(
          node.translation.shared(
            'warnings.plc-unwritten',
            'The result of sequence __sequence__ has not reached the PLC. After a restart it is written if the part still waits and plc-trigger knows the station.',
            { sequence },
          ),
        );
      },
      async onInput(message, send) {
        // the audit copy of a part whose own message came by already
        if (message.topic === 'audit') return message;
        const inspection = inspectionOf(message);
        const decision = decisionOf(inspection);
        // the PLC would take the next count for the part in front of it
        if (settings.counts && message.late === true) {
          status.tooLate();
          return message;
        }
        const sequence = settings.counts ? nextCount() : inspection.trigger?.sequence;
        if (sequence === undefined) {
          status.notFromPlc();
          return message;
        }
        const result = resultOf(sequence, decision);
        const kind = settings.counts ? 'first' : shared.answered.answer(sequence, inspection);
        if (kind === 'repeated') {
          return { ...message, plcResult: telling(result, writer.pending?.sequence !== sequence) };
        }
        if (kind === 'contradicting') {
          send({ ...message, plcResult: telling(result, false) });
          throw new ResultContradicts(sequence, result.verdict);
        }
        try {
          await writer.write(result);
        } catch (error) {
          send({ ...message, plcResult: telling(result, false) });
          throw error;
        }
        return { ...message, plcResult: telling(result, true) };
      },
    };
  });
};

function decisionOf(inspection: Inspection): Decision {
  if (inspection.decision) return inspection.decision;
  throw new InvalidInput('The inspection has no verdict yet. Wire plc-result behind a confidence-router.');
}

function resultOf(sequence: number, { verdict, reasons, confidence }: Decision): PlcResult {
  return { sequence, verdict, reasons, confidence };
}

/** What stands in `msg.plcResult`: the numbers the PLC reads, and whether they are there. */
function telling({ sequence, verdict, reasons }: PlcResult, written: boolean): object {
  return { sequence, verdictCode: VERDICT_CODES[verdict], errorCode: plcErrorCode(reasons), written };
}

/** Expects every inspection of the station to be settled by its deadline. */
function watchInspections({ events }: Station, watch: LineWatch): () => void {
  const stops = [
    events.on('inspection-opened', ({ id, deadlineAt }) =>
      watch.expect(id, Date.parse(deadlineAt) + DEADLINE_GRACE_MS),
    ),
    events.on('inspection-settled', ({ id }) => watch.answered(id)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** The node's status: the last result, and whether answers are overdue. */
class ResultStatus {
  private text = '';

  constructor(
    private readonly node: InspectionNode,
    private readonly overdue: () => number,
    private readonly isStationOpen: () => boolean,
  ) {}

  written({ verdict, sequence }: PlcResult, late: boolean): void {
    const { translation } = this.node;
    this.text = `${verdict} · #${sequence}`;
    if (late) this.text += ` · ${translation.shared('status.plc-late', 'late')}`;
    this.show();
  }

  notFromPlc(): void {
    this.node.state.idle(this.node.translation.shared('status.plc-no-sequence', 'part was not triggered by the PLC'));
  }

  tooLate(): void {
    this.node.state.idle(this.node.translation.shared('status.plc-verdict-late', 'late verdict not written'));
  }

  show(): void {
    const { state, translation } = this.node;
    const count = this.overdue();
    if (!this.isStationOpen()) {
      state.degraded(translation.shared('status.station-not-open', 'no heartbeat · the station is not open'));
    } else if (count > 0) {
      state.degraded(translation.shared('status.plc-overdue', 'heartbeat stopped · __count__ overdue', { count }));
    } else state.ready(this.text || undefined);
  }
}
