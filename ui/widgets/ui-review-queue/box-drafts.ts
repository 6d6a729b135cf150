import { computed, type Ref, ref, shallowRef, watch } from 'vue';
import { type BoxDraft, confirmedBoxes, confirming, draftOf, isEdited, proposals } from '../../shared/box-draft';
import { partOf } from '../../shared/part';
import type { Label, LabelledBox, ReviewItem } from '../../shared/types';
import { useRemembered, type Widget } from '../../shared/widget';
import type { ReviewList } from './review-list';

/** Boxes of a class nobody has named yet. */
const FIRST_CLASS = 'defect';

/** Asks the user; null when they want none of the choices. */
export type Choose = (
  question: string,
  hint: string,
  choices: readonly { readonly value: string; readonly label: string }[],
) => Promise<string | null>;

/** What this client has done to pictures that are not decided yet; kept while one looks at others. */
export function useBoxDrafts(widget: Widget, list: ReviewList, shown: Ref<boolean>) {
  const { api, texts } = widget;
  const drafts = shallowRef<ReadonlyMap<string, BoxDraft>>(new Map());
  const mistakes = shallowRef<ReadonlyMap<string, boolean>>(new Map());
  const drawing = ref(false);
  /** The part whose picture is on the screen. */
  const pictured = ref<string | null>(null);
  const remembered = useRemembered('box-class', '');
  /** Those of the station, then those named here. */
  const classes = shallowRef<readonly string[]>([]);

  const draft = computed<BoxDraft | undefined>({
    get: () => drafts.value.get(list.currentId.value ?? ''),
    set: (changed) => {
      const id = list.currentId.value;
      if (id !== null && changed !== undefined) drafts.value = new Map(drafts.value).set(id, changed);
    },
  });
  const ready = computed(() => shown.value && draft.value !== undefined && pictured.value === list.currentId.value);
  const canDraw = computed(() => ready.value && list.tab.value !== 'labelled');

  const offered = computed(() => {
    const used = draft.value?.boxes.map((one) => one.label) ?? [];
    const all = [...new Set([...classes.value, ...used])];
    return all.length > 0 ? all : [FIRST_CLASS];
  });
  const nextLabel = computed({
    get: () => (offered.value.includes(remembered.value) ? remembered.value : offered.value[0]),
    set: (name: string) => {
      remembered.value = name;
    },
  });
  watch(
    () => list.current.value?.partType,
    async (partType) => {
      classes.value = [];
      if (partType === undefined) return;
      const answer = await widget.load(() =>
        api.get<{ items: string[] }>(`/part-types/${encodeURIComponent(partType)}/classes`),
      );
      if (answer !== undefined && list.current.value?.partType === partType) classes.value = answer.items;
    },
  );

  /** The model was wrong about the current picture, says the user. */
  const mistake = computed<boolean>({
    get: () => mistakes.value.get(list.currentId.value ?? '') ?? list.current.value?.modelMistake ?? false,
    set: (on) => {
      const id = list.currentId.value;
      if (id !== null) mistakes.value = new Map(mistakes.value).set(id, on);
    },
  });

  function onShown(picture: { id: string; width: number; height: number } | null): void {
    if (pictured.value !== picture?.id) drawing.value = false;
    pictured.value = picture?.id ?? null;
    const item = list.items.value.find(({ id }) => id === picture?.id);
    if (picture === null || item === undefined || drafts.value.has(item.id)) return;
    const found = item.state === 'labelled' ? [] : partOf(item).detections;
    drafts.value = new Map(drafts.value).set(item.id, draftOf(item.boxes ?? null, found, picture));
  }

  function forget(id: string): void {
    const kept = new Map(drafts.value);
    kept.delete(id);
    drafts.value = kept;
    const flags = new Map(mistakes.value);
    flags.delete(id);
    mistakes.value = flags;
  }
  /** What was looked at to approve is no draft. */
  watch(list.tab, () => {
    drafts.value = new Map([...drafts.value].filter(([, one]) => isEdited(one)));
  });

  /**
   * The boxes that go with a decision; undefined when nobody has said anything about them, null when the decision shall
   * wait.
   */
  async function boxesFor(
    decision: Label,
    item: ReviewItem,
    choose: Choose,
  ): Promise<readonly LabelledBox[] | undefined | null> {
    const made = drafts.value.get(item.id);
    if (made === undefined) return undefined;
    const mine = confirmedBoxes(made);
    const spoken = isEdited(made) || (item.boxes ?? null) !== null;
    if (!spoken) return undefined;
    const { boxes: words } = texts;
    if (decision === 'OK' && mine.length > 0) {
      const choice = await choose(words.okWithBoxes(mine.length), words.okWithBoxesHint, [
        { value: 'keep', label: words.keep },
        { value: 'clear', label: words.clear },
      ]);
      return choice === 'keep' ? mine : choice === 'clear' ? [] : null;
    }
    const open = proposals(made).length;
    if (decision === 'NG' && open > 0) {
      const choice = await choose(words.openProposals(open), words.openProposalsHint, [
        { value: 'leave', label: words.leaveOut },
        { value: 'take', label: words.confirmAll },
      ]);
      return choice === 'leave' ? mine : choice === 'take' ? confirmedBoxes(confirming(made)) : null;
    }
    return mine;
  }

  return { draft, ready, canDraw, drawing, offered, nextLabel, classes, mistake, onShown, forget, boxesFor };
}
