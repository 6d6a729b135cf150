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

/**
 * Keeps the picture on the screen for this reviewer, and the one that comes next, so that two people never work on the
 * same. Without a name there is nobody to keep them for.
 *
 * @param me the reviewer's name, empty when not given
 */
export function useReviewLock(api: Api, list: ReviewList, me: () => string) {
  /** Whose lock this client holds, by the item's id. */
  const held = new Map<string, string>();
  let settle: ReturnType<typeof setTimeout> | undefined;
  const now = ref(Date.now());

  /** Who else looks at the current picture. */
  const holder = computed<string | null>(() =>
    list.current.value === null || list.tab.value === 'labelled' ? null : heldBy(list.current.value, me(), now.value),
  );
  const following = computed<string | null>(() => {
    const next = list.tab.value === 'pending' ? list.upcoming.value : null;
    return next !== null && heldBy(next, me(), now.value) === null ? next.id : null;
  });
  const wanted = computed<readonly string[]>(() => {
    if (list.tab.value === 'labelled' || me() === '' || list.currentId.value === null) return [];
    const ids = [holder.value === null ? list.currentId.value : null, following.value];
    return [...new Set(ids.filter((id) => id !== null))];
  });

  async function lock(id: string): Promise<void> {
    const reviewer = me();
    try {
      await api.post<ReviewItem>(pathOf(id, 'lock'), { reviewer });
      if (!wanted.value.includes(id) || me() !== reviewer) unlock(id, reviewer);
      else held.set(id, reviewer);
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.code !== 'locked') return;
      const { reviewer: other, until } = error.parameters;
      list.setLock(id, { reviewer: String(other), until: String(until) });
      if (list.currentId.value === id && !list.chosen.value) list.arriveAt(list.place.value);
    }
  }
  /** A beacon also leaves a page that is being closed. */
  function unlock(id: string, reviewer: string): void {
    held.delete(id);
    const body = new Blob([JSON.stringify({ reviewer })], { type: 'application/json' });
    navigator.sendBeacon(api.url(pathOf(id, 'unlock')), body);
  }
  function release(keep: readonly string[] = []): void {
    for (const [id, reviewer] of [...held]) if (!keep.includes(id) || reviewer !== me()) unlock(id, reviewer);
  }
  /** The station let go of the lock itself, because the picture was decided. */
  function forget(id: string): void {
    held.delete(id);
  }
  function renew(): void {
    if (document.visibilityState === 'visible') for (const id of wanted.value) void lock(id);
  }

  let name = me();
  watch([() => wanted.value.join(), me], () => {
    const typing = name !== me();
    name = me();
    release(wanted.value);
    clearTimeout(settle);
    if (wanted.value.some((id) => !held.has(id))) settle = setTimeout(renew, typing ? NAME_MS : SETTLE_MS);
  });

  const leave = (): void => release();
  const timers: ReturnType<typeof setInterval>[] = [];
  onMounted(() => {
    timers.push(setInterval(renew, HEARTBEAT_MS));
    timers.push(
      setInterval(() => {
        now.value = Date.now();
      }, LOOK_MS),
    );
    window.addEventListener('pagehide', leave);
  });
  onBeforeUnmount(() => {
    clearTimeout(settle);
    for (const timer of timers) clearInterval(timer);
    window.removeEventListener('pagehide', leave);
    release();
  });

  return { holder, forget };
}

function pathOf(id: string, action: 'lock' | 'unlock'): string {
  return `/labeling-queue/${encodeURIComponent(id)}/${action}`;
}
