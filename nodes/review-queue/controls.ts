import { InvalidInput, type Label, type LabelledBox } from '../../engine/domain';
import type { Station } from '../../engine/station';

const CONTROLS = ['label', 'skip', 'undo', 'approve', 'reject', 'flag'] as const;
export type Control = (typeof CONTROLS)[number];

export function isControl(topic: unknown): topic is Control {
  return CONTROLS.some((control) => control === topic);
}

/** Does what a message without a part asks for. */
export async function control(station: Station, what: Control, payload: unknown, actor: string): Promise<void> {
  const order = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  const named = optionalText('reviewer', order.reviewer);
  const id = optionalText('id', order.id);
  if (what === 'undo') {
    await station.reviews.undo({ id, reviewer: named }, actor);
    return;
  }
  const reviewer = named ?? actor;
  if (id === undefined) throw new InvalidInput(`A ${what} message needs the item's id: {"id": "01..."}.`);
  const note = optionalText('note', order.note);
  switch (what) {
    case 'skip':
      await station.reviews.skip(id, reviewer, actor);
      return;
    case 'flag':
      await station.reviewIntake.flag(id, { reviewer: named, note }, actor);
      return;
    case 'approve':
    case 'reject':
      // all messages come through one node: the named person is the actor that must not have given the label
      await station.reviews[what](id, { reviewer, note }, `${reviewer} (${actor})`);
      return;
    case 'label': {
      const boxes = boxesOf(order.boxes);
      const modelMistake = order.modelMistake === true;
      await station.reviews.label(id, { label: labelOf(order.label), boxes, reviewer, note, modelMistake }, actor);
    }
  }
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
