/** What `GET /events` pushes; the data of each is JSON. */
export const EVENT_NAMES = [
  'inspection',
  'review',
  'job',
  'deployment',
  'version',
  'retraining',
  'shadow',
  'routing',
  'lamp',
  'fault',
] as const;

export type EventName = (typeof EVENT_NAMES)[number];
export type LinkState = 'connecting' | 'open' | 'lost';

export interface EventSubscription {
  on(name: EventName, data: unknown): void;
  /** The stream is open, for the first time or after a gap: what is not known has to be fetched. */
  onOpen(): void;
  onState(state: LinkState): void;
  /** Keep receiving while the page is in the background. */
  readonly background?: boolean;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;
const HIDDEN_GRACE_MS = 30_000;

/**
 * One stream of server-sent events. It reconnects with back-off, and lets go while the page is hidden: browsers allow
 * six connections to a host over HTTP/1.1, and each open tab would hold one for ever.
 */
class EventLink {
  readonly #subscriptions = new Set<EventSubscription>();
  readonly #address: string;
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #hidden: ReturnType<typeof setTimeout> | undefined;
  #delay = FIRST_RETRY_MS;
  #state: LinkState = 'connecting';
  /** Something may have happened that was not pushed. */
  #gap = true;

  constructor(address: string) {
    this.#address = address;
  }

  get unused(): boolean {
    return this.#subscriptions.size === 0;
  }

  add(subscription: EventSubscription): void {
    this.#subscriptions.add(subscription);
    subscription.onState(this.#state);
    if (this.#subscriptions.size === 1) this.#start();
    else if (this.#state === 'open') subscription.onOpen();
  }

  remove(subscription: EventSubscription): void {
    this.#subscriptions.delete(subscription);
    if (this.unused) this.#stop();
  }

  #start(): void {
    document.addEventListener('visibilitychange', this.#onVisibility);
    window.addEventListener('offline', this.#onOffline);
    window.addEventListener('online', this.#onOnline);
    this.#open();
  }

  #stop(): void {
    document.removeEventListener('visibilitychange', this.#onVisibility);
    window.removeEventListener('offline', this.#onOffline);
    window.removeEventListener('online', this.#onOnline);
    clearTimeout(this.#hidden);
    this.#close();
  }

  #open(): void {
    this.#close();
    const source = new EventSource(this.#address);
    this.#source = source;
    source.onopen = () => {
      this.#delay = FIRST_RETRY_MS;
      this.#setState('open');
      if (!this.#gap) return;
      this.#gap = false;
      for (const subscription of this.#subscriptions) subscription.onOpen();
    };
    source.onerror = () => this.#lose();
    for (const name of EVENT_NAMES) {
      source.addEventListener(name, (event) => {
        const data = parse((event as MessageEvent<string>).data);
        if (data === undefined) return;
        for (const subscription of this.#subscriptions) subscription.on(name, data);
      });
    }
  }

  #close(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  #lose(): void {
    this.#close();
    this.#gap = true;
    this.#setState('lost');
    this.#retry = setTimeout(() => this.#open(), this.#delay);
    this.#delay = Math.min(this.#delay * 2, LAST_RETRY_MS);
  }

  #setState(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const subscription of this.#subscriptions) subscription.onState(state);
  }

  readonly #onOffline = (): void => this.#lose();

  readonly #onOnline = (): void => {
    this.#delay = FIRST_RETRY_MS;
    this.#open();
  };

  readonly #onVisibility = (): void => {
    clearTimeout(this.#hidden);
    if (document.visibilityState === 'visible') {
      if (this.#source === undefined) this.#open();
      return;
    }
    if ([...this.#subscriptions].some((subscription) => subscription.background)) return;
    this.#hidden = setTimeout(() => {
      this.#gap = true;
      this.#close();
    }, HIDDEN_GRACE_MS);
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Each widget is a script of its own; the links of a page hang on the window so that all of them share one. */
const LINKS = Symbol.for('opti-quality.event-links');

function links(): Map<string, EventLink> {
  const holder = window as unknown as Record<symbol, Map<string, EventLink> | undefined>;
  let map = holder[LINKS];
  if (map === undefined) {
    map = new Map();
    holder[LINKS] = map;
  }
  return map;
}

/** Subscribes to the pushed events; returns the way out. */
export function subscribe(address: string, subscription: EventSubscription): () => void {
  const all = links();
  const link = all.get(address) ?? new EventLink(address);
  all.set(address, link);
  link.add(subscription);
  return () => {
    link.remove(subscription);
    if (link.unused && all.get(address) === link) all.delete(address);
  };
}
