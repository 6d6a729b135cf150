import { computed, onBeforeUnmount, type Ref, ref, shallowRef } from 'vue';
import { askToDeploy } from './deploying';
import type { EventName } from './events';
import type { ModelVersion, Page, PartTypeInfo, Reason, WidgetProps } from './types';
import { throttled, useRemembered, useWidget, type Widget } from './widget';

/** What the pages Train and Models do alike: one part type is chosen, its models are shown and changed. */
export interface ModelPage {
  readonly widget: Widget;
  readonly partTypes: Ref<readonly PartTypeInfo[]>;
  /** Name of a part type; empty: none. What is set is taken for a person's choice, and this browser remembers it. */
  readonly chosen: Ref<string>;
  readonly busy: Ref<boolean>;
  /** What was done last, to be shown; it is also announced. */
  readonly said: Readonly<Ref<string>>;
  /**
   * Takes the part types that the API lists. Where none is chosen that it lists: the one chosen last in this browser, else
   * `running`, else the one inspected last, else the first with a model in production.
   */
  take(listed: readonly PartTypeInfo[], running?: string): Promise<void>;
  /** Loads soon; calls in between are one. */
  loadSoon(): void;
  say(text: string): void;
  /** Does what a person asked for; a failure is shown and gives undefined. */
  act<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined>;
  /** The same, and shows how things are then. */
  change<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined>;
  /** Asks, and puts a version into production; one that the gate refused with the reasons for it. */
  deploy(dialog: Parameters<typeof askToDeploy>[0], version: ModelVersion, reasons: readonly Reason[]): Promise<void>;
}

export interface ModelPageEvents {
  /** Loads all that the page shows. */
  load(): Promise<void>;
  /** Loads what a change of a version alters; all unless told. */
  reload?(): Promise<void>;
  on(name: EventName, data: unknown): void;
  /** None stands for a part type that is to be, and is a choice like any other. */
  readonly hasNew?: boolean;
}

const RELOAD_GAP_MS = 1_500;

export function useModelPage(
  given: { readonly id: string; readonly props: WidgetProps },
  { load, reload = load, on, hasNew = false }: ModelPageEvents,
): ModelPage {
  const widget = useWidget(given.id, given.props, { refresh: () => void load(), on });
  const { api, texts, formats } = widget;
  const soon = throttled(() => void load(), RELOAD_GAP_MS);
  onBeforeUnmount(() => soon.stop());

  const partTypes = shallowRef<readonly PartTypeInfo[]>([]);
  const current = ref('');
  const remembered = useRemembered('part-type', '');
  const busy = ref(false);
  const said = ref('');
  let taken = false;

  const chosen = computed({
    get: () => current.value,
    set: (name) => {
      current.value = name;
      if (name !== '') remembered.value = name;
    },
  });

  async function take(listed: readonly PartTypeInfo[], running?: string): Promise<void> {
    const isListed = (name: string | undefined) => listed.some(({ partType }) => partType === name);
    const isOpen = () => taken && ((hasNew && current.value === '') || isListed(current.value));
    if (!isOpen()) {
      const named = [remembered.value, running].find(isListed) ?? (await inspectedLast(listed));
      const inProduction = listed.find(({ deployedVersion }) => deployedVersion !== null);
      // a person may have chosen while the answer was on its way
      if (!isOpen())
        current.value = isListed(named) ? (named as string) : ((inProduction ?? listed[0])?.partType ?? '');
    }
    partTypes.value = listed;
    taken = true;
  }

  async function inspectedLast(listed: readonly PartTypeInfo[]): Promise<string | undefined> {
    if (listed.length < 2) return undefined;
    const page = await widget.load(() => api.get<Page<{ partType: string }>>('/inspections', { limit: 1 }));
    return page?.items[0]?.partType;
  }

  function say(text: string): void {
    said.value = text;
    widget.notice.value = text;
  }

  async function doing<Answer>(call: () => Promise<Answer>, after?: () => Promise<void>): Promise<Answer | undefined> {
    busy.value = true;
    const answer = await widget.attempt(call);
    await after?.();
    busy.value = false;
    return answer;
  }
  const change: ModelPage['change'] = (call) => doing(call, reload);

  return {
    widget,
    partTypes,
    chosen,
    busy,
    said,
    take,
    loadSoon: () => soon.run(),
    say,
    act: (call) => doing(call),
    change,
    deploy: async (dialog, version, reasons) => {
      const reason = await askToDeploy(dialog, version, reasons, texts, formats);
      if (reason === null) return;
      const body = { version: version.version, ...(reason !== '' && { reason }) };
      const path = `/models/${encodeURIComponent(version.name)}/deploy`;
      const record = await change(() => api.post<{ version: string }>(path, body));
      if (record) say(texts.training.deployed(record.version));
    },
  };
}
