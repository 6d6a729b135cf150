import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  type Clock,
  type DeploymentRecord,
  InspectionError,
  InvalidInput,
  isName,
  type ModelKind,
  type ModelReference,
  type ModelVersion,
  modelNameOf,
  NotFound,
  type RemovedVersion,
  type RestoredVersion,
  systemClock,
  TypedEmitter,
  timestamp,
} from '../domain';
import {
  type Archive,
  archiveOf,
  importVersion,
  listVersions,
  type ModelKey,
  ModelKeyMissing,
  type ModelManifest,
  readManifest,
  verifyFiles,
} from '../packages';
import type { Store } from '../store';
import { type Deployed, type DeployedModel, type DeployedOf, readDeployed } from './deployed-model';
import { earlierDeployments } from './deployment-history';
import { RemovedVersions } from './removed-versions';
import { summaryOf, type VersionFacts } from './version-summary';

export interface ModelRegistryOptions {
  readonly store: Pick<Store, 'dataFolder' | 'deployments' | 'audit' | 'gateReports' | 'modelNotes' | 'removedModels'>;
  /** Judges the golden pictures of a version before it goes live; throws when that differs from what is expected. */
  readonly check?: (folder: string, kind: ModelKind) => Promise<void>;
  /** Opens encrypted archives, and encrypts them where that is wished. */
  readonly modelKey?: ModelKey | null;
  /** Bytes an imported version may have; 2 GiB unless told. */
  readonly importLimitBytes?: number;
  readonly clock?: Clock;
}

/** A version folder that cannot be used. */
export interface ModelWarning {
  readonly name: string;
  readonly version: string;
  readonly message: string;
}

export interface ModelRegistryEvents {
  readonly deployment: DeploymentRecord;
  readonly removed: RemovedVersion;
  readonly restored: RestoredVersion;
  /** Told once per folder and cause, and when a roll-back turns out to be none. */
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

/** The version is in production. */
export class ModelActive extends InspectionError {
  constructor(name: string, version: string) {
    super({
      code: 'model-active',
      status: 'model in production',
      message: `Version ${version} of ${name} is in production and cannot be removed. Deploy another version first.`,
      parameters: { name, version },
      httpStatus: 409,
    });
  }
}

/** How long a roll-back waits for the golden pictures: the version now in production is not wanted any more. */
const PATIENCE_MS = 500;
const REASON_LENGTH = 500;
const NOTES_LENGTH = 4000;

/** The model versions in `<data>/models`, and which of them is in production. */
export class ModelRegistry {
  readonly events = new TypedEmitter<ModelRegistryEvents>();
  /** `<data>/models` */
  readonly folder: string;
  readonly #store: ModelRegistryOptions['store'];
  readonly #check: (folder: string, kind: ModelKind) => Promise<void>;
  readonly #modelKey: ModelKey | null;
  readonly #importLimits: { readonly bytes?: number };
  readonly #clock: Clock;
  readonly #deployed = new Map<string, Promise<Deployed | null>>();
  readonly #warned = new Set<string>();
  readonly #removed: RemovedVersions;
  /** The last change of each model. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #purging: Promise<unknown> = Promise.resolve();

  constructor(options: ModelRegistryOptions) {
    this.#store = options.store;
    this.#check = options.check ?? (async () => {});
    this.#modelKey = options.modelKey ?? null;
    this.#importLimits = options.importLimitBytes === undefined ? {} : { bytes: options.importLimitBytes };
    this.#clock = options.clock ?? systemClock;
    this.folder = join(options.store.dataFolder, 'models');
    this.#removed = new RemovedVersions(options.store, this.#clock);
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
    const factsOf = await this.#facts();
    const versions: ModelVersion[] = [];
    for (const name of await this.#names()) {
      for (const version of await listVersions(this.folder, name)) {
        const manifest = await this.#readQuietly(name, version);
        if (manifest === null || (partType !== undefined && manifest.partType !== partType)) continue;
        versions.push(summaryOf(name, version, manifest, factsOf(name, version)));
      }
    }
    return versions.sort(
      (a, b) => b.createdAt.localeCompare(a.createdAt) || b.version.localeCompare(a.version, 'en', { numeric: true }),
    );
  }

  /**
   * The model in production; null when none is deployed.
   *
   * @param kind `patchcore` unless told
   * @throws {ModelInvalid} when its manifest is missing or damaged
   */
  deployed(partType: string): Promise<DeployedModel | null>;
  deployed<Kind extends ModelKind>(partType: string, kind: Kind): Promise<DeployedOf<Kind> | null>;
  deployed(partType: string, kind: ModelKind = 'patchcore'): Promise<Deployed | null> {
    const key = keyOf({ partType, kind });
    const known = this.#deployed.get(key);
    if (known) return known;
    const reading = this.#readDeployed(partType, kind);
    this.#deployed.set(key, reading);
    reading.catch(() => {
      if (this.#deployed.get(key) === reading) this.#deployed.delete(key);
    });
    return reading;
  }

  /**
   * Puts a version into production, after comparing every file with its hash and scoring the golden pictures. Deploying
   * the version that is in production changes nothing and gives its record.
   *
   * @param actor  who wants it, for the record
   * @param reason why, in their words
   * @param assertWanted asked at the last moment with what is in production then; what it throws stops the deployment
   * @throws {NotFound} @throws {ModelInvalid}
   * @throws {InvalidInput} when the reason is too long
   */
  deploy(
    name: string,
    version: string,
    actor: string,
    reason?: string,
    assertWanted?: (current: DeploymentRecord | null) => Promise<void>,
  ): Promise<DeploymentRecord> {
    return this.#inTurn(name, async () => {
      const folder = await this.#existing(name, version);
      const { partType, kind } = await verifyFiles(folder);
      await this.#check(folder, kind);
      const current = await this.#store.deployments.current(partType, kind);
      if (current?.name === name && current.version === version) return current;
      const why = textOf(reason, 'reason', REASON_LENGTH);
      await assertWanted?.(current);
      return this.#record({ partType, kind, name, version, action: 'deploy', actor, reason: why }, current);
    });
  }

  /**
   * Puts the version that was in production before the current one back. Rolling back twice goes back two versions; removed
   * ones are passed over. Its files are compared with their hashes. Its golden pictures are scored, too, but when other work
   * keeps that from being done at once, the version goes back first, and a `warning` tells if they come out otherwise.
   *
   * @param kind   of model, `patchcore` unless told
   * @param reason why, in the words of who wants it
   * @throws {NothingToRollBack} @throws {ModelInvalid} when the earlier version is damaged; nothing changes then
   * @throws {InvalidInput} when the reason is too long
   */
  rollback(partType: string, actor: string, kind: ModelKind = 'patchcore', reason?: string): Promise<DeploymentRecord> {
    return this.#inTurn(modelNameOf(partType, kind), async () => {
      const history = await this.#store.deployments.history(partType, kind);
      const earlier = await this.#earlier(history);
      if (earlier === null) throw new NothingToRollBack(partType);
      const folder = this.folderOf(earlier.name, earlier.version);
      await verifyFiles(folder);
      const { name, version } = earlier;
      await this.#checkSoon(folder, kind, { name, version });
      const why = textOf(reason, 'reason', REASON_LENGTH);
      return this.#record({ partType, kind, name, version, action: 'rollback', actor, reason: why }, history[0]);
    });
  }

  /** The version that a roll-back would put into production; null when there is none. */
  async rollbackTarget(partType: string, kind: ModelKind = 'patchcore'): Promise<ModelReference | null> {
    const earlier = await this.#earlier(await this.#store.deployments.history(partType, kind));
    return earlier && { name: earlier.name, version: earlier.version };
  }

  /**
   * Takes a version away; it can be restored for 30 days. Its number is never given again.
   *
   * @throws {NotFound} @throws {ModelActive} when it is in production
   */
  remove(name: string, version: string, actor: string): Promise<RemovedVersion> {
    return this.#inTurn(name, async () => {
      await this.#existing(name, version);
      const current = await this.#store.deployments.allCurrent();
      if (current.some((record) => record.name === name && record.version === version)) {
        throw new ModelActive(name, version);
      }
      const removed = await this.#removed.remove({ name, version }, actor);
      this.events.emit('removed', removed);
      return removed;
    });
  }

  /** Puts a removed version back among the others. @throws {NotFound} also when it was removed too long ago */
  async restore(name: string, version: string, actor: string): Promise<ModelVersion> {
    this.folderOf(name, version);
    await this.#inTurn(name, () => this.#removed.restore({ name, version }, actor));
    this.events.emit('restored', { name, version, actor });
    return (await this.describe(name, version)).summary;
  }

  /** Removed versions that can be restored, newest first; of one model, or of all. */
  removed(name?: string): Promise<readonly RemovedVersion[]> {
    return this.#removed.list(name);
  }

  /** Deletes what was removed more than 30 days ago for good. @returns how many versions */
  purge(): Promise<number> {
    const purge = Promise.all([...this.#turns.values(), this.#purging]).then(() => this.#removed.purge());
    this.#purging = purge.catch(() => undefined);
    return purge;
  }

  /**
   * Notes something about a version, in place of what was noted.
   *
   * @param notes empty: nothing
   * @throws {NotFound} @throws {InvalidInput} when they are too long
   */
  async setNotes(name: string, version: string, notes: string, actor: string): Promise<ModelVersion> {
    await this.#existing(name, version);
    const text = textOf(notes, 'note', NOTES_LENGTH) ?? '';
    await this.#store.modelNotes.set({ name, version }, text, actor, timestamp(this.#clock.now()));
    return (await this.describe(name, version)).summary;
  }

  /**
   * A version with all that its package says about it.
   *
   * @throws {NotFound} @throws {ModelInvalid} when its manifest is damaged
   */
  async describe(name: string, version: string): Promise<{ summary: ModelVersion; manifest: ModelManifest }> {
    const manifest = await readManifest(await this.#existing(name, version));
    const factsOf = await this.#facts(name);
    return { summary: summaryOf(name, version, manifest, factsOf(name, version)), manifest };
  }

  /** All switches of a part type's model, newest first. */
  history(partType: string, kind: ModelKind = 'patchcore'): Promise<readonly DeploymentRecord[]> {
    return this.#store.deployments.history(partType, kind);
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
    return summaryOf(name, version, manifest, { deployed: false, notes: null, gate: null });
  }

  /** What is known of versions besides their packages; of one model, or of all. */
  async #facts(name?: string): Promise<(name: string, version: string) => VersionFacts> {
    const { deployments, modelNotes, gateReports } = this.#store;
    const [current, noted, judged] = await Promise.all([
      deployments.allCurrent(),
      modelNotes.all(name),
      gateReports.verdicts(name),
    ]);
    const byVersion = <Fact extends ModelReference>(facts: readonly Fact[]) =>
      new Map(facts.map((fact) => [`${fact.name}/${fact.version}`, fact]));
    const [deployed, notes, gates] = [byVersion(current), byVersion(noted), byVersion(judged)];
    return (of, version) => {
      const key = `${of}/${version}`;
      const gate = gates.get(key);
      return {
        deployed: deployed.has(key),
        notes: notes.get(key)?.notes ?? null,
        gate: gate ? { accepted: gate.accepted, at: gate.at } : null,
      };
    };
  }

  /** The latest version that was in production before and is still there. */
  async #earlier(newestFirst: readonly DeploymentRecord[]): Promise<DeploymentRecord | null> {
    for (const record of earlierDeployments(newestFirst)) {
      if (!(await this.#removed.isRemoved(record))) return record;
    }
    return null;
  }

  /** The folder of a version that is there. @throws {NotFound} */
  async #existing(name: string, version: string): Promise<string> {
    const folder = this.folderOf(name, version);
    if ((await listVersions(this.folder, name)).includes(version)) return folder;
    throw new NotFound('model version', `${name}/${version}`);
  }

  /** Scores the golden pictures of a version that goes back into production; does not wait long for that. */
  async #checkSoon(folder: string, kind: ModelKind, { name, version }: ModelReference): Promise<void> {
    const check = this.#check(folder, kind).then(() => true);
    const patience = new AbortController();
    const tired = setTimeout(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false);
    try {
      if (await Promise.race([check, tired])) return;
    } finally {
      patience.abort();
    }
    check.catch((error) => {
      const detail = error instanceof Error ? error.message : String(error);
      const message = `It went back into production before its golden pictures could be scored, which then failed: ${detail}`;
      this.events.emit('warning', { name, version, message });
    });
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
    this.#deployed.delete(keyOf(record));
    this.events.emit('deployment', record);
    return record;
  }

  async #readDeployed(partType: string, kind: ModelKind): Promise<Deployed | null> {
    const record = await this.#store.deployments.current(partType, kind);
    if (record === null) return null;
    const { name, version } = record;
    return readDeployed({ name, version, partType, folder: this.folderOf(name, version) }, kind);
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

  /** One change of a model at a time, so that each sees the one before; those of others need not wait for it. */
  #inTurn<T>(name: string, change: () => Promise<T>): Promise<T> {
    const turn = Promise.all([this.#turns.get(name), this.#purging]).then(change);
    this.#turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }
}

/** Of the place that one model in production has. */
function keyOf({ partType, kind }: { readonly partType: string; readonly kind: ModelKind }): string {
  return `${kind} ${partType}`;
}

/** What a person wrote, trimmed; null for nothing. @throws {InvalidInput} when it is longer than allowed */
function textOf(text: string | undefined, what: string, most: number): string | null {
  const trimmed = text?.trim() ?? '';
  if (trimmed.length > most) throw new InvalidInput(`The ${what} may have at most ${most} characters.`, { most });
  return trimmed === '' ? null : trimmed;
}
