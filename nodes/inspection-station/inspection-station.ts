import { isAbsolute, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { API_PATH, createParserErrorHandler, mountApi } from '../../engine/api';
import { InspectionError } from '../../engine/domain';
import { type ModelKey, modelKeyOfEnvironment, readModelKey } from '../../engine/packages';
import { openStation, type Station } from '../../engine/station';
import { StoreUnavailable } from '../../engine/store';
import { defineNode, type InspectionNode, type StationNode, StationTrouble } from '../shared';
import { type InspectionStationConfig, type InspectionStationCredentials, readStationSettings, schema } from './config';

/** Two stations may not write into the same folder. */
class DataFolderTaken extends InspectionError {
  constructor(folder: string, other: string) {
    super({
      code: 'data-folder-taken',
      status: 'data folder in use',
      message: `The data folder ${folder} belongs to the station ${other} already. Give each station its own folder.`,
      parameters: { folder, other },
    });
  }
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** The stations open now, in the order they opened: what the HTTP API serves. */
const openStations = new Set<Station>();

/** One life of a station: from the moment it begins to open until its last file is closed. */
interface Holder {
  readonly node: string;
  readonly closed: Promise<void>;
  isClosing: boolean;
}

/** Who holds a data folder. */
const holders = new Map<string, Holder>();

/** Express applications that have the API. It stays mounted across deploys. */
const mounted = new WeakSet<object>();

export = (RED: NodeAPI): void => {
  const setup = (node: InspectionNode, config: InspectionStationConfig) => {
    mountOnce(RED);
    let released = () => {};
    const closed = new Promise<void>((done) => {
      released = done;
    });
    const holder: Holder = { node: node.id, closed, isClosing: false };
    const trouble = new StationTrouble();
    trouble.on((error) => node.fail(error));
    const closing = new AbortController();
    const opened = openConfigured(RED, node, config, holder, (open) => openPatiently(open, trouble, closing.signal));
    Object.assign(node.red, { opened, trouble } satisfies Pick<StationNode, 'opened' | 'trouble'>);
    opened.catch((error) => {
      if (!closing.signal.aborted) node.fail(error);
    });
    node.onClose(async () => {
      holder.isClosing = true;
      closing.abort();
      try {
        const station = await opened.catch(() => null);
        if (!station) return;
        openStations.delete(station);
        await station.close();
      } finally {
        released();
      }
    });
    return {};
  };
  defineNode(RED, 'inspection-station', schema, setup, { credentials: { modelKey: { type: 'password' } } });
};

async function openConfigured(
  RED: NodeAPI,
  node: InspectionNode,
  config: InspectionStationConfig,
  holder: Holder,
  patiently: (open: () => Promise<Station>) => Promise<Station>,
): Promise<Station> {
  const { shiftStarts, externalTrainer, ...settings } = readStationSettings(config);
  const dataFolder = dataFolderOf(RED, config);
  await holdFolder(dataFolder, holder);
  const options = {
    id: node.id,
    name: config.name,
    dataFolder,
    databaseFile: config.databaseFile.trim() || undefined,
    trainingFolders: foldersOf(RED, config.trainingFolders),
    modelKey: modelKeyOf(node),
    ...settings,
    ...(shiftStarts.length > 0 ? { shiftStarts } : {}),
    ...(externalTrainer.length > 0 ? { externalTrainer } : {}),
  };
  const station = await patiently(() => openStation(options));
  openStations.add(station);
  station.events.on('fault', ({ message }) => node.warn(message));
  station.events.on('warning', ({ message }) => node.warn(message));
  return station;
}

/** The key of the credentials, else of the environment. One that is not usable is told and stops no line. */
function modelKeyOf(node: InspectionNode): ModelKey | null {
  const { modelKey = '' } = node.credentials as Partial<InspectionStationCredentials>;
  try {
    return modelKey.trim() === '' ? modelKeyOfEnvironment() : readModelKey(modelKey);
  } catch (error) {
    node.warn(node.translation.message(error));
    return null;
  }
}

/** Tries again while the store cannot be used: a lock ends, a disk is freed, a share is mounted late. */
async function openPatiently(
  open: () => Promise<Station>,
  trouble: StationTrouble,
  closing: AbortSignal,
): Promise<Station> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
    try {
      const station = await open();
      trouble.over();
      return station;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || closing.aborted) throw error;
      trouble.met(error);
      await pause(waitMs, undefined, { signal: closing }).catch(() => {
        throw error;
      });
    }
  }
}

/** Waits until an earlier life of the same station, or another one that is closing, has let go of the folder. */
async function holdFolder(folder: string, mine: Holder): Promise<void> {
  const earlier = holders.get(folder);
  if (earlier && earlier.node !== mine.node && !earlier.isClosing) throw new DataFolderTaken(folder, earlier.node);
  holders.set(folder, mine);
  void mine.closed.then(() => {
    if (holders.get(folder) === mine) holders.delete(folder);
  });
  await earlier?.closed;
}

function mountOnce(RED: NodeAPI): void {
  const { httpNode } = RED;
  if (!httpNode || mounted.has(httpNode)) return;
  mounted.add(httpNode);
  mountApi(httpNode, {
    stations: () => [...openStations],
    onError: (error) => RED.log.error(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  // The editor's application parses the JSON bodies of all paths before the API sees them; what that refuses is caught
  // there. `parent` is where express keeps the application another one is mounted in.
  const root = (RED.settings.httpNodeRoot || '').replace(/\/$/, '');
  const { parent } = (RED.httpAdmin ?? {}) as { parent?: { use(handler: unknown): void } };
  parent?.use(createParserErrorHandler(`${root}${API_PATH}`));
}

function dataFolderOf(RED: NodeAPI, config: InspectionStationConfig): string {
  return folderOf(RED, config.dataFolder.trim() || 'opti-quality');
}

/** Folders separated by commas. */
function foldersOf(RED: NodeAPI, text: string): readonly string[] {
  const folders = text.split(',').map((folder) => folder.trim());
  return folders.filter((folder) => folder !== '').map((folder) => folderOf(RED, folder));
}

function folderOf(RED: NodeAPI, folder: string): string {
  return isAbsolute(folder) ? resolve(folder) : join(RED.settings.userDir ?? process.cwd(), folder);
}
