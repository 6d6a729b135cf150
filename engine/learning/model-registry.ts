import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  type DeploymentRecord,
  type DetectionThresholds,
  InspectionError,
  isName,
  type ModelKind,
  type ModelVersion,
  NotFound,
  systemClock,
  type Thresholds,
  TypedEmitter,
  timestamp,
  type Verdict,
} from '../domain';
import {
  type Archive,
  archiveOf,
  type ClassifierManifest,
  type DetectorManifest,
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
  /** Judges the golden pictures of a version before it goes live; throws when that differs from what is expected. */
  readonly check?: (folder: string, kind: ModelKind) => Promise<void>;
  /** Opens encrypted archives, and encrypts them where that is wished. */
  readonly modelKey?: ModelKey | null;
  /** Bytes an imported version may have; 2 GiB unless told. */
  readonly importLimitBytes?: number;
  readonly clock?: Clock;
}

interface DeployedBase {
  readonly name: string;
  readonly version: string;
  readonly partType: string;
  /** Absolute path of the package. */
  readonly folder: string;
}

/** The model that scores anomalies of a part type. */
export interface DeployedModel extends DeployedBase {
  readonly kind: 'patchcore';
  readonly thresholds: Thresholds;
}

/** The model that finds boxes on a part type. */
export interface DeployedDetector extends DeployedBase {
  readonly kind: 'detector';
  readonly classes: readonly string[];
  readonly thresholds: DetectionThresholds;
  /** Boxes of one class that overlap more than this, 0..1, are one. */
  readonly iou: number;
}

/** The model that names the class of a picture of a part type. */
export interface DeployedClassifier extends DeployedBase {
  readonly kind: 'classifier';
  readonly classes: readonly string[];
  readonly verdicts: Readonly<Record<string, Verdict>>;
}

type Deployed = DeployedModel | DeployedDetector | DeployedClassifier;
export type DeployedOf<Kind extends ModelKind> = Extract<Deployed, { readonly kind: Kind }>;

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
  readonly #check: (folder: string, kind: ModelKind) => Promise<void>;
  readonly #modelKey: ModelKey | null;
  readonly #importLimits: { readonly bytes?: number };
  readonly #clock: Clock;
  readonly #deployed = new Map<string, Promise<Deployed | null>>();
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
    for (const record of await this.#store.deployments.allCurrent()) inProduction.set(keyOf(record), record);
    const versions: ModelVersion[] = [];
    for (const name of await this.#names()) {
      for (const version of await listVersions(this.folder, name)) {
        const manifest = await this.#readQuietly(name, version);
        if (manifest === null || (partType !== undefined && manifest.partType !== partType)) continue;
        versions.push(toVersion(name, version, manifest, inProduction.get(keyOf(manifest)) ?? null));
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
   * @param actor who wants it, for the record
   * @throws {NotFound} @throws {ModelInvalid}
   */
  deploy(name: string, version: string, actor: string): Promise<DeploymentRecord> {
    return this.#inTurn(async () => {
      const folder = await this.#existing(name, version);
      const { partType, kind } = await verifyFiles(folder);
      await this.#check(folder, kind);
      const current = await this.#store.deployments.current(partType, kind);
      if (current?.name === name && current.version === version) return current;
      return this.#record({ partType, kind, name, version, action: 'deploy', actor }, current);
    });
  }

  /**
   * Puts the version that was in production before the current one back. Rolling back twice goes back two versions.
   *
   * @param kind of model, `patchcore` unless told
   * @throws {NothingToRollBack} @throws {ModelInvalid} when the earlier version is damaged; nothing changes then
   */
  rollback(partType: string, actor: string, kind: ModelKind = 'patchcore'): Promise<DeploymentRecord> {
    return this.#inTurn(async () => {
      const history = await this.#store.deployments.history(partType, kind);
      const earlier = versionBefore(history);
      if (earlier === null) throw new NothingToRollBack(partType);
      const folder = this.folderOf(earlier.name, earlier.version);
      await verifyFiles(folder);
      await this.#check(folder, kind);
      const { name, version } = earlier;
      return this.#record({ partType, kind, name, version, action: 'rollback', actor }, history[0]);
    });
  }

  /**
   * A version with all that its package says about it.
   *
   * @throws {NotFound} @throws {ModelInvalid} when its manifest is damaged
   */
  async describe(name: string, version: string): Promise<{ summary: ModelVersion; manifest: ModelManifest }> {
    const manifest = await readManifest(await this.#existing(name, version));
    const current = await this.#store.deployments.current(manifest.partType, manifest.kind);
    return { summary: toVersion(name, version, manifest, current), manifest };
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
    this.#deployed.delete(keyOf(record));
    this.events.emit('deployment', record);
    return record;
  }

  async #readDeployed(partType: string, kind: ModelKind): Promise<Deployed | null> {
    const record = await this.#store.deployments.current(partType, kind);
    if (record === null) return null;
    const { name, version } = record;
    const folder = this.folderOf(name, version);
    const place = { name, version, partType, folder };
    const manifest = await readManifest(folder, kind);
    switch (manifest.kind) {
      case 'patchcore':
        return { ...place, kind: manifest.kind, thresholds: manifest.thresholds };
      case 'detector': {
        const { classes, thresholds, iou } = manifest;
        return { ...place, kind: manifest.kind, classes, thresholds, iou };
      }
      case 'classifier': {
        const { classes, verdicts } = manifest;
        return { ...place, kind: manifest.kind, classes, verdicts };
      }
    }
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
    ...judging(manifest),
    bytes: folderBytes(manifest),
    parent: manifest.parent,
    ...(origin && { origin: { name: origin.name, version: origin.version } }),
  };
}

type Judging = Pick<ModelVersion, 'pictures' | 'thresholds' | 'classes' | 'figures' | 'accepted'>;

/** What depends on the kind. */
function judging(manifest: ModelManifest): Judging {
  if (manifest.kind === 'patchcore') {
    const bank = manifest.method === 'bank' ? manifest.bank.pictures : 0;
    return { pictures: { bank, calibration: manifest.calibration.pictures }, thresholds: manifest.thresholds };
  }
  const { classes, dataset } = manifest;
  return {
    pictures: { bank: dataset.count, calibration: dataset.heldOut },
    thresholds: null,
    classes,
    figures: figuresOf(manifest),
    accepted: manifest.gate.accepted,
  };
}

function figuresOf(manifest: DetectorManifest | ClassifierManifest): Readonly<Record<string, number>> {
  if (manifest.kind === 'classifier') {
    const { after } = manifest.evaluation;
    return after === null ? {} : { accuracy: after.accuracy };
  }
  const { after } = manifest.evaluation;
  return after === null ? {} : { map50: after.map50, map5095: after.map5095, recall: after.recall };
}

/** Of the place that one model in production has. */
function keyOf({ partType, kind }: { readonly partType: string; readonly kind: ModelKind }): string {
  return `${kind} ${partType}`;
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
