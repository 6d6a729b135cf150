import type { ConfigSchema, NumberField } from '../shared';
import { type WidgetConfig, widgetDefaults } from '../shared/dashboard-widget';

export interface UiReviewQueueConfig extends WidgetConfig {
  /** Length of a pixel's side on the part, for areas in mm²; empty: not known. */
  readonly millimetresPerPixel: NumberField;
}

export const schema: ConfigSchema<UiReviewQueueConfig> = {
  defaults: { ...widgetDefaults, millimetresPerPixel: '' },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};
