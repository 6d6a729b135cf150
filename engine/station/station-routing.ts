import type { DeploymentRecord, RoutingDefaults, RoutingSettings, Thresholds } from '../domain';
import type { RoutingPatch, SettingsTable } from '../store';

export interface StationRoutingOptions {
  readonly settings: SettingsTable;
  readonly onChanged: (settings: RoutingSettings) => void;
  readonly onWarning: (message: string) => void;
}

/**
 * Thresholds and audit shares as they are shown and changed. What is stored for a part type counts for every router of
 * the station; where nothing is, each router uses its own defaults.
 */
export class StationRouting {
  private readonly routers = new Map<string, RoutingDefaults>();

  constructor(private readonly options: StationRoutingOptions) {}

  /** Tells what a router uses where nothing is stored. @returns a function that takes it back */
  registerRouter(node: string, defaults: RoutingDefaults): () => void {
    this.routers.set(node, defaults);
    return () => {
      if (this.routers.get(node) === defaults) this.routers.delete(node);
    };
  }

  async get(partType: string): Promise<RoutingSettings> {
    return this.inForce(await this.options.settings.routing(partType));
  }

  /** The part types that have settings of their own, by name. */
  async list(): Promise<readonly RoutingSettings[]> {
    return (await this.options.settings.allRouting()).map((stored) => this.inForce(stored));
  }

  /** @throws {InvalidInput} see `SettingsTable.setRouting` */
  async change(partType: string, patch: RoutingPatch, actor: string): Promise<RoutingSettings> {
    const changed = this.inForce(await this.options.settings.setRouting(partType, patch, actor));
    this.options.onChanged(changed);
    return changed;
  }

  /**
   * Thresholds are distances on the scale of one anomaly model's version: those set by hand do not fit the next one. Other
   * kinds of models have nothing to do with them.
   */
  async resetThresholds({ partType, kind, name, version, actor }: DeploymentRecord): Promise<void> {
    if (kind !== 'patchcore') return;
    const { thresholds } = await this.options.settings.routing(partType);
    if (thresholds === null) return;
    await this.change(partType, { thresholds: null }, actor);
    this.options.onWarning(
      `The thresholds of ${partType} set by hand (accept ${thresholds.accept}, reject ${thresholds.reject}) belonged to the model in production before. Now those of model ${name} version ${version} count. Set them anew where they do not fit.`,
    );
  }

  /** Thresholds that the routers use where nothing is stored; null: those of the model, or the routers differ. */
  defaultThresholds(): Thresholds | null {
    return agreed([...this.routers.values()].map((router) => router.thresholds));
  }

  /** What is stored, completed by the routers' defaults as far as these agree. */
  private inForce({ partType, thresholds, auditShare }: RoutingSettings): RoutingSettings {
    const defaults = [...this.routers.values()];
    return {
      partType,
      thresholds: thresholds ?? this.defaultThresholds(),
      auditShare: auditShare ?? agreed(defaults.map((router) => router.auditShare)),
    };
  }
}

/** The value all have; null when they differ or there are none. */
function agreed<Value>(values: readonly Value[]): Value | null {
  const [first = null, ...others] = values;
  return others.every((other) => JSON.stringify(other) === JSON.stringify(first)) ? first : null;
}
