import type { Page } from 'playwright-core';
import type { MockStation } from './mock-station';
import type { openPage, WidgetType } from './ui-support';

/** What the tests of a widget share: one dashboard and one browser for all of them. */
export interface WidgetTools {
  readonly station: MockStation;
  show(widget: WidgetType, options?: Parameters<typeof openPage>[2]): Promise<Page>;
  see(page: Page, text: string | RegExp, within?: string): Promise<void>;
  untilStreaming(): Promise<void>;
}
