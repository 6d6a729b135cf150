import type { ConfigSchema } from '../shared';
import { type WidgetConfig, widgetDefaults } from '../shared/dashboard-widget';

export interface UiInspectionViewConfig extends WidgetConfig {
  /** Show the trigger button; space triggers too. */
  readonly showTrigger: boolean;
  /** Opacity of the heat map at the start, percent. */
  readonly opacity: number | string;
}

export const schema: ConfigSchema<UiInspectionViewConfig> = {
  defaults: { ...widgetDefaults, showTrigger: true, opacity: 60 },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};
