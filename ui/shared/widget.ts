import { type ComputedRef, computed, inject, onBeforeUnmount, onMounted, type Ref, ref, shallowRef } from 'vue';
import { type Api, ApiProblem, createApi } from './api';
import { type EventName, type LinkState, subscribe } from './events';
import { type Formats, formatsOf, languageOf, problemText, type Texts, textsOf } from './texts';
import type { WidgetProps } from './types';

/** The dashboard's socket, as far as widgets use it. */
export interface DashboardSocket {
  emit(event: string, ...args: unknown[]): void;
  on(event: string, listener: (...args: never[]) => void): void;
  off(event: string, listener: (...args: never[]) => void): void;
}

export interface Widget {
  readonly api: Api;
  readonly language: string;
  readonly texts: Texts;
  readonly formats: Formats;
  /** True when the push connection has been gone for longer than a moment. */
  readonly disconnected: Ref<boolean>;
  /** Changes with each refreshing: what is not known has to be fetched. */
  readonly refreshed: Readonly<Ref<number>>;
  /** Short message for the live region; replaced by the next. */
  readonly notice: Ref<string>;
  /** An error for the user to read: of the last action, else of the last loading. */
  readonly problem: ComputedRef<string>;
  /** Does what the user asked for; a failure is shown until the next action and gives undefined. */
  attempt<Answer>(action: () => Promise<Answer>): Promise<Answer | undefined>;
  /** Loads what is shown; a failure is shown until a loading succeeds and gives undefined. */
  load<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined>;
  dismissProblem(): void;
  /** Sends a message to the node, which sends it on to the flow. */
  send(message: Readonly<Record<string, unknown>>): void;
}

export interface WidgetEvents {
  on(name: EventName, data: unknown): void;
  /** Once the push connection is open, so that nothing is lost between the two, and after each gap in it. */
  refresh(): void;
  /** Keep the connection while the page is in the background. */
  readonly background?: boolean;
}

const LOST_AFTER_MS = 2_000;
/** So long the first loading waits for the push connection. */
const PATIENCE_MS = 1_000;

/** What every widget needs: API, texts in the user's language, pushed events, its errors and its socket. */
export function useWidget(id: string, props: WidgetProps, events: WidgetEvents): Widget {
  const language = languageOf(props.language);
  const texts = textsOf(language);
  const base = typeof props.apiBase === 'string' ? props.apiBase : '';
  const station = typeof props.station === 'string' ? props.station : '';
  const api = createApi(base, station);
  const socket = inject<DashboardSocket | null>('$socket', null);

  const disconnected = ref(false);
  const refreshed = ref(0);
  const notice = ref('');
  const actionProblem = ref('');
  const loadProblem = ref('');
  let lostTimer: ReturnType<typeof setTimeout> | undefined;
  let patience: ReturnType<typeof setTimeout> | undefined;
  let leave: (() => void) | undefined;

  const onState = (state: LinkState): void => {
    clearTimeout(lostTimer);
    if (state === 'open') disconnected.value = false;
    if (state !== 'lost') return;
    lostTimer = setTimeout(() => {
      disconnected.value = true;
    }, LOST_AFTER_MS);
  };

  onMounted(() => {
    if (base === '') {
      loadProblem.value = texts.problems['no-api'];
      return;
    }
    const refresh = (): void => {
      clearTimeout(patience);
      refreshed.value += 1;
      events.refresh();
    };
    patience = setTimeout(refresh, PATIENCE_MS);
    leave = subscribe(api.url('/events'), {
      on: (name, data) => events.on(name, data),
      onOpen: refresh,
      onState,
      background: events.background,
    });
  });
  onBeforeUnmount(() => {
    clearTimeout(lostTimer);
    clearTimeout(patience);
    leave?.();
  });

  return {
    api,
    language,
    texts,
    formats: formatsOf(language === 'en-US' && navigator.language.startsWith('en') ? navigator.language : language),
    disconnected,
    refreshed,
    notice,
    problem: computed(() => actionProblem.value || loadProblem.value),
    attempt: async (action) => {
      actionProblem.value = '';
      try {
        return await action();
      } catch (error) {
        actionProblem.value = problemText(texts, error);
        return undefined;
      }
    },
    load: async (call) => {
      try {
        const answer = await call();
        loadProblem.value = '';
        return answer;
      } catch (error) {
        loadProblem.value = problemText(texts, error);
        return undefined;
      }
    },
    dismissProblem: () => {
      actionProblem.value = '';
      loadProblem.value = '';
    },
    send: (message) => socket?.emit('widget-send', id, message),
  };
}

/**
 * Keys for the whole page, unless the user is typing, or the widget is hidden. A key that a focused button or slider
 * needs itself (space, enter, arrows) stays with it. Of those with a modifier only undo and redo come, as `Ctrl+z`,
 * `Ctrl+Shift+z` and `Ctrl+y` (with Command on a Mac).
 *
 * @param handle returns true when it used the key
 */
export function useKeys(root: Ref<HTMLElement | null>, handle: (key: string, event: KeyboardEvent) => boolean): void {
  const listener = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && !/^[zy]$/i.test(event.key)) return;
    if (root.value === null || root.value.offsetParent === null) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('input:not([type=range], [type=checkbox]), textarea, select, [contenteditable=true]')) return;
    // a dialog just closed keeps the focus for a moment
    if (target?.closest('dialog[open], [role=dialog]:not(dialog)')) return;
    const pressing = event.key === ' ' || event.key === 'Enter';
    if (pressing && target?.closest('button, a, summary, input')) return;
    if (event.key.startsWith('Arrow') && target?.closest('input[type=range], [role=tablist], [role=radiogroup]'))
      return;
    if (event.repeat && !event.key.startsWith('Arrow')) return;
    const key = control ? `Ctrl+${event.shiftKey ? 'Shift+' : ''}${event.key.toLowerCase()}` : event.key;
    if (handle(key, event)) event.preventDefault();
  };
  onMounted(() => window.addEventListener('keydown', listener));
  onBeforeUnmount(() => window.removeEventListener('keydown', listener));
}

/** A value kept in this browser. */
export function useRemembered(key: string, initial: string): Ref<string> {
  const name = `opti-quality.${key}`;
  const value = shallowRef(read(name) ?? initial);
  return computed({
    get: () => value.value,
    set: (text: string) => {
      value.value = text;
      try {
        localStorage.setItem(name, text);
      } catch {
        // Storage is switched off in this browser: the value lasts as long as the page.
      }
    },
  });
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/**
 * Runs `work` now or, when it ran less than `gapMs` ago, once after the gap; calls in between are one.
 */
export function throttled(work: () => void, gapMs: number): { run(): void; stop(): void } {
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const now = (): void => {
    timer = undefined;
    last = performance.now();
    work();
  };
  return {
    run: () => {
      if (timer !== undefined) return;
      const wait = last + gapMs - performance.now();
      if (wait <= 0) now();
      else timer = setTimeout(now, wait);
    },
    stop: () => clearTimeout(timer),
  };
}

export function isProblem(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiProblem && statuses.includes(error.status);
}
