import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { API_PATH, type ApiContext, type ApiEvents, type ApiStation, mountApi } from '../../../engine/api';
import { BackboneStore, type BackboneStoreOptions } from '../../../engine/catalogue';
import {
  type Decision,
  type Finding,
  type Inspection,
  InspectionError,
  NotFound,
  newId,
  type Thresholds,
  TypedEmitter,
  timestamp,
  type Verdict,
} from '../../../engine/domain';
import { encodeGreyPng, encodeJpeg, inspectPicture, thumbnail } from '../../../engine/imaging';
import {
  Comparisons,
  FolderImports,
  ImportedPictures,
  JobQueue,
  ModelRegistry,
  Retraining,
  Snapshots,
} from '../../../engine/learning';
import { ReviewIntake, ReviewQueue } from '../../../engine/review';
import type { Station } from '../../../engine/station';
import { openStore, type Store } from '../../../engine/store';

const THRESHOLDS: Thresholds = { accept: 1, reject: 2 };

/** A line without a flow: real store, queue, registry and jobs; the verdict follows from a score the test chooses. */
export interface Line {
  readonly station: ApiStation;
  readonly store: Store;
  readonly reviews: ReviewQueue;
  readonly jobs: JobQueue;
  readonly retraining: Retraining;
  readonly models: ModelRegistry;
  readonly events: TypedEmitter<ApiEvents>;
  readonly dataFolder: string;
  /** Capture requests that wait for a browser's picture. */
  readonly captureRequests: Map<string, (picture: Buffer) => void>;
  /** False: no flow takes uploads. */
  accepting: boolean;
  /** Verdicts wait for this. */
  held: Promise<unknown>;
  /** Puts a part through the line. */
  inspect(score: number | null, part?: { partType?: string; serial?: string; picture?: Buffer }): Promise<Inspection>;
  close(): Promise<void>;
}

export async function openLine(
  options: Partial<ApiStation['options']> = {},
  backboneOptions: Partial<BackboneStoreOptions> = {},
): Promise<Line> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'api-'));
  const store = await openStore({ dataFolder });
  const reviews = new ReviewQueue(store);
  const models = new ModelRegistry({ store });
  const backbones = new BackboneStore({ folder: join(dataFolder, 'backbones'), ...backboneOptions });
  const imported = new ImportedPictures({ store, inspect: (picture) => inspectPicture(picture) });
  const folderImports = new FolderImports(imported);
  const jobs = new JobQueue({ store, models, backbones });
  const comparisons = new Comparisons({ store, models });
  const retraining = new Retraining({ store, jobs });
  await jobs.open();
  await retraining.open();
  const events = new TypedEmitter<ApiEvents>();
  reviews.events.on('changed', (item) => events.emit('review-changed', item));
  models.events.on('deployment', (record) => events.emit('deployment', record));
  models.events.on('removed', ({ name, version, actor }) =>
    events.emit('version', { name, version, actor, change: 'removed' }),
  );
  models.events.on('restored', (restored) => events.emit('version', { ...restored, change: 'restored' }));
  jobs.events.on('job', (job) => events.emit('job', job));
  retraining.events.on('status', (status) => events.emit('retraining', status));
  const captureRequests = new Map<string, (picture: Buffer) => void>();

  const inspect: Line['inspect'] = async (score, part = {}) => {
    const id = newId();
    const now = timestamp(Date.now());
    const picture = part.picture ?? (await aPicture());
    const image = await inspectPicture(picture);
    const opened: Inspection = {
      id,
      station: 'line-1',
      partType: part.partType ?? 'plate',
      serial: part.serial,
      trigger: { source: 'api' },
      capturedAt: now,
      deadlineAt: timestamp(Date.now() + 5000),
      image,
      findings: [],
    };
    const path = await store.pictures.save(id, now, picture, image.format);
    await store.inspections.insertOpen(opened, path);
    if (score !== null) await store.pictures.saveMap(id, await encodeGreyPng(new Uint8Array(16), 4, 4));
    await line.held;
    const settled: Inspection = { ...opened, findings: [findingOf(id, score)], decision: decisionOf(score) };
    const picturePath = await store.pictures.moveToVerdict(path, settled.decision!.verdict);
    await store.inspections.settle(settled, { picturePath, settledAt: timestamp(Date.now()), delivered: true });
    events.emit('inspection-settled', settled);
    if (settled.decision!.verdict === 'REVIEW') await reviews.add(settled);
    return settled;
  };

  const station: ApiStation = {
    options: { id: 'line-1', name: 'Line one', failSafe: 'NG', dataFolder, ...options },
    store,
    models,
    backbones,
    comparisons,
    shadows: {
      of: async () => null,
      start: async ({ name }) => {
        throw new NotFound('model', name);
      },
      stop: async (name) => {
        throw new NotFound('model', name);
      },
    },
    jobs,
    retraining,
    snapshots: new Snapshots(store),
    imported,
    folderImports,
    reviews,
    reviewIntake: new ReviewIntake(reviews, store, { of: () => null, recent: () => [] }),
    events,
    intake: {
      submit: async (picture, { partType, serial }) => {
        if (!line.accepting) {
          throw new InspectionError({ code: 'no-intake', status: 'no intake', message: 'None.', httpStatus: 503 });
        }
        return inspect(serial === 'no score' ? null : Number(serial?.replace('score ', '') ?? 0.5), {
          partType,
          serial,
          picture,
        });
      },
    },
    browserCameras: {
      resolve: (requestId, picture) => {
        captureRequests.get(requestId)?.(picture);
        return captureRequests.delete(requestId);
      },
    },
    similarPicture: async (id) => {
      throw new NotFound('inspection', id);
    },
    thumbnail: async (id, width) => {
      const record = await store.inspections.get(id);
      return thumbnail(await store.pictures.read(record!.picturePath!), width);
    },
    importedThumbnail: async (id, width) => thumbnail(await imported.read(id), width),
    routing: (partType) => store.settings.routing(partType),
    allRouting: () => store.settings.allRouting(),
    setRouting: async (partType, patch, actor) => {
      const settings = await store.settings.setRouting(partType, patch, actor);
      events.emit('routing-changed', settings);
      return settings;
    },
    lamps: () => [{ node: 'tower', colour: 'blue', flashing: false, connected: true }],
    health: () => ({
      id: 'line-1',
      name: 'Line one',
      state: 'ok',
      since: timestamp(0),
      inference: { state: 'ready', queued: 0 },
      inspections: { open: 0, settled: 0, failSafe: 0, unrecorded: 0 },
      faults: [],
    }),
  };
  const line: Line = {
    station,
    store,
    reviews,
    jobs,
    retraining,
    models,
    events,
    dataFolder,
    captureRequests,
    accepting: true,
    held: Promise.resolve(),
    inspect,
    close: async () => {
      await backbones.close();
      await retraining.close();
      await jobs.close();
      await comparisons.close();
      await folderImports.close();
      await store.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
  return line;
}

function findingOf(id: string, score: number | null): Finding {
  const base = { node: 'test', milliseconds: { total: 1 } };
  if (score === null) return { ...base, kind: 'failure', reason: 'inference-failed', message: 'It failed.' };
  return {
    ...base,
    kind: 'anomaly',
    model: { name: 'plate', version: '1' },
    score,
    normalizedScore: score / THRESHOLDS.reject,
    thresholds: THRESHOLDS,
    regions: [{ box: { x: 1, y: 2, width: 3, height: 4 }, area: 12, peak: score }],
    map: { url: `${API_PATH}/inspections/${id}/map`, width: 4, height: 4 },
  };
}

function decisionOf(score: number | null): Decision {
  const at = timestamp(Date.now());
  if (score === null) return { verdict: 'NG', confidence: 0, reasons: ['inference-failed'], by: 'failsafe', at };
  const verdict: Verdict = score <= THRESHOLDS.accept ? 'OK' : score > THRESHOLDS.reject ? 'NG' : 'REVIEW';
  const reason = { OK: 'score-below-accept', REVIEW: 'score-between-thresholds', NG: 'score-above-reject' } as const;
  return { verdict, confidence: 0.5, reasons: [reason[verdict]], by: 'model', thresholds: THRESHOLDS, at };
}

/** Compiles as long as the real station has everything the routes use. */
export const stationFits = (station: Station): ApiStation => station;

/** A small grey JPEG. */
export function aPicture(width = 64, height = 48): Promise<Buffer> {
  return encodeJpeg(new Uint8Array(width * height * 3).fill(128), width, height);
}

export interface RunningApi {
  /** `http://127.0.0.1:<port>/inspection/api` */
  readonly url: string;
  readonly port: number;
  readonly errors: unknown[];
  close(): Promise<void>;
}

/** Serves the API of some stations with express. */
export async function serveApi(
  stations: () => readonly ApiStation[],
  prepare: (app: express.Express) => void = () => {},
): Promise<RunningApi> {
  const errors: unknown[] = [];
  const context: ApiContext = { stations, onError: (error) => errors.push(error) };
  const app = express();
  prepare(app);
  mountApi(app, context);
  const server = createServer(app);
  // a kept connection that the server closes while the next request comes on it would fail that
  server.keepAliveTimeout = 0;
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}${API_PATH}`,
    port,
    errors,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
