import type { ConfigSchema } from '../shared';
import { type WidgetConfig, widgetDefaults } from '../shared/dashboard-widget';

export interface UiCameraConfig extends WidgetConfig {
  /** Name under which camera-capture asks for pictures. */
  readonly camera: string;
  /** Part type of the pictures taken here; empty: as camera-capture says. */
  readonly partType: string;
}

export const schema: ConfigSchema<UiCameraConfig> = {
  defaults: { ...widgetDefaults, camera: 'camera-1', partType: '' },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};
