import { access, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Clock,
  type ModelReference,
  makeFolder,
  NotFound,
  type RemovedVersion,
  syncFolder,
  timestamp,
} from '../domain';
import { ModelExists } from '../packages';
import type { RemovalRecord, Store } from '../store';

/** How long a removed version can be restored. */
const RESTORABLE_MS = 30 * 86_400_000;

/**
 * The versions in `<data>/deleted-models`. In place of each an empty folder stays among the models, so that its number is
 * not given again. A removal is recorded before the folder moves, and a restoring after it: what counts is where the folder
 * is.
 */
export class RemovedVersions {
  readonly #models: string;
  readonly #folder: string;

  constructor(
    private readonly store: Pick<Store, 'dataFolder' | 'removedModels'>,
    private readonly clock: Clock,
  ) {
    this.#models = join(store.dataFolder, 'models');
    this.#folder = join(store.dataFolder, 'deleted-models');
  }

  /** @param version that is there and not in production */
  async remove({ name, version }: ModelReference, actor: string): Promise<RemovedVersion> {
    const removal = { name, version, actor, removedAt: timestamp(this.clock.now()) };
    await this.store.removedModels.add(removal);
    const [from, to] = [join(this.#models, name, version), join(this.#folder, name, version)];
    await makeFolder(dirname(to));
    await rename(from, to);
    await makeFolder(from);
    for (const folder of [dirname(to), dirname(from)]) await syncFolder(folder);
    return toRemoved(removal);
  }

  /** @throws {NotFound} when it was not removed, or too long ago @throws {ModelExists} when something is in its place */
  async restore({ name, version }: ModelReference, actor: string): Promise<void> {
    const removed = (await this.list(name)).find((one) => one.version === version);
    if (!removed) throw new NotFound('removed model version', `${name}/${version}`);
    const [from, to] = [join(this.#folder, name, version), join(this.#models, name, version)];
    await makeFolder(dirname(to));
    await rmdir(to).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw new ModelExists(to);
    });
    await rename(from, to);
    for (const folder of [dirname(to), dirname(from)]) await syncFolder(folder);
    await this.store.removedModels.restore({ name, version }, actor, timestamp(this.clock.now()));
  }

  /** Those that can be restored, newest first; of one model, or of all. */
  async list(name?: string): Promise<readonly RemovedVersion[]> {
    const now = this.clock.now();
    const removed: RemovedVersion[] = [];
    for (const record of await this.store.removedModels.list(name)) {
      const version = toRemoved(record);
      if (Date.parse(version.until) > now && (await this.isRemoved(record))) removed.push(version);
    }
    return removed;
  }

  /** Whether a version is among the removed ones and not among the others, or gone for good. */
  async isRemoved({ name, version }: ModelReference): Promise<boolean> {
    return !(await isThere(join(this.#models, name, version, 'manifest.json')));
  }

  /** Deletes what was removed too long ago. @returns how many versions */
  async purge(): Promise<number> {
    let purged = 0;
    for (const record of await this.store.removedModels.list()) {
      const { name, version } = record;
      if (!(await this.isRemoved(record))) continue;
      // a crash may have come before it was made
      await makeFolder(join(this.#models, name, version));
      if (Date.parse(toRemoved(record).until) > this.clock.now()) continue;
      await rm(join(this.#folder, name, version), { recursive: true, force: true });
      await this.store.removedModels.purge({ name, version });
      purged += 1;
    }
    return purged;
  }
}

function toRemoved({ name, version, actor, removedAt }: RemovalRecord): RemovedVersion {
  return { name, version, actor, removedAt, until: timestamp(Date.parse(removedAt) + RESTORABLE_MS) };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
