/** Boxes under a person's hand: what was proposed, what was confirmed, and the way back. */
import { boxWithin, type Size } from './box-geometry';
import type { Box, Detection, LabelledBox } from './types';

export interface DraftBox extends LabelledBox {
  /** Stays with the box through all changes. */
  readonly key: number;
  /** The model's confidence while nobody has confirmed or changed the box; null once it is a person's. */
  readonly proposed: number | null;
}

export interface BoxDraft {
  readonly boxes: readonly DraftBox[];
  /** Key of the selected box. */
  readonly selected: number | null;
  readonly past: readonly (readonly DraftBox[])[];
  readonly future: readonly (readonly DraftBox[])[];
}

const STEPS_KEPT = 100;

/** What a person drew or confirmed before, else what the model found, as proposals. */
export function draftOf(
  confirmed: readonly LabelledBox[] | null,
  found: readonly Detection[],
  picture: Size,
): BoxDraft {
  const sources: readonly (LabelledBox & { readonly confidence?: number })[] = confirmed ?? found;
  const boxes = sources.flatMap(({ label, box, confidence }, key): DraftBox[] => {
    const within = boxWithin(box, picture);
    return within === null ? [] : [{ key, label, box: within, proposed: confidence ?? null }];
  });
  return { boxes, selected: null, past: [], future: [] };
}

export function selectedBox({ boxes, selected }: BoxDraft): DraftBox | undefined {
  return boxes.find(({ key }) => key === selected);
}

export function selecting(draft: BoxDraft, key: number | null): BoxDraft {
  return { ...draft, selected: key };
}

export function adding(draft: BoxDraft, label: string, box: Box): BoxDraft {
  const key = 1 + Math.max(-1, ...[draft.boxes, ...draft.past, ...draft.future].flat().map((one) => one.key));
  return selecting(changed(draft, [...draft.boxes, { key, label, box, proposed: null }]), key);
}

/** A box put elsewhere or called otherwise; it is the person's from then on. */
export function altering(draft: BoxDraft, key: number, change: Partial<LabelledBox>): BoxDraft {
  return changed(draft, alteredBoxes(draft.boxes, key, change));
}

/** As `altering`, within the same step of undo: while a box is dragged, or moved by a key held down. */
export function alteringOn(draft: BoxDraft, key: number, change: Partial<LabelledBox>): BoxDraft {
  return { ...draft, boxes: alteredBoxes(draft.boxes, key, change) };
}

function alteredBoxes(boxes: readonly DraftBox[], key: number, change: Partial<LabelledBox>): DraftBox[] {
  return boxes.map((one) => (one.key === key ? { ...one, ...change, proposed: null } : one));
}

export function removing(draft: BoxDraft, key: number): BoxDraft {
  const at = draft.boxes.findIndex((one) => one.key === key);
  const boxes = draft.boxes.filter((one) => one.key !== key);
  return selecting(changed(draft, boxes), boxes[Math.min(at, boxes.length - 1)]?.key ?? null);
}

/** Proposals become the person's boxes: one of them, or all. */
export function confirming(draft: BoxDraft, key?: number): BoxDraft {
  const mine = (one: DraftBox): boolean => one.proposed !== null && (key === undefined || one.key === key);
  if (!draft.boxes.some(mine)) return draft;
  return changed(
    draft,
    draft.boxes.map((one) => (mine(one) ? { ...one, proposed: null } : one)),
  );
}

export function undoing(draft: BoxDraft): BoxDraft {
  const before = draft.past.at(-1);
  if (before === undefined) return draft;
  const { boxes, past, future } = draft;
  return kept({ ...draft, boxes: before, past: past.slice(0, -1), future: [...future, boxes] });
}

export function redoing(draft: BoxDraft): BoxDraft {
  const after = draft.future.at(-1);
  if (after === undefined) return draft;
  const { boxes, past, future } = draft;
  return kept({ ...draft, boxes: after, past: [...past, boxes], future: future.slice(0, -1) });
}

export function proposals({ boxes }: BoxDraft): readonly DraftBox[] {
  return boxes.filter(({ proposed }) => proposed !== null);
}

/** The boxes that are the person's. */
export function confirmedBoxes({ boxes }: BoxDraft): readonly LabelledBox[] {
  return boxes.filter(({ proposed }) => proposed === null).map(({ label, box }) => ({ label, box }));
}

/** True when a person has said something about the boxes that was not said before. */
export function isEdited({ past }: BoxDraft): boolean {
  return past.length > 0;
}

function changed(draft: BoxDraft, boxes: readonly DraftBox[]): BoxDraft {
  return { ...draft, boxes, past: [...draft.past, draft.boxes].slice(-STEPS_KEPT), future: [] };
}

/** A box that is gone is not selected. */
function kept(draft: BoxDraft): BoxDraft {
  return selectedBox(draft) === undefined ? { ...draft, selected: null } : draft;
}
