import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue';
import { freeFrom } from '../../shared/reviewing';
import type { Page, QueueReason, ReviewItem, ReviewState, ReviewStats } from '../../shared/types';
import { throttled, useRemembered, type Widget } from '../../shared/widget';

/** Which pictures are shown. Those to approve are `labelled`. */
export type Tab = Exclude<ReviewState, 'approved'>;
export type Order = 'age' | 'information';

const PAGE = 50;
/** The most that one answer holds here; beyond it the filters help. */
const MOST = 200;
const HISTORY = 8;

/** The list one works through, its numbers, and the place in it. */
export function useReviewList(widget: Widget, me: () => string, say: (text: string) => void) {
  const { api, texts } = widget;
  const tab = ref<Tab>('pending');
  const partType = ref('');
  const queueReason = ref<QueueReason | ''>('');
  const order = useRemembered('review-order', 'age');
  const items = shallowRef<readonly ReviewItem[]>([]);
  const more = ref(false);
  const stats = shallowRef<ReviewStats | null>(null);
  const history = shallowRef<readonly ReviewItem[]>([]);
  const loaded = ref(false);
  /** An action of this client is on its way: what leaves the list meanwhile leaves by it. */
  const busy = ref(false);
  const currentId = ref<string | null>(null);
  /** The user chose the picture; else it came as the next one, and another will do when it is taken. */
  const chosen = ref(false);
  /** Pictures that left a tab by this client's own doing: a list asked for before may still name them. */
  const left = new Map<string, Tab>();
  let loads = 0;

  const place = computed(() => items.value.findIndex((item) => item.id === currentId.value));
  const current = computed<ReviewItem | null>(() => items.value[place.value] ?? null);
  /** The one that comes when the current one is decided. */
  const upcoming = computed<ReviewItem | null>(() => {
    const after = place.value + 1 < items.value.length ? place.value + 1 : place.value - 1;
    const next = items.value[freeFrom(items.value, after, me(), Date.now())];
    return next === undefined || next.id === currentId.value ? null : next;
  });
  const filtered = computed(() => partType.value !== '' || queueReason.value !== '');

  /** Lists and numbers, keeping the picture on the screen while it is still here. */
  async function load(): Promise<void> {
    const mine = ++loads;
    const shownTab = tab.value;
    const limit = Math.min(MOST, Math.max(PAGE, place.value + 1 + PAGE / 2));
    const wanted = { partType: partType.value || undefined };
    const answer = await widget.load(() =>
      Promise.all([
        api.get<Page<ReviewItem>>('/labeling-queue', {
          ...wanted,
          state: shownTab,
          queueReason: queueReason.value || undefined,
          order: shownTab === 'pending' ? order.value : undefined,
          limit,
        }),
        api.get<ReviewStats>('/labeling-queue/stats', wanted),
        api.get<Page<ReviewItem>>('/labeling-queue', { state: 'labelled', limit: HISTORY }),
      ]),
    );
    if (answer === undefined || mine !== loads) return;
    const [page, numbers, decided] = answer;
    const at = place.value;
    const listed = page.items.filter((item) => left.get(item.id) !== shownTab);
    // what is being decided here stays until that is done: a key pressed on the next one would be lost before
    const deciding = busy.value ? current.value : null;
    const isGone = deciding !== null && !listed.some(({ id }) => id === deciding.id);
    items.value = isGone ? listed.toSpliced(at, 0, deciding) : listed;
    more.value = page.nextCursor !== null;
    stats.value = numbers;
    history.value = [...decided.items].sort((a, b) => (b.decidedAt ?? '').localeCompare(a.decidedAt ?? ''));
    if (!items.value.some((item) => item.id === currentId.value)) {
      if (loaded.value && at >= 0) say(texts.review.elsewhere);
      arriveAt(Math.max(0, at));
    }
    loaded.value = true;
  }
  const soon = throttled(() => void load(), 700);
  onBeforeUnmount(() => soon.stop());

  /** What an event told of one item: a change within its tab needs no new list. */
  function take(item: ReviewItem): void {
    if (item.state === 'pending') left.delete(item.id);
    const at = items.value.findIndex(({ id }) => id === item.id);
    if (at >= 0 && items.value[at].state === item.state && item.findings !== undefined) replace(at, item);
    else soon.run();
  }
  function replace(at: number, item: Partial<ReviewItem>): void {
    items.value = items.value.map((one, index) => (index === at ? { ...one, ...item } : one));
  }
  function setLock(id: string, lock: ReviewItem['lock']): void {
    const at = items.value.findIndex((item) => item.id === id);
    if (at >= 0) replace(at, { lock });
  }

  /** Goes to the first picture from a place on that nobody else looks at. */
  function arriveAt(index: number): void {
    chosen.value = false;
    currentId.value = items.value[freeFrom(items.value, index, me(), Date.now())]?.id ?? null;
  }
  function choose(id: string): void {
    chosen.value = true;
    currentId.value = id;
  }
  function step(by: number): void {
    if (items.value.length === 0) return;
    choose(items.value[Math.min(items.value.length - 1, Math.max(0, place.value + by))].id);
    if (more.value && items.value.length < MOST && place.value >= items.value.length - 3) soon.run();
  }
  /** An item this client has dealt with leaves the list, and the next one comes. */
  function drop(id: string): void {
    const at = place.value;
    left.set(id, tab.value);
    items.value = items.value.filter((item) => item.id !== id);
    if (currentId.value === id) arriveAt(at);
  }
  /** An item is back among the waiting ones. */
  async function showAgain(id: string): Promise<void> {
    left.delete(id);
    tab.value = 'pending';
    await load();
    if (items.value.some((item) => item.id === id)) choose(id);
  }
  function clearFilters(): void {
    partType.value = '';
    queueReason.value = '';
  }

  watch([tab, partType, queueReason, order], () => {
    left.clear();
    items.value = [];
    currentId.value = null;
    loaded.value = false;
    void load();
  });

  return {
    tab,
    partType,
    queueReason,
    order,
    filtered,
    items,
    more,
    stats,
    history,
    loaded,
    busy,
    currentId,
    place,
    current,
    upcoming,
    chosen,
    load,
    take,
    setLock,
    arriveAt,
    choose,
    step,
    drop,
    showAgain,
    clearFilters,
  };
}

export type ReviewList = ReturnType<typeof useReviewList>;
