import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  type DeploymentRecord,
  InspectionError,
  isName,
  type ModelVersion,
  NotFound,
  systemClock,
  type Thresholds,
  TypedEmitter,
  timestamp,
} from '../domain';
import {
  type Archive,
  archiveOf,
  folderBytes,
  importVersion,
  listVersions,
  type ModelKey,
  ModelKeyMissing,
  type ModelManifest,
  readManifest,
  verifyFiles,
} from '../packages';
import type { Store } from '../store';

export interface ModelRegistryOptions {
  readonly store: Pick<Store, 'dataFolder' | 'deployments' | 'audit'>;
  /** Scores the golden pictures of a version before it goes live; throws when they differ from the expected ones. */
  readonly check?: (folder: string) => Promise<void>;
  /** Opens encrypted archives, and encrypts them where that is wished. */
  readonly modelKey?: ModelKey | null;
  /** Bytes an imported version may have; 2 GiB unless told. */
  readonly importLimitBytes?: number;
  readonly clock?: Clock;
}

/** The model in production for a part type. */
export interface DeployedModel {
  readonly name: string;
  readonly version: string;
  readonly partType: string;
  /** Absolute path of the package. */
  readonly folder: string;
  readonly thresholds: Thresholds;
}

/** A version folder that cannot be used. */
export interface ModelWarning {
  readonly name: string;
  readonly version: string;
  readonly message: string;
}

export interface ModelRegistryEvents {
  readonly deployment: DeploymentRecord;
  /** Told once per folder and cause. */
  readonly warning: ModelWarning;
}

/** There is no version to go back to. */
export class NothingToRollBack extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'nothing-to-roll-back',
      status: 'no earlier version',
      message: `Part type ${partType} has no earlier deployed version to go back to. Deploy a version by its number.`,
      parameters: { partType },
      httpStatus: 409,
    });
  }
}

/** The model versions in `<data>/models`, and which of them is in production. */
export class ModelRegistry {
  readonly events = new TypedEmitter<ModelRegistryEvents>();
  /** `<data>/models` */
  readonly folder: string;
  readonly #store: ModelRegistryOptions['store'];
  readonly #check: (folder: string) => Promise<void>;
  readonly #modelKey: ModelKey | null;
  readonly #importLimits: { readonly bytes?: number };
  readonly #clock: Clock;
  readonly #deployed = new Map<string, Promise<DeployedModel | null>>();
  readonly #warned = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ModelRegistryOptions) {
    this.#store = options.store;
    this.#check = options.check ?? (async () => {});
    this.#modelKey = options.modelKey ?? null;
    this.#importLimits = options.importLimitBytes === undefined ? {} : { bytes: options.importLimitBytes };
    this.#clock = options.clock ?? systemClock;
    this.folder = join(options.store.dataFolder, 'models');
  }

  /** Where a version lies. @throws {NotFound} when name or version cannot be one */
  folderOf(name: string, version: string): string {
    if (!isName(name)) throw new NotFound('model', name);
    if (!isName(version)) throw new NotFound('model version', version);
    return join(this.folder, name, version);
  }

  /**
   * The usable versions, newest first; of one part type, or of all. A version whose manifest is broken is left out and
   * told by a `warning`.
   */
  async list(partType?: string): Promise<readonly ModelVersion[]> {
    const inProduction = new Map<string, DeploymentRecord>();
    for (const record of await this.#store.deployments.allCurrent()) inProduction.set(record.partType, record);
    const versions: ModelVersion[] = [];
    for (const name of await this.#names()) {
      for (const version of await listVersions(this.folder, name)) {
        const manifest = await this.#readQuietly(name, version);
        if (manifest === null || (partType !== undefined && manifest.partType !== partType)) continue;
        versions.push(toVersion(name, version, manifest, inProduction.get(manifest.partType) ?? null));
      }
    }
    return versions.sort(
      (a, b) => b.createdAt.localeCompare(a.createdAt) || b.version.localeCompare(a.version, 'en', { numeric: true }),
    );
  }

  /**
   * The model in production; null when none is deployed.
   *
   * @throws {ModelInvalid} when its manifest is missing or damaged
   */
  deployed(partType: string): Promise<DeployedModel | null> {
    const known = this.#deployed.get(partType);
    if (known) return known;
    const reading = this.#readDeployed(partType);
    this.#deployed.set(partType, reading);
    reading.catch(() => {
      if (this.#deployed.get(partType) === reading) this.#deployed.delete(partType);
    });
    return reading;
  }

  /**
   * Puts a version into production, after comparing every file with its hash and scoring the golden pictures. Deploying
   * the version that is in production changes nothing and gives its record.
   *
   * @param actor who wants it, for the record
   * @throws {NotFound} @throws {ModelInvalid}
   */
  deploy(name: string, version: string, actor: string): Promise<DeploymentRecord> {
    return this.#inTurn(async () => {
      const folder = await this.#existing(name, version);
      const { partType } = await verifyFiles(folder);
      await this.#check(folder);
      const current = await this.#store.deployments.current(partType);
      if (current?.name === name && current.version === version) return current;
      return this.#record({ partType, kind: 'patchcore', name, version, action: 'deploy', actor }, current);
    });
  }

  /**
   * Puts the version that was in production before the current one back. Rolling back twice goes back two versions.
   *
   * @throws {NothingToRollBack} @throws {ModelInvalid} when the earlier version is damaged; nothing changes then
   */
  rollback(partType: string, actor: string): Promise<DeploymentRecord> {
    return this.#inTurn(async () => {
      const history = await this.#store.deployments.history(partType);
      const earlier = versionBefore(history);
      if (earlier === null) throw new NothingToRollBack(partType);
      const folder = this.folderOf(earlier.name, earlier.version);
      await verifyFiles(folder);
      await this.#check(folder);
      const { name, version } = earlier;
      return this.#record({ partType, kind: 'patchcore', name, version, action: 'rollback', actor }, history[0]);
    });
  }

  /**
   * A version with all that its package says about it.
   *
   * @throws {NotFound} @throws {ModelInvalid} when its manifest is damaged
   */
  async describe(name: string, version: string): Promise<{ summary: ModelVersion; manifest: ModelManifest }> {
    const manifest = await readManifest(await this.#existing(name, version));
    const current = await this.#store.deployments.current(manifest.partType);
    return { summary: toVersion(name, version, manifest, current), manifest };
  }

  /** All switches of a part type's model, newest first. */
  history(partType: string): Promise<readonly DeploymentRecord[]> {
    return this.#store.deployments.history(partType);
  }

  /**
   * A version as one file, after every file of it was compared with its hash.
   *
   * @param encrypted with the station's model key
   * @throws {NotFound} @throws {ModelInvalid}
   * @throws {ModelKeyMissing} when it shall be encrypted and the station has no key
   */
  async archive(name: string, version: string, encrypted: boolean): Promise<Archive> {
    if (encrypted && this.#modelKey === null) throw new ModelKeyMissing();
    return archiveOf(await this.#existing(name, version), encrypted ? this.#modelKey : null);
  }

  /**
   * Takes in the archive of a version, made here or on another station, as the next version of its model. It is not in
   * production; its golden pictures are scored when it is deployed.
   *
   * @param source the archive's bytes; let go of in every case
   * @param actor  who wants it, for the record
   * @throws {ArchiveInvalid} @throws {ArchiveTooNew} @throws {ArchiveTooLarge}
   * @throws {ModelKeyMissing} @throws {ModelKeyWrong}
   * @throws {NoRoom} @throws {StoreUnavailable} nothing stays behind then, as with all others
   */
  async import(source: AsyncIterable<Uint8Array>, actor: string, signal?: AbortSignal): Promise<ModelVersion> {
    const options = { key: this.#modelKey, limits: this.#importLimits, signal };
    const manifest = await importVersion(source, this.folder, options);
    const { name, version, origin } = manifest;
    const at = timestamp(this.#clock.now());
    const entry = { at, actor, action: 'model.import', subject: name, before: null, after: { version, origin } };
    await this.#store.audit.add(entry).catch(async (error) => {
      // as with every change: one that cannot be recorded is not made
      await rm(this.folderOf(name, version), { recursive: true, force: true });
      throw error;
    });
    return toVersion(name, version, manifest, null);
  }

  /** The folder of a version that is there. @throws {NotFound} */
  async #existing(name: string, version: string): Promise<string> {
    const folder = this.folderOf(name, version);
    if ((await listVersions(this.folder, name)).includes(version)) return folder;
    throw new NotFound('model version', `${name}/${version}`);
  }

  async #record(
    change: Omit<DeploymentRecord, 'previousVersion' | 'at'>,
    current: DeploymentRecord | null,
  ): Promise<DeploymentRecord> {
    const record: DeploymentRecord = {
      ...change,
      previousVersion: current?.version ?? null,
      at: timestamp(this.#clock.now()),
    };
    await this.#store.deployments.add(record);
    this.#deployed.delete(record.partType);
    this.events.emit('deployment', record);
    return record;
  }

  async #readDeployed(partType: string): Promise<DeployedModel | null> {
    const record = await this.#store.deployments.current(partType);
    if (record === null) return null;
    const folder = this.folderOf(record.name, record.version);
    const { thresholds } = await readManifest(folder);
    return { name: record.name, version: record.version, partType, folder, thresholds };
  }

  async #readQuietly(name: string, version: string): Promise<ModelManifest | null> {
    try {
      return await readManifest(this.folderOf(name, version));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const key = `${name}/${version}: ${message}`;
      if (!this.#warned.has(key)) {
        this.#warned.add(key);
        this.events.emit('warning', { name, version, message });
      }
      return null;
    }
  }

  async #names(): Promise<readonly string[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return entries.filter((entry) => entry.isDirectory() && isName(entry.name)).map((entry) => entry.name);
  }

  /** One change at a time, so that each sees the one before. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(change, change);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function toVersion(
  name: string,
  version: string,
  manifest: ModelManifest,
  current: DeploymentRecord | null,
): ModelVersion {
  const { origin } = manifest;
  return {
    name,
    version,
    kind: manifest.kind,
    partType: manifest.partType,
    createdAt: manifest.createdAt,
    deployed: current?.name === name && current.version === version,
    pictures: {
      bank: manifest.method === 'bank' ? manifest.bank.pictures : 0,
      calibration: manifest.calibration.pictures,
    },
    thresholds: manifest.thresholds,
    bytes: folderBytes(manifest),
    parent: manifest.parent,
    ...(origin && { origin: { name: origin.name, version: origin.version } }),
  };
}

/** What was in production before the newest record: each roll-back takes back the deployment before it. */
function versionBefore(newestFirst: readonly DeploymentRecord[]): DeploymentRecord | null {
  const standing: DeploymentRecord[] = [];
  for (const record of [...newestFirst].reverse()) {
    if (record.action === 'rollback') standing.pop();
    else standing.push(record);
  }
  return standing.at(-2) ?? null;
}
