import { isAbsolute, join } from 'node:path';
import { BackboneStore, defaultBackboneFolder } from '../catalogue';
import { STARTER_DETECTOR } from '../detector';
import {
  type Inspection,
  InvalidInput,
  MODEL_KINDS,
  type ModelKind,
  NotFound,
  type PictureInfo,
  type RoutingDefaults,
  StationClosed,
  systemClock,
  type TowerLightState,
  TypedEmitter,
  timestamp,
} from '../domain';
import { ComputePool, InferenceFailed } from '../inference';
import {
  Comparisons,
  FolderImports,
  ImportedPictures,
  JobQueue,
  ModelRegistry,
  Retraining,
  Snapshots,
} from '../learning';
import { readManifest } from '../packages';
import { ReviewIntake, ReviewQueue } from '../review';
import type { SimulatedPart, SimulatorOptions } from '../simulator';
import { openStore, type RoutingPatch, type Store } from '../store';
import { classify, detect, scoreAnomaly } from './analyses';
import { BrowserCameras } from './browser-cameras';
import { EmbeddingMemory } from './embeddings';
import { FaultLog } from './fault-log';
import { Intake } from './intake';
import { KeptDetectors } from './kept-detectors';
import { InspectionLedger } from './ledger';
import { RetentionTimer } from './retention-timer';
import { Shadows } from './shadow';
import { SimilarPictures } from './similar-pictures';
import { StationRouting } from './station-routing';
import { Thumbnails } from './thumbnails';
import type { ClassifierWishes, DetectorWishes, Station, StationEvents, StationHealth, StationOptions } from './types';

const MEGABYTE = 1024 * 1024;
const THUMBNAIL_CACHE_BYTES = 16 * MEGABYTE;
const THUMBNAIL_LIMIT_MS = 10_000;
const SIMULATION_LIMIT_MS = 30_000;
const IMPORT_LIMIT_MS = 60_000;
const PRELOADED_MODELS = 8;
const LOAD_LIMIT_MS = 120_000;
const TASK_MODULES = ['imaging', 'simulator', ...MODEL_KINDS];

/**
 * Opens a station: its store, models, inference processes, jobs and the ledger of inspections. Those that a crash left
 * open get their fail-safe verdict.
 *
 * @throws {StoreUnavailable} when the data folder or database cannot be used
 * @throws {InvalidInput} for options out of range
 */
export async function openStation(options: StationOptions): Promise<Station> {
  if (!isAbsolute(options.dataFolder)) {
    throw new InvalidInput(`The data folder ${JSON.stringify(options.dataFolder)} is no absolute path.`);
  }
  const { dataFolder, databaseFile, secondPerson, clock } = options;
  const store = await openStore({ dataFolder, databaseFile, secondPerson, clock });
  const parts: { close(): Promise<void> }[] = [store];
  try {
    return await compose(options, store, parts);
  } catch (error) {
    for (const part of parts.reverse()) await part.close().catch(() => {});
    throw error;
  }
}

/** @param parts takes what was opened, so that it can be closed should a later step fail */
async function compose(options: StationOptions, store: Store, parts: { close(): Promise<void> }[]): Promise<Station> {
  const {
    id,
    name,
    dataFolder,
    failSafe,
    deadlineMs,
    retention,
    modelKey,
    importLimitMb,
    externalTrainer,
    clock = systemClock,
  } = options;
  const faults = new FaultLog(clock);
  const events = new TypedEmitter<StationEvents>((error) => faults.add(error));
  const fault = (error: unknown) => events.emit('fault', faults.add(error));
  events.on('inspection-settled', ({ decision, capturedAt }) => {
    if (decision?.by === 'model') faults.wentWell(capturedAt);
  });
  const warn = (message: string) => events.emit('warning', { code: 'warning', message });
  const lamps = new Map<string, TowerLightState>();
  events.on('lamp', (lamp) => {
    if (lamp.removed) lamps.delete(lamp.node);
    else lamps.set(lamp.node, lamp);
  });

  const pool = new ComputePool(poolOptions(options));
  parts.push(pool);
  const loadIn = async (kind: ModelKind, source: { readonly folder: string } | { readonly file: string }) => {
    await pool.runInEach(`${kind}/load`, source, { deadline: Date.now() + LOAD_LIMIT_MS });
  };
  const load = async (folder: string) => loadIn((await readManifest(folder)).kind, { folder });
  const importLimitBytes = importLimitMb === undefined ? undefined : importLimitMb * MEGABYTE;
  const models = new ModelRegistry({ store, clock, check: load, modelKey, importLimitBytes });
  const backbones = new BackboneStore({ folder: join(dataFolder, 'backbones'), alsoIn: [defaultBackboneFolder()] });
  parts.push(backbones);
  const { databaseFile, gatePictures } = options;
  const routerThresholds = () => routing.defaultThresholds();
  const training = { backbones, externalTrainer, databaseFile, gatePictures, routerThresholds };
  const jobs = new JobQueue({ store, models, ...training, clock });
  parts.push(jobs);
  const snapshots = new Snapshots(store, clock);
  const imported = new ImportedPictures({
    store,
    clock,
    inspect: (picture) => {
      const limits = { priority: 'background', deadline: Date.now() + IMPORT_LIMIT_MS } as const;
      return pool.run('imaging/inspect', { picture }, limits);
    },
  });
  const folderImports = new FolderImports(imported, clock);
  parts.push(folderImports);
  const comparisons = new Comparisons({ store, models });
  parts.push(comparisons);
  const retraining = new Retraining({ store, jobs, clock });
  parts.push(retraining);
  const reviews = new ReviewQueue(store, clock);
  const embeddings = new EmbeddingMemory();
  const reviewIntake = new ReviewIntake(reviews, store, embeddings, clock);

  const routing = new StationRouting({
    settings: store.settings,
    onChanged: (settings) => events.emit('routing-changed', settings),
    onWarning: warn,
  });
  models.events.on('deployment', (deployment) => {
    events.emit('deployment', deployment);
    routing.resetThresholds(deployment).catch(fault);
    retraining.deployed(deployment).catch(fault);
  });
  models.events.on('removed', (removed) => {
    const { name, version, actor } = removed;
    events.emit('version', { name, version, actor, change: 'removed' });
    retraining.removed(removed).catch(fault);
  });
  models.events.on('restored', (restored) => {
    events.emit('version', { ...restored, change: 'restored' });
    retraining.restored(restored).catch(fault);
  });
  models.events.on('warning', ({ name: model, version, message }) =>
    warn(`Model ${model} version ${version}: ${message}`),
  );
  jobs.events.on('job', (job) => events.emit('job', job));
  jobs.events.on('warning', ({ job, message }) => warn(`Training job ${job}: ${message}`));
  reviews.events.on('changed', (item) => {
    events.emit('review-changed', item);
    retraining.labelsChanged();
  });
  imported.events.on('changed', () => retraining.labelsChanged());
  retraining.events.on('status', (status) => events.emit('retraining', status));
  retraining.events.on('warning', ({ message }) => warn(`Retraining: ${message}`));
  reviewIntake.events.on('declined', (declined) => events.emit('review-declined', declined));

  const inspections = await InspectionLedger.open({
    store,
    station: id,
    failSafe,
    deadlineMs,
    clock,
    onOpened: (inspection) => events.emit('inspection-opened', inspection),
    onSettled: (inspection) => events.emit('inspection-settled', inspection),
    onFault: fault,
  });
  parts.push(inspections);
  await jobs.open();
  await retraining.open();

  let closing: Promise<void> | null = null;
  const faultUnlessClosing = (error: unknown) => {
    if (!closing) fault(error);
  };
  const keptDetectors = new KeptDetectors((file) => loadIn('detector', { file }));
  const preload = () => preloadModels(store, models, load).catch(faultUnlessClosing);
  pool.on('restart', ({ message }) => {
    faultUnlessClosing(new InferenceFailed(message));
    void preload().then(() => keptDetectors.reload());
  });
  pool.warmUp().then(preload, faultUnlessClosing);

  const means = { store, pool, models, inspections, embeddings, onMapLost: faultUnlessClosing };
  const intake = new Intake(inspections);
  const browserCameras = new BrowserCameras();
  const thumbnails = new Thumbnails(THUMBNAIL_CACHE_BYTES);
  const thumbnailOf = async (key: string, width: number, read: () => Promise<Buffer>): Promise<Buffer> => {
    if (!(Number.isInteger(width) && width >= 16 && width <= 2048)) {
      throw new InvalidInput(`The width must be a whole number from 16 to 2048, not ${width}.`);
    }
    return thumbnails.get(`${key}/${width}`, async () => {
      const picture = await read();
      const limits = { priority: 'background', deadline: Date.now() + THUMBNAIL_LIMIT_MS } as const;
      return pool.run<Buffer>('imaging/thumbnail', { picture, width }, limits);
    });
  };
  const similarPictures = new SimilarPictures({
    pool,
    models,
    inspection: (inspectionId) => store.inspections.get(inspectionId),
    picture: (inspectionId) => pictureOf(store, inspections, inspectionId),
  });
  const shadows = await Shadows.open({
    store,
    models,
    line: pool,
    taskModules: pool.options.taskModules,
    pictureOf: (inspectionId) => pictureOf(store, inspections, inspectionId),
    routerThresholds,
    clock,
    onFault: faultUnlessClosing,
  });
  parts.push(shadows);
  events.on('inspection-settled', (inspection) => shadows.see(inspection));
  shadows.events.on('shadow', (run) => events.emit('shadow', run));
  const retentionTimer = new RetentionTimer(store, retention, clock, fault, [
    () => snapshots.purge(),
    () => imported.purge(),
    () => models.purge(),
  ]);
  const since = timestamp(clock.now());

  const shutDown = async () => {
    await inspections.close().catch(fault);
    browserCameras.close();
    await Promise.all(
      [retentionTimer, backbones, jobs, folderImports, comparisons, shadows, pool].map((part) =>
        part.close().catch(fault),
      ),
    );
    await retraining.close().catch(fault);
    await store.close();
    events.removeAll();
  };

  return {
    options,
    store,
    pool,
    models,
    backbones,
    jobs,
    snapshots,
    imported,
    folderImports,
    comparisons,
    shadows,
    retraining,
    reviews,
    reviewIntake,
    inspections,
    browserCameras,
    intake,
    events,

    async scoreAnomaly(picture: Buffer, inspection: Inspection, node: string, reference?: Buffer) {
      if (closing) throw new StationClosed();
      return scoreAnomaly(means, { picture, inspection, node }, reference);
    },

    async detect(picture: Buffer, inspection: Inspection, node: string, wishes?: DetectorWishes) {
      if (closing) throw new StationClosed();
      return detect(means, { picture, inspection, node }, wishes);
    },

    async classify(picture: Buffer, inspection: Inspection, node: string, wishes?: ClassifierWishes) {
      if (closing) throw new StationClosed();
      return classify(means, { picture, inspection, node }, wishes);
    },

    keepDetector: (file: string = STARTER_DETECTOR, onTrouble: (error: unknown) => void) =>
      keptDetectors.keep(file, (error) => {
        if (!closing) onTrouble(error);
      }),

    inspectPicture(picture: Buffer, deadline = Date.now() + deadlineMs): Promise<PictureInfo> {
      return pool.run('imaging/inspect', { picture }, { deadline, priority: 'verdict' });
    },

    thumbnail: (inspectionId: string, width: number) =>
      thumbnailOf(inspectionId, width, () => pictureOf(store, inspections, inspectionId)),
    importedThumbnail: (pictureId: string, width: number) =>
      thumbnailOf(pictureId, width, () => imported.read(pictureId)),

    similarPicture: (inspectionId: string) => similarPictures.of(inspectionId),

    simulate(simulation: SimulatorOptions): Promise<SimulatedPart> {
      return pool.run('simulate', simulation, { deadline: Date.now() + SIMULATION_LIMIT_MS, priority: 'verdict' });
    },

    registerRouter: (node: string, defaults: RoutingDefaults) => routing.registerRouter(node, defaults),
    routing: (partType: string) => routing.get(partType),
    allRouting: () => routing.list(),
    setRouting: (partType: string, patch: RoutingPatch, actor: string) => routing.change(partType, patch, actor),

    lamps: () => [...lamps.values()],

    health(): StationHealth {
      const attention = pool.state === 'restarting' || inspections.unrecorded > 0 || faults.hasRecent;
      return {
        id,
        name,
        state: closing ? 'closed' : attention ? 'degraded' : 'ok',
        since,
        inference: { state: pool.state, queued: pool.queued },
        inspections: {
          open: inspections.size,
          settled: inspections.settledCount,
          failSafe: inspections.failSafeCount,
          unrecorded: inspections.unrecorded,
        },
        faults: faults.list,
      };
    },

    close(): Promise<void> {
      closing ??= shutDown();
      return closing;
    },
  };
}

function poolOptions({ pool }: StationOptions): ConstructorParameters<typeof ComputePool>[0] {
  return {
    size: pool.size,
    queueLimit: pool.queueLimit,
    queuePolicy: pool.queuePolicy,
    memoryCapBytes: pool.memoryCapMb * MEGABYTE,
    threads: pool.threads,
    taskModules: TASK_MODULES.map((room) => join(__dirname, '..', room, 'task')),
  };
}

/**
 * Loads the models deployed last, so that the first part need not wait for its model; then those that a roll-back would put
 * back, so that it takes no time; and then the first ones again, should they have had to make room.
 */
async function preloadModels(
  store: Store,
  models: ModelRegistry,
  load: (folder: string) => Promise<void>,
): Promise<void> {
  const all = [...(await store.deployments.allCurrent())].sort((a, b) => b.at.localeCompare(a.at));
  const deployments = all.slice(0, PRELOADED_MODELS);
  const loadDeployed = async () => {
    for (const { partType, kind } of deployments) {
      const model = await models.deployed(partType, kind);
      if (model) await load(model.folder);
    }
  };
  await loadDeployed();
  for (const { partType, kind } of deployments) {
    const earlier = await models.rollbackTarget(partType, kind);
    // one that is damaged is told when somebody rolls back to it
    if (earlier) await load(models.folderOf(earlier.name, earlier.version)).catch(() => {});
  }
  await loadDeployed();
}

async function pictureOf(store: Store, inspections: InspectionLedger, id: string): Promise<Buffer> {
  const underway = inspections.pictureOf(id);
  if (underway) return underway;
  const record = await store.inspections.get(id);
  if (!record?.picturePath) throw new NotFound('picture', id);
  return store.pictures.read(record.picturePath);
}
