import type { NodeAPI } from 'node-red';
import {
  type Inspection,
  InvalidInput,
  type Label,
  type LabelledBox,
  type ReviewItem,
  type ReviewStats,
} from '../../engine/domain';
import { asInspection, type Station } from '../../engine/station';
import { defineNode, type InspectionMessage, type InspectionNode, inspectionOf, stationOf } from '../shared';
import { type ReviewQueueConfig, schema } from './config';

const CONTROLS = ['label', 'skip', 'undo'] as const;
type Control = (typeof CONTROLS)[number];

export = (RED: NodeAPI): void => {
  defineNode<ReviewQueueConfig>(RED, 'review-queue', schema, (node, config) => {
    const link = stationOf(RED, node, config.station);
    const partType = config.partType.trim() || undefined;

    link.whenOpen((station) => {
      const announce = new Announcer(node, () => station.reviews.stats(partType));
      const stopChanges = station.events.on('review-changed', () => announce.changed());
      const removeOutlet = station.reviews.registerOutlet({
        node: node.id,
        accepts: (type) => partType === undefined || type === partType,
        decided: (item) => {
          decisionMessage(station, item).then(
            (message) => node.send([message, null]),
            (error) => node.fail(error),
          );
        },
        undone: (item, label) => node.send([undoMessage(item, label), null]),
      });
      announce.changed();
      return () => {
        stopChanges();
        removeOutlet();
        announce.close();
      };
    });

    return {
      async onInput(message) {
        const station = await link.open();
        if (message.inspection === undefined && isControl(message.topic)) {
          await decide(station, message.topic, message.payload, node.name || 'review-queue');
        } else {
          await station.reviews.add(reviewable(message), { node: node.id });
        }
        return null;
      },
    };
  });
};

function isControl(topic: unknown): topic is Control {
  return CONTROLS.some((control) => control === topic);
}

function reviewable(message: InspectionMessage): Inspection {
  const inspection = inspectionOf(message);
  if (inspection.decision) return inspection;
  throw new InvalidInput('The inspection has no verdict yet. Wire the review-queue behind a confidence-router.');
}

async function decide(station: Station, control: Control, payload: unknown, actor: string): Promise<void> {
  const order = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  const named = optionalText('reviewer', order.reviewer);
  const id = optionalText('id', order.id);
  if (control === 'undo') {
    await station.reviews.undo({ id, reviewer: named }, actor);
    return;
  }
  const reviewer = named ?? actor;
  if (id === undefined) throw new InvalidInput(`A ${control} message needs the item's id: {"id": "01..."}.`);
  if (control === 'skip') {
    await station.reviews.skip(id, reviewer, actor);
    return;
  }
  const note = optionalText('note', order.note);
  const boxes = boxesOf(order.boxes);
  await station.reviews.label(id, { label: labelOf(order.label), boxes, reviewer, note }, actor);
}

function labelOf(value: unknown): Label {
  if (value === 'OK' || value === 'NG') return value;
  throw new InvalidInput(`The label must be "OK" or "NG", not ${JSON.stringify(value)}.`);
}

/** Only the form: whether the boxes lie in the picture is checked where it is known. */
function boxesOf(value: unknown): readonly LabelledBox[] | undefined {
  if (value === undefined || value === null) return undefined;
  const isBox = (entry: unknown): entry is LabelledBox => {
    const { label, box } = (entry ?? {}) as { label?: unknown; box?: Record<string, unknown> };
    const isNumber = (side: string) => Number.isFinite(box?.[side]);
    return typeof label === 'string' && ['x', 'y', 'width', 'height'].every(isNumber);
  };
  if (Array.isArray(value) && value.every(isBox)) return value.map(({ label, box }) => ({ label, box }));
  throw new InvalidInput(
    '"boxes" must be a list: [{"label": "scratch", "box": {"x": 10, "y": 20, "width": 30, "height": 40}}], in pixels.',
  );
}

function optionalText(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.length > 2000) {
    throw new InvalidInput(`"${name}" must be a text of at most 2000 characters.`);
  }
  return value.trim() === '' ? undefined : value.trim();
}

/** What leaves when a person has decided. */
async function decisionMessage(station: Station, item: ReviewItem): Promise<InspectionMessage> {
  const { id, label, boxes, reviewer, note, partType, serial, lineVerdict, decidedAt } = item;
  const message: InspectionMessage = {
    topic: 'label',
    payload: { id, label, boxes, reviewer, note, partType, serial, lineVerdict, decidedAt },
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

/** What leaves when a decision that was sent is taken back. */
function undoMessage({ id, partType, serial, lineVerdict }: ReviewItem, label: Label): InspectionMessage {
  return { topic: 'undo', payload: { id, label, partType, serial, lineVerdict } };
}

/** Tells status and second output how much waits; changes in quick succession are told as one. */
class Announcer {
  private state: 'idle' | 'reading' | 'stale' | 'closed' = 'idle';

  constructor(
    private readonly node: InspectionNode,
    private readonly stats: () => Promise<ReviewStats>,
  ) {}

  changed(): void {
    if (this.state === 'reading') this.state = 'stale';
    if (this.state === 'idle') void this.read();
  }

  close(): void {
    this.state = 'closed';
  }

  private async read(): Promise<void> {
    this.state = 'reading';
    try {
      const stats = await this.stats();
      if (!this.ended) this.tell(stats);
    } catch (error) {
      if (!this.ended) this.node.fail(error);
    }
    const again = this.stale;
    if (!this.ended) this.state = 'idle';
    if (again) this.changed();
  }

  private get ended(): boolean {
    return this.state === 'closed';
  }

  private get stale(): boolean {
    return this.state === 'stale';
  }

  private tell(stats: ReviewStats): void {
    const { state, translation } = this.node;
    const { pending, labelled, skipped } = stats;
    if (pending > 0) state.degraded(translation.shared('status.pending', '__count__ to review', { count: pending }));
    else state.ready(translation.shared('status.nothing-pending', 'nothing to review'));
    this.node.send([null, { topic: 'queue', payload: { pending, labelled, skipped } }]);
  }
}
