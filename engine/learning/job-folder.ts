import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../domain';
import { CHECKPOINT_FOLDER, type TrainingOrder } from './training-messages';

const ORDER_FILE = 'order.json';

/** Keeps what a job is to do beside its checkpoints, so that it goes on with the same pictures. */
export async function keepOrder(order: TrainingOrder): Promise<void> {
  await mkdir(order.workFolder, { recursive: true });
  await writeDurably(join(order.workFolder, ORDER_FILE), Buffer.from(JSON.stringify(order)));
}

/** What was kept; null when there is nothing to go on with. */
export async function keptOrder(workFolder: string): Promise<TrainingOrder | null> {
  if (!(await hasCheckpoint(workFolder))) return null;
  try {
    return JSON.parse(await readFile(join(workFolder, ORDER_FILE), 'utf8')) as TrainingOrder;
  } catch {
    return null;
  }
}

/** Whether a training has got so far that it can go on after it was ended from outside. */
export async function hasCheckpoint(workFolder: string): Promise<boolean> {
  return (await namesIn(join(workFolder, CHECKPOINT_FOLDER))).length > 0;
}

/** Removes the folders of all jobs but these. */
export async function removeOthers(folder: string, kept: readonly string[]): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!kept.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}
