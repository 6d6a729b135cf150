import type { ConfigSchema } from '../shared';
import { type WidgetConfig, widgetDefaults } from '../shared/dashboard-widget';

export type UiRetrainingConfig = WidgetConfig;

export const schema: ConfigSchema<UiRetrainingConfig> = {
  defaults: widgetDefaults,
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};
