/** A node's saved configuration as found in a flow file: any version, unchecked. */
export type SavedConfig = Readonly<Record<string, unknown>>;

/** Turns a configuration of version n into one of version n + 1. Pure. */
export type Migration = (config: SavedConfig) => SavedConfig;

/** What a node's `config.ts` gives: its defaults and how older configurations become today's. */
export interface ConfigSchema<Config> {
  /** Every property with its default, `version` aside. Equals the editor's `defaults`. */
  readonly defaults: Omit<Config, 'version'>;
  /** `migrations[n]` leads from version n to n + 1; today's version is `migrations.length`. */
  readonly migrations: readonly Migration[];
}

/**
 * Brings a saved configuration up to today's version and fills what is missing with defaults.
 *
 * @throws {RangeError} when the configuration was saved by a newer release
 */
export function migrateConfig<Config>(schema: ConfigSchema<Config>, saved: SavedConfig): Config {
  const today = schema.migrations.length;
  const version = typeof saved.version === 'number' ? saved.version : 0;
  if (version > today) {
    throw new RangeError(`This node was saved by a newer release (config version ${version}, known up to ${today}).`);
  }
  const migrated = schema.migrations.slice(version).reduce((config, migrate) => migrate(config), saved);
  const present = Object.fromEntries(Object.entries(migrated).filter(([, value]) => value !== undefined));
  return { ...schema.defaults, ...present, version: today } as Config;
}
