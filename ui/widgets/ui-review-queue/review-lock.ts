import { computed, onBeforeUnmount, onMounted, ref, watch } from 'vue';
import { type Api, ApiProblem } from '../../shared/api';
import { HEARTBEAT_MS, heldBy } from '../../shared/reviewing';
import type { ReviewItem } from '../../shared/types';
import type { ReviewList } from './review-list';

/** One who leafs through pictures does not lock each of them. */
const SETTLE_MS = 150;
/** A name being typed is none yet. */
const NAME_MS = 800;
const LOOK_MS = 5_000;

interface Held {
  readonly id: string;
  readonly reviewer: string;
}

/**
 * Keeps the picture on the screen for this reviewer, so that nobody else decides it at the same time. Without a name
 * there is nobody to keep it for.
 *
 * @param me the reviewer's name, empty when not given
 */
export function useReviewLock(api: Api, list: ReviewList, me: () => string) {
  let mine: Held | null = null;
  let settle: ReturnType<typeof setTimeout> | undefined;
  const now = ref(Date.now());

  const wanted = computed(() => (list.tab.value === 'labelled' || me() === '' ? null : list.currentId.value));
  /** Who else looks at the current picture. */
  const holder = computed<string | null>(() =>
    list.current.value === null || list.tab.value === 'labelled' ? null : heldBy(list.current.value, me(), now.value),
  );

  async function lock(id: string): Promise<void> {
    const reviewer = me();
    try {
      await api.post<ReviewItem>(pathOf(id, 'lock'), { reviewer });
      if (wanted.value !== id || me() !== reviewer) {
        unlock({ id, reviewer });
        return;
      }
      mine = { id, reviewer };
      list.setLock(id, null);
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.code !== 'locked') return;
      const { reviewer: other, until } = error.parameters;
      list.setLock(id, { reviewer: String(other), until: String(until) });
      if (list.currentId.value === id && !list.chosen.value) list.arriveAt(list.place.value);
    }
  }
  function release(): void {
    clearTimeout(settle);
    if (mine !== null) unlock(mine);
    mine = null;
  }
  /** A beacon also leaves a page that is being closed. */
  function unlock({ id, reviewer }: Held): void {
    const body = new Blob([JSON.stringify({ reviewer })], { type: 'application/json' });
    navigator.sendBeacon(api.url(pathOf(id, 'unlock')), body);
  }
  /** The station let go of the lock itself, because the picture was decided. */
  function forget(id: string): void {
    if (mine?.id === id) mine = null;
  }
  function renew(): void {
    const id = wanted.value;
    if (id !== null && document.visibilityState === 'visible') void lock(id);
  }

  watch([wanted, me, holder], ([id, name, other], [, nameBefore]) => {
    if (mine !== null && (mine.id !== id || mine.reviewer !== name)) release();
    clearTimeout(settle);
    if (id === null || other !== null || mine !== null) return;
    settle = setTimeout(renew, name === nameBefore ? SETTLE_MS : NAME_MS);
  });

  const timers: ReturnType<typeof setInterval>[] = [];
  onMounted(() => {
    timers.push(setInterval(renew, HEARTBEAT_MS));
    timers.push(
      setInterval(() => {
        now.value = Date.now();
      }, LOOK_MS),
    );
    window.addEventListener('pagehide', release);
  });
  onBeforeUnmount(() => {
    for (const timer of timers) clearInterval(timer);
    window.removeEventListener('pagehide', release);
    release();
  });

  return { holder, forget };
}

function pathOf(id: string, action: 'lock' | 'unlock'): string {
  return `/labeling-queue/${encodeURIComponent(id)}/${action}`;
}
