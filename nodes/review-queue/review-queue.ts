import type { NodeAPI } from 'node-red';
import {
  type DeclinedReview,
  type Inspection,
  InvalidInput,
  type Label,
  type QueueReason,
  type ReviewItem,
} from '../../engine/domain';
import { asInspection, type Station } from '../../engine/station';
import { defineNode, type InspectionMessage, inspectionOf, stationOf } from '../shared';
import { Announcer } from './announcer';
import { type ReviewQueueConfig, readAdmissionSettings, schema } from './config';
import { control, isControl } from './controls';

export = (RED: NodeAPI): void => {
  defineNode<ReviewQueueConfig>(RED, 'review-queue', schema, (node, config) => {
    const settings = readAdmissionSettings(config);
    const link = stationOf(RED, node, config.station);
    const partType = config.partType.trim() || undefined;

    link.whenOpen((station) => {
      const announce = new Announcer(node, async () => {
        const [stats, declined] = await Promise.all([
          station.reviews.stats(partType),
          station.reviewIntake.declined(partType),
        ]);
        return { stats, declined };
      });
      const undos = [
        station.events.on('review-changed', () => announce.changed()),
        station.events.on('review-declined', (declined) => {
          if (declined.node === node.id) node.send([null, declinedMessage(declined)]);
          announce.changed();
        }),
        station.reviews.registerOutlet({
          node: node.id,
          accepts: (type) => partType === undefined || type === partType,
          decided: (item) => {
            decisionMessage(station, item).then(
              (message) => node.send([message, null]),
              (error) => node.fail(error),
            );
          },
          judged: (item) => node.send([judgementMessage(item), null]),
          undone: (item, label) => node.send([undoMessage(item, label), null]),
        }),
      ];
      announce.changed();
      return () => {
        for (const undo of undos) undo();
        announce.close();
      };
    });

    return {
      async onInput(message) {
        const station = await link.open();
        if (message.inspection === undefined && isControl(message.topic)) {
          await control(station, message.topic, message.payload, node.name || 'review-queue');
        } else {
          const queueReasons: QueueReason[] = message.topic === 'drift' ? ['drift'] : [];
          await station.reviewIntake.offer(reviewable(message), { node: node.id, settings, queueReasons });
        }
        return null;
      },
    };
  });
};

function reviewable(message: InspectionMessage): Inspection {
  const inspection = inspectionOf(message);
  if (inspection.decision) return inspection;
  throw new InvalidInput('The inspection has no verdict yet. Wire the review-queue behind a confidence-router.');
}

/** What leaves when a person has decided. */
async function decisionMessage(station: Station, item: ReviewItem): Promise<InspectionMessage> {
  const { id, label, boxes, reviewer, note, modelMistake, partType, serial, lineVerdict, decidedAt } = item;
  const message: InspectionMessage = {
    topic: 'label',
    payload: { id, label, boxes, reviewer, note, modelMistake, partType, serial, lineVerdict, decidedAt },
  };
  const record = await station.store.inspections.get(id);
  if (record === null || label === null || decidedAt === null) return message;
  return {
    ...message,
    inspection: {
      ...asInspection(record),
      decision: { verdict: label, confidence: 1, reasons: ['human-decision'], by: 'human', at: decidedAt },
    },
  };
}

/** What leaves when a second person has approved or rejected a label. */
function judgementMessage(item: ReviewItem): InspectionMessage {
  const { id, state, label, reviewer, approver, approvalNote, partType, serial, lineVerdict } = item;
  return {
    topic: state === 'approved' ? 'approve' : 'reject',
    payload: { id, label, reviewer, approver, note: approvalNote, partType, serial, lineVerdict },
  };
}

/** What leaves when a decision that was sent is taken back. */
function undoMessage({ id, partType, serial, lineVerdict }: ReviewItem, label: Label): InspectionMessage {
  return { topic: 'undo', payload: { id, label, partType, serial, lineVerdict } };
}

/** What leaves when a picture was not taken. */
function declinedMessage({ id, partType, cause, queueReasons, at }: DeclinedReview): InspectionMessage {
  return { topic: 'declined', payload: { id, partType, cause, queueReasons, at } };
}
